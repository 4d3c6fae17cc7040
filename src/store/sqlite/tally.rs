//! The numbers behind the metrics. Active leases are counted by triggers (`0007_lease_tally.sql`), the
//! few others by their partial indexes: no statement here may read a row of `lease`.

use async_trait::async_trait;
use rusqlite::{Connection, Row};

use super::values::{time, uint};
use super::{Sqlite, backup};
use crate::store::{LeaseTally, StoreError, TallyStore, WorkTally, Written};

type Result<T> = std::result::Result<T, StoreError>;

/// The hours that the triggers count by.
const HOUR_MS: i64 = 3_600_000;

pub(super) const ACTIVE_BY_HOUR: &str = "SELECT hour, count FROM lease_tally ORDER BY hour";

pub(super) const PENDING_COUNT: &str = "SELECT count(*) FROM lease WHERE state = 0";

pub(super) const IN_TEARDOWN: &str = "SELECT
        count(*) FILTER (WHERE removed_at IS NULL),
        count(*) FILTER (WHERE removed_at IS NULL AND contained_at IS NULL),
        min(since) FILTER (WHERE removed_at IS NULL AND contained_at IS NULL),
        count(*) FILTER (WHERE removed_at IS NULL AND attempts >= ?1),
        count(*) FILTER (WHERE removed_at IS NOT NULL)
    FROM lease WHERE state = 2";

pub(super) fn lease_tally(db: &Connection, stuck_after: u32) -> Result<LeaseTally> {
    let pending = db.prepare_cached(PENDING_COUNT)?.query_row([], |row| row.get(0))?;
    let in_teardown = |row: &Row<'_>| {
        Ok(LeaseTally {
            pending: uint(pending),
            active: Vec::new(),
            ending: uint(row.get(0)?),
            uncontained: uint(row.get(1)?),
            uncontained_since: row.get::<_, Option<i64>>(2)?.map(time),
            stuck: uint(row.get(3)?),
            settling: uint(row.get(4)?),
        })
    };
    let mut tally = db.prepare_cached(IN_TEARDOWN)?.query_row([stuck_after], in_teardown)?;
    let mut by_hour = db.prepare_cached(ACTIVE_BY_HOUR)?;
    let rows = by_hour.query_map([], |row| {
        let hour: i64 = row.get(0)?;
        Ok((time(hour.saturating_mul(HOUR_MS)), uint(row.get(1)?)))
    })?;
    tally.active = rows.collect::<rusqlite::Result<_>>()?;
    Ok(tally)
}

pub(super) const JOBS_BY_STATE: &str = "SELECT
        count(*) FILTER (WHERE state = 0 AND marked_to IS NOT NULL),
        count(*) FILTER (WHERE state = 0 AND marked_to IS NULL),
        count(*) FILTER (WHERE state = 1),
        count(*) FILTER (WHERE state = 2)
    FROM job";

/// Only what is in teardown is asked about, by its index: no more than that can be left.
pub(super) const JOB_LEASES_LEFT: &str = "SELECT count(*) FROM lease INDEXED BY lease_in_teardown
     WHERE state = 2 AND removed_at IS NULL
         AND EXISTS (SELECT 1 FROM job WHERE job.state < 2)
         AND EXISTS (SELECT 1 FROM job_lease AS mine CROSS JOIN job ON job.key = mine.job
                     WHERE mine.lease = lease.key AND job.state < 2)";

pub(super) fn work_tally(db: &Connection) -> Result<WorkTally> {
    let by_state = |row: &Row<'_>| {
        Ok(WorkTally {
            jobs_marking: uint(row.get(0)?),
            jobs_running: uint(row.get(1)?),
            jobs_paused: uint(row.get(2)?),
            jobs_done: uint(row.get(3)?),
            job_leases_left: 0,
            last_backup: None,
        })
    };
    let tally = db.prepare_cached(JOBS_BY_STATE)?.query_row([], by_state)?;
    let left = db.prepare_cached(JOB_LEASES_LEFT)?.query_row([], |row| row.get(0))?;
    Ok(WorkTally { job_leases_left: uint(left), ..tally })
}

#[async_trait]
impl TallyStore for Sqlite {
    async fn lease_tally(&self, stuck_after: u32) -> Result<LeaseTally> {
        self.readers.long(move |db| lease_tally(db, stuck_after)).await
    }

    async fn work_tally(&self) -> Result<WorkTally> {
        let folder = self.folder.clone();
        self.readers
            .long(move |db| {
                Ok(WorkTally { last_backup: backup::last_taken(&folder), ..work_tally(db)? })
            })
            .await
    }

    fn written(&self) -> Written {
        Self::written(self)
    }
}
