//! A token: who may call (contract 3.2). Stored under a keyed digest of what its holder sends;
//! making and checking them is [`crate::auth`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EntityId, Login, Network, Timestamp};

/// Keyed digest of a client token, hex. Looks nothing like the token and cannot be turned back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenDigest(pub String);

/// The public handle of a token: 24 base62 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Accessor(pub String);

/// What kind of token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Stored, renewed, revoked.
    #[default]
    Service,
    /// All of it is in the token itself, sealed: nothing is stored, and nothing can change it.
    Batch,
}

impl TokenKind {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }
}

/// A token: a stored one, or what was read out of a batch token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Keyed digest of the token.
    pub digest: TokenDigest,
    /// Public handle.
    pub accessor: Accessor,
    /// The token that made it; `None` for an orphan.
    pub parent: Option<TokenDigest>,
    /// ACL policies by name, sorted.
    pub policies: Vec<String>,
    /// Free text for logs and user names, e.g. `token-ci`.
    pub display_name: String,
    /// Given at creation; `None` shows as null.
    pub meta: Option<BTreeMap<String, String>>,
    /// The path that made it, e.g. `auth/token/create`.
    pub path: String,
    /// Uses left; 0 = without limit, negative = used up.
    pub num_uses: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Seconds it was made for; 0 = for ever.
    pub creation_ttl: u64,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// Seconds that it can live at most, whatever is renewed; 0 = not set.
    pub explicit_max_ttl: u64,
    /// Seconds; 0 = not periodic.
    pub period: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// When it was last renewed.
    pub last_renewal: Option<Timestamp>,
    /// Set once it was revoked or expired: it no longer opens anything, its leases are ending.
    pub ended_at: Option<Timestamp>,
    /// Where it may be used from; none = from everywhere.
    pub bound_cidrs: Vec<Network>,
    /// The login that made it; `None` for one that another token made.
    pub login: Option<Login>,
    /// What kind. Batch tokens are never stored.
    pub kind: TokenKind,
    /// The token role that it was made by.
    pub role: Option<String>,
    /// Who stands behind it.
    pub entity: Option<EntityId>,
}

impl Token {
    /// A service token without a parent, that never ends and that nothing limits.
    pub fn new(digest: TokenDigest, accessor: Accessor, created_at: Timestamp) -> Self {
        Self {
            digest,
            accessor,
            parent: None,
            policies: Vec::new(),
            display_name: "token".to_owned(),
            meta: None,
            path: "auth/token/create".to_owned(),
            num_uses: 0,
            created_at,
            creation_ttl: 0,
            expires_at: None,
            explicit_max_ttl: 0,
            period: 0,
            renewable: false,
            last_renewal: None,
            ended_at: None,
            bound_cidrs: Vec::new(),
            login: None,
            kind: TokenKind::Service,
            role: None,
            entity: None,
        }
    }
}
