//! Jobs: many leases revoked as one piece of work. A job marks its leases page by page as ending, durably; from
//! then on they are the reaper's like any others, and the job only looks how far they are. Must never keep
//! in memory what the rows do not say: whoever drives a job next goes on from there. Who waits for one:
//! [`super::waiting`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::state::{self, LeaseEvent, Moment};
use super::{LeaseError, Leases, has_user};
use crate::model::{
    Job, JobFilter, JobId, JobKind, JobProgress, JobScope, JobState, Lease, LeaseId, LeaseState,
    MountId,
};
use crate::store::Mark;

/// Leases marked in one transaction: some milliseconds of the store's one writer.
const PAGE: u32 = 256;
/// How often unfinished jobs are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Most ids told of those that are being worked on.
const CURRENT: usize = 16;

/// Why a job was not begun or changed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// There is none of that name.
    #[error("there is no job `{}`", .0.0)]
    Unknown(JobId),
    /// It came to its end.
    #[error("job `{}` is done", .0.0)]
    Done(JobId),
    /// A query that would take every lease there is.
    #[error(
        "the query names nothing to look for, and would revoke every lease\nhelp: give at least one of \
         `caller`, `accessor`, `role`, `role_version`, `policy_digest`, `verdict`, `source`, `account`, \
         `user`, `user_id`, `access_key`, `mount`"
    )]
    EmptyQuery,
    /// The rows could not be read or changed.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// A job, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// Its row.
    pub job: Job,
    /// Counted over its leases.
    pub progress: JobProgress,
    /// Some of those that are being worked on right now.
    pub current: Vec<LeaseId>,
}

impl Leases {
    /// Begins a job over the leases there are now. It goes on whatever becomes of the caller.
    pub async fn begin_job(&self, kind: JobKind, scope: JobScope) -> Result<JobId, LeaseError> {
        let job = Job {
            id: JobId(self.rng.uuid()),
            kind,
            scope,
            state: JobState::Running,
            all_marked: false,
            unsettled: false,
            marked: 0,
            started_at: self.clock.now(),
            finished_at: None,
        };
        self.store.begin_job(&job).await?;
        tracing::info!(
            job.id = %job.id.0, job.kind = named(kind), job.scope = ?job.scope,
            "job {} begun", job.id.0
        );
        self.jobs.notify_one();
        Ok(job.id)
    }

    /// Begins to revoke every lease that fits all of `filter`.
    pub async fn revoke_query(&self, filter: JobFilter) -> Result<JobId, JobError> {
        if filter.is_empty() {
            return Err(JobError::EmptyQuery);
        }
        let job = self.begin_job(JobKind::Revoke, JobScope::Filter(Box::new(filter))).await?;
        self.mark_page(&job, JobKind::Revoke).await?;
        Ok(job)
    }

    /// All jobs, the newest first.
    pub async fn jobs(&self) -> Result<Vec<Job>, LeaseError> {
        Ok(self.store.jobs().await?)
    }

    /// A job, and how far it is.
    pub async fn job(&self, id: &JobId) -> Result<JobView, JobError> {
        let found = self.store.job(id).await.map_err(LeaseError::from)?;
        let job = found.ok_or_else(|| JobError::Unknown(id.clone()))?;
        let progress = self.store.job_progress(id).await.map_err(LeaseError::from)?;
        let at_work = self.claims.ids();
        let mut current = self.store.of_job(id, &at_work).await.map_err(LeaseError::from)?;
        current.sort();
        current.truncate(CURRENT);
        Ok(JobView { job, progress, current })
    }

    /// Pauses a job: no further lease is marked, and of those that are, the ones not yet tried wait for the end
    /// that they would have had without the job.
    pub async fn pause_job(&self, id: &JobId) -> Result<(), JobError> {
        self.change_job(id, JobState::Paused).await
    }

    /// Goes on with a paused job.
    pub async fn resume_job(&self, id: &JobId) -> Result<(), JobError> {
        self.change_job(id, JobState::Running).await
    }

    /// Forgets a job: what it has not marked stays alive, what it has marked is taken down all the same.
    /// Nothing to do for an unknown one.
    pub async fn forget_job(&self, id: &JobId) -> Result<(), JobError> {
        // Not between a page's look and its marks.
        let _turn = self.marking.lock().await;
        self.store.forget_job(id, self.clock.now()).await.map_err(LeaseError::from)?;
        tracing::info!(job.id = %id.0, "job {} forgotten", id.0);
        self.wake.notify_one();
        Ok(())
    }

    async fn change_job(&self, id: &JobId, state: JobState) -> Result<(), JobError> {
        let _turn = self.marking.lock().await;
        let now = self.clock.now();
        if !self.store.set_job_state(id, state, now).await.map_err(LeaseError::from)? {
            let there = self.store.job(id).await.map_err(LeaseError::from)?;
            let id = id.clone();
            return Err(if there.is_some() { JobError::Done(id) } else { JobError::Unknown(id) });
        }
        self.store.settle_job(id, now).await.map_err(LeaseError::from)?;
        let state = if state == JobState::Paused { "paused" } else { "resumed" };
        tracing::info!(job.id = %id.0, "job {} {state}", id.0);
        self.jobs.notify_one();
        self.wake.notify_one();
        Ok(())
    }

    /// One round over all unfinished jobs: what an earlier process left half done, leases not yet marked, and
    /// whether they are all gone. Tells whether one is still open.
    pub(super) async fn drive_jobs(&self) -> Result<bool, LeaseError> {
        let jobs = self.store.open_jobs().await?;
        for job in &jobs {
            if job.unsettled {
                let _turn = self.marking.lock().await;
                self.store.settle_job(&job.id, self.clock.now()).await?;
                self.wake.notify_one();
            }
            if job.state == JobState::Running {
                self.mark_all(&job.id, job.kind).await?;
                self.finish_if_over(&job.id).await?;
            }
        }
        Ok(!jobs.is_empty())
    }

    /// Marks what is not yet marked, unless the job is paused. Jobs take turns by the page.
    pub(super) async fn mark_all(&self, id: &JobId, kind: JobKind) -> Result<(), LeaseError> {
        while self.mark_page(id, kind).await? {}
        Ok(())
    }

    /// Marks one page, and tells whether there is more.
    pub(super) async fn mark_page(&self, id: &JobId, kind: JobKind) -> Result<bool, LeaseError> {
        let _turn = self.marking.lock().await;
        let more = self.store.mark_job_page(id, PAGE, self.mark(kind)).await?;
        self.wake.notify_one();
        Ok(more)
    }

    async fn finish_if_over(&self, id: &JobId) -> Result<(), LeaseError> {
        let Some(job) = self.store.job(id).await? else {
            return Ok(());
        };
        let marked = job.state == JobState::Running && job.all_marked;
        if !marked || self.store.job_has_rest(id).await? {
            return Ok(());
        }
        match job.kind {
            JobKind::Revoke | JobKind::Force => self.end_job(id).await,
            JobKind::Disable => {
                self.disabled.notify_one();
                Ok(())
            }
        }
    }

    /// Mounts whose disabling has no lease in its way any more, and the jobs that saw to that.
    pub async fn disabled_mounts(&self) -> Result<Vec<(JobId, MountId)>, LeaseError> {
        let mut over = Vec::new();
        for job in self.store.open_jobs().await? {
            let marked = job.state == JobState::Running && job.all_marked;
            if let (JobKind::Disable, JobScope::Mount(mount)) = (job.kind, job.scope)
                && marked
                && !self.store.job_has_rest(&job.id).await?
            {
                over.push((job.id, mount));
            }
        }
        Ok(over)
    }

    /// Waits until [`Self::disabled_mounts`] may have something new.
    pub async fn mount_disabled(&self) {
        self.disabled.notified().await;
    }

    /// Whether a job is disabling the mount.
    pub async fn is_disabling(&self, mount: &MountId) -> Result<bool, LeaseError> {
        let jobs = self.store.open_jobs().await?;
        Ok(jobs.iter().any(|job| {
            job.kind == JobKind::Disable
                && matches!(&job.scope, JobScope::Mount(disabled) if disabled == mount)
        }))
    }

    /// Nothing is left of it to do.
    pub async fn end_job(&self, id: &JobId) -> Result<(), LeaseError> {
        if self.store.set_job_state(id, JobState::Done, self.clock.now()).await? {
            tracing::info!(job.id = %id.0, "job {} done", id.0);
        }
        Ok(())
    }

    /// Drives jobs until it is told to stop.
    pub async fn run_jobs(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        loop {
            let open = match self.drive_jobs().await {
                Ok(open) => open,
                Err(error) => {
                    tracing::error!("jobs could not go on: {error}");
                    true
                }
            };
            let look_again =
                async { if open { sleep(TICK).await } else { std::future::pending().await } };
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                () = self.jobs.notified() => {}
                () = look_again => {}
            }
        }
    }

    /// Whoever waits for a job is answered now: the server stops. The jobs go on at the next start.
    pub fn let_waiters_go(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// What a job of that kind makes of a lease.
    fn mark(&self, kind: JobKind) -> Mark {
        let (now, timing) = (self.clock.now(), self.timing.clone());
        let forces = kind == JobKind::Force;
        let event = if forces { LeaseEvent::Force } else { LeaseEvent::Revoke };
        Arc::new(move |lease: &Lease| {
            if let LeaseState::Revoked { .. } = lease.state {
                return None;
            }
            let moment = Moment {
                now,
                issued_at: lease.issued_at,
                has_user: has_user(lease),
                timing: &timing,
                // Neither event draws.
                jitter: 0.0,
            };
            let state = state::next(&lease.state, &event, &moment).ok()?;
            let same = state == lease.state && (lease.forced || !forces);
            (!same).then(|| Lease { state, forced: lease.forced || forces, ..lease.clone() })
        })
    }
}

/// As it is stored and logged.
pub fn named(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Revoke => "revoke",
        JobKind::Force => "force",
        JobKind::Disable => "disable",
    }
}

#[expect(clippy::disallowed_methods, reason = "the timer of the jobs")]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests;
