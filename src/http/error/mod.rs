//! What strangers are told: the one mapping of every error to a status and a text (contract 0.3). Each
//! variant says what happened; causes go to the log and never to the caller. [`table()`] prints it.

use serde_json::Value;

use super::fields::FieldError;
use crate::auth::methods::MethodError;
use crate::auth::wrapping::WrappingError;
use crate::auth::{AuthError, InitError, PolicyRefused};
use crate::engine::config::ConfigError;
use crate::engine::issue::IssueError;
use crate::engine::lease_query::QueryError;
use crate::engine::leases::RenewError;
use crate::engine::limits::LimitsError;
use crate::engine::mounts::MountError;
use crate::engine::reconcile::ReconcileError;
use crate::engine::remount::RemountError;
use crate::engine::roles::RoleError;
use crate::engine::rotate_root::RotateRootError;
use crate::engine::static_roles::StaticRoleError;
use crate::leases::{JobError, LeaseError, RevokeError};
use crate::model::go_text;
use domain::{
    auth, config, init, issue, job, lease, limits, mount, policy, query, reconcile, remount, renew,
    role, tainted, wrapping,
};
pub use table::table;

mod domain;
mod methods;
mod rotation;
mod table;

/// Everything that a request can fail with.
#[derive(Debug)]
pub enum ApiError {
    /// An unreadable `list` parameter.
    ListFlag,
    /// A method that is not offered at all.
    MethodNotAllowed,
    /// A body over the limit.
    BodyTooLarge,
    /// PATCH with another content type; holds it.
    PatchContentType(String),
    /// Holds what the decoder says.
    BadJson(String),
    /// A form that cannot be decoded.
    BadForm,
    /// A bad `X-Vault-Wrap-TTL`; holds what is wrong.
    WrapTtl(String),
    /// `sys/wrapping/wrap` without it.
    WrappingRequired,
    /// No wrapping token anywhere.
    WrappingTokenEmpty,
    /// Wrapped answers.
    Wrapping(WrappingError),
    /// `.` or `..` in the path.
    RelativePath,
    /// The key is not there.
    Sealed,
    /// There is no installation yet.
    NotInitialised,
    /// A write to a path that ends in a slash.
    TrailingSlash,
    /// A token is needed.
    NoToken,
    /// Nothing is mounted there; holds the path.
    NoHandler(String),
    /// What is mounted there is being disabled; holds the path.
    Tainted(String),
    /// No pattern takes the path.
    UnsupportedPath,
    /// The route does not offer the operation.
    UnsupportedOperation,
    /// A field's value cannot be read.
    Field(FieldError),
    /// The same on a route that looks first whether its object is there.
    EarlyField(FieldError),
    /// There is no such object, or nothing to list.
    NotFound,
    /// The UI's look-up of a mount that is not there or not the caller's; holds the path.
    Preflight(String),
    /// A lease for a token that ends now.
    LastUse,
    /// A query parameter of `sys/health` that is no status or flag; holds its name.
    BadOverride(String),
    /// Parameters of `sys/init` that the seal does not offer.
    InitParameters(String),
    /// `lease_id` was not sent.
    LeaseIdMissing,
    /// `lease_id` is no text.
    LeaseIdNotText,
    /// Look-up of a lease that is not there.
    InvalidLease,
    /// Renewal of a lease that is not there.
    LeaseNotFound,
    /// Read of a mount that is not there; holds its path.
    NoSuchMount(String),
    /// Tuning of a mount that is not there is read; holds its path.
    NothingTuned(String),
    /// `config` of a new mount is no object.
    MountConfig,
    /// `token_type` sent to an engine.
    TokenTypeOnEngine,
    /// `type` of a new token.
    TokenType,
    /// A chosen token id; holds what is wrong with it.
    CustomId(&'static str),
    /// A duration that is a text to the framework; holds Go's sentence.
    BadDuration(String),
    /// `token` was not sent.
    TokenMissing,
    /// `token` is no text.
    TokenNotText,
    /// A batch token; holds what it cannot be.
    BatchToken(&'static str),
    /// A token to renew is not there.
    TokenNotFound,
    /// No paths to tell capabilities of.
    PathsMissing,
    /// One of them is empty.
    PathEmpty,
    /// No token to tell capabilities of.
    NoTokenFound,
    /// The token to tell capabilities of is not there.
    CapabilitiesToken,
    /// `accessor` was not sent.
    AccessorMissing,
    /// No such token to make an orphanage of.
    OrphanTarget,
    /// `revoke-orphan` without `sudo`.
    OrphanWithoutSudo,
    /// ACL policies.
    Policy(PolicyRefused),
    /// Callers and tokens.
    Auth(AuthError),
    /// Auth methods.
    Method(MethodError),
    /// Initialising.
    Init(InitError),
    /// Mounts.
    Mount(MountError),
    /// `config/root` and `config/lease`.
    Config(ConfigError),
    /// `config/limits`.
    Limits(LimitsError),
    /// Roles.
    Role(RoleError),
    /// Credentials.
    Issue(IssueError),
    /// A word that a quarantine does not know.
    QuarantineAction(String),
    /// Comparing AWS with the leases.
    Reconcile(ReconcileError),
    /// Rotating the root key.
    RotateRoot(RotateRootError),
    /// Static roles.
    StaticRole(StaticRoleError),
    /// Renewing leases.
    Renew(RenewError),
    /// Revoking leases, waited for.
    Revoke(RevokeError),
    /// A value of a query over leases; holds its name and what was sent.
    QueryValue(&'static str, String),
    /// Jobs.
    Job(JobError),
    /// Moving mounts.
    Remount(RemountError),
    /// Leases.
    Lease(LeaseError),
    /// Asking for leases.
    Query(QueryError),
    /// `limit` of irrevocable leases; holds Vault's sentence.
    IrrevocableLimit(String),
    /// The broker's own fault; holds what happened, for the log.
    Internal(String),
}

/// Status, texts and data of an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// The texts; none where the status says it all.
    pub errors: Vec<String>,
    /// The verdict of a denial.
    pub data: Option<Value>,
}

/// A text as an error response has it: bare.
fn bare(status: u16, text: impl Into<String>) -> Told {
    Told { status, errors: vec![text.into()], data: None }
}

/// A text as an error of a backend has it: in a list of one.
fn wrapped(status: u16, text: &str) -> Told {
    bare(status, go_text::error_list(&[text.to_owned()]))
}

/// A status that says it all.
fn silent(status: u16) -> Told {
    Told { status, errors: Vec::new(), data: None }
}

/// The broker's own fault: what happened is in the log.
fn internal() -> Told {
    wrapped(500, "internal error")
}

/// The server cannot be reached behind the wall that it keeps up itself.
fn sealed() -> Told {
    bare(503, "Vault is sealed")
}

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
                    go_text::quote(&super::sys_mounts::with_slash(path))
                ),
            ),
            Self::LastUse => bare(
                400,
                "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.",
            ),
            Self::BadOverride(name) => bare(400, format!("bad value for parameter `{name}`")),
            Self::InitParameters(names) => bare(
                400,
                format!(
                    "parameters {names} not applicable to seal type {}",
                    super::sys_init::SEAL_TYPE
                ),
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
            Self::OrphanTarget => bare(400, "token to revoke not found"),
            Self::OrphanWithoutSudo => bare(400, "root or sudo privileges required to revoke and orphan"),
            Self::Policy(error) => policy(error),
            Self::Auth(error) => auth(error),
            Self::Method(error) => methods::method(error),
            Self::Init(error) => init(error),
            Self::Mount(error) => mount(error),
            Self::Config(error) => config(error),
            Self::Limits(error) => limits(error),
            Self::Role(error) => role(error),
            Self::Issue(error) => issue(error),
            Self::QuarantineAction(given) => {
                bare(400, format!("`action` must be `lift`, not `{given}`"))
            }
            Self::Reconcile(error) => reconcile(error),
            Self::RotateRoot(error) => rotation::rotate_root(error),
            Self::StaticRole(error) => rotation::static_role(error),
            Self::Renew(error) => renew(error),
            Self::Revoke(error) => bare(400, error.to_string()),
            Self::QueryValue(name, sent) => bare(400, format!("`{sent}` is no value for `{name}`")),
            Self::Job(error) => job(error),
            Self::Remount(error) => remount(error),
            Self::Lease(error) => lease(error),
            Self::Query(error) => query(error),
            Self::IrrevocableLimit(what) => wrapped(500, what),
            Self::Internal(_) => internal(),
        }
    }

    /// Whether AWS refused an issue: the caller is told, but whoever runs the broker has to see it too.
    /// (Of a failed revocation the teardown's own line tells.)
    pub fn is_of_aws(&self) -> bool {
        matches!(self, Self::Issue(IssueError::Aws { .. } | IssueError::Throttled { .. }))
    }

    /// What happened, with all causes; for the log.
    pub fn cause(&self) -> String {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others say it all to the caller")]
        match self {
            Self::Policy(error) => error.to_string(),
            Self::Wrapping(error) => error.to_string(),
            Self::Auth(error) => error.to_string(),
            Self::Method(error) => error.to_string(),
            Self::Init(error) => error.to_string(),
            Self::Mount(error) => error.to_string(),
            Self::Config(error) => error.to_string(),
            Self::Limits(error) => error.to_string(),
            Self::Role(error) => error.to_string(),
            Self::Issue(error) => error.to_string(),
            Self::Reconcile(error) => error.to_string(),
            Self::RotateRoot(error) => error.to_string(),
            Self::StaticRole(error) => error.to_string(),
            Self::Renew(error) => error.to_string(),
            Self::Job(error) => error.to_string(),
            Self::Remount(error) => error.to_string(),
            Self::Lease(error) => error.to_string(),
            Self::Query(error) => error.to_string(),
            Self::Internal(what) => what.clone(),
            told => told.told().errors.join("; "),
        }
    }

    /// An answer that cannot be written.
    pub fn unwritable(error: &serde_json::Error) -> Self {
        Self::Internal(format!("the answer cannot be written: {error}"))
    }

    /// A task that ended without a result.
    pub fn lost(error: &tokio::task::JoinError) -> Self {
        Self::Internal(format!("the request's task ended early: {error}"))
    }

    /// Renewal of a named token has a text of its own for one that is not there.
    pub fn renewing(error: AuthError) -> Self {
        if matches!(error, AuthError::NoSuchToken) {
            Self::TokenNotFound
        } else {
            Self::Auth(error)
        }
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}

from! {
    AuthError => Auth,
    MethodError => Method,
    PolicyRefused => Policy,
    WrappingError => Wrapping,
    InitError => Init,
    MountError => Mount,
    ConfigError => Config,
    LimitsError => Limits,
    RoleError => Role,
    IssueError => Issue,
    ReconcileError => Reconcile,
    RotateRootError => RotateRoot,
    StaticRoleError => StaticRole,
    RenewError => Renew,
    RevokeError => Revoke,
    JobError => Job,
    RemountError => Remount,
    LeaseError => Lease,
    QueryError => Query,
}
