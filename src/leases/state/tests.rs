//! Properties of a lease's life, over random histories.

use proptest::prelude::*;

use super::*;

const ISSUED: Timestamp = Timestamp::from_millis(1_000_000);

fn key() -> AccessKeyId {
    "AKIAEXAMPLE".parse().unwrap()
}

fn event() -> impl Strategy<Value = LeaseEvent> {
    use LeaseEvent as E;
    prop_oneof![
        (0_u64..3_000_000).prop_map(|ms| E::Activate {
            access_key: key(),
            expires_at: ISSUED.after(Duration::from_millis(ms))
        }),
        Just(E::Refused),
        Just(E::Abandon),
        Just(E::SettlingOver),
        Just(E::PreviousProcess),
        (0_u64..3_000_000)
            .prop_map(|ms| E::Renew { expires_at: ISSUED.after(Duration::from_millis(ms)) }),
        Just(E::Revoke),
        Just(E::Expire),
        Just(E::TokenEnded),
        Just(E::Contained),
        Just(E::Removed),
        Just(E::SeenAbsent),
        Just(E::Lapsed),
        Just(E::CutOff { until: Timestamp::from_millis(1) }),
        Just(E::LookedAgain(Look::Absent)),
        Just(E::LookedAgain(Look::Absent)),
        Just(E::LookedAgain(Look::GrewBack)),
        Just(E::Failed { class: FailureClass::Unclear, message: "x".to_owned() }),
        Just(E::Force),
    ]
}

/// Steps of a history: an event, how much later it comes, and the jitter drawn for it.
fn history() -> impl Strategy<Value = Vec<(LeaseEvent, u64, f64)>> {
    prop::collection::vec((event(), 0_u64..200_000, 0.0..1.0_f64), 1..24)
}

struct Step<'a> {
    before: LeaseState,
    event: &'a LeaseEvent,
    after: LeaseState,
    now: Timestamp,
}

/// Runs a history over an IAM user's lease and shows each step that was taken.
fn walk(history: &[(LeaseEvent, u64, f64)], mut check: impl FnMut(&Step<'_>)) -> LeaseState {
    let timing = LeaseTiming::default();
    let (mut state, mut now) = (LeaseState::Pending, ISSUED);
    for (event, later, jitter) in history {
        now = now.after(Duration::from_millis(*later));
        let moment =
            Moment { now, issued_at: ISSUED, has_user: true, timing: &timing, jitter: *jitter };
        match next(&state, event, &moment) {
            Ok(after) => {
                check(&Step { before: state, event, after: after.clone(), now });
                state = after;
            }
            Err(illegal) => assert!(illegal.event.starts_with(&format!("{event:?}"))),
        }
    }
    state
}

proptest! {
    #[test]
    fn a_lease_is_gone_only_when_refused_or_removed_and_looked_for_twice(history in history()) {
        walk(&history, |step| {
            if let LeaseState::Revoked { .. } = step.after {
                match &step.before {
                    LeaseState::Pending => assert_eq!(*step.event, LeaseEvent::Refused),
                    LeaseState::Revoking(progress) => {
                        assert!(progress.removed_at.is_some());
                        assert_eq!(progress.looks, LOOKS - 1);
                        assert_eq!(*step.event, LeaseEvent::LookedAgain(Look::Absent));
                    }
                    LeaseState::Active { .. } | LeaseState::Revoked { .. } => panic!("{:?}", step.event),
                }
            }
        });
    }

    #[test]
    fn an_absent_user_that_is_young_is_never_taken_for_gone(history in history()) {
        walk(&history, |step| {
            let young = step.now < ISSUED.after(LeaseTiming::default().settling);
            if let (LeaseEvent::SeenAbsent, LeaseState::Revoking(progress)) = (step.event, &step.after) {
                assert_eq!(progress.removed_at.is_none(), young);
                assert_eq!(progress.last_failure.is_some(), young);
            }
        });
    }

    #[test]
    fn what_is_ending_never_comes_back(history in history()) {
        walk(&history, |step| {
            let rank = |state: &LeaseState| match state {
                LeaseState::Pending => 0,
                LeaseState::Active { .. } => 1,
                LeaseState::Revoking(_) => 2,
                LeaseState::Revoked { .. } => 3,
            };
            let reopened = *step.event == LeaseEvent::Abandon;
            assert!(rank(&step.after) >= rank(&step.before) || reopened);
            assert!(rank(&step.after) >= 2 || rank(&step.before) < 2);
            if let (LeaseState::Revoking(before), LeaseState::Revoking(after)) = (&step.before, &step.after) {
                assert_eq!((before.reason, before.since), (after.reason, after.since));
                assert_eq!(&before.access_key, &after.access_key);
            }
        });
    }

    #[test]
    fn the_next_attempt_is_never_far_away(history in history()) {
        walk(&history, |step| {
            if let (LeaseState::Revoking(before), LeaseState::Revoking(after)) = (&step.before, &step.after)
                && before.next_attempt_at != after.next_attempt_at
            {
                assert!(after.next_attempt_at >= step.now);
                assert!(after.next_attempt_at <= step.now.after(LeaseTiming::default().backoff_cap));
            }
        });
    }

    #[test]
    fn from_everywhere_there_is_a_way_out(history in history()) {
        let end = walk(&history, |_| {});
        let mut way = Vec::new();
        let later = 10_000_000;
        match &end {
            LeaseState::Pending => way.push((LeaseEvent::SettlingOver, later, 0.5)),
            LeaseState::Active { .. } => way.push((LeaseEvent::Expire, later, 0.5)),
            LeaseState::Revoking(_) | LeaseState::Revoked { .. } => {}
        }
        way.push((LeaseEvent::Removed, 0, 0.5));
        way.push((LeaseEvent::LookedAgain(Look::Absent), later, 0.5));
        way.push((LeaseEvent::LookedAgain(Look::Absent), later, 0.5));
        let whole: Vec<_> = history.into_iter().chain(way).collect();
        let ended = matches!(walk(&whole, |_| {}), LeaseState::Revoked { .. });
        assert!(ended);
    }
}

fn at(timing: &LeaseTiming, seconds: u64, has_user: bool) -> Moment<'_> {
    let now = ISSUED.after(Duration::from_secs(seconds));
    Moment { now, issued_at: ISSUED, has_user, timing, jitter: 1.0 }
}

#[test]
fn a_temporary_credential_ends_without_a_look_and_a_user_does_not() {
    let timing = LeaseTiming::default();
    let ending = next(&LeaseState::Pending, &LeaseEvent::Abandon, &at(&timing, 1, false)).unwrap();
    let gone = next(&ending, &LeaseEvent::Lapsed, &at(&timing, 1, false)).unwrap();
    assert!(matches!(gone, LeaseState::Revoked { .. }));
    let refused = next(&ending, &LeaseEvent::Lapsed, &at(&timing, 1, true)).unwrap_err();
    assert_eq!(refused.state, "revoking");
}

#[test]
fn a_session_that_is_cut_off_is_held_until_aws_has_ended_it_and_a_user_is_not() {
    let timing = LeaseTiming::default();
    let ending = next(&LeaseState::Pending, &LeaseEvent::Abandon, &at(&timing, 1, false)).unwrap();
    let until = Timestamp::from_millis(900_000);
    let cut = LeaseEvent::CutOff { until };
    let LeaseState::Revoking(held) = next(&ending, &cut, &at(&timing, 2, false)).unwrap() else {
        panic!("it ended");
    };
    assert_eq!(held.next_attempt_at, until);
    assert!(held.contained_at.is_some() && held.removed_at == held.contained_at);
    assert_eq!(next(&ending, &cut, &at(&timing, 2, true)).unwrap_err().state, "revoking");
}

#[test]
fn back_off_doubles_up_to_the_cap() {
    let timing = LeaseTiming::default();
    let mut state =
        next(&LeaseState::Pending, &LeaseEvent::Abandon, &at(&timing, 0, true)).unwrap();
    let mut waits = Vec::new();
    for _ in 0..9 {
        let failed =
            LeaseEvent::Failed { class: FailureClass::Throttled, message: "slow".to_owned() };
        state = next(&state, &failed, &at(&timing, 0, true)).unwrap();
        let LeaseState::Revoking(progress) = &state else { panic!("revoking") };
        waits.push(progress.next_attempt_at.since(ISSUED).as_secs());
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
}

#[test]
fn nothing_expires_or_settles_too_early_and_nothing_ended_is_renewed() {
    let timing = LeaseTiming::default();
    let active =
        LeaseState::Active { access_key: key(), expires_at: ISSUED.after(Duration::from_mins(1)) };
    assert!(next(&active, &LeaseEvent::Expire, &at(&timing, 59, true)).is_err());
    assert!(next(&active, &LeaseEvent::Expire, &at(&timing, 60, true)).is_ok());
    let renew = LeaseEvent::Renew { expires_at: ISSUED.after(Duration::from_mins(15)) };
    assert!(next(&active, &renew, &at(&timing, 60, true)).is_err());
    assert!(
        next(&LeaseState::Pending, &LeaseEvent::SettlingOver, &at(&timing, 299, true)).is_err()
    );
    assert!(next(&LeaseState::Pending, &LeaseEvent::SettlingOver, &at(&timing, 300, true)).is_ok());
}
