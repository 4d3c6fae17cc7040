//! Pauses and resumptions on their way to leases that are marked already. A pause moves when they are due, so
//! that the reaper needs to know nothing of jobs: not yet tried ones wait for the end that they would have
//! had, which a pause must never put off. In steps, so that no other write waits long.

use rusqlite::{Connection, OptionalExtension};

use super::{PAUSES, RESUMES};
use crate::model::{JobId, Timestamp};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Not those that another running job wants, nor those whose holder has ended: their end has come.
const HOLD: &str = "UPDATE lease SET due_at = lease.expires_at FROM job_lease AS mine
     WHERE mine.job = ?1 AND mine.lease > ?2 AND mine.lease <= ?3 AND lease.key = mine.lease
         AND lease.state = 2 AND lease.removed_at IS NULL AND lease.contained_at IS NULL
         AND lease.attempts = mine.attempts AND lease.expires_at > max(?4, lease.due_at)
         AND NOT EXISTS (
             SELECT 1 FROM job_lease AS other JOIN job ON job.key = other.job
             WHERE other.lease = mine.lease AND other.job <> ?1 AND job.state = 0)
         AND NOT EXISTS (
             SELECT 1 FROM holder JOIN token ON token.accessor = holder.accessor
             WHERE holder.key = lease.holder AND token.ended_at IS NOT NULL)";

const LET_GO: &str = "UPDATE lease SET due_at = ?4 FROM job_lease AS mine
     WHERE mine.job = ?1 AND mine.lease > ?2 AND mine.lease <= ?3 AND lease.key = mine.lease
         AND lease.state = 2 AND lease.removed_at IS NULL
         AND lease.attempts = mine.attempts AND lease.due_at > ?4";

/// One step from `from` on; gives where the next begins.
pub(super) fn settle(
    db: &Connection,
    id: &JobId,
    from: i64,
    now: Timestamp,
) -> Result<Option<i64>> {
    let mut query =
        db.prepare_cached("SELECT key, settling FROM job WHERE id = ?1 AND settling > 0")?;
    let found: Option<(i64, i64)> =
        query.query_row([&id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((job, settling)) = found else {
        return Ok(None);
    };
    let to: Option<i64> = db
        .prepare_cached(
            "SELECT max(lease) FROM
                 (SELECT lease FROM job_lease WHERE job = ?1 AND lease > ?2 ORDER BY lease LIMIT 1000)",
        )?
        .query_row((job, from), |row| row.get(0))?;
    let Some(to) = to else {
        db.prepare_cached("UPDATE job SET settling = 0 WHERE key = ?1")?.execute([job])?;
        return Ok(None);
    };
    let sql = match settling {
        PAUSES => HOLD,
        RESUMES => LET_GO,
        _ => return Ok(None),
    };
    db.prepare_cached(sql)?.execute((job, from, to, now.as_millis()))?;
    Ok(Some(to))
}
