//! A mount: an AWS engine at a path (contract 2.1). A disabled mount stays as a tombstone while
//! leases under it are still being torn down, since their account binding is needed for that.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MountPath;

/// The stable identity of a mount; survives a remount. A UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MountId(pub String);

/// Whether a mount serves requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountState {
    /// Serves requests.
    Active,
    /// Disabling it failed half way: listed, serves nothing, its path is taken.
    Tainted,
    /// Disabled: not listed; kept until its last lease is gone.
    Removed,
}

/// What `tune` changes. TTLs are the configured values in seconds, 0 = inherit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MountTuning {
    /// Default lease TTL in seconds, 0 = the server's.
    pub default_lease_ttl: u64,
    /// Maximum lease TTL in seconds, 0 = the server's.
    pub max_lease_ttl: u64,
    /// Accepted and shown, without effect: nothing is cached per mount.
    pub force_no_cache: bool,
    /// `""`, `hidden` or `unauth`.
    pub listing_visibility: Option<String>,
    /// Accepted and shown.
    pub audit_non_hmac_request_keys: Option<Vec<String>>,
    /// Accepted and shown.
    pub audit_non_hmac_response_keys: Option<Vec<String>>,
    /// Accepted and shown.
    pub passthrough_request_headers: Option<Vec<String>>,
    /// Accepted and shown.
    pub allowed_response_headers: Option<Vec<String>>,
}

/// An engine at a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    /// Stable identity.
    pub id: MountId,
    /// Where it is.
    pub path: MountPath,
    /// `aws_` and 8 hex digits.
    pub accessor: String,
    /// Free text.
    pub description: String,
    /// As sent at creation: null, or an object.
    pub options: Value,
    /// As sent; without effect, there is no replication.
    pub local: bool,
    /// As sent; everything secret is encrypted anyway.
    pub seal_wrap: bool,
    /// As sent; without effect.
    pub external_entropy_access: bool,
    /// What `tune` changes.
    pub tuning: MountTuning,
    /// Whether it serves requests.
    pub state: MountState,
}
