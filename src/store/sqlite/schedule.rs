//! The schedule of leases as a whole, in SQL. What it is for is said at [`crate::store::schedule`]. It must
//! never touch an active lease, nor read the rows of the active ones: those may be a million, and this is
//! done by the one writer.

use async_trait::async_trait;

use super::Sqlite;
use super::values::count;
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::schedule::ScheduleStore;

/// The state stands in the text, so that the index of the pending ones is used. The revision grows: a pass
/// under way, which knows the old time, reads the row again.
pub(super) const PENDING_FORWARD: &str =
    "UPDATE lease INDEXED BY lease_pending SET due_at = ?2, revision = revision + 1
     WHERE state = 0 AND due_at > ?1";

/// The same for those in teardown, without those that a paused job holds back until their own end.
pub(super) const ENDING_FORWARD: &str =
    "UPDATE lease INDEXED BY lease_in_teardown SET due_at = ?2, revision = revision + 1
     WHERE state = 2 AND due_at > ?1 AND NOT (due_at IS expires_at AND EXISTS (
         SELECT 1 FROM job_lease AS mine JOIN job ON job.key = mine.job
         WHERE mine.lease = lease.key AND job.state = 1))";

#[async_trait]
impl ScheduleStore for Sqlite {
    async fn bring_forward(&self, beyond: Timestamp, at: Timestamp) -> Result<u64, StoreError> {
        self.write(move |w| {
            let mut changed: u64 = 0;
            for sql in [PENDING_FORWARD, ENDING_FORWARD] {
                let rows =
                    w.db.prepare_cached(sql)?.execute((beyond.as_millis(), at.as_millis()))?;
                changed = changed.saturating_add(count(rows));
            }
            Ok(changed)
        })
        .await
    }
}
