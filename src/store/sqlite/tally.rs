//! The numbers behind the metrics. Active leases are counted by triggers (`0007_lease_tally.sql`), the
//! few others by their partial indexes: no statement here may read a row of `lease`.

use async_trait::async_trait;
use rusqlite::{Connection, Row};

use super::Sqlite;
use super::values::{time, uint};
use crate::store::{LeaseTally, StoreError, TallyStore, Written};

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

#[async_trait]
impl TallyStore for Sqlite {
    async fn lease_tally(&self, stuck_after: u32) -> Result<LeaseTally> {
        self.readers.long(move |db| lease_tally(db, stuck_after)).await
    }

    fn written(&self) -> Written {
        Self::written(self)
    }
}
