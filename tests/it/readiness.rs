//! Readiness over the wire: what a reply and a look-up say of a key, and what a role takes. How long is
//! waited is tested where time can be stopped (`src/engine/tests/readiness.rs`).

use std::sync::atomic::{AtomicU32, Ordering};

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::aws_server::{Act, AwsServer};
use crate::support::broker::TestBroker;

fn write(broker: &TestBroker, fields: &Value) {
    broker.root().post("aws/roles/r", fields).expect(204);
    broker.faults.clear_calls();
}

#[test]
fn a_reply_says_what_was_proven_and_the_lease_keeps_it() {
    let broker = TestBroker::new().with_role();
    let issued = broker.issue().expect(200);
    let readiness = &issued.data()["readiness"];
    assert_eq!(readiness["mode"], "wait");
    assert_eq!(readiness["proven"], true);
    assert_eq!(readiness["endpoints"], json!(["sts.us-east-1.amazonaws.com"]));
    assert_eq!(readiness["successes"], 1);
    assert!(readiness["waited_ms"].is_u64());
    assert_eq!(issued.json["warnings"], Value::Null);
    let calls = broker.faults.calls();
    let probe = calls.iter().find(|seen| seen.call.action == "GetCallerIdentity").unwrap();
    assert_eq!(probe.call.number, calls.len() - 1, "after everything else");
    let seen = broker.lookup(&issued.lease_id()).expect(200);
    assert_eq!(seen.text_of("proven_time"), "2026-05-28T20:26:40Z");
}

#[test]
fn a_key_that_sts_cannot_be_asked_about_is_handed_out_with_a_warning() {
    let broker = TestBroker::new().with_role();
    broker.faults.fail_every("GetCallerIdentity", Fault::LostBefore);
    let issued = broker.issue().expect(200);
    assert_eq!(issued.data()["readiness"]["proven"], false);
    let [warning] = issued.warnings().try_into().unwrap();
    assert!(warning.contains("not yet known to work: `sts.us-east-1.amazonaws.com`"), "{warning}");
    assert!(warning.contains("\nhelp: the lease goes on"), "{warning}");
    let lease = issued.lease_id();
    assert!(broker.lookup(&lease).expect(200).data().get("proven_time").is_none());
    let logged =
        crate::support::log::with(&format!("the key of lease {lease} was not seen to work"));
    assert_eq!(logged.len(), 1, "an operator hears of it too");
    broker.revoke(&lease).expect(204);
    broker.settle();
    assert!(broker.users().is_empty());
}

#[test]
fn in_the_background_the_look_up_says_it_later() {
    let broker = TestBroker::new().with_role();
    write(&broker, &json!({ "readiness": "async" }));
    let gate = broker.faults.hold_next("GetCallerIdentity");
    let issued = broker.issue().expect(200);
    assert_eq!(issued.data()["readiness"]["mode"], "async");
    assert_eq!(issued.data()["readiness"]["proven"], false);
    broker.wait(gate.arrived());
    let lease = issued.lease_id();
    assert!(broker.row(&lease).unwrap().proven_at.is_none());
    gate.release();
    while broker.lookup(&lease).expect(200).data().get("proven_time").is_none() {
        std::thread::yield_now();
    }
}

#[test]
fn off_asks_nobody_and_says_nothing() {
    let broker = TestBroker::new().with_role();
    write(&broker, &json!({ "readiness": "off" }));
    let issued = broker.issue().expect(200);
    assert!(issued.data().get("readiness").is_none());
    assert!(!broker.faults.actions().contains(&"GetCallerIdentity".to_owned()));
}

#[test]
fn a_role_shows_what_was_set_and_refuses_what_it_does_not_know() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let read = || root.get("aws/roles/r").expect(200).data().clone();
    assert!(read().get("readiness").is_none());
    let fields = json!({ "readiness": "async", "readiness_successes": 3, "readiness_canary": "iam:GetUser", "placement": "auto" });
    write(&broker, &fields);
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&read()[name], value, "{name}");
    }
    write(&broker, &json!({ "readiness": "", "readiness_successes": 0 }));
    assert!(read().get("readiness").is_none() && read().get("readiness_successes").is_none());
    assert_eq!(read()["placement"], "auto");
    for (fields, text) in [
        (
            json!({ "readiness": "soon" }),
            "readiness `soon` is not known\nhelp: it is one of wait, async, off",
        ),
        (
            json!({ "readiness_successes": -1 }),
            "readiness_successes of -1 is refused: 1 to 10 are waited for",
        ),
        (
            json!({ "readiness_canary": "iam:DeleteUser" }),
            "readiness_canary `iam:DeleteUser` is not known\nhelp: it is one of iam:GetUser, iam:ListAttachedUserPolicies, iam:ListUserPolicies",
        ),
        (
            json!({ "session_revocation": "tag" }),
            "session_revocation is for the credential type assumed_role alone",
        ),
    ] {
        assert_eq!(root.post("aws/roles/r", &fields).expect(400).errors(), [text]);
    }
}

/// The embedded AWS behind two endpoints of STS, the second a fallback.
fn with_two_endpoints(broker: &TestBroker) -> [AwsServer; 2] {
    let first = AwsServer::over(&broker.aws);
    let second = first.beside();
    let root = json!({
        "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0,
        "iam_endpoint": first.url, "sts_endpoint": first.url, "sts_region": "eu-west-1",
        "sts_fallback_endpoints": [second.url], "sts_fallback_regions": ["eu-central-1"],
    });
    broker.root().post("aws/config/root", &root).expect(204);
    [first, second]
}

#[test]
fn a_key_is_seen_to_work_at_every_configured_endpoint_before_it_is_called_proven() {
    let broker = TestBroker::new().with_role();
    let servers = with_two_endpoints(&broker);
    let hosts = servers.each_ref().map(AwsServer::host);
    let issued = broker.issue().expect(200);
    let readiness = &issued.data()["readiness"];
    assert_eq!((&readiness["proven"], &readiness["endpoints"]), (&json!(true), &json!(hosts)));
    assert_eq!(issued.json["warnings"], Value::Null);

    // The news reaches the fallback later: it is waited for.
    let asked = AtomicU32::new(0);
    servers[1].decide(move |call| {
        let is_early = asked.fetch_add(1, Ordering::SeqCst) < 2;
        if call.action == "GetCallerIdentity" && is_early { Act::Unknown } else { Act::Answer }
    });
    let issued = broker.issue().expect(200);
    let readiness = &issued.data()["readiness"];
    assert_eq!((&readiness["proven"], &readiness["endpoints"]), (&json!(true), &json!(hosts)));
    assert!(readiness["waited_ms"].as_u64().unwrap() >= 300, "{readiness}");

    // One that never says so leaves the key unproven, and is named; the other is not.
    servers[1].decide(|_| Act::Refuse);
    let issued = broker.issue().expect(200);
    let readiness = &issued.data()["readiness"];
    assert_eq!(readiness["proven"], false);
    assert_eq!(readiness["endpoints"], json!([hosts[0]]));
    let [warning] = issued.warnings().try_into().unwrap();
    assert!(warning.contains(&format!("not yet known to work: `{}`", hosts[1])), "{warning}");
    assert!(!warning.contains(hosts[0]), "{warning}");
    assert!(broker.row(&issued.lease_id()).unwrap().proven_at.is_none());
}
