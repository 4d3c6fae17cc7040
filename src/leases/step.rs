//! What is to be done for one claimed lease, done: mark it as ending, run a pass over its user or a
//! look after it, record what came of it. Must never call AWS for a lease that is not durably marked.

use tokio::time::Instant;

use super::state::{LeaseEvent, Look};
use super::teardown::{self, Pass, PassEnd, Subject, Trouble};
use super::work::Outcome;
use super::{LeaseError, Leases, has_user, user};
use crate::aws::AwsError;
use crate::metrics::LeaseAct;
use crate::model::{
    EndReason, FailureClass, Lease, LeaseId, LeaseState, TeardownProgress, UserName,
};

/// Why a lease is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// Its time has come.
    Due {
        /// Its token has ended.
        holder_ended: bool,
    },
    /// Somebody wants it gone.
    Asked,
}

impl Leases {
    /// One step. `None` where nothing was to be done, or else what came of it.
    pub(super) async fn step(
        &self,
        id: &LeaseId,
        because: Because,
    ) -> Result<Option<Outcome>, LeaseError> {
        if self.is_sealed() {
            return match because {
                Because::Due { .. } => Ok(None),
                Because::Asked => Err(LeaseError::Sealed),
            };
        }
        let Some(lease) = self.store.lease(id).await? else {
            return Ok(Some(None));
        };
        let Some(lease) = self.marked(lease, because).await? else {
            return Ok(None);
        };
        let LeaseState::Revoking(progress) = &lease.state else {
            return Ok(Some(None));
        };
        let progress = progress.clone();
        let Some(name) = lease.user.clone().filter(|_| has_user(&lease)) else {
            return self.end_session(lease, &progress, because).await.map(Some);
        };
        // Whoever asks for a removed lease has what was asked for; a forced one is out of sight.
        if because == Because::Asked && (progress.removed_at.is_some() || lease.forced) {
            return Ok(Some(None));
        }
        if progress.removed_at.is_some() {
            return self.look(lease, &progress, &name).await.map(Some);
        }
        self.pass(lease, &progress, &name).await.map(Some)
    }

    /// The lease, durably marked as ending; `None` where it is not due after all.
    async fn marked(&self, lease: Lease, because: Because) -> Result<Option<Lease>, LeaseError> {
        let now = self.clock.now();
        let event = match (&lease.state, because) {
            (LeaseState::Revoked { .. }, Because::Due { .. } | Because::Asked)
            | (LeaseState::Revoking(_), Because::Asked) => return Ok(Some(lease)),
            (LeaseState::Revoking(progress), Because::Due { .. }) => {
                return Ok((progress.next_attempt_at <= now).then_some(lease));
            }
            (LeaseState::Pending | LeaseState::Active { .. }, Because::Asked) => LeaseEvent::Revoke,
            // Young and due: it belongs to a process that is gone (`Store::abandon_pending`).
            (LeaseState::Pending, Because::Due { .. }) => {
                let settled = lease.issued_at.after(self.timing.settling) <= now;
                if settled { LeaseEvent::SettlingOver } else { LeaseEvent::PreviousProcess }
            }
            (LeaseState::Active { expires_at, .. }, Because::Due { .. }) if *expires_at <= now => {
                LeaseEvent::Expire
            }
            (LeaseState::Active { .. }, Because::Due { holder_ended: true }) => {
                LeaseEvent::TokenEnded
            }
            (LeaseState::Active { .. }, Because::Due { holder_ended: false }) => return Ok(None),
        };
        if event == LeaseEvent::Expire
            && let Some(due) = lease.due_at(self.timing.settling)
        {
            self.events.expired(now.since(due));
        }
        self.apply(lease, &[event]).await.map(Some)
    }

    async fn pass(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
        name: &UserName,
    ) -> Result<Outcome, LeaseError> {
        let (tag, started) = (lease.id.tag(), Instant::now());
        let pass = match self.accounts.access(&lease.mount).await {
            Ok(access) => {
                if let Some(trouble) = self.foreign(&lease, &access) {
                    Pass { contained: false, end: PassEnd::Failed(trouble) }
                } else {
                    let subject = self.subject(name, progress, &tag);
                    let provider = access.provider.as_ref();
                    let pass = teardown::whole_pass(provider, subject, &lease.beside).await;
                    self.believed(&lease, &access, pass).await
                }
            }
            Err(error) => unreachable_account(error),
        };
        self.events.took(LeaseAct::Pass, started.elapsed());
        self.events.passed(outcome(&pass.end));
        let mut events = Vec::new();
        if pass.contained {
            events.push(LeaseEvent::Contained);
        }
        let trouble = match pass.end {
            PassEnd::Removed => {
                events.push(LeaseEvent::Removed);
                None
            }
            PassEnd::Absent => {
                events.push(LeaseEvent::SeenAbsent);
                None
            }
            PassEnd::Failed(trouble) => {
                events.push(failed(&trouble));
                Some(trouble)
            }
        };
        let lease = self.apply(lease, &events).await?;
        self.measured(&lease, progress);
        self.alert(&lease, progress);
        Ok(told(&lease, progress, trouble))
    }

    /// Counts what a pass changed.
    fn measured(&self, lease: &Lease, before: &TeardownProgress) {
        let LeaseState::Revoking(now) = &lease.state else { return };
        if let (None, Some(at)) = (before.contained_at, now.contained_at) {
            self.events.contained(at.since(now.since));
        }
        match (before.removed_at, now.removed_at) {
            (None, Some(at)) => self.events.removed(at.since(now.since)),
            (None, None) if now.reason == EndReason::Expired => self.events.expiration_failed(),
            (None, None) | (Some(_), _) => {}
        }
    }

    async fn look(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
        name: &UserName,
    ) -> Result<Outcome, LeaseError> {
        let tag = lease.id.tag();
        let found = match self.accounts.access(&lease.mount).await {
            Ok(access) => {
                if let Some(trouble) = self.foreign(&lease, &access) {
                    Err(trouble)
                } else {
                    let subject = self.subject(name, progress, &tag);
                    let provider = access.provider.as_ref();
                    teardown::whole_look(provider, subject, &lease.beside).await
                }
            }
            Err(error) => Err(error.into()),
        };
        let (event, trouble) = match found {
            Ok(look) => (LeaseEvent::LookedAgain(look), None),
            Err(trouble) => (failed(&trouble), Some(trouble)),
        };
        let grew_back = event == LeaseEvent::LookedAgain(Look::GrewBack);
        let lease = self.apply(lease, &[event]).await?;
        if grew_back && let LeaseState::Revoking(progress) = lease.state.clone() {
            tracing::warn!(
                lease.id = %lease.id, aws.user = %name, role.name = %lease.role,
                "what lease {} made is there again after its removal", lease.id
            );
            return self.pass(lease, &progress, name).await;
        }
        Ok(told(&lease, progress, trouble))
    }

    /// Says once what somebody has to hear of.
    fn alert(&self, lease: &Lease, before: &TeardownProgress) {
        match &lease.state {
            LeaseState::Revoking(after) if after.last_failure.is_some() => {
                self.alerts.failed(lease, before, after, self.clock.now());
            }
            LeaseState::Revoking(_)
            | LeaseState::Revoked { .. }
            | LeaseState::Pending
            | LeaseState::Active { .. } => self.alerts.over(&lease.id),
        }
    }

    fn subject<'a>(
        &'a self,
        name: &'a UserName,
        progress: &'a TeardownProgress,
        lease: &'a crate::model::LeaseTag,
    ) -> Subject<'a> {
        Subject {
            user: name,
            access_key: progress.access_key.as_ref(),
            broker: &self.broker,
            lease,
        }
    }
}

fn unreachable_account(error: AwsError) -> Pass {
    Pass { contained: false, end: PassEnd::Failed(error.into()) }
}

/// For the count of passes.
fn outcome(end: &PassEnd) -> &'static str {
    match end {
        PassEnd::Removed => "removed",
        PassEnd::Absent => "absent",
        PassEnd::Failed(trouble) => match trouble.class {
            FailureClass::Throttled => "throttled",
            FailureClass::AccessDenied => "access_denied",
            FailureClass::BadCredentials => "bad_credentials",
            FailureClass::StillOwns => "still_owns",
            FailureClass::NotOurs => "not_ours",
            FailureClass::Unclear => "unclear",
            FailureClass::Refused => "refused",
            FailureClass::Settling => "settling",
            FailureClass::WrongAccount => "wrong_account",
        },
    }
}

pub(super) fn failed(trouble: &Trouble) -> LeaseEvent {
    LeaseEvent::Failed { class: trouble.class, message: trouble.message.clone() }
}

/// Logs what a step came to, and gives it back for whoever waits.
pub(super) fn told(lease: &Lease, before: &TeardownProgress, trouble: Option<Trouble>) -> Outcome {
    let why = reason(before.reason);
    match &lease.state {
        LeaseState::Revoking(now) if now.removed_at.is_some() && before.removed_at.is_none() => {
            let passes = before.attempts.saturating_add(1);
            let plural = if passes == 1 { "" } else { "s" };
            tracing::info!(
                lease.id = %lease.id, aws.user = user(lease), role.name = %lease.role,
                reason = why, attempts = passes,
                "lease {} removed ({why}) after {passes} attempt{plural}", lease.id
            );
            None
        }
        LeaseState::Revoking(now) => {
            let (class, message) = now.last_failure.clone()?;
            let trouble =
                trouble.unwrap_or_else(|| Trouble { class, detail: message.clone(), message });
            tracing::warn!(
                lease.id = %lease.id, aws.user = user(lease), role.name = %lease.role,
                reason = why, attempts = now.attempts,
                next_attempt = %now.next_attempt_at.rfc3339(), error.class = ?class,
                "lease {} not yet removed: {}", lease.id, trouble.detail
            );
            Some(trouble)
        }
        LeaseState::Revoked { .. } => {
            tracing::debug!(lease.id = %lease.id, "lease {} is gone", lease.id);
            None
        }
        LeaseState::Pending | LeaseState::Active { .. } => None,
    }
}

/// As it is stored and logged.
pub(super) fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Expired => "expired",
        EndReason::Revoked => "revoked",
        EndReason::TokenEnded => "token_ended",
        EndReason::Abandoned => "abandoned",
    }
}
