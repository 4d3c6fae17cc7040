//! Rate-limit quotas, by name. They are read once at a start; what they count is never written
//! ([`crate::auth::quotas`]).

use async_trait::async_trait;

use super::StoreError;
use crate::model::RateQuota;

/// Where rate-limit quotas are kept.
#[async_trait]
pub trait QuotaStore {
    /// All quotas, by name.
    async fn rate_quotas(&self) -> Result<Vec<RateQuota>, StoreError>;
    /// Writes a quota, whether or not there is one.
    async fn put_rate_quota(&self, quota: &RateQuota) -> Result<(), StoreError>;
    /// Removes a quota if it is there.
    async fn remove_rate_quota(&self, name: &str) -> Result<(), StoreError>;
}
