//! When work on leases is due, as a whole: what a clock that was set back needs. One lease's own due time
//! is part of its row ([`super::Store::save_lease`]). It must never put anything off.

use async_trait::async_trait;

use super::StoreError;
use crate::model::Timestamp;

/// The schedule of leases that are being issued or taken down.
#[async_trait]
pub trait ScheduleStore {
    /// Leases that are pending or ending and due after `latest` are due at `latest`. Active ones end when
    /// they end, what a paused job holds waits on, and a session that was cut off stays denied until it is
    /// over. Returns how many there were. Reads all that are pending or ending: for rare use.
    async fn bring_forward(&self, latest: Timestamp) -> Result<u64, StoreError>;
}
