//! Caps on live leases: exact under load, over restarts and over teardowns, and told with who holds the most.

use std::thread;
use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Client;

fn child(broker: &TestBroker, name: &str) -> Client {
    let body = json!({ "policies": ["root"], "ttl": "1h", "display_name": name });
    let made = broker.root().post("auth/token/create", &body).expect(200);
    broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap())
}

fn accessor(client: &Client) -> String {
    client.get("auth/token/lookup-self").expect(200).text_of("accessor")
}

#[test]
fn a_role_gives_no_more_than_its_cap_and_the_refusal_names_who_holds_the_most() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("aws/roles/r", &json!({ "max_leases": 3 })).expect(204);
    assert_eq!(root.get("aws/roles/r").expect(200).data()["max_leases"], 3);
    let (ci, dev) = (child(&broker, "ci"), child(&broker, "dev"));
    ci.get("aws/creds/r").expect(200);
    let first = ci.get("aws/creds/r").expect(200).lease_id();
    dev.get("aws/creds/r").expect(200);
    broker.faults.clear_calls();

    let refused = dev.get("aws/creds/r").expect(400);
    let holder = accessor(&ci);
    assert_eq!(
        refused.errors(),
        [format!(
            "too many leases live: max_leases of the role is 3, live are 3; `token-ci` (accessor `{holder}`) holds the most, 2\nhelp: revoke leases that nobody needs, or raise the cap"
        )]
    );
    let reached = &refused.data()["cap_reached"];
    assert_eq!((&reached["cap"], &reached["most"]["accessor"]), (&json!("role"), &json!(holder)));
    assert!(broker.faults.actions().is_empty(), "AWS was not asked");
    assert_eq!(broker.unfinished().len(), 3);

    // Another role is not touched; and what is revoked, but not yet seen to be gone, still counts.
    broker.write_role("other", crate::support::NARROW).expect(204);
    root.get("aws/creds/other").expect(200);
    broker.revoke(&first).expect(204);
    dev.get("aws/creds/r").expect(400);
    for _ in 0..3 {
        broker.advance(Duration::from_secs(70));
    }
    assert!(broker.row(&first).unwrap().due_at(Duration::ZERO).is_none(), "seen to be gone");
    dev.get("aws/creds/r").expect(200);
    dev.get("aws/creds/r").expect(400);
}

#[test]
fn one_caller_cannot_take_what_is_there_for_others() {
    let mut broker = TestBroker::new().with_role();
    broker.root().post("aws/roles/r", &json!({ "max_leases_per_caller": 1 })).expect(204);
    let (ci, dev) = (child(&broker, "ci"), child(&broker, "dev"));
    ci.get("aws/creds/r").expect(200);
    let refused = ci.get("aws/creds/r").expect(400).errors().join("|");
    assert!(refused.starts_with(
        "too many leases live: max_leases_per_caller of the role is 1, live are 1; `token-ci`"
    ));
    dev.get("aws/creds/r").expect(200);

    broker.restart();
    let root = broker.root();
    let token = root.with_token(ci.token());
    token.get("aws/creds/r").expect(400);
    root.get("aws/creds/r").expect(200);
}

#[test]
fn the_caps_of_a_mount_hold_over_all_its_roles_and_types() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.get("aws/config/limits").expect(404);
    let session =
        json!({ "credential_type": "federation_token", "policy_document": crate::support::NARROW });
    root.post("aws/roles/s", &session).expect(204);
    broker.issue().expect(200);
    root.post("aws/config/limits", &json!({ "max_leases": 2 })).expect(204);
    root.get("aws/sts/s").expect(200);

    let refused = root.get("aws/sts/s").expect(400).errors().join("|");
    assert!(
        refused.starts_with(
            "too many leases live: max_leases of config/limits is 2, live are 2; `root`"
        ),
        "{refused}"
    );
    broker.issue().expect(400);
    root.post("sys/mounts/second", &json!({ "type": "aws" })).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": crate::support::NARROW });
    root.post("second/roles/r", &role).expect(204);
    root.get("second/creds/r").expect(200);

    // A write merges; 0 is no cap.
    let per_caller = json!({ "max_leases": 0, "max_leases_per_caller": 3 });
    root.post("aws/config/limits", &per_caller).expect(204);
    let read = root.get("aws/config/limits").expect(200);
    assert_eq!(read.data(), &json!({ "max_leases": 0, "max_leases_per_caller": 3 }));
    broker.issue().expect(200);
    let refused = broker.issue().expect(400).errors().join("|");
    assert!(refused.contains(": max_leases_per_caller of config/limits is 3, "), "{refused}");
    child(&broker, "dev").get("aws/creds/r").expect(200);
    root.post("aws/config/limits", &json!({ "max_leases_per_caller": 0 })).expect(204);
    broker.issue().expect(200);
    let negative = root.post("aws/config/limits", &json!({ "max_leases": -1 })).expect(400);
    assert_eq!(negative.errors(), ["max_leases of -1 is below zero\nhelp: 0 is no cap"]);
}

#[test]
fn many_at_once_never_go_over_a_cap() {
    let broker = TestBroker::new().with_role();
    broker.root().post("aws/roles/r", &json!({ "max_leases": 5 })).expect(204);
    let callers: Vec<_> = (0..12)
        .map(|_| {
            let root = broker.root();
            thread::spawn(move || root.get("aws/creds/r").status)
        })
        .collect();
    let statuses: Vec<u16> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    let given = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(given, 5, "{statuses:?}");
    assert_eq!(broker.users().len(), 5);
}

#[test]
fn an_issue_that_fails_gives_its_place_back() {
    let broker = TestBroker::new().with_role();
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    broker.root().post("aws/config/root", &keys).expect(204);
    broker.root().post("aws/roles/r", &json!({ "max_leases": 1 })).expect(204);
    broker.faults.fail_next("CreateUser", Fault::refuse(409, "EntityAlreadyExists"));
    broker.issue().expect(400);
    let given: Value = broker.issue().expect(200).json;
    assert!(given["lease_id"].is_string());
    broker.issue().expect(400);
}
