//! What logins by a signed token are made of: the keys that are believed, and roles of the `jwt` and `kubernetes` methods
//! (contract 3.4, 3.5). Plain data, stored as it is but for the reviewer's token, which is sealed bytes by the time it
//! is here. The rules are in [`crate::auth::methods`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TokenParams;

/// Where the keys come from that a `jwt` mount believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum KeySource {
    /// Named by the issuer's discovery document.
    Discovery {
        /// The issuer, without `/.well-known/openid-configuration`.
        url: String,
        /// Certificates to trust there, PEM; empty = what the system trusts.
        ca_pem: String,
    },
    /// At a URL.
    Jwks {
        /// The URL.
        url: String,
        /// Certificates to trust there, PEM; empty = what the system trusts.
        ca_pem: String,
    },
    /// Given with the configuration.
    Static {
        /// Public keys, PEM.
        pems: Vec<String>,
    },
}

/// What a `jwt` mount believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtConfig {
    /// Where the keys come from.
    pub keys: KeySource,
    /// What `iss` has to be; empty = what the discovery document says, or anything without one.
    pub bound_issuer: String,
    /// Algorithms that are taken, by their names in RFC 7518; empty = all that are known.
    pub supported_algs: Vec<String>,
    /// The role of a login that names none; may be empty.
    pub default_role: String,
}

/// How `bound_claims` are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimsType {
    /// As they are.
    #[default]
    String,
    /// `*` stands for any text.
    Glob,
}

impl ClaimsType {
    /// As the wire names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Glob => "glob",
        }
    }
}

/// A role of a `jwt` mount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JwtRole {
    /// In lower case.
    pub name: String,
    /// One of them has to be in `aud`; empty = `aud` has to be absent.
    pub bound_audiences: Vec<String>,
    /// What `sub` has to be; empty = anything.
    pub bound_subject: String,
    /// Claims, by name or JSON pointer, and the value or values of which one has to be there.
    pub bound_claims: Map<String, Value>,
    /// How they are compared.
    pub bound_claims_type: ClaimsType,
    /// Claims, by name or JSON pointer, and the metadata that they become.
    pub claim_mappings: BTreeMap<String, String>,
    /// The claim that says who it is.
    pub user_claim: String,
    /// Whether `user_claim` is a JSON pointer.
    pub user_claim_json_pointer: bool,
    /// The claim with the names of groups; may be empty.
    pub groups_claim: String,
    /// Seconds for a token without `exp`; 0 = the default, below 0 = none.
    pub expiration_leeway: i64,
    /// Seconds for a token without `nbf` and `iat`; 0 = the default, below 0 = none.
    pub not_before_leeway: i64,
    /// Seconds that clocks may differ; 0 = the default, below 0 = none.
    pub clock_skew_leeway: i64,
    /// Seconds since `auth_time`, or `iat` without it; 0 = any.
    pub max_age: u64,
    /// Kept and shown, of the logins by browser that are not offered.
    pub browser: BrowserFields,
    /// What its tokens are like.
    pub token: TokenParams,
}

/// Fields of logins by browser, which clients send for other roles too. Without effect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserFields {
    /// `allowed_redirect_uris`.
    pub allowed_redirect_uris: Vec<String>,
    /// `oidc_scopes`.
    pub oidc_scopes: Vec<String>,
    /// `verbose_oidc_logging`.
    pub verbose_oidc_logging: bool,
}

/// The cluster that a `kubernetes` mount asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesConfig {
    /// The base URL of the API, without a slash at the end.
    pub host: String,
    /// Certificates to trust there, PEM; empty = see `disable_local_ca_jwt`.
    pub ca_cert: String,
    /// The token that may review others, sealed; `None` = see `disable_local_ca_jwt`.
    pub reviewer: Option<Vec<u8>>,
    /// Without it, what a pod finds in its file system stands in for the certificates and the reviewer.
    pub disable_local_ca_jwt: bool,
    /// Public keys or certificates, PEM; tokens have to be signed with one where there are any.
    pub pem_keys: Vec<String>,
    /// What `iss` has to be where it is looked at.
    pub issuer: String,
    /// Whether `iss` is not looked at.
    pub disable_iss_validation: bool,
}

/// What an alias of a service account is made from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasNameSource {
    /// The service account's UID: gone with it.
    #[default]
    ServiceaccountUid,
    /// `<namespace>/<name>`: the next one of that name is the same.
    ServiceaccountName,
}

impl AliasNameSource {
    /// As the wire names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceaccountUid => "serviceaccount_uid",
            Self::ServiceaccountName => "serviceaccount_name",
        }
    }
}

/// A role of a `kubernetes` mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesRole {
    /// In lower case.
    pub name: String,
    /// Names of service accounts; `*` stands for any text.
    pub service_account_names: Vec<String>,
    /// Their namespaces; `*` stands for any text.
    pub service_account_namespaces: Vec<String>,
    /// What has to be in `aud`; empty = anything that the cluster takes.
    pub audience: String,
    /// What an alias is made from.
    pub alias_name_source: AliasNameSource,
    /// What its tokens are like.
    pub token: TokenParams,
}
