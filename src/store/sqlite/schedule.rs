//! The schedule of leases as a whole, in SQL. The states' numbers are [`super::lease_row`]'s; what it is
//! for is said at [`crate::store::schedule`]. It must never touch an active lease.

use async_trait::async_trait;

use super::Sqlite;
use super::values::count;
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::schedule::ScheduleStore;

/// The revision grows: a pass under way, which knows the old time, reads the row again. The few that
/// are pending or ending have indexes, which are named: SQLite would take that of all that is due later.
pub(super) const PENDING_FORWARD: &str = "UPDATE lease INDEXED BY lease_pending
     SET due_at = ?1, revision = revision + 1 WHERE state = 0 AND due_at > ?1";
/// What a paused job holds waits for the end that it would have had ([`super::jobs`]), and a session that was cut
/// off for its own: neither for another try.
pub(super) const ENDING_FORWARD: &str = "UPDATE lease INDEXED BY lease_in_teardown
     SET due_at = ?1, revision = revision + 1 WHERE state = 2 AND due_at > ?1
     AND due_at IS NOT expires_at
     AND (user IS NOT NULL OR contained_at IS NULL OR failure_class IS NOT NULL)";

#[async_trait]
impl ScheduleStore for Sqlite {
    async fn bring_forward(&self, latest: Timestamp) -> Result<u64, StoreError> {
        self.write(move |w| {
            let mut sooner: u64 = 0;
            for sql in [PENDING_FORWARD, ENDING_FORWARD] {
                let rows = w.db.prepare_cached(sql)?.execute([latest.as_millis()])?;
                sooner = sooner.saturating_add(count(rows));
            }
            Ok(sooner)
        })
        .await
    }
}
