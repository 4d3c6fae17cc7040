//! Why an auth method refused something. The texts are the contract's (2.5, 3.3) where it has them. A failed
//! login says no more than it must: whether the role, the user or the secret was wrong is not told.

use std::net::IpAddr;

use super::jwt::JwtError;
use super::kubernetes::KubernetesError;
use crate::auth::AuthError;
use crate::model::{MountPath, go_text::quote};
use crate::seal::SealError;
use crate::store::StoreError;

/// Why nothing was changed, shown or made.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// A method is mounted there, above or below.
    #[error("path is already in use at {0}")]
    PathInUse(MountPath),
    /// No path that something can be mounted at.
    #[error("`{0}` is no path for an auth method")]
    BadPath(String),
    /// `type` was not sent.
    #[error("backend type must be specified as a string")]
    TypeMissing,
    /// `type` is `token`, which is there already.
    #[error("token credential backend cannot be instantiated")]
    TokenNotInstantiable,
    /// The tokens' own mount stays.
    #[error("token credential backend cannot be disabled")]
    TokenNotDisabled,
    /// The tokens' own mount has no settings.
    #[error("the settings of `auth/token/` are fixed")]
    TokenNotTuned,
    /// `user_lockout_config` of a mount.
    #[error(
        "`user_lockout_config` is not tuned here: five wrong secrets in a row lock a name for 15 minutes\nhelp: leave it out"
    )]
    LockoutNotTuned,
    /// No such method is offered.
    #[error("plugin not found in the catalog: {0}")]
    UnknownType(String),
    /// `token_type` of a mount.
    #[error("invalid value for 'token_type'")]
    MountTokenType,
    /// Nothing is mounted there; holds its path.
    #[error("tune of path {} failed: no mount entry found", quote(.0))]
    NothingToTune(String),
    /// Nothing is mounted there; holds its path.
    #[error("No auth engine at {0}")]
    NoMount(String),

    /// `token_type` of a role or user.
    #[error("invalid 'token_type' value {}", quote(.0))]
    TokenType(String),
    /// A batch token cannot be changed; holds what it was to be.
    #[error("'token_type' cannot be 'batch' or 'default_batch' when set to generate {0}")]
    Batch(&'static str),
    /// Below zero; holds the field's name.
    #[error("'{0}' cannot be negative")]
    Negative(&'static str),
    /// The token's TTL is above its maximum.
    #[error("'token_ttl' cannot be greater than 'token_max_ttl'")]
    TtlAboveMax,
    /// No address or network.
    #[error("error parsing address {} of `{field}`", quote(.sent))]
    BadNetwork {
        /// The field.
        field: &'static str,
        /// What was sent.
        sent: String,
    },

    /// Nothing would have to be proved at login.
    #[error("at least one constraint should be enabled on the role")]
    NoConstraint,
    /// `local_secret_ids` of a role that is there.
    #[error("local_secret_ids can only be modified during role creation")]
    LocalFixed,
    /// Another role has the role id.
    #[error("role_id is already in use by another role")]
    RoleIdTaken,
    /// `role_id` is missing where it is set.
    #[error("missing role_id")]
    RoleIdMissing,
    /// No such role.
    #[error("role {} does not exist", quote(.0))]
    NoRole(String),
    /// The same, on a list.
    #[error("role {} does not exist", quote(.0))]
    NoRoleToList(String),
    /// The role asks for no secret id.
    #[error("bind_secret_id is not set on the role")]
    NotBound,
    /// `secret_id` is missing.
    #[error("missing secret_id")]
    SecretIdMissing,
    /// `secret_id_accessor` is missing.
    #[error("missing secret_id_accessor")]
    AccessorMissing,
    /// No secret id has it.
    #[error("failed to find accessor entry for secret_id_accessor: {}", quote(.0))]
    NoAccessor(String),
    /// The role has the chosen secret id already.
    #[error("failed to store secret_id: SecretID is already registered")]
    SecretIdTaken,
    /// `metadata` is no JSON object of texts.
    #[error("failed to parse metadata: it must be a JSON object of strings")]
    BadMetadata,
    /// More uses than the role's.
    #[error("num_uses cannot be higher than the role's secret_id_num_uses")]
    TooManyUses,
    /// Longer than the role's.
    #[error("ttl cannot be longer than the role's secret_id_ttl")]
    TooLong,
    /// Networks that the role's do not hold; holds the field's name.
    #[error("`{0}` of the secret id must lie within the networks of the role")]
    OutsideRole(&'static str),

    /// `password` is missing.
    #[error("missing password")]
    PasswordMissing,
    /// No such user.
    #[error("username does not exist")]
    NoUser,

    /// A login that names nobody. Vault asks before everything else whom it may have to lock out.
    #[error("failed to determine alias name from login request")]
    NoAlias,
    /// Too many failed logins; with the right secret too.
    #[error("permission denied")]
    Locked,
    /// The role id or the secret id is wrong.
    #[error("invalid role or secret ID")]
    WrongRole,
    /// The name or the password is wrong.
    #[error("invalid username or password")]
    WrongPassword,
    /// From somewhere else.
    #[error("source address {} unauthorized {by}", quote(&shown(.address.as_ref())))]
    Source {
        /// Where from.
        address: Option<IpAddr>,
        /// What forbids it.
        by: &'static str,
    },
    /// A `jwt` mount's refusal.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// A `kubernetes` mount's refusal.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    /// The token could not be made, or not be used from there.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The key is not there, or does not open what was sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hash of a password could not be made.
    #[error("a password could not be hashed: {0}")]
    Hashing(String),
}

fn shown(address: Option<&IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), IpAddr::to_string)
}
