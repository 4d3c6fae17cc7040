//! The schedule of leases as a whole, in SQL. The states' numbers are [`super::lease_row`]'s; what it is
//! for is said at [`crate::store::schedule`]. It must never touch an active lease.

use async_trait::async_trait;

use super::Sqlite;
use super::lease_row::{PENDING, REVOKING};
use super::values::count;
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::schedule::ScheduleStore;

/// The revision grows: a pass under way, which knows the old time, reads the row again.
const BRING_FORWARD: &str = "UPDATE lease SET due_at = ?1, revision = revision + 1
     WHERE due_at > ?1 AND state IN (?2, ?3)";

#[async_trait]
impl ScheduleStore for Sqlite {
    async fn bring_forward(&self, latest: Timestamp) -> Result<u64, StoreError> {
        self.write(move |w| {
            let mut update = w.db.prepare_cached(BRING_FORWARD)?;
            Ok(count(update.execute((latest.as_millis(), PENDING, REVOKING))?))
        })
        .await
    }
}
