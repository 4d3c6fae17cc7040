//! How far a job is, counted over the rows of its leases. A pass was made for a lease when its count of
//! failures is not the one that the job found, or when it is removed. A lease that was purged is gone.
//! Must never change anything.

use rusqlite::{Connection, OptionalExtension};

use super::super::lease_row::failure_class;
use super::super::values::{parsed, uint};
use super::key_of;
use crate::model::{JobFailure, JobId, JobProgress, LeaseId, Untried};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Class 0 is throttling: AWS has not let a pass be made yet.
pub(in super::super) const UNTRIED: &str = "SELECT lease.key, lease.id, mine.attempts
     FROM job_lease AS mine CROSS JOIN lease ON lease.key = mine.lease
     WHERE mine.job = ?1 AND mine.lease > ?2 AND mine.waited = 1 AND lease.state < 3
         AND lease.removed_at IS NULL AND lease.forced = 0
         AND (lease.attempts = mine.attempts OR lease.failure_class = 0)
     ORDER BY mine.lease LIMIT ?3";

pub(super) fn untried(db: &Connection, id: &JobId, place: i64, limit: u32) -> Result<Vec<Untried>> {
    let Some(job) = key_of(db, id)? else {
        return Ok(Vec::new());
    };
    let mut query = db.prepare_cached(UNTRIED)?;
    let mut rows = query.query((job, place, limit))?;
    let mut untried = Vec::new();
    while let Some(row) = rows.next()? {
        untried.push(Untried {
            place: row.get(0)?,
            id: parsed(row.get_ref(1)?.as_str().unwrap_or_default())?,
            attempts: row.get(2)?,
        });
    }
    Ok(untried)
}

pub(super) fn failure(db: &Connection, id: &JobId) -> Result<Option<JobFailure>> {
    let mut query = db.prepare_cached(
        "SELECT lease.id, failure_class, failure
         FROM job JOIN job_lease AS mine ON mine.job = job.key JOIN lease ON lease.key = mine.lease
         WHERE job.id = ?1 AND mine.waited = 1 AND lease.state < 3 AND lease.removed_at IS NULL
             AND lease.forced = 0 AND failure_class IS NOT NULL
         ORDER BY lease.id LIMIT 1",
    )?;
    let mut rows = query.query([&id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let lease: LeaseId = parsed(row.get_ref(0)?.as_str().unwrap_or_default())?;
    let (class, message) = (failure_class(row.get(1)?)?, row.get(2)?);
    let mut query = db.prepare_cached(
        "SELECT count(*) FILTER (WHERE lease.id <= ?2), count(*)
         FROM job JOIN job_lease AS mine ON mine.job = job.key JOIN lease ON lease.key = mine.lease
         WHERE job.id = ?1 AND mine.waited = 1",
    )?;
    let position =
        query.query_row((&id.0, lease.as_str()), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (at, of): (i64, i64) = position;
    let small = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(Some(JobFailure { lease, class, message, position: (small(at), small(of)) }))
}

pub(super) fn progress(db: &Connection, id: &JobId) -> Result<JobProgress> {
    let Some(job) = key_of(db, id)? else {
        return Ok(JobProgress::default());
    };
    let marked: i64 =
        db.query_row("SELECT marked FROM job WHERE key = ?1", [job], |row| row.get(0))?;
    let mut query = db.prepare_cached(
        "SELECT lease.contained_at IS NOT NULL, lease.attempts = mine.attempts, failure_class, count(*)
         FROM job_lease AS mine CROSS JOIN lease ON lease.key = mine.lease
         WHERE mine.job = ?1 AND lease.state < 3 AND lease.removed_at IS NULL
         GROUP BY 1, 2, 3 ORDER BY 3",
    )?;
    let mut rows = query.query([job])?;
    let mut progress = JobProgress::default();
    let mut left: u64 = 0;
    while let Some(row) = rows.next()? {
        let number = uint(row.get(3)?);
        left = left.saturating_add(number);
        if row.get(0)? {
            progress.contained = progress.contained.saturating_add(number);
        }
        if row.get(1)? {
            progress.waiting = progress.waiting.saturating_add(number);
        } else if let Some(class) = row.get::<_, Option<i64>>(2)? {
            let class = failure_class(class)?;
            match progress.failing.iter_mut().find(|(known, _)| *known == class) {
                Some((_, so_far)) => *so_far = so_far.saturating_add(number),
                None => progress.failing.push((class, number)),
            }
        }
    }
    progress.removed = uint(marked).saturating_sub(left);
    progress.contained = progress.contained.saturating_add(progress.removed);
    Ok(progress)
}

pub(super) fn rest(db: &Connection, id: &JobId, from: i64) -> Result<Option<i64>> {
    let mut query = db.prepare_cached(
        "SELECT mine.lease FROM job CROSS JOIN job_lease AS mine ON mine.job = job.key
             CROSS JOIN lease ON lease.key = mine.lease
         WHERE job.id = ?1 AND mine.lease >= ?2 AND lease.state < 3 AND lease.removed_at IS NULL
             AND (job.kind <> 2 OR (mine.waited = 1 AND lease.forced = 0))
         ORDER BY mine.lease LIMIT 1",
    )?;
    Ok(query.query_row((&id.0, from), |row| row.get(0)).optional()?)
}

pub(super) fn of_job(db: &Connection, id: &JobId, leases: &[LeaseId]) -> Result<Vec<LeaseId>> {
    let mut query = db.prepare_cached(
        "SELECT 1 FROM job_lease WHERE job = (SELECT key FROM job WHERE id = ?1)
             AND lease = (SELECT key FROM lease WHERE id = ?2)",
    )?;
    let mut mine = Vec::new();
    for lease in leases {
        let found: Option<i64> =
            query.query_row((&id.0, lease.as_str()), |row| row.get(0)).optional()?;
        if found.is_some() {
            mine.push(lease.clone());
        }
    }
    Ok(mine)
}
