//! The one mapping of every error to a status and a text (contract 0.3), one line a variant. No `_` arm: a
//! new variant has to say here what becomes of it. What the modules below say of theirs: [`super::domain`].

use super::domain::{
    audit, auth, config, init, issue, job, lease, limits, mount, policy, query, reconcile, remount,
    renew, role, tainted, wrapping,
};
use super::guardrails::guardrail;
use super::identity::{identity, quota, token_role};
use super::methods::method;
use super::plugins::plugin;
use super::rotation;
use super::{ApiError, Told, bare, internal, sealed, silent, wrapped};
use crate::http::mount_shape::with_slash;
use crate::http::sys_init::SEAL_TYPE;
use crate::model::go_text;

impl ApiError {
    /// What the caller is told.
    #[expect(clippy::too_many_lines, reason = "the whole mapping on one page, one line a variant")]
    #[rustfmt::skip]
    pub fn told(&self) -> Told {
        match self {
            Self::ListFlag => silent(400),
            Self::MethodNotAllowed => silent(405),
            Self::BodyTooLarge => {
                bare(413, "failed to read the body: http: request body too large")
            }
            Self::Crowded => bare(503, "too many large request bodies at the same time\nhelp: try again"),
            Self::TooSlow => bare(503, "the request took longer than `max_request_duration`; what it began is finished\nhelp: look at sys/leases/query before you repeat it"),
            Self::PatchContentType(given) => bare(
                415,
                format!(
                    "PATCH requires Content-Type of application/merge-patch+json, provided {given}"
                ),
            ),
            Self::BadJson(what) => bare(
                400,
                format!("error parsing JSON: failed to parse JSON input: {what}"),
            ),
            Self::BadForm => bare(400, "error parsing form data"),
            Self::WrapTtl(what) => bare(
                400,
                format!("error parsing X-Vault-Wrap-TTL header: {what}"),
            ),
            Self::WrappingRequired => {
                bare(400, "endpoint requires response wrapping to be used")
            }
            Self::WrappingTokenEmpty => {
                bare(403, "error validating wrapping token: token is empty")
            }
            Self::Wrapping(error) => wrapping(error),
            Self::RelativePath => bare(400, "relative paths not supported"),
            Self::Sealed | Self::NotInitialised => sealed(),
            Self::TrailingSlash => bare(400, "cannot write to a path ending in '/'"),
            Self::NoToken => bare(403, "permission denied"),
            Self::NoHandler(path) => bare(
                404,
                format!(
                    "no handler for route {}. route entry not found.",
                    go_text::quote(path)
                ),
            ),
            Self::Tainted(path) => tainted(path),
            Self::UnsupportedPath => wrapped(404, "unsupported path"),
            Self::UnsupportedOperation => wrapped(405, "unsupported operation"),
            Self::Field(error) => bare(400, format!("Field validation failed: {error}")),
            Self::EarlyField(error) => bare(400, error.to_string()),
            Self::NotFound => silent(404),
            Self::Preflight(path) => bare(
                403,
                format!(
                    "preflight capability check returned 403, please ensure client's policies grant access to path {}",
                    go_text::quote(&with_slash(path))
                ),
            ),
            Self::LastUse => bare(
                400,
                "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.",
            ),
            Self::BadOverride(name) => bare(400, format!("bad value for parameter `{name}`")),
            Self::InitParameters(names) => bare(
                400,
                format!("parameters {names} not applicable to seal type {SEAL_TYPE}"),
            ),
            Self::LeaseIdMissing => bare(400, "lease_id must be specified"),
            Self::LeaseIdNotText => bare(400, "invalid lease ID"),
            Self::InvalidLease => bare(400, "invalid lease"),
            Self::LeaseNotFound => bare(400, "lease not found"),
            Self::NoSuchMount(path) => bare(400, format!("No secret engine mount at {path}")),
            Self::NothingTuned(path) => bare(
                400,
                format!("cannot fetch sysview for path {}", go_text::quote(path)),
            ),
            Self::MountConfig => bare(400, "unable to convert given mount config information"),
            Self::TokenTypeOnEngine => {
                bare(400, "'token_type' can only be modified on auth mounts")
            }
            Self::TokenType => bare(400, "invalid 'token_type' value"),
            Self::CustomId(what) => bare(400, format!("custom token ID cannot have {what}")),
            Self::BadDuration(what) => bare(400, what.as_str()),
            Self::TokenMissing => bare(400, "missing token ID"),
            Self::TokenNotText => bare(403, "invalid token"),
            Self::BatchToken(what) => bare(400, format!("batch tokens cannot be {what}")),
            Self::TokenNotFound => bare(400, "token not found"),
            Self::PathsMissing => bare(400, "paths must be supplied"),
            Self::PathEmpty => wrapped(400, "missing path"),
            Self::NoTokenFound => wrapped(500, "no token found"),
            Self::CapabilitiesToken => wrapped(400, "invalid token"),
            Self::AccessorMissing => wrapped(400, "missing accessor"),
            Self::RateLimited(path) => bare(
                429,
                format!("request path {}: rate limit quota exceeded", go_text::quote(path)),
            ),
            Self::TokenRole(error) => token_role(error),
            Self::Identity(error) => identity(error),
            Self::Quota(error) => quota(error),
            Self::OrphanTarget => bare(400, "token to revoke not found"),
            Self::OrphanWithoutSudo => bare(400, "root or sudo privileges required to revoke and orphan"),
            Self::Policy(error) => policy(error),
            Self::Auth(error) => auth(error),
            Self::Method(error) => method(error),
            Self::Init(error) => init(error),
            Self::Mount(error) => mount(error),
            Self::Config(error) => config(error),
            Self::Limits(error) => limits(error),
            Self::Role(error) => role(error),
            Self::Issue(error) => issue(error),
            Self::QuarantineAction(given) => {
                bare(400, format!("`action` must be `lift`, not `{given}`"))
            }
            Self::Guardrail(error) => guardrail(error),
            Self::Reconcile(error) => reconcile(error),
            Self::Audit(error) => audit(error),
            // Bare, unlike what else is internal (contract 0.3).
            Self::Unaudited => bare(500, "internal error"),
            Self::RotateRoot(error) => rotation::rotate_root(error),
            Self::StaticRole(error) => rotation::static_role(error),
            Self::Renew(error) => renew(error),
            Self::Revoke(error) => bare(400, error.to_string()),
            Self::Job(error) => job(error),
            Self::Plugin(error) => plugin(error),
            Self::Remount(error) => remount(error),
            Self::Lease(error) => lease(error),
            Self::Query(error) => query(error),
            Self::IrrevocableLimit(what) => wrapped(500, what),
            Self::Internal(_) => internal(),
        }
    }
}
