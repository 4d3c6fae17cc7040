//! An AWS account binding (a mount's `config/root`) and its `config/lease` (contract 1.1, 1.2).
//! The secret key is here only in its sealed form; [`crate::seal`] opens it.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// `config/root` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountBinding {
    /// Access key id; empty = the SDK's credential chain.
    pub access_key: String,
    /// The secret key, sealed; `None` when never set or empty.
    pub sealed_secret_key: Option<Vec<u8>>,
    /// Region; empty = see contract 1.1.
    pub region: String,
    /// Full URL, empty = AWS's.
    pub iam_endpoint: String,
    /// Full URL, empty = AWS's.
    pub sts_endpoint: String,
    /// Used when `sts_endpoint` is set.
    pub sts_region: String,
    /// Tried in order after `sts_endpoint`.
    pub sts_fallback_endpoints: Vec<String>,
    /// As many as endpoints.
    pub sts_fallback_regions: Vec<String>,
    /// Negative = the SDK's default.
    pub max_retries: i64,
    /// Template of user names (contract 1.7).
    pub username_template: String,
    /// Role for identity-token federation.
    pub role_arn: String,
    /// Audience for identity-token federation.
    pub identity_token_audience: String,
    /// Seconds.
    pub identity_token_ttl: u64,
    /// Cron expression of the root rotation.
    pub rotation_schedule: String,
    /// Seconds.
    pub rotation_window: u64,
    /// Seconds.
    pub rotation_period: u64,
    /// Whether scheduled rotation is off.
    pub disable_automated_rotation: bool,
    /// When the key or the times of its rotation were last written: automatic rotation counts from
    /// here, or from the last rotation where that is later.
    #[serde(default)]
    pub rotation_since: Option<Timestamp>,
}

/// `config/lease` of a mount; seconds, a value of 0 or below acts as not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseConfig {
    /// How long a lease lasts.
    pub lease: i64,
    /// How long it can be renewed to.
    pub lease_max: i64,
}
