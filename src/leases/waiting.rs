//! Waiting for a job's first passes. Who waits also works: it makes the passes that the reaper has not come to,
//! within the job and never twice. Must never make a caller wait for a second pass, except where AWS only
//! asked to slow down, and never ends the job: that goes on whether or not anybody waits.

use std::sync::atomic::Ordering;

use futures_util::stream::{self, StreamExt as _};

use super::revoke::unanswered;
use super::step::Because;
use super::work::Claim;
use super::{LeaseError, Leases, RevokeError};
use crate::model::{
    FailureClass, JobFailure, JobId, JobKind, JobScope, JobState, Lease, LeaseState, Untried,
};

/// Leases read at once.
const PAGE: u32 = 256;
/// How often a pass that AWS throttled is made again before the caller is told: each try passes the
/// account's limiter, which has slowed down meanwhile.
const ROUNDS: u32 = 8;

impl Leases {
    /// Runs a job and waits for the first pass of each lease that a caller sees; `None` where there is no lease.
    /// Tells the first failure. The job goes on with the rest.
    pub(super) async fn revoke_all(
        &self,
        kind: JobKind,
        scope: JobScope,
    ) -> Result<Option<JobId>, RevokeError> {
        let begun = async {
            if !self.store.has_leases(&scope).await? {
                return Ok(None);
            }
            let job = self.begin_job(kind, scope).await?;
            self.mark_all(&job, kind).await?;
            Ok(Some(job))
        };
        let job = begun.await.map_err(|error: LeaseError| unanswered(None, &error))?;
        if let Some(job) = &job {
            self.first_passes(job).await?;
        }
        Ok(job)
    }

    async fn first_passes(&self, job: &JobId) -> Result<(), RevokeError> {
        let unclear = |error: LeaseError| unanswered(None, &error);
        let mut rounds: u32 = 0;
        while rounds < ROUNDS && self.sweep(job).await? > 0 {
            rounds = rounds.saturating_add(1);
        }
        if let Some(failure) = self.store.job_failure(job).await.map_err(|e| unclear(e.into()))? {
            return Err(told(failure));
        }
        let left = self.store.untried(job, 0, 1).await.map_err(|e| unclear(e.into()))?;
        if left.is_empty() { Ok(()) } else { Err(goes_on(job, "is not through its leases yet")) }
    }

    /// One pass for each lease that had none, or a throttled one; gives their number.
    async fn sweep(&self, job: &JobId) -> Result<usize, RevokeError> {
        let unclear = |error: LeaseError| unanswered(None, &error);
        let (mut place, mut tried): (i64, usize) = (0, 0);
        loop {
            self.still_running(job).await?;
            let page = self.store.untried(job, place, PAGE).await.map_err(|e| unclear(e.into()))?;
            let Some(last) = page.last() else {
                return Ok(tried);
            };
            place = last.place;
            tried = tried.saturating_add(page.len());
            let mut passes = stream::iter(page)
                .map(|untried| async move { self.first_pass(&untried).await })
                .buffer_unordered(self.timing.concurrency);
            let mut result = Ok(());
            // All of them come to their end: a pass that is dropped leaves calls behind.
            while let Some(pass) = passes.next().await {
                result = result.and(pass);
            }
            result.map_err(unclear)?;
        }
    }

    async fn first_pass(&self, untried: &Untried) -> Result<(), LeaseError> {
        match self.claims.claim(&untried.id) {
            // What came of it stands in the row.
            Claim::Busy(waiter) => drop(waiter.outcome().await),
            Claim::Mine(work) => {
                let lease = self.store.lease(&untried.id).await?;
                if lease.is_some_and(|lease| is_untried(&lease, untried.attempts)) {
                    let outcome = self.step(work.id(), Because::Asked).await?;
                    work.settle(outcome);
                }
            }
        }
        Ok(())
    }

    async fn still_running(&self, job: &JobId) -> Result<(), RevokeError> {
        let found = self.store.job(job).await;
        let found = found.map_err(|error| unanswered(None, &error.into()))?;
        if self.stopping.load(Ordering::SeqCst) {
            return Err(goes_on(job, "goes on when the server is there again"));
        }
        match found.map(|job| job.state) {
            Some(JobState::Running | JobState::Done) => Ok(()),
            Some(JobState::Paused) => Err(goes_on(job, "is paused")),
            None => Err(goes_on(job, "was deleted before it was through")),
        }
    }
}

/// The rule of [`crate::store::JobStore::untried`], on the row as it is now.
fn is_untried(lease: &Lease, attempts: u32) -> bool {
    match &lease.state {
        LeaseState::Revoking(progress) => {
            let throttled = matches!(progress.last_failure, Some((FailureClass::Throttled, _)));
            progress.removed_at.is_none() && (progress.attempts == attempts || throttled)
        }
        LeaseState::Pending | LeaseState::Active { .. } | LeaseState::Revoked { .. } => false,
    }
}

fn told(failure: JobFailure) -> RevokeError {
    RevokeError {
        lease: Some(failure.lease),
        position: Some(failure.position),
        class: failure.class,
        message: failure.message,
    }
}

fn goes_on(job: &JobId, how: &str) -> RevokeError {
    RevokeError {
        lease: None,
        position: None,
        class: FailureClass::Unclear,
        message: format!("job `{0}` {how}\nhelp: see sys/leases/jobs/{0}", job.0),
    }
}
