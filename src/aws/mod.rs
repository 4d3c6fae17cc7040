//! IAM and STS as the broker needs them. [`IamProvider`] and [`StsProvider`] are the seam: [`sdk`] is the only code that
//! knows the AWS SDK, and behind it stands AWS, an endpoint of the operator's, or the embedded AWS.
//! Of the gate this module knows [`VettedGrant`] alone: nothing unjudged can be created here.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::gate::VettedGrant;
use crate::model::{
    AccessKeyId, GroupName, LeaseTag, PolicyArn, RoleName, SecretAccessKey, Timestamp, UserName,
};

pub mod accounts;
mod caller_text;
mod classify;
pub mod discovery;
pub mod documents;
mod identity;
mod keys;
mod limiter;
pub mod placement;
mod probe;
pub mod sdk;
mod sealing;
mod session_deny;
mod sts;
#[cfg(test)]
pub(crate) mod testing;

pub use accounts::{Access, AccountSettings, Accounts, AwsBackend, Outgoing};
pub use discovery::{
    DiscoveryProvider, Glance, Identity, ListedPolicy, ListedUser, Simulated, Simulation,
    StsEndpoint,
};
pub use documents::{Documents, Fetched};
pub use identity::{account_of, is_account};
pub use keys::{HeldKey, HeldUser, KeyProvider};
pub use placement::{PlacementProvider, PolicyHolders};
pub use probe::KeyProbe;
pub use session_deny::{SessionDeny, SessionDenyProvider};
pub use sts::{FederatedSession, OwnSession, RoleSession, StsProvider, TemporaryCredentials};

/// The tag that says which installation a user belongs to.
pub const BROKER_TAG: &str = "leasehold:broker";
/// The tag that says which lease a user belongs to.
pub const LEASE_TAG: &str = "leasehold:lease";

/// The inline policy that denies everything, where a key cannot be made inactive.
pub const CONTAINED_POLICY: &str = "leasehold-contained";

/// An IAM user about to be created. Holding one means that the gate allowed what it will be given.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its name.
    pub name: UserName,
    /// Its path, `/` when the role names none.
    pub path: String,
    /// The role's tags, without ours.
    pub tags: BTreeMap<String, String>,
    /// This installation's id, for [`BROKER_TAG`].
    pub broker: String,
    /// The lease, for [`LEASE_TAG`].
    pub lease: LeaseTag,
    /// Name of the inline policy: the role's.
    pub role: RoleName,
    /// What it may do.
    pub grant: VettedGrant,
}

/// What AWS says of a user that it made; each is `None` where an endpoint does not say it as AWS does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreatedUser {
    /// The account, 12 digits.
    pub account: Option<String>,
    /// AWS's own id of the user, `AIDA…`: no other user ever has it, whatever its name.
    pub user_id: Option<String>,
}

/// Keys that AWS made.
#[derive(Debug, Clone)]
pub struct NewAccessKey {
    /// Public half.
    pub id: AccessKeyId,
    /// Secret half.
    pub secret: SecretAccessKey,
}

/// What a user owns, as far as the lists say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Belongings {
    /// Access keys.
    pub access_keys: Vec<AccessKeyId>,
    /// Names of inline policies.
    pub inline_policies: Vec<String>,
    /// Attached managed policies.
    pub attached_policies: Vec<PolicyArn>,
    /// Groups.
    pub groups: Vec<GroupName>,
}

/// What only a few users own, looked for where `DeleteUser` is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RareBelongings {
    /// Whether there is a console password.
    pub login_profile: bool,
    /// Serial numbers of MFA devices.
    pub mfa_devices: Vec<String>,
    /// Ids of SSH public keys.
    pub ssh_public_keys: Vec<String>,
    /// Ids of signing certificates.
    pub signing_certificates: Vec<String>,
    /// Ids of service-specific credentials.
    pub service_specific_credentials: Vec<String>,
}

/// Whose a user or a policy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// Value of [`BROKER_TAG`].
    pub broker: Option<String>,
    /// Value of [`LEASE_TAG`].
    pub lease: Option<String>,
}

impl Ownership {
    /// Whether it is this lease's of this installation.
    pub fn is_of(&self, broker: &str, lease: &LeaseTag) -> bool {
        self.broker.as_deref() == Some(broker) && self.lease.as_deref() == Some(lease.as_str())
    }
}

/// A document that AWS holds, with its source for findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDocument {
    /// `arn:…` or `group/policy`.
    pub source: DocumentSource,
    /// The text, decoded.
    pub text: String,
}

/// Where a held document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DocumentSource {
    /// A managed policy.
    Managed(PolicyArn),
    /// An inline policy of a group.
    Group {
        /// The group.
        group: GroupName,
        /// The policy's name.
        policy: String,
    },
}

impl std::fmt::Display for DocumentSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Managed(arn) => write!(f, "{arn}"),
            Self::Group { group, policy } => write!(f, "{group}/{policy}"),
        }
    }
}

/// One IAM or STS operation, as AWS names it, e.g. `CreateUser`.
pub type Operation = &'static str;

/// Why a call failed. The two are different types of trouble: after `Refused` nothing happened, after
/// `Unclear` AWS may have acted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// AWS said no; nothing was changed.
    #[error("{operation} was refused with {code}")]
    Refused {
        /// The call.
        operation: Operation,
        /// AWS's error code, e.g. `AccessDenied`.
        code: String,
        /// What kind of refusal.
        kind: RefusalKind,
        /// AWS's own sentence; for the log, and for callers where it does not name the broker's own.
        message: String,
    },
    /// No answer, a broken one, or a server error.
    #[error("{operation} got no clear answer: {message}")]
    Unclear {
        /// The call.
        operation: Operation,
        /// What was seen.
        message: String,
    },
    /// The client cannot be built: no binding, no credentials, a bad endpoint. Nothing was sent.
    #[error("{0}")]
    NotConfigured(String),
}

/// Kinds of refusal that someone decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// `NoSuchEntity`.
    Absent,
    /// `EntityAlreadyExists`.
    Exists,
    /// `DeleteConflict`.
    StillOwns,
    /// `Throttling` and its kin. Nothing happened, but it is worth another try.
    Throttled,
    /// `AccessDenied`.
    AccessDenied,
    /// `InvalidClientTokenId`, `SignatureDoesNotMatch`, `ExpiredToken`.
    BadCredentials,
    /// `LimitExceeded`.
    Quota,
    /// `MalformedPolicyDocument`, `ValidationError`, `InvalidInput`.
    Invalid,
    /// Any other definite refusal.
    Other,
}

/// What IAM does for the broker, in one account.
#[async_trait]
pub trait IamProvider:
    PlacementProvider + SessionDenyProvider + std::fmt::Debug + Send + Sync + 'static
{
    /// `CreateUser` with path, boundary and all tags in the one call.
    async fn create_user(&self, user: &NewUser) -> Result<CreatedUser, AwsError>;
    /// `PutUserPolicy` with the canonical bytes that were judged; nothing to do without a document.
    async fn put_user_policy(&self, user: &NewUser) -> Result<(), AwsError>;
    /// `AttachUserPolicy`; `arn` must be one of the grant's.
    async fn attach_user_policy(&self, user: &NewUser, arn: &PolicyArn) -> Result<(), AwsError>;
    /// `AddUserToGroup`; `group` must be one of the grant's.
    async fn add_user_to_group(&self, user: &NewUser, group: &GroupName) -> Result<(), AwsError>;
    /// `CreateAccessKey`.
    async fn create_access_key(&self, user: &NewUser) -> Result<NewAccessKey, AwsError>;

    /// The tags that say whose a user is; `None` when there is no such user.
    async fn ownership(&self, user: &UserName) -> Result<Option<Ownership>, AwsError>;
    /// `UpdateAccessKey` to inactive; fine when it is gone.
    async fn deactivate_access_key(
        &self,
        user: &UserName,
        key: &AccessKeyId,
    ) -> Result<(), AwsError>;
    /// An inline policy that denies everything, for when a key cannot be made inactive.
    async fn deny_everything(&self, user: &UserName) -> Result<(), AwsError>;
    /// What the user owns: four lists at once, all pages; `None` when there is no such user.
    async fn belongings(&self, user: &UserName) -> Result<Option<Belongings>, AwsError>;
    /// Removes all of it, at once; what is already gone is fine.
    async fn remove_belongings(&self, user: &UserName, what: &Belongings) -> Result<(), AwsError>;
    /// What `DeleteUser` may be refused for beside the usual.
    async fn rare_belongings(&self, user: &UserName) -> Result<RareBelongings, AwsError>;
    /// Removes all of it.
    async fn remove_rare_belongings(
        &self,
        user: &UserName,
        what: &RareBelongings,
    ) -> Result<(), AwsError>;
    /// `DeleteUser`; fine when it is gone.
    async fn delete_user(&self, user: &UserName) -> Result<(), AwsError>;

    /// Default version of a managed policy.
    async fn managed_policy(&self, arn: &PolicyArn) -> Result<HeldDocument, AwsError>;
    /// Inline documents and attached ARNs of a group, all pages.
    async fn group_policies(
        &self,
        group: &GroupName,
    ) -> Result<(Vec<HeldDocument>, Vec<PolicyArn>), AwsError>;

    /// When the last successful call was, for the status page; `None` before the first.
    async fn last_success(&self) -> Option<Timestamp>;
}
