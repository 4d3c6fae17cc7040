//! Lists that come in more pages than one, as IAM may give them at any length: every policy of a group is judged and
//! handed on, and everything that a user owns is removed.

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::{NARROW, S3_STAR};

/// A group of five inline and five managed policies; the last of each kind is the one given.
fn group(broker: &TestBroker, last_inline: &str, last_attached: &str) {
    let names: Vec<String> = (0..5).map(|number| format!("p{number}")).collect();
    let documents = |last: &str| [[NARROW; 4].as_slice(), &[last]].concat().join("\n");
    let (inline, attached) = (documents(last_inline), documents(last_attached));
    let inline: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(inline.lines()).collect();
    let arns: Vec<String> = names
        .iter()
        .zip(attached.lines())
        .map(|(name, document)| broker.aws.create_managed_policy(name, document).unwrap())
        .collect();
    let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
    broker.aws.create_group("g", &inline, &arns).unwrap();
    broker.aws.give_pages_of(2);
}

/// How often a list was asked for beyond its first page.
fn later_pages(broker: &TestBroker, action: &str) -> usize {
    let calls = broker.faults.calls();
    let later = calls
        .iter()
        .filter(|seen| seen.call.action == action && seen.call.parameters.contains_key("Marker"));
    later.count()
}

#[test]
fn the_last_policy_on_the_last_page_of_a_group_is_judged() {
    for (inline, attached) in [(S3_STAR, NARROW), (NARROW, S3_STAR)] {
        let broker = TestBroker::enforcing().with_role();
        group(&broker, inline, attached);
        let role = json!({ "credential_type": "iam_user", "iam_groups": ["g"] });
        let denied = broker.root().post("aws/roles/of-group", &role).expect(400);
        let told = denied.errors().join("|");
        assert!(told.contains("p4"), "the policy is named: {told}");
        assert_eq!(later_pages(&broker, "ListGroupPolicies"), 2);
        assert_eq!(later_pages(&broker, "ListAttachedGroupPolicies"), 2);
        let session = json!({ "credential_type": "federation_token", "iam_groups": ["g"] });
        broker.root().post("aws/roles/of-group", &session).expect(400);
    }
}

#[test]
fn a_session_gets_the_policies_of_all_pages() {
    let broker = TestBroker::new().with_role();
    group(&broker, NARROW, NARROW);
    let session = json!({ "credential_type": "federation_token", "iam_groups": ["g"] });
    broker.root().post("aws/roles/s", &session).expect(204);
    broker.root().get("aws/sts/s").expect(200);
    let calls = broker.faults.calls();
    let sent = calls.iter().find(|seen| seen.call.action == "GetFederationToken").unwrap();
    let arns =
        (1..=5).map(|number| &sent.call.parameters[&format!("PolicyArns.member.{number}.arn")]);
    assert!(arns.zip(0..).all(|(arn, number)| arn.ends_with(&format!("policy/p{number}"))));
    let policy: Value = serde_json::from_str(&sent.call.parameters["Policy"]).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 5);
}

#[test]
fn a_user_that_owns_pages_of_everything_is_removed() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users().remove(0);
    let call = |action: &str, more: &[(&str, &str)]| {
        broker.aws.call(action, &[&[("UserName", user.as_str())], more].concat()).unwrap();
    };
    call("CreateAccessKey", &[]);
    for number in 0..5 {
        let name = format!("n{number}");
        call("PutUserPolicy", &[("PolicyName", &name), ("PolicyDocument", NARROW)]);
        let arn = broker.aws.create_managed_policy(&name, NARROW).unwrap();
        call("AttachUserPolicy", &[("PolicyArn", &arn)]);
        broker.aws.create_group(&name, &[], &[]).unwrap();
        call("AddUserToGroup", &[("GroupName", &name)]);
    }
    for _ in 0..2 {
        broker.aws.add_mfa_device(&user).unwrap();
        broker.aws.add_ssh_key(&user).unwrap();
        broker.aws.add_signing_certificate(&user).unwrap();
        broker.aws.add_service_credential(&user).unwrap();
    }
    // Also its tags, which say that it is ours, come one at a time.
    broker.aws.give_pages_of(1);
    broker.faults.clear_calls();
    broker.revoke(&lease).expect(204);
    assert!(broker.users().is_empty());
    for action in [
        "ListUserTags",
        "ListAccessKeys",
        "ListUserPolicies",
        "ListAttachedUserPolicies",
        "ListGroupsForUser",
        "ListMFADevices",
        "ListSSHPublicKeys",
        "ListSigningCertificates",
    ] {
        assert!(later_pages(&broker, action) > 0, "{action} was read to its end");
    }
    broker.settle();
    assert!(broker.unfinished().is_empty());
}

#[test]
fn an_orphan_on_a_later_page_is_found_whatever_the_pages() {
    let broker = TestBroker::new().with_role();
    let id = broker.root().get("sys/health").json["cluster_id"].as_str().unwrap().to_owned();
    let tags = [("leasehold:broker", id.as_str()), ("leasehold:lease", "abcdefghijklmnopqrstuvwx")];
    for name in ["a", "b", "c"] {
        broker.aws.create_user(name, "/", &[]).unwrap();
    }
    broker.aws.create_user("vault-left", "/", &tags).unwrap();
    broker.clock.advance(std::time::Duration::from_secs(301));
    broker.aws.give_pages_of(1);
    let report = broker.root().post("sys/leases/reconcile", &json!({})).expect(200);
    assert_eq!(report.data()["totals"]["orphans"], 1, "{}", report.text);
}
