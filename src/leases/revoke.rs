//! The ways to end leases: one by itself, or all under a prefix or mount as a job, waiting for the first pass
//! or not, and by force. Each is durable before it is answered; what fails goes on in the background. The
//! jobs are in [`super::jobs`], waiting for one in [`super::waiting`].

use std::fmt;

use tokio::time::Instant;

use super::listing::folder;
use super::state::LeaseEvent;
use super::step::Because;
use super::work::{Claim, Outcome};
use super::{LeaseError, Leases};
use crate::metrics::LeaseAct;
use crate::model::{FailureClass, JobId, JobKind, JobScope, Lease, LeaseId, LeaseState, MountId};

/// The first pass of a revocation failed. The lease is ending all the same: the teardown goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RevokeError {
    /// The lease; `None` where the store could not even list them.
    pub lease: Option<LeaseId>,
    /// Which of how many, counted from 1, where a prefix was revoked.
    pub position: Option<(usize, usize)>,
    /// What kind of trouble.
    pub class: FailureClass,
    /// One sentence.
    pub message: String,
}

/// The texts of contract 1.11.
impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(lease), Some((i, n))) = (&self.lease, self.position) {
            write!(f, "failed to revoke \"{lease}\" ({i} / {n}): ")?;
        }
        write!(f, "failed to revoke entry: resp: (*logical.Response)(nil) err: {}", self.message)
    }
}

impl Leases {
    /// Ends a lease and waits for the first pass. Nothing to do for an unknown one.
    pub async fn revoke(&self, id: &LeaseId) -> Result<(), RevokeError> {
        loop {
            match self.claims.claim(id) {
                Claim::Busy(waiter) => {
                    if let Some(outcome) = waiter.outcome().await {
                        return answer(id, outcome);
                    }
                }
                Claim::Mine(work) => {
                    let started = Instant::now();
                    let outcome = self.step(id, Because::Asked).await;
                    self.events.took(LeaseAct::Revoke, started.elapsed());
                    let outcome = outcome.map_err(|error| unanswered(Some(id), &error))?.flatten();
                    work.finish(outcome.clone());
                    return answer(id, outcome);
                }
            }
        }
    }

    /// Ends a lease: marked durably now, taken down in the background.
    pub async fn revoke_later(&self, id: &LeaseId) -> Result<(), LeaseError> {
        self.mark_one(id, &LeaseEvent::Revoke).await
    }

    /// Ends all leases under a prefix, as a job, and waits for the first pass of each. Tells the first failure;
    /// the job goes on with the rest.
    pub async fn revoke_prefix(&self, prefix: &str) -> Result<(), RevokeError> {
        if let Some(id) = self.exact(prefix).await.map_err(|error| unanswered(None, &error))? {
            return self.revoke(&id).await;
        }
        let scope = JobScope::Prefix(folder(prefix));
        self.revoke_all(JobKind::Revoke, scope).await.map(drop)
    }

    /// Ends all leases under a prefix, as a job that is durable now. What fits into a page is marked now, so that a
    /// lease that is just being issued is not handed out any more.
    pub async fn revoke_prefix_later(&self, prefix: &str) -> Result<(), LeaseError> {
        if let Some(id) = self.exact(prefix).await? {
            return self.revoke_later(&id).await;
        }
        let scope = JobScope::Prefix(folder(prefix));
        if self.store.has_leases(&scope).await? {
            let job = self.begin_job(JobKind::Revoke, scope).await?;
            self.mark_page(&job, JobKind::Revoke).await?;
        }
        Ok(())
    }

    /// Ends all leases of a mount that is being disabled, as a job, and waits for the first pass of each. The job
    /// is over when the mount is gone, which is for the caller to see to; `None` where there is no lease.
    pub async fn revoke_mount(&self, mount: &MountId) -> Result<Option<JobId>, RevokeError> {
        self.revoke_all(JobKind::Disable, JobScope::Mount(mount.clone())).await
    }

    /// Takes leases out of sight, as a job; their teardown goes on.
    pub async fn force(&self, prefix: &str) -> Result<(), LeaseError> {
        if let Some(id) = self.exact(prefix).await? {
            return self.mark_one(&id, &LeaseEvent::Force).await;
        }
        let scope = JobScope::Prefix(folder(prefix));
        if !self.store.has_leases(&scope).await? {
            return Ok(());
        }
        let job = self.begin_job(JobKind::Force, scope).await?;
        self.mark_all(&job, JobKind::Force).await?;
        tracing::warn!(
            job.id = %job.0, prefix,
            "leases under {prefix} were forced out of sight; their teardown goes on"
        );
        Ok(())
    }

    /// The lease whose whole id a prefix is.
    async fn exact(&self, prefix: &str) -> Result<Option<LeaseId>, LeaseError> {
        match prefix.parse::<LeaseId>() {
            Ok(id) => Ok(self.store.lease(&id).await?.map(|lease| lease.id)),
            Err(_not_one) => Ok(None),
        }
    }

    async fn mark_one(&self, id: &LeaseId, event: &LeaseEvent) -> Result<(), LeaseError> {
        let forces = *event == LeaseEvent::Force;
        let Some(lease) = self.store.lease(id).await?.filter(|lease| !is_over(lease)) else {
            return Ok(());
        };
        if self.next(&lease, event)? == lease.state && (lease.forced || !forces) {
            return Ok(());
        }
        let marked = self.update(lease, |lease| {
            if !is_over(lease) {
                lease.state = self.next(lease, event)?;
                lease.forced |= forces;
            }
            Ok(())
        });
        let lease = marked.await?;
        if forces {
            tracing::warn!(
                lease.id = %lease.id, role.name = %lease.role,
                "lease {} forced out of sight; its teardown goes on", lease.id
            );
        }
        self.wake.notify_one();
        Ok(())
    }
}

fn is_over(lease: &Lease) -> bool {
    match &lease.state {
        LeaseState::Revoked { .. } => true,
        LeaseState::Pending | LeaseState::Active { .. } | LeaseState::Revoking(_) => false,
    }
}

fn answer(id: &LeaseId, outcome: Outcome) -> Result<(), RevokeError> {
    match outcome {
        None => Ok(()),
        Some(trouble) => Err(RevokeError {
            lease: Some(id.clone()),
            position: None,
            class: trouble.class,
            message: trouble.message,
        }),
    }
}

pub(super) fn unanswered(id: Option<&LeaseId>, error: &LeaseError) -> RevokeError {
    let name = id.map_or("", LeaseId::as_str);
    tracing::error!(lease.id = name, "leases could not be revoked: {error}");
    RevokeError {
        lease: id.cloned(),
        position: None,
        class: FailureClass::Unclear,
        // What the store said is in the log: a caller can do nothing about it.
        message: "internal error\nhelp: the lease may not be ending yet: ask again; the server's log has the cause".to_owned(),
    }
}
