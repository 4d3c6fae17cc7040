//! `Idempotency-Key`: one lease for all requests of a key, whatever comes between, and a secret that is told
//! again for a minute and no longer.

use std::thread;
use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::json;

use crate::support::broker::TestBroker;
use crate::support::client::Client;
use crate::support::log;

fn keyed(broker: &TestBroker, key: &str) -> Client {
    broker.root().with_header("Idempotency-Key", key)
}

#[test]
fn a_repetition_gets_the_same_answer_for_a_minute_and_then_the_lease_id() {
    let broker = TestBroker::new().with_role();
    let caller = keyed(&broker, "build-4711");
    let first = caller.get("aws/creds/r").expect(200);
    broker.faults.clear_calls();
    broker.advance(Duration::from_secs(59));

    let again = caller.get("aws/creds/r").expect(200);
    assert_eq!((again.data(), again.lease_id()), (first.data(), first.lease_id()));
    assert!(broker.faults.actions().is_empty());
    assert_eq!(broker.users().len(), 1);

    broker.advance(Duration::from_secs(1));
    let late = caller.get("aws/creds/r").expect(409);
    let lease = first.lease_id();
    assert_eq!(
        late.errors(),
        [format!(
            "this Idempotency-Key was used already, for lease `{lease}`, whose secret is not kept\nhelp: if that answer never arrived, revoke the lease, and ask again with a new key"
        )]
    );
    assert_eq!(late.data(), &json!({ "lease_id": lease }));
    // Also when the lease is gone: at most one ever comes of a key.
    broker.revoke(&lease).expect(204);
    broker.settle();
    caller.get("aws/creds/r").expect(409);
    assert!(broker.users().is_empty());
    keyed(&broker, "build-4712").get("aws/creds/r").expect(200);
    assert!(log::with("build-4711").is_empty());
}

#[test]
fn after_a_restart_the_lease_is_named_and_a_key_belongs_to_its_caller() {
    let mut broker = TestBroker::new().with_role();
    let lease = keyed(&broker, "k").get("aws/creds/r").expect(200).lease_id();
    broker.restart();
    let late = keyed(&broker, "k").get("aws/creds/r").expect(409);
    assert_eq!(late.data()["lease_id"], json!(lease));

    let body = json!({ "policies": ["root"], "ttl": "1h" });
    let made = broker.root().post("auth/token/create", &body).expect(200);
    let other = keyed(&broker, "k").with_token(made.json["auth"]["client_token"].as_str().unwrap());
    assert_ne!(other.get("aws/creds/r").expect(200).lease_id(), lease);
}

#[test]
fn the_same_key_for_something_else_is_refused() {
    let broker = TestBroker::new().with_role();
    let caller = keyed(&broker, "k");
    caller.get("aws/creds/r").expect(200);
    broker.write_role("other", crate::support::NARROW).expect(204);
    for path in ["aws/creds/other", "aws/sts/r", "aws/creds/r?ttl=900"] {
        let refused = caller.get(path).expect(422).errors().join("|");
        assert!(refused.starts_with("this Idempotency-Key was sent before with another path"));
    }
    caller.post("aws/creds/r", &json!({ "role_arn": "" })).expect(200);
    for bad in ["", "a b", "schlüssel", &"k".repeat(256)] {
        let refused = keyed(&broker, bad).get("aws/creds/r").expect(400);
        assert_eq!(
            refused.errors(),
            ["Idempotency-Key must have 1 to 255 visible ASCII characters"]
        );
    }
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn repetitions_at_once_wait_for_the_first_and_get_its_answer() {
    let broker = TestBroker::new().with_role();
    let gate = broker.faults.hold_next("CreateUser");
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let caller = keyed(&broker, "k");
            thread::spawn(move || caller.get("aws/creds/r").expect(200).json["data"].clone())
        })
        .collect();
    broker.wait(gate.arrived());
    gate.release();
    let mut answers: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn an_issue_that_fails_does_not_use_the_key_up() {
    let broker = TestBroker::new().with_role();
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    broker.root().post("aws/config/root", &keys).expect(204);
    let caller = keyed(&broker, "k");
    broker.faults.fail_next("CreateUser", Fault::refuse(409, "EntityAlreadyExists"));
    caller.get("aws/creds/r").expect(400);
    broker.faults.fail_next("CreateAccessKey", Fault::refuse(409, "LimitExceeded"));
    caller.get("aws/creds/r").expect(400);

    let lease = caller.get("aws/creds/r").expect(200).lease_id();
    broker.settle();
    assert_eq!(broker.unfinished(), [lease]);
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn a_process_that_dies_while_issuing_does_not_use_the_key_up() {
    let mut broker = TestBroker::new().with_role();
    let gate = broker.faults.hold_next("CreateAccessKey");
    let caller = keyed(&broker, "k");
    let cut_short = thread::spawn(move || caller.get("aws/creds/r"));
    broker.wait(gate.arrived());
    broker.lose_power();
    gate.release();
    // The connection broke: there may be no answer to look at.
    assert!(cut_short.join().map_or(true, |reply| reply.status != 200));

    let lease = keyed(&broker, "k").get("aws/creds/r").expect(200).lease_id();
    broker.settle();
    assert_eq!(broker.unfinished(), [lease]);
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn an_answer_whose_lease_was_revoked_is_not_given_again() {
    let broker = TestBroker::new().with_role();
    let caller = keyed(&broker, "k");
    let lease = caller.get("aws/creds/r").expect(200).lease_id();
    broker.revoke(&lease).expect(204);
    let refused = caller.get("aws/creds/r").expect(409);
    assert_eq!(refused.data()["lease_id"], json!(lease));
}
