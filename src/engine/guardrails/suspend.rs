//! Breaking the glass: a guardrail that is not asked for a while, whatever its mode, with a reason and an end. The end
//! comes by itself, by the clock, whether anybody looks or not: the gate goes by the moment at which it judges. Its
//! begin and its end are in the log, and every verdict meanwhile says so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, warn};

use super::{Engine, GuardrailError};
use crate::auth::Caller;
use crate::model::{GuardrailName, Suspension, Timestamp};
use crate::seal::SealStatus;

/// Longest suspension. A day: an emergency that lasts longer is a decision, which is what modes are for.
const LONGEST: Duration = Duration::from_hours(24);
/// The same in words.
const LONGEST_IN_WORDS: &str = "24h";
/// Characters of a reason: it stands in every warning.
const LONGEST_REASON: usize = 500;
/// How often it is looked whether one has ended, for the log and the metrics (verdicts need nobody to look), and whether a
/// change is stored that does not judge yet.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After so many looks, a minute, guardrails that cannot be used are tried again, and are said to be broken if they are.
const RETRY_AFTER: u64 = 12;
/// An example of a moment.
const EXAMPLE: &str = "2030-01-31T00:00:00Z";

/// Until when a guardrail is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspendUntil {
    /// For so long from now.
    For(Duration),
    /// Until then.
    Until(Timestamp),
}

impl SuspendUntil {
    /// Of what was sent: a duration in seconds, or a moment as text, and not both.
    pub fn read(seconds: Option<u64>, until: Option<&str>) -> Result<Self, GuardrailError> {
        let bad = || GuardrailError::BadTime { example: EXAMPLE };
        match (seconds, until) {
            (Some(seconds), None) => Ok(Self::For(Duration::from_secs(seconds))),
            (None, Some(text)) => Timestamp::parse_rfc3339(text).map(Self::Until).ok_or_else(bad),
            (None, None) | (Some(_), Some(_)) => Err(bad()),
        }
    }
}

impl Engine {
    /// Suspends a guardrail, or moves the end of its suspension.
    pub async fn suspend_guardrail(
        &self,
        caller: &Caller,
        name: &GuardrailName,
        until: SuspendUntil,
        reason: &str,
    ) -> Result<Suspension, GuardrailError> {
        let reason: String = reason.trim().chars().filter(|c| !c.is_control()).collect();
        if reason.is_empty() {
            return Err(GuardrailError::ReasonMissing);
        }
        let now = self.parts.clock.now();
        let until = match until {
            SuspendUntil::For(duration) => now.after(duration),
            SuspendUntil::Until(moment) => moment,
        };
        if until <= now || until > now.after(LONGEST) {
            return Err(GuardrailError::BadEnd { most: LONGEST_IN_WORDS });
        }
        let _turn = self.guardrails.changes.lock().await;
        if self.guardrail(name).await?.is_none() {
            return Err(GuardrailError::NoGuardrail(name.clone()));
        }
        let suspension = Suspension {
            name: name.clone(),
            until,
            reason: reason.chars().take(LONGEST_REASON).collect(),
            since: now,
            by: caller.display_name().to_owned(),
            accessor: caller.accessor().0.clone(),
        };
        self.guardrails.writing();
        self.parts.store.put_suspension(&suspension).await?;
        self.reload().await?;
        warn!(
            guardrail.name = %name, until = %until.rfc3339(), reason = suspension.reason,
            caller = %caller.accessor().0, caller.name = caller.display_name(),
            alert = "guardrail_suspended",
            "guardrail {name} is suspended until {}: {}", until.rfc3339(), suspension.reason
        );
        Ok(suspension)
    }

    /// Ends a suspension before its time.
    pub async fn resume_guardrail(
        &self,
        caller: &Caller,
        name: &GuardrailName,
    ) -> Result<(), GuardrailError> {
        let _turn = self.guardrails.changes.lock().await;
        let before = self.guardrails.writing();
        if !self.parts.store.remove_suspension(name).await? {
            self.guardrails.wrote_nothing(before);
            return Err(GuardrailError::NotSuspended(name.clone()));
        }
        self.reload().await?;
        warn!(
            guardrail.name = %name,
            caller = %caller.accessor().0, caller.name = caller.display_name(),
            "guardrail {name} judges again: its suspension was ended"
        );
        Ok(())
    }

    /// Takes away the suspensions whose time is over, and says so.
    pub async fn end_suspensions(&self) -> Result<(), GuardrailError> {
        let now = self.parts.clock.now();
        let all = self.parts.store.suspensions().await?;
        if all.iter().all(|suspension| suspension.holds(now)) {
            return Ok(());
        }
        let _turn = self.guardrails.changes.lock().await;
        // Looked at again in its turn: somebody may have moved an end meanwhile.
        let all = self.parts.store.suspensions().await?;
        self.guardrails.writing();
        for suspension in all.iter().filter(|suspension| !suspension.holds(now)) {
            let name = &suspension.name;
            self.parts.store.remove_suspension(name).await?;
            warn!(
                guardrail.name = %name, since = %suspension.since.rfc3339(),
                until = %suspension.until.rfc3339(), reason = suspension.reason,
                caller = suspension.accessor, caller.name = suspension.by,
                "guardrail {name} judges again: its suspension has ended"
            );
        }
        self.reload().await
    }

    /// Looks after suspensions and after guardrails that cannot be used, until it is told to stop.
    pub async fn run_guardrails(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut looks: u64 = 0;
        while tokio::time::timeout(LOOK_EVERY, shutdown.wait_for(|stop| *stop)).await.is_err() {
            if self.parts.barrier.status() != SealStatus::Unsealed {
                continue;
            }
            looks = looks.wrapping_add(1);
            if let Err(problem) = self.look_after_guardrails(looks).await {
                error!("guardrails could not be looked after: {problem}");
            }
        }
    }

    /// One look, the n-th since the start.
    pub async fn look_after_guardrails(&self, nth: u64) -> Result<(), GuardrailError> {
        self.end_suspensions().await?;
        self.retry_stale_guardrails().await?;
        if nth.is_multiple_of(RETRY_AFTER) {
            self.retry_broken_guardrails().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_duration_or_a_moment_and_not_both() {
        let read = |seconds, until| SuspendUntil::read(seconds, until).ok();
        let half_an_hour = SuspendUntil::For(Duration::from_mins(30));
        assert_eq!(read(Some(1_800), None), Some(half_an_hour));
        let epoch = SuspendUntil::Until(Timestamp::from_millis(0));
        assert_eq!(read(None, Some("1970-01-01T00:00:00Z")), Some(epoch));
        for (seconds, until) in [(None, None), (Some(1), Some("x")), (None, Some("tomorrow"))] {
            assert_eq!(read(seconds, until), None);
        }
    }
}
