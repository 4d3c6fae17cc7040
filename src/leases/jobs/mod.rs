//! Jobs: many leases revoked as one piece of work. A job marks its leases page by page as ending, durably; from
//! then on they are the reaper's like any others, and the job only looks how far they are. Must never keep
//! in memory what the rows do not say: whoever drives a job next goes on from there. How they are driven:
//! [`driving`]; who waits for one: [`super::waiting`].

mod driving;

use std::sync::atomic::Ordering;

use super::{LeaseError, Leases};
use crate::model::{Job, JobId, JobKind, JobProgress, JobScope, JobState, LeaseFilter, LeaseId};

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
         `lease_id`, `access_key`, `user`, `user_id`, `caller`, `accessor`, `role`, `role_version`, \
         `policy_digest`, `verdict`, `source`, `account`, `mount`; `state` alone is not enough"
    )]
    EmptyQuery,
    /// A term that is none: without it the query would take more than was meant.
    #[error(
        "`{0}` is nothing that leases can be looked for by\nhelp: a query with a term left out would revoke more than was asked for, so nothing was done"
    )]
    UnknownTerm(String),
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
    pub async fn revoke_query(&self, filter: LeaseFilter) -> Result<JobId, JobError> {
        if filter.is_of_all() {
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
        self.places().remove(id);
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

    /// Whoever waits for a job is answered now: the server stops. The jobs go on at the next start.
    pub fn let_waiters_go(&self) {
        self.stopping.store(true, Ordering::SeqCst);
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

#[cfg(test)]
mod tests;
