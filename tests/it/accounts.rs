//! Whose keys a mount has: a user is called gone only where it was looked for in its own account.

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::model::{FailureClass, LeaseState};
use serde_json::json;

use crate::support::broker::{OTHER_ACCOUNT, OTHER_KEY, TestBroker};

const ACCOUNT: &str = "123456789012";

fn bind(broker: &TestBroker, key: &str) {
    let keys = json!({ "access_key": key, "secret_key": "made-up" });
    broker.root().post("aws/config/root", &keys).expect(204);
}

fn failure(broker: &TestBroker, lease: &str) -> Option<(FailureClass, String)> {
    match broker.row(lease).unwrap().state {
        LeaseState::Revoking(progress) => progress.last_failure,
        LeaseState::Pending | LeaseState::Active { .. } | LeaseState::Revoked { .. } => None,
    }
}

/// Somebody deletes a user behind the broker's back.
fn delete_user(broker: &TestBroker, name: &str) {
    let user = broker.aws.user(name).unwrap();
    let call = |action, more: &[(&str, &str)]| {
        broker.aws.call(action, &[&[("UserName", name)], more].concat()).unwrap();
    };
    for key in &user.keys {
        call("DeleteAccessKey", &[("AccessKeyId", &key.access_key_id)]);
    }
    for policy in user.inline.keys() {
        call("DeleteUserPolicy", &[("PolicyName", policy)]);
    }
    call("DeleteUser", &[]);
}

/// The bug: the new account knows no such user, and after five minutes the row ended while the user lived on.
#[test]
fn keys_of_another_account_do_not_make_a_user_read_as_gone() {
    let mut broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users();
    assert_eq!(user.len(), 1);
    bind(&broker, OTHER_KEY);
    // Also where nobody told the broker whose the keys are since it started.
    broker.restart();
    broker.settle();
    broker.revoke(&lease).expect(400);
    broker.settle();

    let (class, message) = failure(&broker, &lease).expect("the lease must not end");
    assert_eq!(class, FailureClass::WrongAccount);
    assert!(message.contains(&format!("in account `{ACCOUNT}`")), "{message}");
    assert!(message.contains(&format!("are of account `{OTHER_ACCOUNT}`")), "{message}");
    assert_eq!(broker.users(), user);
    let told = broker.lookup(&lease).expect(200);
    assert!(told.text_of("revoke_error").contains(ACCOUNT), "{}", told.text);

    bind(&broker, "AKIARIGHTACCOUNT0000");
    broker.settle();
    assert!(broker.users().is_empty());
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Revoked { .. }));
}

#[test]
fn nothing_is_sent_to_an_account_that_is_known_to_be_another() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    bind(&broker, OTHER_KEY);
    // An issue there tells the broker whose the keys are.
    let there = broker.issue().expect(200).lease_id();
    assert_eq!(broker.row(&there).unwrap().account.as_deref(), Some(OTHER_ACCOUNT));
    assert_eq!(broker.other_aws.users().len(), 1);
    broker.faults.clear_calls();
    let refused = broker.revoke(&lease).expect(400);
    assert!(refused.errors()[0].contains("is in account `123456789012`"), "{}", refused.text);
    assert!(broker.faults.actions().is_empty());
    broker.revoke(&there).expect(204);
    assert_eq!(broker.other_aws.users().len(), 0);
}

#[test]
fn a_user_that_someone_else_deleted_is_gone_in_its_own_account() {
    let mut broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let name = broker.users().remove(0);
    broker.restart();
    broker.advance(Duration::from_secs(310));
    delete_user(&broker, &name);
    broker.revoke(&lease).expect(204);
    broker.settle();
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Revoked { .. }));
}

#[test]
fn while_nobody_says_whose_the_keys_are_an_absent_user_is_not_believed() {
    let mut broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let name = broker.users().remove(0);
    broker.restart();
    broker.advance(Duration::from_secs(310));
    delete_user(&broker, &name);
    broker.faults.fail_every("GetCallerIdentity", Fault::LostBefore);
    broker.revoke(&lease).expect(400);
    let (class, message) = failure(&broker, &lease).unwrap();
    assert_eq!(class, FailureClass::WrongAccount);
    assert!(message.contains("cannot be found out"), "{message}");
    broker.faults.heal();
    broker.settle();
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Revoked { .. }));
}

#[test]
fn what_aws_said_of_a_user_is_kept_also_where_its_issue_failed() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let row = broker.row(&lease).unwrap();
    assert_eq!(row.account.as_deref(), Some(ACCOUNT));
    assert_eq!(row.user_id, Some(broker.aws.users()[0].id.clone()));
    assert_eq!(row.origin.policy_digest.len(), 64);
    assert_ne!(row.origin.policy_digest, row.verdict);

    broker.faults.fail_next("CreateAccessKey", Fault::refuse(409, "LimitExceeded"));
    broker.issue().expect(400);
    let unfinished = broker.unfinished();
    let failed = unfinished.iter().find(|id| **id != lease).unwrap();
    let row = broker.row(failed).unwrap();
    assert_eq!(row.account.as_deref(), Some(ACCOUNT));
    assert!(row.user_id.unwrap().starts_with("AIDA"));
}
