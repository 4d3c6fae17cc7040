//! Sessions of assumed roles that are cut off before AWS ends them, seen by what the session may still do.

use std::time::Duration;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use embedded_aws::faults::Fault;
use leasehold::model::{FailureClass, LeaseState, TeardownProgress};
use serde_json::json;

use crate::support::broker::{OTHER_KEY, TestBroker};
use crate::support::client::Reply;

/// What the role in AWS may do.
const LIST_USERS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}"#;

/// A role `s` on the AWS role `deploy`, whose sessions are revoked so.
fn revoking(how: &str) -> TestBroker {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    root.post("aws/config/root", &keys).expect(204);
    let arn = broker.aws.create_role("deploy", 43_200).unwrap();
    let put = [("RoleName", "deploy"), ("PolicyName", "own"), ("PolicyDocument", LIST_USERS)];
    broker.aws.call("PutRolePolicy", &put).unwrap();
    let role =
        json!({ "credential_type": "assumed_role", "role_arns": [arn], "session_revocation": how });
    root.post("aws/roles/s", &role).expect(204);
    broker
}

fn issue(broker: &TestBroker) -> Reply {
    broker.root().get("aws/creds/s").expect(200)
}

/// Whether the session that was handed out can still do something.
fn works(broker: &TestBroker, issued: &Reply) -> bool {
    let (id, secret) = (issued.text_of("access_key"), issued.text_of("secret_key"));
    let token = Some(issued.text_of("session_token"));
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(id, secret, token, None, "test"))
        .http_client(broker.aws.http_client())
        .build();
    let iam = aws_sdk_iam::Client::from_conf(config);
    broker.wait(async { iam.list_users().send().await }).is_ok()
}

/// The policies that Leasehold put on the role.
fn denies(broker: &TestBroker) -> Vec<String> {
    let policies = broker.aws.role_policies("deploy").unwrap();
    policies.into_iter().filter(|(name, _)| name != "own").map(|(_, text)| text).collect()
}

fn progress(broker: &TestBroker, lease: &str) -> TeardownProgress {
    match broker.row(lease).unwrap().state {
        LeaseState::Revoking(progress) => progress,
        other @ (LeaseState::Pending | LeaseState::Active { .. } | LeaseState::Revoked { .. }) => {
            panic!("{other:?}")
        }
    }
}

#[test]
fn a_revoked_session_is_denied_everything_and_others_go_on() {
    let broker = revoking("tag");
    let (one, two) = (issue(&broker), issue(&broker));
    assert!(works(&broker, &one) && works(&broker, &two));
    let lease = one.lease_id();
    broker.revoke(&lease).expect(204);
    assert!(!works(&broker, &one), "it is cut off");
    assert!(works(&broker, &two), "it is not");
    let tag = lease.rsplit('/').next().unwrap();
    let [deny] = denies(&broker).try_into().unwrap();
    assert!(deny.contains(tag), "{deny}");

    // The lease is gone for its caller; the row stays until the entry can go.
    broker.lookup(&lease).expect(400);
    assert!(progress(&broker, &lease).contained_at.is_some());
    broker.revoke(&lease).expect(204);
    broker.advance(Duration::from_secs(3_590));
    assert_eq!(denies(&broker).len(), 1);
    broker.advance(Duration::from_secs(20));
    assert_eq!(denies(&broker), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn many_revoked_at_once_share_the_policy() {
    let broker = revoking("tag");
    let sessions: Vec<Reply> = (0..20).map(|_| issue(&broker)).collect();
    broker.root().put("sys/leases/revoke-prefix/aws", &json!({})).expect(204);
    assert!(sessions.iter().all(|session| !works(&broker, session)));
    assert_eq!(denies(&broker).len(), 1);
    broker.advance(Duration::from_hours(1));
    assert_eq!(denies(&broker), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn older_denies_all_that_began_before_and_lets_new_ones_in() {
    let broker = revoking("older");
    let (one, two) = (issue(&broker), issue(&broker));
    broker.advance(Duration::from_secs(5));
    broker.revoke(&one.lease_id()).expect(204);
    assert!(!works(&broker, &one) && !works(&broker, &two));
    broker.advance(Duration::from_secs(1));
    let three = issue(&broker);
    assert!(works(&broker, &three));
    // What an hour later is left of it denies nobody new.
    broker.advance(Duration::from_hours(11));
    assert_eq!(denies(&broker).len(), 1);
    broker.advance(Duration::from_hours(2));
    assert_eq!(denies(&broker), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_session_that_ends_by_itself_costs_no_call() {
    for how in ["tag", "older"] {
        let broker = revoking(how);
        issue(&broker);
        broker.faults.clear_calls();
        broker.advance(Duration::from_hours(1));
        assert_eq!(broker.unfinished(), Vec::<String>::new());
        assert_eq!(broker.faults.actions(), Vec::<String>::new());
    }
}

#[test]
fn what_aws_refuses_is_told_and_tried_again_until_the_session_is_over() {
    let broker = revoking("tag");
    let (one, two) = (issue(&broker), issue(&broker));
    broker.faults.fail_every("PutRolePolicy", Fault::refuse(403, "AccessDenied"));
    let errors = broker.revoke(&one.lease_id()).expect(400).errors();
    assert!(errors[0].contains("AccessDenied"), "{errors:?}");
    let stuck = progress(&broker, &one.lease_id());
    assert_eq!(stuck.last_failure.unwrap().0, FailureClass::AccessDenied);
    assert!(works(&broker, &one));
    broker.faults.heal();
    broker.advance(Duration::from_secs(15));
    assert!(!works(&broker, &one), "the second attempt came through");

    broker.faults.fail_every("PutRolePolicy", Fault::refuse(403, "AccessDenied"));
    broker.revoke(&two.lease_id()).expect(400);
    for _ in 0..8 {
        broker.advance(Duration::from_mins(15));
    }
    broker.faults.heal();
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    assert_eq!(denies(&broker), Vec::<String>::new());
}

#[test]
fn a_role_that_is_not_in_the_account_is_told() {
    let broker = revoking("tag");
    let issued = issue(&broker);
    for (action, name) in [("DeleteRolePolicy", "own"), ("DeleteRole", "")] {
        let parameters = [("RoleName", "deploy"), ("PolicyName", name)];
        broker.aws.call(action, &parameters).unwrap();
    }
    let errors = broker.revoke(&issued.lease_id()).expect(400).errors();
    assert!(errors[0].contains("is not in the account of the mount"), "{errors:?}");
    let stuck = progress(&broker, &issued.lease_id());
    assert_eq!(stuck.last_failure.unwrap().0, FailureClass::NotOurs);
    broker.settle();
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_cut_that_was_written_and_not_heard_of_is_finished_after_a_restart() {
    let mut broker = revoking("tag");
    let issued = issue(&broker);
    broker.faults.fail_next("PutRolePolicy", Fault::LostAfter);
    broker.revoke(&issued.lease_id()).expect(400);
    broker.lose_power();
    broker.advance(Duration::from_secs(15));
    assert!(!works(&broker, &issued));
    assert!(progress(&broker, &issued.lease_id()).contained_at.is_some());
    broker.advance(Duration::from_hours(1));
    assert_eq!(denies(&broker), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_cut_that_was_not_heard_of_before_the_session_ended_leaves_the_role_all_the_same() {
    let mut broker = revoking("tag");
    let issued = issue(&broker);
    broker.faults.fail_next("PutRolePolicy", Fault::LostAfter);
    broker.revoke(&issued.lease_id()).expect(400);
    assert_eq!(denies(&broker).len(), 1);
    broker.lose_power();
    broker.advance(Duration::from_hours(2));
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    assert_eq!(denies(&broker), Vec::<String>::new());
}

#[test]
fn the_field_belongs_to_assumed_roles_and_reads_back() {
    let broker = revoking("older");
    let root = broker.root();
    assert_eq!(root.get("aws/roles/s").expect(200).data()["session_revocation"], "older");
    let other = json!({ "credential_type": "federation_token", "session_revocation": "tag" });
    let errors = root.post("aws/roles/f", &other).expect(400).errors();
    assert_eq!(errors, ["session_revocation is for the credential type assumed_role alone"]);
    let unknown = json!({ "session_revocation": "now" });
    let errors = root.post("aws/roles/s", &unknown).expect(400).errors();
    assert_eq!(errors, ["session_revocation `now` is not known\nhelp: it is one of tag, older"]);
}

/// The bug: keys of another account saw no such role, the lease was called over, and its entry stayed on the role.
#[test]
fn an_entry_is_not_called_gone_by_keys_of_another_account() {
    let broker = revoking("tag");
    let lease = issue(&broker).lease_id();
    broker.revoke(&lease).expect(204);
    assert_eq!(denies(&broker).len(), 1);
    let bind = |key: &str| {
        let keys = json!({ "access_key": key, "secret_key": "s", "max_retries": 0 });
        broker.root().post("aws/config/root", &keys).expect(204);
    };
    bind(OTHER_KEY);
    broker.advance(Duration::from_hours(13));
    let failure = progress(&broker, &lease).last_failure.unwrap();
    assert_eq!(failure.0, FailureClass::WrongAccount);
    assert!(
        failure.1.contains("the role `arn:aws:iam::123456789012:role/deploy` is in account"),
        "{}",
        failure.1
    );
    bind("AKIATESTTESTTESTTEST");
    broker.settle();
    assert_eq!(denies(&broker), Vec::<String>::new());
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Revoked { .. }));
}
