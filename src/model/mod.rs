//! The vocabulary: plain data and the rules that concern one value alone. Uses nothing else in the
//! crate and does no I/O. Start at [`lease`] for the life of a credential, at [`role`] for what is
//! asked for, at [`verdict`] for what the gate says.

mod audit;
pub mod binding;
pub mod delivery;
pub mod duration;
pub mod encoding;
pub mod glob;
pub mod go_text;
pub mod guardrail;
pub mod identity;
pub mod job;
pub mod lease;
mod lease_filter;
pub mod limits;
pub mod login;
pub mod login_jwt;
pub mod mount;
pub mod names;
pub mod network;
pub mod orphan;
pub mod plugin;
pub mod quarantine;
pub mod quota;
pub mod role;
pub mod rotation;
mod seal;
pub mod secret;
pub mod timestamp;
pub mod token;
pub mod token_role;
pub mod verdict;

pub use audit::{AuditDevice, AuditKind, ChainHead};
pub use binding::{AccountBinding, LeaseConfig};
pub use delivery::{Canary, Delivery, Placement, Readiness, SessionRevocation};
pub use guardrail::{
    Binding, DEFAULT_SETTINGS, FailureAction, FailureKind, Guardrail, GuardrailName, KeptVerdict,
    LoweredLimits, Mode, OnFailure, PluginRef, Scope, ScopeSubject, Suspension,
};
pub use identity::{Entity, EntityAlias, EntityId, Group, GroupId};
pub use job::{
    Job, JobFailure, JobId, JobKind, JobProgress, JobScope, JobState, MountMove, Untried,
};
pub use lease::{
    Beside, EndReason, EndRecord, FailureClass, Lease, LeaseState, Origin, SessionCut,
    TeardownProgress,
};
pub use lease_filter::{LeaseFilter, STUCK_ATTEMPTS, Stage, UnknownStage};
pub use limits::{CapReached, LeaseCap, LeaseCaps, LeaseLimits, MostLeases};
pub use login::{
    AppRole, AuthMethod, AuthMount, AuthMountId, Login, LoginUser, SecretIdDigest, StoredSecretId,
    TokenParams,
};
pub use login_jwt::{
    AliasNameSource, BrowserFields, ClaimsType, JwtConfig, JwtRole, KeySource, KubernetesConfig,
    KubernetesRole,
};
pub use mount::{Mount, MountId, MountState, MountTuning};
pub use names::{
    AccessKeyId, GroupName, InvalidName, LeaseId, LeaseTag, MountPath, PolicyArn, RoleName,
    UserName,
};
pub use network::Network;
pub use orphan::{Orphan, OrphanPolicy, UserRow};
pub use plugin::{
    PluginDigest, PluginName, PluginRecord, PluginSignature, PluginTests, PluginVersion,
    SemanticVersion, Uploader,
};
pub use quarantine::Quarantine;
pub use quota::{QuotaConfig, RateQuota};
pub use role::{CredentialType, LegacyRole, Role};
pub use rotation::{KeyChange, KeyStep, RootRotation, RotationProgress, RotationTimes, StaticRole};
pub use seal::{RecoveryRecord, SealKind, SealRecord};
pub use secret::{
    ClientToken, Jwt, KeyShare, MfaCode, Password, SecretAccessKey, SecretId, SecretText,
    SessionToken,
};
pub use timestamp::Timestamp;
pub use token::{Accessor, Token, TokenDigest, TokenKind};
pub use token_role::{OldNames, RoleKind, TokenRole};
pub use verdict::{Decision, Finding, Severity, Verdict};
