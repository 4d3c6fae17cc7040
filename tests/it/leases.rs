//! Leases over the wire: look-up, renewal, the ways to revoke, and teardown when AWS is in the way.

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::model::{FailureClass, LeaseState};
use serde_json::json;

use crate::support::broker::TestBroker;
use crate::support::log;

const UNKNOWN: &str = "aws/creds/r/xxxxxxxxxxxxxxxxxxxxxxxx";

#[test]
fn unknown_leases_answer_as_vault_does() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    assert_eq!(broker.lookup(UNKNOWN).expect(400).errors(), ["invalid lease"]);
    assert_eq!(
        root.put("sys/leases/lookup", &json!({})).expect(400).errors(),
        ["lease_id must be specified"]
    );
    let renewed = root.put("sys/leases/renew", &json!({ "lease_id": UNKNOWN })).expect(400);
    assert_eq!(renewed.errors(), ["lease not found"]);
    broker.revoke(UNKNOWN).expect(204);
    root.put(&format!("sys/leases/revoke/{UNKNOWN}"), &json!({ "sync": false })).expect(202);
    root.put("sys/leases/revoke-prefix/aws", &json!({})).expect(204);
    root.put("sys/leases/revoke-force/aws", &json!({})).expect(204);
    assert_eq!(root.list("sys/leases/lookup/aws/").expect(404).json, json!({ "errors": [] }));
    assert!(broker.faults.calls().is_empty());
}

#[test]
fn leases_are_listed_level_by_level() {
    let broker = TestBroker::new().with_role();
    let ids: Vec<String> = (0..3).map(|_| broker.issue().expect(200).lease_id()).collect();
    let keys = |path: &str| broker.root().list(path).expect(200).data()["keys"].clone();
    assert_eq!(keys("sys/leases/lookup/"), json!(["aws/"]));
    assert_eq!(keys("sys/leases/lookup/aws"), json!(["creds/"]));
    assert_eq!(keys("sys/leases/lookup/aws/creds/"), json!(["r/"]));
    let mut tags: Vec<&str> = ids.iter().map(|id| id.rsplit('/').next().unwrap()).collect();
    tags.sort_unstable();
    assert_eq!(keys("sys/leases/lookup/aws/creds/r/"), json!(tags));
}

#[test]
fn a_prefix_takes_all_below_it_and_nothing_else() {
    let broker = TestBroker::new().with_role();
    broker.write_role("other", crate::support::NARROW).expect(204);
    for _ in 0..5 {
        broker.issue().expect(200);
    }
    let kept = broker.root().get("aws/creds/other").expect(200).lease_id();
    broker.root().put("sys/leases/revoke-prefix/aws/creds/r", &json!({})).expect(204);
    assert_eq!(broker.users().len(), 1);
    broker.lookup(&kept).expect(200);
    broker.root().put("sys/leases/revoke-prefix/aws", &json!({ "sync": false })).expect(202);
    broker.run_due();
    assert!(broker.users().is_empty());
}

#[test]
fn aws_refusing_a_revocation_is_told_and_never_given_up() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));

    let reply = broker.revoke(&lease).expect(400);

    assert!(reply.errors()[0].starts_with("failed to revoke entry: "), "{:?}", reply.errors());
    assert!(reply.errors()[0].contains("AccessDenied"));
    let row = broker.row(&lease).unwrap();
    let LeaseState::Revoking(progress) = row.state else { panic!("{row:?}") };
    assert!(progress.contained_at.is_some(), "it opens nothing any more");
    assert_eq!(progress.removed_at, None);
    assert_eq!(progress.last_failure.map(|(class, _)| class), Some(FailureClass::AccessDenied));
    let user = broker.aws.user(&broker.users()[0]).unwrap();
    assert!(user.keys.is_empty() || !user.keys[0].active, "the key is inactive or gone");
    broker.lookup(&lease).expect(200);
    for _ in 0..40 {
        broker.advance(Duration::from_secs(3600));
    }
    assert_eq!(broker.users().len(), 1, "refused for two days");
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty(), "and gone once AWS lets us");
    assert!(
        !log::with(&lease)
            .iter()
            .filter(|line| line.contains("WARN") || line.contains("ERROR"))
            .collect::<Vec<_>>()
            .is_empty()
    );
}

#[test]
fn force_takes_a_lease_out_of_sight_and_teardown_goes_on() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    broker.faults.fail_every("DeleteUser", Fault::Throttle);
    broker.root().put("sys/leases/revoke-force/aws/creds/r", &json!({})).expect(204);
    broker.lookup(&lease).expect(400);
    broker.root().list("sys/leases/lookup/aws/creds/r/").expect(404);
    assert_eq!(broker.users().len(), 1);
    assert_eq!(broker.unfinished(), [lease], "the row stays");
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty());
}

#[test]
fn a_user_that_grew_a_password_and_more_is_removed_all_the_same() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users()[0].clone();
    broker.aws.add_login_profile(&user).unwrap();
    broker.aws.add_mfa_device(&user).unwrap();
    broker.aws.add_ssh_key(&user).unwrap();
    broker.aws.add_signing_certificate(&user).unwrap();
    broker.aws.add_service_credential(&user).unwrap();
    broker.aws.call("CreateGroup", &[("GroupName", "g")]).unwrap();
    broker.aws.call("AddUserToGroup", &[("GroupName", "g"), ("UserName", &user)]).unwrap();
    broker.revoke(&lease).expect(204);
    assert!(broker.users().is_empty());
}

#[test]
fn a_user_that_is_not_ours_is_never_touched() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users()[0].clone();
    broker
        .aws
        .call("UntagUser", &[("UserName", &user), ("TagKeys.member.1", "leasehold:lease")])
        .unwrap();
    broker.revoke(&lease).expect(400);
    broker.settle();
    assert_eq!(broker.users(), [user], "it stays");
    let row = broker.row(&lease).unwrap();
    let LeaseState::Revoking(progress) = row.state else { panic!("{row:?}") };
    assert_eq!(progress.last_failure.map(|(class, _)| class), Some(FailureClass::NotOurs));
}

#[test]
fn an_issue_takes_two_rounds_and_a_revocation_three() {
    let broker = TestBroker::new().with_role();
    for name in ["one", "two"] {
        broker.aws.create_managed_policy(name, crate::support::NARROW).unwrap();
    }
    let arns = ["arn:aws:iam::123456789012:policy/one", "arn:aws:iam::123456789012:policy/two"];
    let role = json!({ "credential_type": "iam_user", "policy_document": crate::support::NARROW, "policy_arns": arns });
    broker.root().post("aws/roles/r", &role).expect(204);
    broker.faults.clear_calls();

    let held = broker.faults.hold_next("CreateUser");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    broker.wait(held.arrived());
    assert_eq!(broker.faults.actions(), ["CreateUser"], "alone in the first round");
    let second: Vec<_> = ["AttachUserPolicy", "PutUserPolicy", "CreateAccessKey"]
        .map(|action| broker.faults.hold_next(action))
        .into();
    held.release();
    for gate in &second {
        broker.wait(gate.arrived());
    }
    let mut actions = broker.faults.actions();
    actions.sort();
    assert_eq!(
        actions,
        ["AttachUserPolicy", "AttachUserPolicy", "CreateAccessKey", "CreateUser", "PutUserPolicy"]
    );
    second.iter().for_each(embedded_aws::faults::Gate::release);
    let lease = asking.join().unwrap().expect(200).lease_id();

    broker.faults.reset();
    let delete = broker.faults.hold_next("DeleteUser");
    let root = broker.root();
    let body = json!({ "lease_id": lease });
    let asking = std::thread::spawn(move || root.put("sys/leases/revoke", &body));
    broker.wait(delete.arrived());
    let before = broker.faults.actions();
    let first_write = before
        .iter()
        .position(|action| action.starts_with("Detach") || action.starts_with("DeleteA"))
        .unwrap();
    assert!(
        before[..first_write].contains(&"UpdateAccessKey".to_owned()),
        "contained first: {before:?}"
    );
    delete.release();
    asking.join().unwrap().expect(204);
    assert!(broker.users().is_empty());
}

/// What Vault had before `sys/leases/…`, and still answers.
#[test]
fn the_old_names_of_the_lease_paths_do_the_same() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("aws/config/lease", &json!({ "lease": "1h", "lease_max": "2h" })).expect(204);
    let issue = || broker.issue().expect(200).lease_id();

    let lease = issue();
    for path in ["sys/renew".to_owned(), format!("sys/renew/{lease}")] {
        let body = json!({ "lease_id": lease, "increment": 600 });
        let renewed = root.put(&path, &body).expect(200);
        assert_eq!(
            (renewed.lease_id(), &renewed.json["lease_duration"]),
            (lease.clone(), &json!(600))
        );
    }
    assert_eq!(
        root.put("sys/renew", &json!({ "lease_id": UNKNOWN })).expect(400).errors(),
        ["lease not found"]
    );

    root.put("sys/revoke", &json!({ "lease_id": lease })).expect(204);
    broker.lookup(&lease).expect(400);
    assert!(broker.users().is_empty());
    let lease = issue();
    root.put(&format!("sys/revoke/{lease}"), &json!({})).expect(204);
    assert!(broker.users().is_empty());
    let lease = issue();
    root.put(&format!("sys/revoke/{lease}"), &json!({ "sync": false })).expect(202);
    broker.run_due();
    assert!(broker.users().is_empty());

    broker.write_role("other", crate::support::NARROW).expect(204);
    let kept = root.get("aws/creds/other").expect(200).lease_id();
    issue();
    issue();
    root.put("sys/revoke-prefix/aws/creds/r", &json!({})).expect(204);
    assert_eq!(broker.users().len(), 1);
    broker.lookup(&kept).expect(200);

    broker.faults.fail_every("DeleteUser", Fault::Throttle);
    root.put("sys/revoke-force/aws/creds/other", &json!({})).expect(204);
    broker.lookup(&kept).expect(400);
    assert!(broker.unfinished().contains(&kept), "out of sight, and its user is still removed");
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty() && broker.unfinished().is_empty());

    // They need what the new ones need.
    let nobody = root.post("auth/token/create", &json!({ "policies": ["default"] })).expect(200);
    let nobody = root.with_token(nobody.json["auth"]["client_token"].as_str().unwrap());
    for path in ["sys/revoke-prefix/aws", "sys/revoke-force/aws", "sys/revoke"] {
        nobody.put(path, &json!({ "lease_id": UNKNOWN })).expect(403);
    }
}

#[test]
fn tidy_deletes_the_rows_of_what_is_over_for_thirty_days_and_no_other() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("aws/roles/r", &json!({ "ttl": "700h" })).expect(204);
    let until_gone = |lease: &str| {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while broker.row(lease).is_some() {
            assert!(std::time::Instant::now() < deadline, "the row of {lease} was not deleted");
            std::thread::yield_now();
        }
    };
    let end = || {
        let lease = broker.issue().expect(200).lease_id();
        broker.revoke(&lease).expect(204);
        broker.settle();
        lease
    };
    let first = end();
    broker.clock.advance(Duration::from_hours(12));
    let over = end();
    // Once a day it happens by itself; then nobody does it for a day.
    broker.clock.advance(Duration::from_hours(30 * 24 - 12));
    let lives = broker.issue().expect(200).lease_id();
    until_gone(&first);
    let ended = end();
    broker.faults.fail_every("DeleteUser", Fault::Throttle);
    let stuck = broker.issue().expect(200).lease_id();
    broker.revoke(&stuck);
    broker.clock.advance(Duration::from_hours(12));
    assert!(broker.row(&over).is_some(), "it is kept until somebody tidies");

    let tidied = root.put("sys/leases/tidy", &json!({})).expect(202);
    assert!(tidied.warnings()[0].starts_with("Tidy operation"), "{}", tidied.text);
    until_gone(&over);
    for lease in [&ended, &lives, &stuck] {
        assert!(broker.row(lease).is_some(), "{lease} is not over for thirty days");
    }
    broker.lookup(&lives).expect(200);
    assert_eq!(broker.users().len(), 2);
}
