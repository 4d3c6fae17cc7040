//! What strangers are told: the one mapping of every error to a status and a text (contract 0.3). Each
//! variant says what happened; causes go to the log and never to the caller. [`table()`] prints it.

use serde_json::Value;

use super::fields::FieldError;
use crate::audit::AuditError;
use crate::auth::identity::IdentityError;
use crate::auth::methods::MethodError;
use crate::auth::quotas::QuotaRefused;
use crate::auth::token_roles::TokenRoleRefused;
use crate::auth::wrapping::WrappingError;
use crate::auth::{AuthError, InitError, PolicyRefused};
use crate::engine::config::ConfigError;
use crate::engine::guardrails::GuardrailError;
use crate::engine::issue::IssueError;
use crate::engine::lease_query::QueryError;
use crate::engine::leases::RenewError;
use crate::engine::limits::LimitsError;
use crate::engine::mounts::MountError;
use crate::engine::plugins::PluginError;
use crate::engine::reconcile::ReconcileError;
use crate::engine::remount::RemountError;
use crate::engine::roles::RoleError;
use crate::engine::rotate_root::RotateRootError;
use crate::engine::static_roles::StaticRoleError;
use crate::leases::{JobError, LeaseError, RevokeError};
use crate::model::go_text;
pub use table::table;

mod domain;
mod guardrails;
mod identity;
mod logins;
mod mapping;
mod methods;
mod plugins;
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
    /// No memory for a body among those of others.
    Crowded,
    /// Not answered within the listener's time.
    TooSlow,
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
    /// A quota has no more requests for this address; holds the path.
    RateLimited(String),
    /// Token roles.
    TokenRole(TokenRoleRefused),
    /// Entities and groups.
    Identity(IdentityError),
    /// Quotas.
    Quota(QuotaRefused),
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
    /// Guardrails.
    Guardrail(GuardrailError),
    /// Comparing AWS with the leases.
    Reconcile(ReconcileError),
    /// Audit devices.
    Audit(AuditError),
    /// No audit device took the entry of a request.
    Unaudited,
    /// Rotating the root key.
    RotateRoot(RotateRootError),
    /// Static roles.
    StaticRole(StaticRoleError),
    /// Renewing leases.
    Renew(RenewError),
    /// Revoking leases, waited for.
    Revoke(RevokeError),
    /// Jobs.
    Job(JobError),
    /// Plugins of guardrails.
    Plugin(Box<PluginError>),
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

impl Told {
    /// Digest of the verdict, of a denial that was reached.
    pub fn verdict(&self) -> Option<&str> {
        let data = self.data.as_ref()?;
        data.get("verdict")?;
        data.get("digest")?.as_str()
    }
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
            Self::TokenRole(error) => error.to_string(),
            Self::Identity(error) => error.to_string(),
            Self::Quota(error) => error.to_string(),
            Self::Init(error) => error.to_string(),
            Self::Mount(error) => error.to_string(),
            Self::Config(error) => error.to_string(),
            Self::Limits(error) => error.to_string(),
            Self::Role(error) => error.to_string(),
            Self::Issue(error) => error.to_string(),
            Self::Guardrail(error) => error.to_string(),
            Self::Reconcile(error) => error.to_string(),
            Self::Audit(error) => error.to_string(),
            Self::Unaudited => "no audit device could write the entry".to_owned(),
            Self::RotateRoot(error) => error.to_string(),
            Self::StaticRole(error) => error.to_string(),
            Self::Renew(error) => error.to_string(),
            Self::Job(error) => error.to_string(),
            Self::Plugin(error) => error.to_string(),
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

impl From<PluginError> for ApiError {
    fn from(error: PluginError) -> Self {
        Self::Plugin(Box::new(error))
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
    AuditError => Audit,
    MethodError => Method,
    TokenRoleRefused => TokenRole,
    IdentityError => Identity,
    QuotaRefused => Quota,
    PolicyRefused => Policy,
    WrappingError => Wrapping,
    InitError => Init,
    MountError => Mount,
    ConfigError => Config,
    LimitsError => Limits,
    RoleError => Role,
    IssueError => Issue,
    GuardrailError => Guardrail,
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
