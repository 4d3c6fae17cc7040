//! The end of a lease on a temporary credential. AWS ends those by itself; where the role asks for more, the
//! session is cut off before that, and what cut it off is taken away again once AWS has ended it. Must never
//! call a lease over whose entry may still be on the role. The policy itself: [`super::session_cuts`].

use std::time::Duration;

use super::account::keys_wanted;
use super::session_cuts::{Cut, OfRole};
use super::state::LeaseEvent;
use super::step::{Because, failed, reason, told};
use super::teardown::Trouble;
use super::work::Outcome;
use super::{LeaseError, Leases};
use crate::aws::Access;
use crate::model::{
    EndReason, FailureClass, Lease, SessionCut, SessionRevocation, TeardownProgress, Timestamp,
};

/// How long a session of a role can last at most (IAM API reference, `MaxSessionDuration`: 12 h). After it
/// no session is left that a moment of the past denies.
const LONGEST_SESSION: Duration = Duration::from_hours(12);
/// A session whose lease expired is not cut off for so little: AWS ends it sooner than a policy spreads.
const NOT_WORTH_IT: Duration = Duration::from_secs(10);

impl Leases {
    /// One step towards the end of a lease without a user.
    pub(super) async fn end_session(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
        because: Because,
    ) -> Result<Outcome, LeaseError> {
        // Nobody was given a session whose key is not known.
        let cut = lease.beside.session.clone().filter(|_| progress.access_key.is_some());
        let Some(cut) = cut else {
            return self.lapse(lease, progress).await;
        };
        let now = self.clock.now();
        match progress.contained_at {
            None if is_over(&cut, progress, now) => match cut.by {
                // A try before the end may have come through without being heard of.
                SessionRevocation::Tag if !is_over(&cut, progress, progress.since) => {
                    let ended = Cut::EndedLease(lease.id.tag());
                    self.take_away(lease, progress, &cut, ended).await
                }
                // What is left of the latter denies nobody who still has a session.
                SessionRevocation::Tag | SessionRevocation::Older => {
                    self.lapse(lease, progress).await
                }
            },
            None if because == Because::Asked && lease.forced => Ok(None),
            None => self.cut_off(lease, progress, &cut, now).await,
            Some(at) if now < held_until(&cut, at) => {
                match because {
                    Because::Asked => {}
                    Because::Due { .. } => {
                        let until = held_until(&cut, at);
                        self.apply(lease, &[LeaseEvent::CutOff { until }]).await?;
                    }
                }
                Ok(None)
            }
            Some(at) => {
                let ended = match cut.by {
                    SessionRevocation::Tag => Cut::EndedLease(lease.id.tag()),
                    SessionRevocation::Older => Cut::EndedBefore(moment(&cut, at)),
                };
                self.take_away(lease, progress, &cut, ended).await
            }
        }
    }

    /// The session is over: so is its entry, and then the lease.
    async fn take_away(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
        cut: &SessionCut,
        ended: Cut,
    ) -> Result<Outcome, LeaseError> {
        match self.change(&lease, cut, ended).await {
            Ok(()) => self.lapse(lease, progress).await,
            Err(trouble) => self.not_yet(lease, progress, trouble).await,
        }
    }

    async fn cut_off(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
        cut: &SessionCut,
        now: Timestamp,
    ) -> Result<Outcome, LeaseError> {
        let denied = match cut.by {
            SessionRevocation::Tag => Cut::Lease(lease.id.tag()),
            SessionRevocation::Older => Cut::Before(moment(cut, now)),
        };
        let changed = self.change(&lease, cut, denied).await;
        self.events.cut_off(cut.by.as_str(), changed.is_ok());
        match changed {
            Ok(()) => {
                let until = held_until(cut, now);
                let lease = self.apply(lease, &[LeaseEvent::CutOff { until }]).await?;
                Ok(told(&lease, progress, None))
            }
            Err(trouble) => self.not_yet(lease, progress, trouble).await,
        }
    }

    async fn change(&self, lease: &Lease, cut: &SessionCut, change: Cut) -> Result<(), Trouble> {
        let access = self.accounts.access(&lease.mount).await?;
        if matches!(change, Cut::EndedLease(_) | Cut::EndedBefore(_)) {
            self.in_account_of(lease, cut, &access).await?;
        }
        let of = OfRole { mount: &lease.mount, role_arn: &cut.role_arn, broker: &self.broker };
        self.cuts.change(access.provider.as_ref(), of, change).await
    }

    /// Only keys of the role's own account see whether the entry is there: in another one it is not seen, and
    /// would stay for ever.
    async fn in_account_of(
        &self,
        lease: &Lease,
        cut: &SessionCut,
        access: &Access,
    ) -> Result<(), Trouble> {
        let needed = cut.role_arn.split(':').nth(4).unwrap_or_default();
        match self.accounts.own_account(access).await? {
            Some(has) if has != needed => Err(role_elsewhere(lease, cut, needed, &has)),
            Some(_) | None => Ok(()),
        }
    }

    async fn not_yet(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
        trouble: Trouble,
    ) -> Result<Outcome, LeaseError> {
        let lease = self.apply(lease, &[failed(&trouble)]).await?;
        Ok(told(&lease, progress, Some(trouble)))
    }

    async fn lapse(
        &self,
        lease: Lease,
        progress: &TeardownProgress,
    ) -> Result<Outcome, LeaseError> {
        let ended = self.apply(lease, &[LeaseEvent::Lapsed]).await?;
        tracing::info!(
            lease.id = %ended.id, role.name = %ended.role, reason = reason(progress.reason),
            "lease {} ended ({})", ended.id, reason(progress.reason)
        );
        Ok(None)
    }
}

fn role_elsewhere(lease: &Lease, cut: &SessionCut, needed: &str, has: &str) -> Trouble {
    let message = format!(
        "the role `{}` is in account `{needed}`, and the keys of its mount are of account `{has}`\nhelp: {}",
        cut.role_arn,
        keys_wanted(lease, needed)
    );
    Trouble { class: FailureClass::WrongAccount, detail: message.clone(), message }
}

/// Whether AWS has ended the session, or does at once.
fn is_over(cut: &SessionCut, progress: &TeardownProgress, now: Timestamp) -> bool {
    let slack = match progress.reason {
        EndReason::Expired => NOT_WORTH_IT,
        EndReason::Revoked | EndReason::TokenEnded | EndReason::Abandoned => Duration::ZERO,
    };
    now.after(slack) >= cut.ends_at
}

/// How long an entry that was written at `at` is needed.
fn held_until(cut: &SessionCut, at: Timestamp) -> Timestamp {
    match cut.by {
        SessionRevocation::Tag => cut.ends_at,
        // It is other sessions' end as well.
        SessionRevocation::Older => moment(cut, at).after(LONGEST_SESSION),
    }
}

/// The moment before which sessions are denied, for an entry written at `at`: a whole second that is later
/// than the session's beginning by either clock.
fn moment(cut: &SessionCut, at: Timestamp) -> Timestamp {
    let seconds = at.max(cut.begun_at).as_seconds().saturating_add(1);
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}
