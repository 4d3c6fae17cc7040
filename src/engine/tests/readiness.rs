//! Keys are seen to work before they are handed out; on tokio's paused clock, so that waiting costs
//! nothing.

use std::time::Duration;

use embedded_aws::faults::{Fault, Times};
use tokio::time::Instant;

use super::support::{Bench, NARROW, iam_user};
use crate::engine::config::RootConfigChange;
use crate::engine::delivery::DeliveryChange;
use crate::engine::issue::Issued;
use crate::engine::roles::RoleChange;
use crate::gate::Mode;
use crate::model::{LeaseState, Timestamp};
use crate::store::Store as _;

const PROBE: &str = "GetCallerIdentity";

async fn with(delivery: DeliveryChange) -> Bench {
    let bench = Bench::with_mount(Mode::Warn).await;
    let change = RoleChange { delivery, ..iam_user(NARROW) };
    bench.write("r", change).await.unwrap();
    bench.world.faults.clear_calls();
    bench
}

fn mode(readiness: &str) -> DeliveryChange {
    DeliveryChange { readiness: Some(readiness.into()), ..DeliveryChange::default() }
}

fn probes(bench: &Bench) -> usize {
    bench.world.faults.actions().iter().filter(|action| *action == PROBE).count()
}

async fn proven_at(bench: &Bench, issued: &Issued) -> Option<Timestamp> {
    bench.world.store.lease(&issued.lease).await.unwrap().unwrap().proven_at
}

/// The lease is there and its user too, whatever was seen of the key.
async fn goes_on(bench: &Bench, issued: &Issued) {
    let row = bench.world.store.lease(&issued.lease).await.unwrap().unwrap();
    assert!(matches!(row.state, LeaseState::Active { .. }), "{row:?}");
    assert_eq!(bench.world.users().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_works_at_once_costs_one_call_and_the_reply_says_so() {
    let bench = with(DeliveryChange::default()).await;
    let issued = bench.issue("r").await.unwrap();
    let report = issued.readiness.clone().unwrap();
    assert_eq!((report.mode, report.proven, report.successes), ("wait", true, 1));
    assert_eq!(report.endpoints, ["sts.us-east-1.amazonaws.com"]);
    assert_eq!((probes(&bench), issued.warnings.len()), (1, 0));
    assert!(proven_at(&bench, &issued).await.is_some());
    let seen = bench.engine.lookup_lease(&issued.lease).await.unwrap().unwrap();
    assert_eq!(seen.lease.proven_at, proven_at(&bench, &issued).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_not_spread_is_waited_for_and_seen_three_times() {
    let bench = with(DeliveryChange::default()).await;
    bench.world.faults.hide_fresh_user(4);
    let begun = Instant::now();
    let issued = bench.issue("r").await.unwrap();
    let report = issued.readiness.unwrap();
    assert_eq!((report.proven, report.successes), (true, 3));
    assert_eq!(probes(&bench), 7);
    // 100, 200, 400 and 800 ms, then twice 100 between the successes.
    assert_eq!((report.waited_ms, begun.elapsed()), (1_700, Duration::from_millis(1_700)));
}

#[tokio::test(start_paused = true)]
async fn as_many_successes_in_a_row_are_seen_as_the_role_asks_for() {
    let asked = DeliveryChange { readiness_successes: Some(4), ..DeliveryChange::default() };
    let bench = with(asked).await;
    bench.world.faults.inject(PROBE, Times::Nth(3), Fault::refuse(403, "InvalidClientTokenId"));
    let issued = bench.issue("r").await.unwrap();
    assert_eq!(issued.readiness.unwrap().successes, 4);
    assert_eq!(probes(&bench), 7, "two, a refusal, and four in a row");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_never_spreads_comes_with_a_warning_after_ten_seconds_and_its_lease_goes_on() {
    for fault in [
        Fault::refuse(403, "InvalidClientTokenId"),
        Fault::refuse(403, "SignatureDoesNotMatch"),
        Fault::SilentBefore,
        Fault::Throttle,
    ] {
        let bench = with(DeliveryChange::default()).await;
        bench.world.faults.fail_every(PROBE, fault.clone());
        let begun = Instant::now();
        let issued = bench.issue("r").await.unwrap();
        assert!(begun.elapsed() <= Duration::from_secs(10), "{fault:?}: {:?}", begun.elapsed());
        assert!(begun.elapsed() > Duration::from_secs(8), "{fault:?}: {:?}", begun.elapsed());
        let report = issued.readiness.clone().unwrap();
        assert_eq!((report.proven, report.successes, report.endpoints.len()), (false, 0, 0));
        let [warning] = issued.warnings.as_slice() else { panic!("{:?}", issued.warnings) };
        assert!(
            warning.starts_with(
                "the access key is not yet known to work: `sts.us-east-1.amazonaws.com`: "
            ),
            "{warning}"
        );
        assert_eq!(proven_at(&bench, &issued).await, None);
        goes_on(&bench, &issued).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_reached_is_given_up_soon() {
    for fault in [Fault::LostBefore, Fault::refuse(403, "AccessDenied")] {
        let bench = with(DeliveryChange::default()).await;
        bench.world.faults.fail_every(PROBE, fault);
        let begun = Instant::now();
        let issued = bench.issue("r").await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!((probes(&bench), issued.warnings.len()), (3, 1));
        goes_on(&bench, &issued).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_endpoint_can_be_told_there_is_nothing_to_look_with() {
    let bench = with(DeliveryChange::default()).await;
    let change = RootConfigChange {
        sts_endpoint: Some("https://one.example".into()),
        sts_fallback_endpoints: Some(vec!["https://two.example".into()]),
        sts_fallback_regions: Some(vec!["us-east-1".into()]),
        max_retries: Some(0),
        ..RootConfigChange::default()
    };
    bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
    let probe = bench.engine.parts.accounts.key_probe(&bench.mount().id).await.unwrap_err();
    assert_eq!(probe.to_string(), "number of regions does not match number of endpoints");
}

#[tokio::test]
async fn in_the_background_the_lease_says_later_when_the_key_worked() {
    let bench = with(mode("async")).await;
    let gate = bench.world.faults.hold_next(PROBE);
    let issued = bench.issue("r").await.unwrap();
    let report = issued.readiness.clone().unwrap();
    assert_eq!((report.mode, report.proven), ("async", false));
    gate.arrived().await;
    assert_eq!(proven_at(&bench, &issued).await, None);
    bench.world.clock.advance(Duration::from_secs(7));
    gate.release();
    while proven_at(&bench, &issued).await.is_none() {
        tokio::task::yield_now().await;
    }
    let at = proven_at(&bench, &issued).await.unwrap();
    assert_eq!(at, Timestamp::from_millis(1_700_000_007_000));
    goes_on(&bench, &issued).await;
}

#[tokio::test(start_paused = true)]
async fn where_it_is_off_nobody_asks() {
    let bench = with(mode("off")).await;
    let issued = bench.issue("r").await.unwrap();
    assert_eq!((issued.readiness.is_none(), probes(&bench)), (true, 0));
    assert_eq!(proven_at(&bench, &issued).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_canary_shows_whether_the_policies_have_spread() {
    let canary = || DeliveryChange {
        readiness_canary: Some("iam:GetUser".into()),
        ..DeliveryChange::default()
    };
    let bench = with(canary()).await;
    let issued = bench.issue("r").await.unwrap();
    let [warning] = issued.warnings.as_slice() else { panic!("{:?}", issued.warnings) };
    assert!(warning.contains("`iam:GetUser`: AccessDenied"), "{warning}");
    assert!(!issued.readiness.unwrap().proven);

    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}"#;
    let change = RoleChange { delivery: canary(), ..iam_user(own) };
    bench.write("r", change).await.unwrap();
    bench.world.faults.fail_next("GetUser", Fault::refuse(403, "AccessDenied"));
    let issued = bench.issue("r").await.unwrap();
    assert!(issued.readiness.unwrap().proven, "{:?}", issued.warnings);
    let asked = bench.world.faults.actions().iter().filter(|a| *a == "GetUser").count();
    assert!(asked >= 2, "{asked}");
}
