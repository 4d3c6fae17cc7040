//! Jobs and moves of mounts in the words of the domain. A job's leases are marked page by page, each page in
//! one transaction with the place where the next begins, so that a crash at any point leaves a job that
//! goes on. Must never give back all leases of a job. SQL: `sqlite/jobs/`.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Job, JobFailure, JobId, JobProgress, JobScope, JobState, Lease, LeaseId, Mount, MountId,
    MountMove, Timestamp, Untried,
};

type Result<T> = std::result::Result<T, StoreError>;

/// What a job makes of a lease: the changed row, or `None` where it stays as it is. Pure: it runs inside a
/// transaction.
pub type Mark = Arc<dyn Fn(&Lease) -> Option<Lease> + Send + Sync>;

/// A lease whose time has come, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAt {
    /// Which one.
    pub id: LeaseId,
    /// Whether the token that holds it has ended.
    pub holder_ended: bool,
    /// Whose account it needs.
    pub mount: MountId,
}

/// The part of the store that is about jobs.
#[async_trait]
pub trait JobStore {
    /// Whether there is an unfinished lease that a job over `scope` would have.
    async fn has_leases(&self, scope: &JobScope) -> Result<bool>;
    /// Writes a new job; its leases are those of its scope whose rows are there now. An unfinished job
    /// that disables the same mount ends with this.
    async fn begin_job(&self, job: &Job) -> Result<()>;
    /// A job.
    async fn job(&self, id: &JobId) -> Result<Option<Job>>;
    /// All jobs, the newest first, at most 1,000.
    async fn jobs(&self) -> Result<Vec<Job>>;
    /// Jobs that are not done, the oldest first.
    async fn open_jobs(&self) -> Result<Vec<Job>>;
    /// Marks the next `limit` leases of a running job, in one transaction with the place reached; tells
    /// whether there are more.
    async fn mark_job_page(&self, id: &JobId, limit: u32, mark: Mark) -> Result<bool>;
    /// Leases that somebody waits for and no pass was made for since they were marked, or whose last one
    /// AWS throttled; after `place`, at most `limit`.
    async fn untried(&self, id: &JobId, place: i64, limit: u32) -> Result<Vec<Untried>>;
    /// The first lease, in the order of ids, that somebody waits for and whose last pass failed.
    async fn job_failure(&self, id: &JobId) -> Result<Option<JobFailure>>;
    /// How far it is.
    async fn job_progress(&self, id: &JobId) -> Result<JobProgress>;
    /// The first place, from `from` on, of a marked lease that is still to be removed; for the end of a mount,
    /// forced ones and those that were never handed out do not count.
    async fn job_rest(&self, id: &JobId, from: i64) -> Result<Option<i64>>;
    /// Those of `leases` that belong to the job.
    async fn of_job(&self, id: &JobId, leases: &[LeaseId]) -> Result<Vec<LeaseId>>;
    /// Pauses, resumes or ends a job; false when it is not there or done. A pause or a resumption is
    /// unsettled until [`Self::settle_job`].
    async fn set_job_state(&self, id: &JobId, state: JobState, now: Timestamp) -> Result<bool>;
    /// Lets a pause, a resumption or a forgetting reach the marked leases: those not yet tried wait for their
    /// own end, or are due now.
    async fn settle_job(&self, id: &JobId, now: Timestamp) -> Result<()>;
    /// Forgets a job: what it has not marked stays alive, what it has marked goes on.
    async fn forget_job(&self, id: &JobId, now: Timestamp) -> Result<()>;
    /// Forgets jobs that were done, and moves that were made, before then. Returns how many.
    async fn purge_jobs(&self, before: Timestamp) -> Result<u64>;

    /// Whether a lease under the mount is not yet gone for good, so that its account is still needed.
    async fn mount_in_use(&self, mount: &MountId) -> Result<bool>;
    /// Leases that are due, the longest due first, at most `limit`, without those under the mounts `busy`.
    async fn due_beside(&self, now: Timestamp, limit: u32, busy: &[MountId]) -> Result<Vec<DueAt>>;

    /// Writes a mount at its new path, and the move, in one transaction; [`StoreError::Conflict`] when the
    /// path is taken.
    async fn move_mount(&self, mount: &Mount, made: &MountMove) -> Result<()>;
    /// A move.
    async fn mount_move(&self, id: &str) -> Result<Option<MountMove>>;
}
