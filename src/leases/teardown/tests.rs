//! Passes over users of the embedded AWS.

use std::time::Duration;

use embedded_aws::faults::Fault;

use super::*;
use crate::aws::testing::{BROKER, TestAws, name, tag};
use crate::aws::{BROKER_TAG, LEASE_TAG};
use crate::model::AccessKeyId;

async fn pass_over(test: &TestAws, user: &str, key: Option<&AccessKeyId>) -> Pass {
    let (user, lease) = (name(user), tag('x'));
    let subject = Subject { user: &user, access_key: key, broker: BROKER, lease: &lease };
    pass(test.provider().await.as_ref(), subject).await
}

fn class(pass: &Pass) -> FailureClass {
    match &pass.end {
        PassEnd::Failed(trouble) => trouble.class,
        other @ (PassEnd::Removed | PassEnd::Absent) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_issued_is_contained_and_gone_after_one_pass() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert_eq!(pass, Pass { contained: true, end: PassEnd::Removed });
    assert_eq!(test.aws.users(), []);
    assert_eq!(test.aws.group("readers").unwrap().members, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_pass_takes_three_round_trips() {
    let latency = Duration::from_millis(50);
    let test = TestAws::with(0, latency);
    let key = test.user("u-1", &tag('x')).await;
    let start = tokio::time::Instant::now();
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert_eq!(pass.end, PassEnd::Removed);
    let rounds = start.elapsed().as_millis() / latency.as_millis();
    assert_eq!(rounds, 3, "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_key_is_made_inactive_before_anything_else_is_known() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    test.faults.clear_calls();
    test.faults.fail_next("ListUserTags", Fault::ServerErrorBefore(500));
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert!(pass.contained);
    assert_eq!(class(&pass), FailureClass::Unclear);
    assert!(test.aws.user("u-1").unwrap().keys.iter().all(|key| !key.active));
}

#[tokio::test]
async fn somebody_elses_user_of_that_name_is_not_touched() {
    for tags in [
        vec![],
        vec![(BROKER_TAG, "another"), (LEASE_TAG, "abcdefghijklmnopqrstuvwx")],
        vec![(BROKER_TAG, BROKER)],
    ] {
        let test = TestAws::new();
        test.aws.create_user("u-1", "/", &tags).unwrap();
        test.aws.call("CreateAccessKey", &[("UserName", "u-1")]).unwrap();
        let before = test.aws.users();
        let pass = pass_over(&test, "u-1", Some(&crate::aws::testing::unknown_key())).await;
        assert_eq!(class(&pass), FailureClass::NotOurs);
        assert_eq!(test.aws.users(), before);
    }
}

#[tokio::test]
async fn a_user_with_password_mfa_and_other_credentials_is_removed() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    test.aws.add_login_profile("u-1").unwrap();
    test.aws.add_mfa_device("u-1").unwrap();
    test.aws.add_ssh_key("u-1").unwrap();
    test.aws.add_signing_certificate("u-1").unwrap();
    test.aws.add_service_credential("u-1").unwrap();
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert_eq!(pass.end, PassEnd::Removed);
    assert_eq!(test.aws.users(), []);
}

#[tokio::test]
async fn a_user_whose_key_cannot_be_made_inactive_is_denied_everything_until_it_is_gone() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    test.faults.fail_every("UpdateAccessKey", Fault::refuse(403, "AccessDenied"));
    test.faults.fail_next("DeleteAccessKey", Fault::refuse(403, "AccessDenied"));
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert!(pass.contained);
    assert_eq!(class(&pass), FailureClass::AccessDenied);
    let provider = test.provider().await;
    let left = provider.belongings(&name("u-1")).await.unwrap().unwrap();
    assert_eq!(left.inline_policies, [CONTAINED_POLICY]);

    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert_eq!(pass.end, PassEnd::Removed);
    assert_eq!(test.aws.users(), []);
}

#[tokio::test]
async fn a_key_that_cannot_be_contained_goes_before_what_denied_it_something() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    test.faults.fail_every("UpdateAccessKey", Fault::refuse(403, "AccessDenied"));
    test.faults.fail_every("PutUserPolicy", Fault::refuse(403, "AccessDenied"));
    test.faults.fail_next("DeleteAccessKey", Fault::refuse(403, "AccessDenied"));
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert!(!pass.contained);
    assert_eq!(class(&pass), FailureClass::AccessDenied);
    let left = test.provider().await.belongings(&name("u-1")).await.unwrap().unwrap();
    assert_eq!((left.inline_policies.len(), left.groups.len()), (1, 1), "{left:?}");

    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert_eq!(pass, Pass { contained: true, end: PassEnd::Removed });
}

#[tokio::test]
async fn another_leases_user_of_that_name_means_that_ours_is_not_there() {
    let test = TestAws::new();
    test.user("u-1", &tag('y')).await;
    let before = test.aws.users();
    let pass = pass_over(&test, "u-1", Some(&crate::aws::testing::unknown_key())).await;
    assert_eq!(pass, Pass { contained: false, end: PassEnd::Absent });
    assert_eq!(test.aws.users(), before);
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_seen_at_the_next_pass() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    test.faults.fail_next("DeleteUser", Fault::LostAfter);
    let pass = pass_over(&test, "u-1", Some(&key.id)).await;
    assert!(pass.contained);
    assert_eq!(class(&pass), FailureClass::Unclear);
    assert_eq!(pass_over(&test, "u-1", Some(&key.id)).await.end, PassEnd::Absent);
}

#[tokio::test(start_paused = true)]
async fn every_call_may_fail_and_the_next_pass_ends_it() {
    let calls = [
        "UpdateAccessKey",
        "ListUserTags",
        "ListAccessKeys",
        "ListUserPolicies",
        "ListAttachedUserPolicies",
        "ListGroupsForUser",
        "DeleteAccessKey",
        "DeleteUserPolicy",
        "DetachUserPolicy",
        "RemoveUserFromGroup",
        "DeleteUser",
    ];
    for action in calls {
        for fault in
            [Fault::Throttle, Fault::LostBefore, Fault::LostAfter, Fault::ServerErrorAfter(500)]
        {
            let test = TestAws::new();
            let key = test.user("u-1", &tag('x')).await;
            test.faults.fail_next(action, fault.clone());
            pass_over(&test, "u-1", Some(&key.id)).await;
            test.faults.heal();
            pass_over(&test, "u-1", Some(&key.id)).await;
            assert_eq!(test.aws.users(), [], "{action} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_look_knows_ours_from_others() {
    let test = TestAws::new();
    let (user, lease) = (name("u-1"), tag('x'));
    let provider = test.provider().await;
    let subject = Subject { user: &user, access_key: None, broker: BROKER, lease: &lease };
    assert_eq!(look(provider.as_ref(), subject).await, Ok(Look::Absent));
    test.aws.create_user("u-1", "/", &[]).unwrap();
    assert_eq!(look(provider.as_ref(), subject).await, Ok(Look::Absent));
    test.aws.call("DeleteUser", &[("UserName", "u-1")]).unwrap();
    test.user("u-1", &lease).await;
    assert_eq!(look(provider.as_ref(), subject).await, Ok(Look::GrewBack));
}
