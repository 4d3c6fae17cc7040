//! The life of a lease as a pure, total function: state × event → state, or why not (design, section
//! 5). Must never let a lease be called gone that was not seen to be gone. Who brings the events:
//! [`super`] and [`super::teardown`].

use std::time::Duration;

use crate::model::{AccessKeyId, EndReason, FailureClass, LeaseState, TeardownProgress, Timestamp};

/// How long things take.
#[derive(Debug, Clone)]
pub struct LeaseTiming {
    /// Before this age an absent user is not taken for gone. 5 min: IAM is eventually consistent
    /// (OpenBao's AWS engine, `path_user.go`, `minAwsUserRollbackAge`).
    pub settling: Duration,
    /// The first look after a removal, counted from it. 10 s: what IAM usually takes to spread news.
    pub first_look: Duration,
    /// The second look, counted from the removal. 60 s: what it takes on a bad day.
    pub second_look: Duration,
    /// Wait after the first failed pass. 10 s, as Vault (contract 5.3).
    pub backoff_base: Duration,
    /// Longest wait between passes. 15 min: soon enough after somebody repaired the broker's rights,
    /// rarely enough for ten thousand leases at IAM's pace. Not below `settling`.
    pub backoff_cap: Duration,
    /// How long rows of ended leases are kept. 30 days (design, section 5).
    pub purge_after: Duration,
    /// Passes under way at once in one account, whatever goes on in others. 16: each asks AWS for up to six
    /// things at once, and at 50 ms an answer that is twenty times the pace that accounts are known to allow.
    pub concurrency: usize,
}

impl Default for LeaseTiming {
    fn default() -> Self {
        Self {
            settling: Duration::from_mins(5),
            first_look: Duration::from_secs(10),
            second_look: Duration::from_mins(1),
            backoff_base: Duration::from_secs(10),
            backoff_cap: Duration::from_mins(15),
            purge_after: Duration::from_hours(30 * 24),
            concurrency: 16,
        }
    }
}

/// How many looks after a removal must find nothing.
pub const LOOKS: u32 = 2;

/// What happens to a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseEvent {
    /// AWS did everything; the credential is about to be handed out.
    Activate {
        /// The key.
        access_key: AccessKeyId,
        /// When the lease ends.
        expires_at: Timestamp,
    },
    /// `CreateUser` was definitely refused.
    Refused,
    /// It will not be handed out.
    Abandon,
    /// It is pending for longer than the settling time.
    SettlingOver,
    /// It is pending since an earlier process.
    PreviousProcess,
    /// It lasts until then.
    Renew {
        /// When the lease ends.
        expires_at: Timestamp,
    },
    /// Somebody wants it gone.
    Revoke,
    /// Its time is over.
    Expire,
    /// The token that holds it ended.
    TokenEnded,
    /// The credential does not work any more.
    Contained,
    /// The user was deleted.
    Removed,
    /// A pass found no such user.
    SeenAbsent,
    /// A session's role denies it everything, until then.
    CutOff {
        /// When AWS has ended the session by itself.
        until: Timestamp,
    },
    /// A temporary credential, which AWS ends by itself.
    Lapsed,
    /// A look after the removal.
    LookedAgain(Look),
    /// A pass failed.
    Failed {
        /// What kind of trouble.
        class: FailureClass,
        /// One sentence.
        message: String,
    },
    /// `revoke-force`.
    Force,
}

/// What a look after the removal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// No user of ours.
    Absent,
    /// Our user, again or still.
    GrewBack,
}

/// An event that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a lease that is {state} cannot take the event {event}")]
pub struct IllegalTransition {
    /// The state's name.
    pub state: &'static str,
    /// The event, as tried.
    pub event: String,
}

/// When, and under which rules.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Now.
    pub now: Timestamp,
    /// When the row was written.
    pub issued_at: Timestamp,
    /// Whether the credential is an IAM user, which stays until it is removed.
    pub has_user: bool,
    /// How long things take.
    pub timing: &'a LeaseTiming,
    /// In `0.0..1.0`, drawn for this event.
    pub jitter: f64,
}

impl Moment<'_> {
    fn is_settled(&self) -> bool {
        self.now >= self.settled_at()
    }

    fn settled_at(&self) -> Timestamp {
        self.issued_at.after(self.timing.settling)
    }

    /// Base, doubled with each failure up to the cap, times 0.5 to 1.
    fn backoff(&self, attempts: u32) -> Timestamp {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let full = self.timing.backoff_base.saturating_mul(doubled).min(self.timing.backoff_cap);
        self.now.after(full.mul_f64(0.5 + self.jitter.clamp(0.0, 1.0) / 2.0))
    }
}

/// What `event` makes of a lease.
pub fn next(
    state: &LeaseState,
    event: &LeaseEvent,
    moment: &Moment<'_>,
) -> Result<LeaseState, IllegalTransition> {
    let next = match state {
        LeaseState::Pending => pending(event, moment),
        LeaseState::Active { access_key, expires_at } => {
            active(access_key, *expires_at, event, moment)
        }
        LeaseState::Revoking(progress) => revoking(progress, event, moment),
        LeaseState::Revoked { .. } => revoked(event, moment),
    };
    next.ok_or_else(|| IllegalTransition { state: name(state), event: format!("{event:?}") })
}

fn pending(event: &LeaseEvent, moment: &Moment<'_>) -> Option<LeaseState> {
    use LeaseEvent as E;
    let teardown = || LeaseState::Revoking(begun(EndReason::Abandoned, None, None, moment.now));
    match event {
        E::Activate { access_key, expires_at } => {
            Some(LeaseState::Active { access_key: access_key.clone(), expires_at: *expires_at })
        }
        E::Refused => Some(LeaseState::Revoked { at: moment.now, record: None }),
        E::SettlingOver => moment.is_settled().then(teardown),
        E::Abandon | E::PreviousProcess | E::Revoke | E::TokenEnded | E::Force => Some(teardown()),
        E::Renew { .. }
        | E::Expire
        | E::Contained
        | E::Removed
        | E::SeenAbsent
        | E::CutOff { .. }
        | E::Lapsed
        | E::LookedAgain(_)
        | E::Failed { .. } => None,
    }
}

fn active(
    access_key: &AccessKeyId,
    expires_at: Timestamp,
    event: &LeaseEvent,
    moment: &Moment<'_>,
) -> Option<LeaseState> {
    use LeaseEvent as E;
    let ended = moment.now >= expires_at;
    let teardown = |reason| {
        let key = Some(access_key.clone());
        LeaseState::Revoking(begun(reason, key, Some(expires_at), moment.now))
    };
    match event {
        E::Renew { expires_at } => (!ended).then(|| LeaseState::Active {
            access_key: access_key.clone(),
            expires_at: *expires_at,
        }),
        E::Expire => ended.then(|| teardown(EndReason::Expired)),
        E::Revoke | E::Force => Some(teardown(EndReason::Revoked)),
        E::TokenEnded => Some(teardown(EndReason::TokenEnded)),
        // Activated, and then the answer could not be given.
        E::Abandon => Some(teardown(EndReason::Abandoned)),
        E::Activate { .. }
        | E::Refused
        | E::SettlingOver
        | E::PreviousProcess
        | E::Contained
        | E::Removed
        | E::SeenAbsent
        | E::CutOff { .. }
        | E::Lapsed
        | E::LookedAgain(_)
        | E::Failed { .. } => None,
    }
}

fn revoking(
    progress: &TeardownProgress,
    event: &LeaseEvent,
    moment: &Moment<'_>,
) -> Option<LeaseState> {
    use LeaseEvent as E;
    let now = moment.now;
    let mut next = progress.clone();
    match event {
        E::Contained => next.contained_at = next.contained_at.or(Some(now)),
        E::Removed if progress.removed_at.is_none() => removed(&mut next, moment),
        E::SeenAbsent if progress.removed_at.is_none() => absent(&mut next, moment),
        E::Lapsed if !moment.has_user => return Some(gone(next, now)),
        E::CutOff { until } if !moment.has_user => {
            next.contained_at = next.contained_at.or(Some(now));
            next.removed_at = next.removed_at.or(Some(now));
            quiet(&mut next, *until);
        }
        E::LookedAgain(Look::Absent) => {
            let removed_at = progress.removed_at?;
            next.looks = next.looks.saturating_add(1);
            if next.looks >= LOOKS {
                return Some(gone(next, now));
            }
            quiet(&mut next, removed_at.after(moment.timing.second_look).max(now));
        }
        E::LookedAgain(Look::GrewBack) => {
            progress.removed_at?;
            (next.contained_at, next.removed_at, next.looks) = (None, None, 0);
            quiet(&mut next, now);
        }
        E::Failed { class, message } => {
            next.attempts = next.attempts.saturating_add(1);
            next.last_failure = Some((*class, message.clone()));
            next.next_attempt_at = moment.backoff(next.attempts);
        }
        // Asked again: try at once, unless only looks are left.
        E::Revoke | E::Force if progress.removed_at.is_none() => next.next_attempt_at = now,
        E::Revoke | E::Force | E::Expire | E::TokenEnded | E::Abandon => {}
        E::Removed
        | E::SeenAbsent
        | E::CutOff { .. }
        | E::Lapsed
        | E::Activate { .. }
        | E::Refused
        | E::SettlingOver
        | E::PreviousProcess
        | E::Renew { .. } => return None,
    }
    Some(LeaseState::Revoking(next))
}

fn gone(progress: TeardownProgress, now: Timestamp) -> LeaseState {
    LeaseState::Revoked { at: now, record: Some(progress.into()) }
}

/// Called gone while its issue was still under way, perhaps since the clock jumped: what that made
/// must go too.
fn revoked(event: &LeaseEvent, moment: &Moment<'_>) -> Option<LeaseState> {
    let begun = || LeaseState::Revoking(begun(EndReason::Abandoned, None, None, moment.now));
    (*event == LeaseEvent::Abandon).then(begun)
}

fn begun(
    reason: EndReason,
    access_key: Option<AccessKeyId>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> TeardownProgress {
    TeardownProgress {
        reason,
        since: now,
        access_key,
        expires_at,
        contained_at: None,
        removed_at: None,
        looks: 0,
        attempts: 0,
        next_attempt_at: now,
        last_failure: None,
    }
}

fn removed(next: &mut TeardownProgress, moment: &Moment<'_>) {
    let now = moment.now;
    next.contained_at = next.contained_at.or(Some(now));
    next.removed_at = Some(now);
    next.looks = 0;
    quiet(next, now.after(moment.timing.first_look));
}

/// Old enough: gone. Younger: perhaps not yet to be seen, or its creation is still on its way to AWS
/// while the process that sent it is dead. It is looked for again and again until it is old enough.
fn absent(next: &mut TeardownProgress, moment: &Moment<'_>) {
    if moment.is_settled() {
        return removed(next, moment);
    }
    next.attempts = next.attempts.saturating_add(1);
    next.last_failure = Some((
        FailureClass::Settling,
        "the user is not to be seen, and too young to be taken for gone".to_owned(),
    ));
    next.next_attempt_at = moment.backoff(next.attempts).min(moment.settled_at());
}

fn quiet(next: &mut TeardownProgress, at: Timestamp) {
    next.attempts = 0;
    next.last_failure = None;
    next.next_attempt_at = at;
}

fn name(state: &LeaseState) -> &'static str {
    match state {
        LeaseState::Pending => "pending",
        LeaseState::Active { .. } => "active",
        LeaseState::Revoking(_) => "revoking",
        LeaseState::Revoked { .. } => "revoked",
    }
}

#[cfg(test)]
mod tests;
