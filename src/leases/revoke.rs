//! The ways to end leases: one or all under a prefix, waiting for the first pass or not, and by force.
//! Each is a durable mark first; what fails goes on in the background. Must never make a caller wait
//! for a second pass.

use std::collections::HashSet;
use std::fmt;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::Instant;

use super::state::LeaseEvent;
use super::step::Because;
use super::work::{Claim, Outcome};
use super::{LeaseError, Leases};
use crate::metrics::LeaseAct;
use crate::model::{FailureClass, Lease, LeaseId, LeaseState};
use crate::store::Show;

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
        self.mark_all(vec![id.clone()], &LeaseEvent::Revoke).await
    }

    /// Ends all leases under a prefix and waits for the first pass of each. Tells the first failure,
    /// and goes on with the rest.
    pub async fn revoke_prefix(&self, prefix: &str) -> Result<(), RevokeError> {
        let ids = self.ending(prefix).await.map_err(|error| unanswered(None, &error))?;
        let count = ids.len();
        let mut results = stream::iter(ids.into_iter().enumerate().map(|(index, id)| async move {
            let position = Some((index.saturating_add(1), count));
            self.revoke(&id).await.map_err(|error| RevokeError { position, ..error })
        }))
        .buffered(self.timing.concurrency);
        let mut first = Ok(());
        while let Some(result) = results.next().await {
            first = first.and(result);
        }
        first
    }

    /// Ends all leases under a prefix: marked durably now, taken down in the background.
    pub async fn revoke_prefix_later(&self, prefix: &str) -> Result<(), LeaseError> {
        let ids = self.ids(prefix, Show::Unfinished).await?;
        self.mark_all(ids, &LeaseEvent::Revoke).await
    }

    /// Takes leases out of sight; their teardown goes on.
    pub async fn force(&self, prefix: &str) -> Result<(), LeaseError> {
        let ids = self.ids(prefix, Show::Unfinished).await?;
        self.mark_all(ids, &LeaseEvent::Force).await
    }

    /// Those that a caller sees, to be revoked and waited for. One that is just being issued is marked:
    /// its issue will fail.
    async fn ending(&self, prefix: &str) -> Result<Vec<LeaseId>, LeaseError> {
        let mut hidden = self.ids(prefix, Show::Unfinished).await?;
        let visible = self.ids(prefix, Show::Visible).await?;
        let seen: HashSet<&LeaseId> = visible.iter().collect();
        hidden.retain(|id| !seen.contains(id));
        self.mark_all(hidden, &LeaseEvent::Revoke).await?;
        Ok(visible)
    }

    /// Many at a time: the store commits together what waits together.
    async fn mark_all(&self, ids: Vec<LeaseId>, event: &LeaseEvent) -> Result<(), LeaseError> {
        let marks = stream::iter(ids.into_iter().map(Ok));
        let marked = marks.try_for_each_concurrent(self.timing.concurrency, |id| async move {
            self.mark(&id, event).await
        });
        let result = marked.await;
        self.wake.notify_one();
        result
    }

    async fn mark(&self, id: &LeaseId, event: &LeaseEvent) -> Result<(), LeaseError> {
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

fn unanswered(id: Option<&LeaseId>, error: &LeaseError) -> RevokeError {
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
