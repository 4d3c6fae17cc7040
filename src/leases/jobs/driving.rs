//! Driving jobs: their leases are marked page by page, what a pause began is carried to its end, and a job whose
//! leases are gone is done. One look over all open jobs does whatever is left of each, so that it matters to
//! none who began it or which process. Must never finish a job that has unmarked leases.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::super::state::{self, LeaseEvent, Moment};
use super::super::{LeaseError, Leases, has_user};
use crate::model::{JobId, JobKind, JobScope, JobState, Lease, LeaseState, MountId};
use crate::store::Mark;

/// Leases marked in one transaction: some milliseconds of the store's one writer.
const PAGE: u32 = 256;
/// How often unfinished jobs are looked at.
const TICK: Duration = Duration::from_secs(1);

impl Leases {
    /// One round over all unfinished jobs: what an earlier process left half done, leases not yet marked, and
    /// whether they are all gone. Tells whether one is still open.
    /// While everything is held still nothing of that is done.
    pub(in crate::leases) async fn drive_jobs(&self) -> Result<bool, LeaseError> {
        let jobs = self.store.open_jobs().await?;
        if self.is_paused() {
            return Ok(!jobs.is_empty());
        }
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
    pub(in crate::leases) async fn mark_all(
        &self,
        id: &JobId,
        kind: JobKind,
    ) -> Result<(), LeaseError> {
        while self.mark_page(id, kind).await? {}
        Ok(())
    }

    /// Marks one page, and tells whether there is more.
    pub(in crate::leases) async fn mark_page(
        &self,
        id: &JobId,
        kind: JobKind,
    ) -> Result<bool, LeaseError> {
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
        if !marked || self.has_rest(id).await? {
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

    /// Whether a lease of the job is still to be removed. The one found last is looked at first, and nothing
    /// before it again: a lease that cannot be removed for days costs one row a look.
    async fn has_rest(&self, id: &JobId) -> Result<bool, LeaseError> {
        let from = self.places().get(id).copied().unwrap_or_default();
        let rest = self.store.job_rest(id, from).await?;
        match rest {
            Some(place) => self.places().insert(id.clone(), place),
            None => self.places().remove(id),
        };
        Ok(rest.is_some())
    }

    pub(super) fn places(&self) -> MutexGuard<'_, HashMap<JobId, i64>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mounts whose disabling has no lease in its way any more, and the jobs that saw to that.
    pub async fn disabled_mounts(&self) -> Result<Vec<(JobId, MountId)>, LeaseError> {
        let mut over = Vec::new();
        for job in self.store.open_jobs().await? {
            let marked = job.state == JobState::Running && job.all_marked;
            if let (JobKind::Disable, JobScope::Mount(mount)) = (job.kind, job.scope)
                && marked
                && !self.has_rest(&job.id).await?
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

#[expect(clippy::disallowed_methods, reason = "the timer of the jobs")]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
