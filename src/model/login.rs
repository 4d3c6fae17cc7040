//! Auth methods and who may log in by them: mounts, AppRole's roles and secret ids, people with a
//! password (contract 2.5, 3.3). Plain data; secrets are digests or sealed bytes by the time they are
//! here. The rules are in [`crate::auth::methods`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Accessor, MountPath, MountTuning, Network, Timestamp};

/// The stable identity of an auth mount: a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthMountId(pub String);

/// How its users prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMethod {
    /// Machines, by a role id and a secret id.
    AppRole,
    /// People, by a name and a password.
    Userpass,
    /// Machines, by a token that somebody signed.
    Jwt,
    /// The same under its other name.
    Oidc,
    /// Pods, by the token of their service account.
    Kubernetes,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AppRole, Self::Userpass, Self::Jwt, Self::Oidc, Self::Kubernetes];

    /// As `type` names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppRole => "approle",
            Self::Userpass => "userpass",
            Self::Jwt => "jwt",
            Self::Oidc => "oidc",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// An auth method at a path below `auth/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthMount {
    /// Stable identity.
    pub id: AuthMountId,
    /// Where it is, below `auth/`.
    pub path: MountPath,
    /// How its users log in.
    pub method: AuthMethod,
    /// `auth_<type>_` and 8 hex digits.
    pub accessor: String,
    /// Free text.
    pub description: String,
    /// As sent: null, or an object.
    pub options: Value,
    /// As sent; without effect, there is no replication.
    pub local: bool,
    /// As sent; everything secret is a digest or encrypted anyway.
    pub seal_wrap: bool,
    /// As sent; without effect.
    pub external_entropy_access: bool,
    /// `default-service` or `service`.
    pub token_type: String,
    /// What `tune` changes.
    pub tuning: MountTuning,
}

/// What the tokens of a role or user are like: the `token_*` fields (contract 3.3). Seconds; 0 = not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenParams {
    /// How long a token lasts.
    pub ttl: u64,
    /// How long renewals can make it last.
    pub max_ttl: u64,
    /// By name, sorted.
    pub policies: Vec<String>,
    /// Where it may be used from.
    pub bound_cidrs: Vec<Network>,
    /// Its end, whatever is renewed, periodic ones too.
    pub explicit_max_ttl: u64,
    /// Whether `default` is left out.
    pub no_default_policy: bool,
    /// 0 = without limit.
    pub num_uses: i64,
    /// Renewable for ever, for so long each time.
    pub period: u64,
    /// `default`, `service` or `default-service`; all mean service tokens.
    pub token_type: String,
}

/// What a token keeps of the login that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The mount; the token ends with it.
    pub mount: AuthMountId,
    /// The role or user; without it the token is not renewed.
    pub name: String,
    /// Seconds that renewals can make it last, counted from its making.
    pub max_ttl: u64,
}

/// A role of AppRole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRole {
    /// In lower case.
    pub name: String,
    /// What machines name it by.
    pub role_id: String,
    /// Whether a secret id is asked for.
    pub bind_secret_id: bool,
    /// Where logins may come from.
    pub secret_id_bound_cidrs: Vec<Network>,
    /// Uses of a new secret id; 0 = without limit.
    pub secret_id_num_uses: i64,
    /// Seconds that a new secret id lasts; 0 = for ever.
    pub secret_id_ttl: u64,
    /// As sent; without effect, there is no replication.
    pub local_secret_ids: bool,
    /// What its tokens are like.
    pub token: TokenParams,
}

/// Keyed digest of a secret id, hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretIdDigest(pub String);

/// A secret id as it is stored: whatever is known of it but itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecretId {
    /// Of which role.
    pub role: String,
    /// Keyed digest.
    pub digest: SecretIdDigest,
    /// Public handle: a UUID.
    pub accessor: Accessor,
    /// Uses left; 0 = without limit.
    pub uses_left: i64,
    /// Seconds that it was made for; 0 = for ever.
    pub ttl: u64,
    /// When.
    pub created_at: Timestamp,
    /// `None` = never.
    pub expires_at: Option<Timestamp>,
    /// Given at creation; its tokens carry it.
    pub metadata: BTreeMap<String, String>,
    /// Where logins may come from.
    pub cidrs: Vec<Network>,
    /// Where its tokens may be used from, in the place of the role's.
    pub token_bound_cidrs: Vec<Network>,
}

/// A person with a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginUser {
    /// In lower case.
    pub name: String,
    /// Hash of the password, sealed.
    pub password: Vec<u8>,
    /// What their tokens are like.
    pub token: TokenParams,
}
