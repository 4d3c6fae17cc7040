//! What a static role is after a write, and what is refused of it (contract 1.13, and ours). Pure.

use super::{StaticRoleChange, StaticRoleError};
use crate::engine::config_merge::SHORTEST_PERIOD;
use crate::engine::cron::Schedule;
use crate::model::{RotationTimes, StaticRole};

/// The part of a static role that its writer chooses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) times: RotationTimes,
    pub(super) overlap: u64,
    pub(super) replace_foreign_keys: bool,
}

/// What is stored with what was sent on top. A period takes the place of a schedule, and the other way round.
pub(super) fn merged(
    stored: Option<&StaticRole>,
    sent: &StaticRoleChange,
) -> Result<Settings, StaticRoleError> {
    let before = stored.map(|role| role.times.clone()).unwrap_or_default();
    let schedule = sent.rotation_schedule.clone().filter(|schedule| !schedule.is_empty());
    let times = match (sent.rotation_period, schedule) {
        (Some(_), Some(_)) => return Err(StaticRoleError::ScheduleAndPeriod),
        (Some(period), None) => RotationTimes {
            period,
            window: sent.rotation_window.unwrap_or(0),
            ..Default::default()
        },
        (None, Some(schedule)) => {
            let window = sent.rotation_window.unwrap_or(before.window);
            RotationTimes { period: 0, schedule, window }
        }
        (None, None) if stored.is_none() => {
            return Err(StaticRoleError::Missing("rotation_period"));
        }
        (None, None) => {
            RotationTimes { window: sent.rotation_window.unwrap_or(before.window), ..before }
        }
    };
    check(&times)?;
    let overlap = sent.overlap.unwrap_or_else(|| stored.map_or(0, |role| role.overlap));
    if times.period > 0 && overlap >= times.period {
        return Err(StaticRoleError::OverlapTooLong);
    }
    let may_replace = stored.is_some_and(|role| role.replace_foreign_keys);
    let replace_foreign_keys = sent.replace_foreign_keys.unwrap_or(may_replace);
    Ok(Settings { times, overlap, replace_foreign_keys })
}

fn check(times: &RotationTimes) -> Result<(), StaticRoleError> {
    if times.schedule.is_empty() {
        if times.period < SHORTEST_PERIOD {
            return Err(StaticRoleError::PeriodOutOfRange);
        }
        if times.window > 0 {
            return Err(StaticRoleError::WindowWithPeriod);
        }
        return Ok(());
    }
    Schedule::parse(&times.schedule).map_err(StaticRoleError::BadSchedule).map(drop)
}

/// Whether AWS's user is the one that the role was made for.
pub(super) fn same_user(stored: &str, found: &str) -> Result<(), StaticRoleError> {
    if stored == found {
        return Ok(());
    }
    Err(StaticRoleError::OtherId { requested: stored.to_owned(), returned: found.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(period: Option<u64>, schedule: Option<&str>, window: Option<u64>) -> StaticRoleChange {
        StaticRoleChange {
            rotation_period: period,
            rotation_schedule: schedule.map(str::to_owned),
            rotation_window: window,
            ..StaticRoleChange::default()
        }
    }

    fn told(change: &StaticRoleChange) -> String {
        merged(None, change).unwrap_err().to_string()
    }

    #[test]
    fn a_new_role_needs_a_period_or_a_schedule_that_make_sense() {
        assert_eq!(told(&sent(None, None, None)), "missing \"rotation_period\" parameter");
        assert_eq!(
            told(&sent(Some(45), None, None)),
            "role rotation period out of range: must be greater than 60.00 seconds"
        );
        assert!(told(&sent(Some(60), Some("@daily"), None)).starts_with("mutually exclusive"));
        assert!(told(&sent(None, Some("never"), None)).starts_with("failed to parse provided"));
        assert_eq!(
            told(&sent(Some(60), None, Some(5))),
            "rotation_window does not apply to period"
        );
        let long = StaticRoleChange { overlap: Some(60), ..sent(Some(60), None, None) };
        assert!(told(&long).starts_with("overlap must be shorter than rotation_period"));
        let settings = merged(None, &sent(None, Some("@daily"), Some(3600))).unwrap();
        let times = RotationTimes { period: 0, schedule: "@daily".into(), window: 3600 };
        assert_eq!(settings, Settings { times, overlap: 0, replace_foreign_keys: false });
    }

    #[test]
    fn a_user_made_anew_is_another_one() {
        assert!(same_user("AIDA1", "AIDA1").is_ok());
        assert_eq!(
            same_user("AIDA1", "AIDA2").unwrap_err().to_string(),
            "AWS GetUser returned a user, but the ID did not match: \"AIDA1\" was requested, but \"AIDA2\" was returned"
        );
    }
}
