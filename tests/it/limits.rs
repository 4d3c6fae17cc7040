//! Caps on live leases: exact under load, over restarts and over teardowns, and told with who holds the most.

use std::thread;
use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::broker::{OTHER_KEY, TestBroker};
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

/// Another mount with a role `r`, by these keys.
fn second_mount(broker: &TestBroker, key: &str) {
    let root = broker.root();
    root.post("sys/mounts/second", &json!({ "type": "aws" })).expect(204);
    let keys = json!({ "access_key": key, "secret_key": "made-up" });
    root.post("second/config/root", &keys).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": crate::support::NARROW });
    root.post("second/roles/r", &role).expect(204);
}

#[test]
fn two_mounts_on_one_account_share_the_cap_of_the_account() {
    let mut broker = TestBroker::new().with_role();
    second_mount(&broker, "AKIASECONDMOUNT00000");
    let root = broker.root();
    let (ci, dev) = (child(&broker, "ci"), child(&broker, "dev"));
    // One lease is there before anybody says a cap.
    let first = ci.get("aws/creds/r").expect(200).lease_id();
    root.post("sys/leases/limits/123456789012", &json!({ "max_leases": 3 })).expect(204);
    let read = root.get("sys/leases/limits/123456789012").expect(200);
    assert_eq!(read.data(), &json!({ "max_leases": 3, "max_leases_per_caller": 0 }));
    let listed = root.list("sys/leases/limits").expect(200);
    assert_eq!(listed.data()["keys"], json!(["123456789012"]));
    ci.get("second/creds/r").expect(200);
    dev.get("second/creds/r").expect(200);

    broker.faults.clear_calls();
    let holder = accessor(&ci);
    for path in ["aws/creds/r", "second/creds/r"] {
        let refused = dev.get(path).expect(400);
        assert_eq!(
            refused.errors(),
            [format!(
                "too many leases live: max_leases of the AWS account 123456789012 is 3, live are 3; `token-ci` (accessor `{holder}`) holds the most, 2\nhelp: revoke leases that nobody needs, or raise the cap"
            )],
            "{path}"
        );
        let reached = &refused.data()["cap_reached"];
        assert_eq!(
            (&reached["cap"], &reached["account"]),
            (&json!("account"), &json!("123456789012"))
        );
    }
    assert!(broker.faults.actions().is_empty(), "AWS was not asked");
    assert_eq!(broker.users().len(), 3);

    // Also after a restart, when nobody has said yet whose the keys are: that is asked first.
    broker.restart();
    let dev = broker.root().with_token(dev.token());
    dev.get("second/creds/r").expect(400);
    assert_eq!(broker.users().len(), 3);
    broker.revoke(&first).expect(204);
    for _ in 0..3 {
        broker.advance(Duration::from_secs(70));
    }
    dev.get("second/creds/r").expect(200);
    dev.get("aws/creds/r").expect(400);

    let root = broker.root();
    root.delete("sys/leases/limits/123456789012").expect(204);
    root.get("sys/leases/limits/123456789012").expect(404);
    dev.get("aws/creds/r").expect(200);
}

#[test]
fn the_cap_of_an_account_holds_for_sessions_and_per_caller_and_for_no_other_account() {
    let broker = TestBroker::new().with_role();
    second_mount(&broker, OTHER_KEY);
    let root = broker.root();
    let arn = broker.aws.create_role("deploy", 43_200).unwrap();
    let assumed = json!({ "credential_type": "assumed_role", "role_arns": [arn] });
    root.post("aws/roles/a", &assumed).expect(204);
    let federated =
        json!({ "credential_type": "federation_token", "policy_document": crate::support::NARROW });
    root.post("aws/roles/f", &federated).expect(204);
    let own = json!({ "credential_type": "session_token" });
    root.post("aws/roles/s", &own).expect(204);
    let caps = json!({ "max_leases_per_caller": 2 });
    root.post("sys/leases/limits/123456789012", &caps).expect(204);
    let dev = child(&broker, "dev");
    dev.get("aws/sts/a").expect(200);
    dev.get("aws/sts/f").expect(200);
    for path in ["aws/sts/a", "aws/sts/f", "aws/sts/s", "aws/creds/r"] {
        let refused = dev.get(path).expect(400).errors().join("|");
        assert!(
            refused.starts_with(
                "too many leases live: max_leases_per_caller of the AWS account 123456789012 is 2, live are 2; `token-dev`"
            ),
            "{path}: {refused}"
        );
    }
    // Others have theirs, and another account has no cap.
    broker.issue().expect(200);
    for _ in 0..3 {
        dev.get("second/creds/r").expect(200);
    }
    assert_eq!((broker.users().len(), broker.other_aws.users().len()), (1, 3));
    let bad = root.post("sys/leases/limits/aws", &json!({ "max_leases": 1 })).expect(400);
    assert_eq!(bad.errors(), ["`aws` is not the id of an AWS account, which has 12 digits"]);
}

#[test]
fn where_an_account_has_a_cap_nothing_is_issued_by_keys_of_nobody_knows_which() {
    let mut broker = TestBroker::new().with_role();
    broker.root().post("sys/leases/limits/123456789012", &json!({ "max_leases": 9 })).expect(204);
    broker.restart();
    broker.faults.fail_every("GetCallerIdentity", Fault::refuse(403, "AccessDenied"));
    let refused = broker.issue().expect(400).errors().join("|");
    assert!(refused.starts_with("a cap on live leases of an AWS account is set, and it cannot"));
    assert!(broker.users().is_empty() && broker.unfinished().is_empty());
    // A cap of nobody asks nothing.
    broker.root().post("sys/leases/limits/123456789012", &json!({ "max_leases": 0 })).expect(204);
    broker.issue().expect(200);
}
