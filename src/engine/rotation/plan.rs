//! When a key is to be rotated: pure, from what is stored and the time. Moments that were missed while
//! the broker was away are caught up, within the window where there is one.

use std::time::Duration;

use crate::engine::cron::Schedule;
use crate::model::{KeyChange, KeyStep, RotationProgress, RotationTimes, Timestamp};

/// The first wait after a failure (as Vault's, contract 1.13), doubled with each one in a row.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest: a key that is overdue is tried several times an hour.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Between two looks for a key that may have been made.
const NEXT_LOOK: Duration = Duration::from_secs(30);

/// The moment of the next rotation, past where it is overdue; `None` where none is planned. `since` is when
/// the times were written.
pub(in crate::engine) fn next(
    times: &RotationTimes,
    since: Timestamp,
    rotated_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    if times.period > 0 {
        return Some(rotated_at.unwrap_or(since).after(Duration::from_secs(times.period)));
    }
    if times.schedule.is_empty() {
        return None;
    }
    let counted = rotated_at.map_or(since, |rotated_at| rotated_at.max(since));
    let from = if times.window > 0 {
        // What is further back than the window cannot be caught up.
        let window = i64::try_from(times.window).unwrap_or(i64::MAX).saturating_mul(1000);
        counted.max(Timestamp::from_millis(now.as_millis().saturating_sub(window)))
    } else {
        counted
    };
    Schedule::parse(&times.schedule).ok()?.next_after(from)
}

/// When to try: the planned moment, but not before a failed try may be repeated.
pub(in crate::engine) fn due(
    planned: Option<Timestamp>,
    progress: &RotationProgress,
) -> Option<Timestamp> {
    planned.map(|planned| progress.retry_at.map_or(planned, |retry_at| retry_at.max(planned)))
}

/// Writes down a failure.
pub(in crate::engine) fn failed(progress: &mut RotationProgress, why: String, now: Timestamp) {
    let doubled = 2_u32.saturating_pow(progress.attempts.min(16));
    progress.attempts = progress.attempts.saturating_add(1);
    progress.retry_at = Some(now.after(FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)));
    progress.last_error = Some(why);
}

/// Writes down that nothing is in the way.
pub(in crate::engine) fn went_well(progress: &mut RotationProgress) {
    *progress = RotationProgress { rotated_at: progress.rotated_at, ..RotationProgress::default() };
}

/// Writes down that `before`, which was under way, came to an end, or to `left`.
pub(in crate::engine) fn resumed(
    progress: &mut RotationProgress,
    before: &KeyChange,
    left: Option<&KeyChange>,
    now: Timestamp,
) {
    let rotated = match (&before.step, left) {
        (KeyStep::Retiring { .. }, None) => true,
        (_, _) => progress.rotated_at.is_some_and(|rotated_at| rotated_at > before.tried_at),
    };
    match left.map(|left| &left.step) {
        _ if rotated => went_well(progress),
        None => progress.retry_at = None,
        Some(KeyStep::Creating | KeyStep::Created(_) | KeyStep::Retiring { .. }) => {
            progress.retry_at = Some(now.after(NEXT_LOOK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours.checked_mul(HOUR).unwrap())
    }

    fn daily(window: u64) -> RotationTimes {
        RotationTimes { period: 0, schedule: "0 3 * * *".into(), window }
    }

    #[test]
    fn a_period_counts_from_the_last_rotation_or_else_from_the_write() {
        let times = RotationTimes { period: 7200, ..RotationTimes::default() };
        assert_eq!(next(&times, at(10), None, at(11)), Some(at(12)));
        assert_eq!(next(&times, at(10), Some(at(5)), at(11)), Some(at(7)));
        assert_eq!(next(&times, at(10), Some(at(20)), at(20)), Some(at(22)));
        assert_eq!(next(&RotationTimes::default(), at(10), None, at(11)), None);
    }

    #[test]
    fn a_missed_moment_is_caught_up_within_its_window() {
        // 3:00 of the second day was missed; it is 9:00.
        let (written, now) = (at(4), at(24 + 9));
        assert_eq!(next(&daily(0), written, None, now), Some(at(24 + 3)), "any time later");
        assert_eq!(next(&daily(7 * 3600), written, None, now), Some(at(24 + 3)));
        assert_eq!(next(&daily(3600), written, None, now), Some(at(48 + 3)), "too late for it");
    }

    #[test]
    fn a_moment_before_the_write_or_the_last_rotation_is_none_of_it() {
        assert_eq!(next(&daily(0), at(4), Some(at(2)), at(5)), Some(at(24 + 3)));
        assert_eq!(next(&daily(0), at(2), Some(at(3)), at(5)), Some(at(24 + 3)));
    }

    #[test]
    fn failures_wait_longer_and_longer_up_to_a_cap() {
        let mut progress = RotationProgress::default();
        let mut waits = Vec::new();
        for _failure in 0..9 {
            failed(&mut progress, "no".into(), at(0));
            waits.push(progress.retry_at.unwrap().as_millis() / 1000);
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(due(Some(at(0)), &progress), progress.retry_at);
        assert_eq!(due(Some(at(5)), &progress), Some(at(5)));
        assert_eq!(due(None, &progress), None);
        progress.rotated_at = Some(at(1));
        went_well(&mut progress);
        let clean = RotationProgress { rotated_at: Some(at(1)), ..RotationProgress::default() };
        assert_eq!(progress, clean);
    }
}
