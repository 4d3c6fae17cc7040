//! A rate-limit quota: how many requests one address may send to a part of the API. Plain data; what it does
//! to a request is [`crate::auth::quotas`]'.

use serde::{Deserialize, Serialize};

/// A quota.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateQuota {
    /// Its name.
    pub name: String,
    /// The mount and what is below it: `""` is everything, `aws/` a mount, `aws/creds/x` a path, and a `*` at
    /// the end takes what begins with the rest.
    pub path: String,
    /// Requests that are let through in an interval; above 0.
    pub rate: f64,
    /// Seconds; above 0.
    pub interval: u64,
    /// Seconds for which an address that asked for too much is let through nowhere; 0 = not set.
    pub block_interval: u64,
    /// Kept and shown: there are no namespaces.
    pub inheritable: bool,
}

/// What holds for all quotas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaConfig {
    /// Paths that no quota counts.
    pub exempt_paths: Vec<String>,
    /// Whether requests that are turned away are audited.
    pub audited: bool,
    /// Whether answers say how much is left.
    pub headers: bool,
}
