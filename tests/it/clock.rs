//! The clock of the machine is wrong: set back by an hour, or far ahead after a sleep. No lease ends
//! early or lives for ever, what was to be taken away is taken away, and the caller is told.

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::clock::Clock as _;
use leasehold::model::Timestamp;
use serde_json::json;

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::client::Client;

const HOUR: Duration = Duration::from_hours(1);

fn set_back(broker: &TestBroker, by: Duration) {
    let by = i64::try_from(by.as_millis()).unwrap();
    broker.clock.set(Timestamp::from_millis(broker.clock.now().as_millis() - by));
    broker.run_due();
}

/// A token of its own that lasts an hour.
fn child(broker: &TestBroker) -> (String, Client) {
    let root = broker.root();
    let made = root.post("auth/token/create", &json!({ "policies": ["root"], "ttl": "1h" }));
    let token = made.expect(200).json["auth"]["client_token"].as_str().unwrap().to_owned();
    let client = root.with_token(&token);
    (token, client)
}

#[test]
fn a_lease_keeps_its_end_when_the_clock_is_set_back() {
    let broker = TestBroker::new().with_role();
    broker
        .root()
        .post("aws/config/lease", &json!({ "lease": "2h", "lease_max": "24h" }))
        .expect(204);
    let lease = broker.issue().expect(200).lease_id();
    let (_, child) = child(&broker);
    set_back(&broker, HOUR);
    assert_eq!(broker.users().len(), 1, "nothing ends early");
    assert_eq!(broker.lookup(&lease).expect(200).data()["ttl"], 3 * 3600);
    child.get("auth/token/lookup-self").expect(200);

    // A renewal counts from now, as the clock says it now.
    let body = json!({ "lease_id": lease, "increment": "1h" });
    let renewed = broker.root().put("sys/leases/renew", &body).expect(200);
    assert_eq!(renewed.json["lease_duration"], 3600);
    broker.advance(Duration::from_secs(3599));
    assert_eq!(broker.users().len(), 1);
    broker.advance(Duration::from_secs(1));
    assert_eq!(broker.users(), Vec::<String>::new(), "and nothing lives for ever");
    broker.advance(HOUR);
    child.get("auth/token/lookup-self").expect(403);
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_teardown_that_waits_is_not_put_off_by_a_clock_that_is_set_back() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    for call in ["DeleteUser", "UpdateAccessKey", "PutUserPolicy", "DeleteAccessKey"] {
        broker.faults.fail_every(call, Fault::refuse(403, "AccessDenied"));
    }
    let told = broker.revoke(&lease).expect(400);
    assert!(told.text.contains("failed to revoke entry"), "{}", told.text);
    broker.faults.heal();
    set_back(&broker, HOUR);
    // The longest wait of the back-off.
    broker.advance(Duration::from_mins(15));
    assert_eq!(broker.users(), Vec::<String>::new(), "a key that works is taken away in time");
    broker.advance(HOUR);
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_teardown_that_waits_is_not_put_off_by_a_clock_that_is_set_back_while_the_broker_is_down() {
    let mut broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    for call in ["DeleteUser", "UpdateAccessKey", "PutUserPolicy", "DeleteAccessKey"] {
        broker.faults.fail_every(call, Fault::refuse(403, "AccessDenied"));
    }
    broker.revoke(&lease).expect(400);
    broker.lose_power_until(Timestamp::from_millis(broker.clock.now().as_millis() - 3_600_000));
    // The longest wait of the back-off.
    broker.advance(Duration::from_mins(15));
    assert_eq!(broker.users(), Vec::<String>::new(), "a key that works is taken away in time");
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn an_issue_that_was_cut_short_is_cleaned_up_although_the_clock_was_set_back() {
    let broker = TestBroker::new().with_role();
    let gate = broker.faults.hold_next("CreateAccessKey");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    broker.wait(gate.arrived());
    // Neither the activation nor the handing over to the reaper can be written.
    broker.store().power_off();
    gate.release();
    asking.join().unwrap().expect(500);
    broker.store().power_on();
    assert_eq!(broker.users().len(), 1);
    set_back(&broker, HOUR);
    broker.advance(Duration::from_mins(15));
    assert_eq!(broker.users(), Vec::<String>::new(), "nobody waits an hour for it");
    broker.advance(HOUR);
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn an_issue_over_which_the_machine_slept_is_refused_and_undone() {
    let broker = TestBroker::new().with_role();
    let gate = broker.faults.hold_next("CreateAccessKey");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    broker.wait(gate.arrived());
    broker.clock.advance(HOUR);
    // The reaper finds a pending row that is old, and takes it down while the issue goes on.
    broker.run_due();
    gate.release();
    let told = asking.join().unwrap();
    assert!(matches!(told.status, 400 | 500), "{} {}", told.status, told.text);
    assert!(!told.text.contains("secret_key"), "{}", told.text);
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn after_a_long_sleep_what_is_over_ends_and_the_rest_goes_on() {
    let broker = TestBroker::new().with_role();
    let role = json!({
        "credential_type": "iam_user", "policy_document": NARROW, "default_sts_ttl": 0,
    });
    broker.root().post("aws/roles/long", &role).expect(204);
    broker
        .root()
        .post("aws/config/lease", &json!({ "lease": "1h", "lease_max": "90h" }))
        .expect(204);
    let short = broker.issue().expect(200).lease_id();
    let (_, child) = child(&broker);
    let held_by_child = child.get("aws/creds/r").expect(200).lease_id();
    broker
        .root()
        .post("aws/config/lease", &json!({ "lease": "80h", "lease_max": "90h" }))
        .expect(204);
    let long = broker.root().get("aws/creds/long").expect(200).lease_id();
    broker.advance(Duration::from_hours(72));
    broker.lookup(&short).expect(400);
    broker.lookup(&held_by_child).expect(400);
    broker.lookup(&long).expect(200);
    assert_eq!(broker.users().len(), 1);
    child.get("auth/token/lookup-self").expect(403);
}
