//! When work on leases is due, as a whole: what a clock that was set back needs. One lease's own due time
//! is part of its row ([`super::Store::save_lease`]). It must never put anything off.

use async_trait::async_trait;

use super::StoreError;
use crate::model::Timestamp;

/// The schedule of leases that are being issued or taken down.
#[async_trait]
pub trait ScheduleStore {
    /// Leases that are pending or ending and due after `beyond` are due at `at`; active ones end when
    /// they end, and those that a paused job holds wait for that end too. Returns how many there were.
    async fn bring_forward(&self, beyond: Timestamp, at: Timestamp) -> Result<u64, StoreError>;
}
