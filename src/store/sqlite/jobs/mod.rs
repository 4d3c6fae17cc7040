//! Jobs in SQLite: their rows, and [`JobStore`] over the statements of this folder. Which leases a job has is
//! in `job_lease`, filled by [`marking`]; how far it is, [`progress`] counts there. What may become of a lease
//! is not decided here. Pauses: [`holding`]. Due leases beside busy accounts, and moves: [`due`], [`moves`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};

use super::Sqlite;
use super::failure::damaged;
use super::values::{count, from_json, millis, time, to_json, uint};
use super::writer::Writing;
use crate::model::{
    Job, JobFailure, JobId, JobKind, JobProgress, JobScope, JobState, LeaseId, Mount, MountId,
    MountMove, Timestamp, Untried,
};
use crate::store::{DueAt, JobStore, Mark, StoreError};

pub(super) mod due;
mod holding;
pub(super) mod marking;
mod moves;
pub(super) mod progress;

type Result<T> = std::result::Result<T, StoreError>;

const RUNNING: i64 = 0;
const PAUSED: i64 = 1;
const DONE: i64 = 2;

/// Values of `settling`.
const SETTLED: i64 = 0;
const PAUSES: i64 = 1;
const RESUMES: i64 = 2;

const fn kind_code(kind: JobKind) -> i64 {
    match kind {
        JobKind::Revoke => 0,
        JobKind::Force => 1,
        JobKind::Disable => 2,
    }
}

const COLUMNS: &str =
    "id, kind, scope, state, marked_to IS NULL, settling, marked, started_at, finished_at";

fn from_row(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: JobId(row.get(0)?),
        kind: match row.get::<_, i64>(1)? {
            0 => JobKind::Revoke,
            1 => JobKind::Force,
            2 => JobKind::Disable,
            other => return Err(damaged(&format_args!("job kind {other}"))),
        },
        scope: from_json(row.get_ref(2)?.as_str().unwrap_or_default())?,
        state: match row.get::<_, i64>(3)? {
            RUNNING => JobState::Running,
            PAUSED => JobState::Paused,
            DONE => JobState::Done,
            other => return Err(damaged(&format_args!("job state {other}"))),
        },
        all_marked: row.get(4)?,
        unsettled: row.get::<_, i64>(5)? != SETTLED,
        marked: uint(row.get(6)?),
        started_at: time(row.get(7)?),
        finished_at: row.get::<_, Option<i64>>(8)?.map(time),
    })
}

fn some(db: &Connection, rest: &str, parameters: impl rusqlite::Params) -> Result<Vec<Job>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM job {rest}"))?;
    let mut rows = query.query(parameters)?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(from_row(row)?);
    }
    Ok(jobs)
}

fn begin(db: &Connection, job: &Job) -> Result<()> {
    let scope = to_json(&job.scope)?;
    if job.kind == JobKind::Disable {
        // Whoever disables a mount again wants every lease tried again: the new job has them all.
        db.prepare_cached(
            "UPDATE job SET state = 2, settling = 0, finished_at = ?2
             WHERE kind = 2 AND scope = ?1 AND state < 2",
        )?
        .execute((&scope, job.started_at.as_millis()))?;
    }
    db.prepare_cached(
        "INSERT INTO job (id, kind, scope, state, last_lease, marked_to, settling, marked,
             started_at, finished_at)
         VALUES (?1, ?2, ?3, 0, (SELECT coalesce(max(key), 0) FROM lease), '', 0, 0, ?4, ?5)",
    )?
    .execute((
        &job.id.0,
        kind_code(job.kind),
        scope,
        job.started_at.as_millis(),
        millis(job.finished_at),
    ))?;
    Ok(())
}

fn set_state(db: &Connection, id: &JobId, state: JobState, now: Timestamp) -> Result<bool> {
    // From which state, to which, what marked leases have to hear of it, and when it was done.
    let (from, to, settling, finished) = match state {
        JobState::Running => (PAUSED, RUNNING, RESUMES, None),
        JobState::Paused => (RUNNING, PAUSED, PAUSES, None),
        JobState::Done => (RUNNING, DONE, SETTLED, Some(now)),
    };
    let changed = db
        .prepare_cached(
            "UPDATE job SET state = ?3, settling = ?4, finished_at = ?5
             WHERE id = ?1 AND state = ?2",
        )?
        .execute((&id.0, from, to, settling, millis(finished)))?;
    if changed > 0 {
        return Ok(true);
    }
    // Asked for what is so already.
    let there =
        db.prepare_cached("SELECT 1 FROM job WHERE id = ?1 AND state = ?2")?.exists((&id.0, to))?;
    Ok(there)
}

/// No more leases are marked, and those that are go on. After a crash here it is a job like others that comes
/// to its end, and no longer one that takes a mount away: not all leases under that are marked.
fn stop(db: &Connection, id: &JobId) -> Result<()> {
    db.prepare_cached(
        "UPDATE job SET kind = 0, marked_to = NULL, state = 0, settling = 2
         WHERE id = ?1 AND state < 2",
    )?
    .execute([&id.0])?;
    Ok(())
}

fn forget(db: &Connection, id: &JobId) -> Result<()> {
    db.prepare_cached("UPDATE job SET state = 3, settling = 0 WHERE id = ?1")?.execute([&id.0])?;
    Ok(())
}

/// Deletes at most [`super::purge::STEP`] rows of forgotten jobs that nothing waits for; gives the number.
fn sweep(db: &Connection) -> Result<u64> {
    let deleted = db
        .prepare_cached(
            "DELETE FROM job_lease WHERE (job, lease) IN (
                 SELECT job_lease.job, lease FROM job CROSS JOIN job_lease ON job_lease.job = job.key
                 WHERE job.state = 3 AND job.settling = 0 LIMIT 1000)",
        )?
        .execute([])?;
    db.prepare_cached(
        "DELETE FROM job WHERE state = 3 AND settling = 0
             AND NOT EXISTS (SELECT 1 FROM job_lease WHERE job = job.key)",
    )?
    .execute([])?;
    Ok(count(deleted))
}

fn forget_old(db: &Connection, before: Timestamp) -> Result<u64> {
    let jobs = db
        .prepare_cached(
            "UPDATE job SET state = 3, settling = 0 WHERE state = 2 AND finished_at < ?1",
        )?
        .execute([before.as_millis()])?;
    let moves = moves::forget_old(db, before)?;
    Ok(count(jobs).saturating_add(moves))
}

#[async_trait]
impl JobStore for Sqlite {
    async fn has_leases(&self, scope: &JobScope) -> Result<bool> {
        let scope = scope.clone();
        self.readers.long(move |db| marking::has_candidates(db, &scope)).await
    }

    async fn begin_job(&self, job: &Job) -> Result<()> {
        let job = job.clone();
        self.write(move |w| begin(w.db, &job)).await
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>> {
        let found = self.readers.point(|db| some(db, "WHERE id = ?1 AND state < 3", [&id.0]))?;
        Ok(found.into_iter().next())
    }

    async fn jobs(&self) -> Result<Vec<Job>> {
        let newest = "WHERE state < 3 ORDER BY key DESC LIMIT 1000";
        self.readers.long(move |db| some(db, newest, [])).await
    }

    async fn open_jobs(&self) -> Result<Vec<Job>> {
        self.readers.point(|db| some(db, "WHERE state < 2 ORDER BY key", []))
    }

    async fn mark_job_page(&self, id: &JobId, limit: u32, mark: Mark) -> Result<bool> {
        let job = id.clone();
        let page = self.readers.long(move |db| marking::page(db, &job, limit)).await?;
        let Some(page) = page else {
            return Ok(false);
        };
        let settling = self.settling;
        self.write(move |w| marking::mark(w.db, &page, &mark, settling)).await
    }

    async fn untried(&self, id: &JobId, place: i64, limit: u32) -> Result<Vec<Untried>> {
        let id = id.clone();
        self.readers.long(move |db| progress::untried(db, &id, place, limit)).await
    }

    async fn job_failure(&self, id: &JobId) -> Result<Option<JobFailure>> {
        let id = id.clone();
        self.readers.long(move |db| progress::failure(db, &id)).await
    }

    async fn job_progress(&self, id: &JobId) -> Result<JobProgress> {
        let id = id.clone();
        self.readers.long(move |db| progress::progress(db, &id)).await
    }

    async fn job_rest(&self, id: &JobId, from: i64) -> Result<Option<i64>> {
        let id = id.clone();
        self.readers.long(move |db| progress::rest(db, &id, from)).await
    }

    async fn of_job(&self, id: &JobId, leases: &[LeaseId]) -> Result<Vec<LeaseId>> {
        self.readers.point(|db| progress::of_job(db, id, leases))
    }

    async fn set_job_state(&self, id: &JobId, state: JobState, now: Timestamp) -> Result<bool> {
        let id = id.clone();
        self.write(move |w| set_state(w.db, &id, state, now)).await
    }

    async fn settle_job(&self, id: &JobId, now: Timestamp) -> Result<()> {
        let mut place = Some(0);
        while let Some(from) = place {
            let id = id.clone();
            place = self.write(move |w| holding::settle(w.db, &id, from, now)).await?;
        }
        Ok(())
    }

    async fn forget_job(&self, id: &JobId, now: Timestamp) -> Result<()> {
        let job = id.clone();
        self.write(move |w| stop(w.db, &job)).await?;
        self.settle_job(id, now).await?;
        let job = id.clone();
        self.write(move |w| forget(w.db, &job)).await?;
        self.purge_all(|w: &mut Writing<'_>| sweep(w.db)).await.map(drop)
    }

    async fn purge_jobs(&self, before: Timestamp) -> Result<u64> {
        let forgotten = self.write(move |w| forget_old(w.db, before)).await?;
        self.purge_all(|w: &mut Writing<'_>| sweep(w.db)).await?;
        Ok(forgotten)
    }

    async fn mount_in_use(&self, mount: &MountId) -> Result<bool> {
        self.readers.point(|db| due::in_use(db, mount))
    }

    async fn due_beside(&self, now: Timestamp, limit: u32, busy: &[MountId]) -> Result<Vec<DueAt>> {
        let busy = to_json(&busy)?;
        self.readers.long(move |db| due::beside(db, now, limit, &busy)).await
    }

    async fn move_mount(&self, mount: &Mount, made: &MountMove) -> Result<()> {
        let (mount, made) = (mount.clone(), made.clone());
        self.write(move |w| moves::move_mount(w, &mount, &made)).await
    }

    async fn mount_move(&self, id: &str) -> Result<Option<MountMove>> {
        self.readers.point(|db| moves::mount_move(db, id))
    }
}

/// The number under which a job's leases hang.
fn key_of(db: &Connection, id: &JobId) -> Result<Option<i64>> {
    let mut query = db.prepare_cached("SELECT key FROM job WHERE id = ?1")?;
    Ok(query.query_row([&id.0], |row| row.get(0)).optional()?)
}
