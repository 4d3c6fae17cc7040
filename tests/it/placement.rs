//! Placement over the wire: documents that do not fit into a user, the managed policy of a lease's own,
//! and what is left of it. Crashes: `crash.rs`.

use embedded_aws::faults::Fault;
use leasehold::model::LeaseState;
use serde_json::json;

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::client::Reply;

/// A document of so many characters that no guardrail minds.
fn document(characters: usize) -> String {
    let name = |filler: usize| format!("arn:aws:s3:::{}/*", "b".repeat(filler));
    let frame = NARROW.replace("arn:aws:s3:::b/*", &name(0));
    NARROW.replace("arn:aws:s3:::b/*", &name(characters - frame.len()))
}

fn write(broker: &TestBroker, placement: &str, document: &str) -> Reply {
    let role = json!({ "credential_type": "iam_user", "policy_document": document, "placement": placement });
    broker.root().post("aws/roles/r", &role)
}

#[test]
fn a_document_that_fits_goes_into_the_user_and_a_longer_one_into_a_policy_of_the_lease() {
    let broker = TestBroker::new().with_role();
    for (placement, characters, managed) in [
        ("inline", 2_048, false),
        ("auto", 2_048, false),
        ("auto", 2_049, true),
        ("auto", 6_144, true),
        ("managed", 200, true),
    ] {
        let text = document(characters);
        write(&broker, placement, &text).expect(204);
        let lease = broker.issue().expect(200).lease_id();
        let [user] = broker.aws.users().try_into().unwrap();
        let row = broker.row(&lease).unwrap();
        assert_eq!(row.beside.managed_policy, managed, "{placement} {characters}");
        if managed {
            let [arn] = broker.aws.managed_policies().try_into().unwrap();
            assert_eq!(user.attached, std::slice::from_ref(&arn));
            assert!(user.inline.is_empty());
            let broker_id = &user.tags["leasehold:broker"];
            let tag = &user.tags["leasehold:lease"];
            assert!(arn.ends_with(&format!(":policy/leasehold/{broker_id}/{tag}/leasehold-{tag}")));
            let calls = broker.faults.calls();
            let create = calls.iter().rfind(|seen| seen.call.action == "CreatePolicy").unwrap();
            let sent = &create.call.parameters;
            assert_eq!(sent["PolicyDocument"], text, "what was judged is what is sent");
            assert_eq!(sent["Tags.member.1.Key"], "leasehold:broker");
            assert_eq!(&sent["Tags.member.2.Value"], tag);
        } else {
            assert_eq!(user.inline.get("r"), Some(&text));
            assert!(broker.aws.managed_policies().is_empty());
        }
        broker.revoke(&lease).expect(204);
        assert!(broker.users().is_empty() && broker.aws.managed_policies().is_empty());
        broker.settle();
        assert!(broker.unfinished().is_empty());
    }
}

#[test]
fn what_fits_nowhere_is_refused_at_the_write() {
    let broker = TestBroker::new().with_role();
    let told = |placement: &str, characters| {
        write(&broker, placement, &document(characters)).expect(400).text
    };
    assert!(told("inline", 2_049).contains("write `placement=auto`"));
    for placement in ["auto", "managed"] {
        let text = told(placement, 6_145);
        assert!(text.contains("6145 characters") && text.contains("6144"), "{text}");
    }
    let arns: Vec<_> = (0..10).map(|_| "arn:aws:iam::aws:policy/ReadOnlyAccess").collect();
    let full = json!({ "placement": "auto", "policy_arns": arns });
    // With a warning: it reads the data of any resource.
    broker.root().post("aws/roles/r", &full).expect(200);
    let managed = json!({ "placement": "managed" });
    let errors = broker.root().post("aws/roles/r", &managed).expect(400).errors();
    assert_eq!(
        errors,
        [
            "10 policy_arns leave no room for the managed policy of the lease: a user can have 10\nhelp: name fewer, or write `placement=inline`"
        ]
    );
    let other = json!({ "credential_type": "session_token", "placement": "managed" });
    let errors = broker.root().post("aws/roles/s", &other).expect(400).errors();
    assert_eq!(errors, ["placement is for the credential type iam_user alone"]);
}

#[test]
fn a_stored_role_that_no_longer_fits_is_refused_at_issue() {
    let broker = TestBroker::new().with_role();
    write(&broker, "auto", &document(3_000)).expect(204);
    let back = json!({ "placement": "inline" });
    broker.root().post("aws/roles/r", &back).expect(400);
    assert_eq!(broker.root().get("aws/roles/r").expect(200).data()["placement"], "auto");
    broker.issue().expect(200);
}

#[test]
fn whatever_fails_about_the_policy_nothing_of_it_is_left() {
    for (action, prefix) in [
        ("CreatePolicy", "Error creating the policy of the lease: AccessDenied"),
        ("AttachUserPolicy", "Error attaching user policy: AccessDenied"),
        ("CreateAccessKey", "Error creating access keys: AccessDenied"),
    ] {
        let broker = TestBroker::new().with_role();
        write(&broker, "managed", NARROW).expect(204);
        broker.faults.fail_next(action, Fault::refuse(403, "AccessDenied"));
        let errors = broker.issue().expect(400).errors();
        assert!(errors[0].starts_with(prefix), "{errors:?}");
        broker.settle();
        assert!(broker.users().is_empty() && broker.aws.managed_policies().is_empty(), "{action}");
        assert!(broker.unfinished().is_empty(), "{action}");
    }
}

#[test]
fn a_policy_that_iam_does_not_show_yet_is_attached_a_moment_later() {
    let broker = TestBroker::new().with_role();
    write(&broker, "managed", NARROW).expect(204);
    broker.faults.fail_next("AttachUserPolicy", Fault::refuse(404, "NoSuchEntity"));
    broker.issue().expect(200);
    assert_eq!(broker.aws.users()[0].attached.len(), 1);
}

#[test]
fn a_policy_that_was_given_to_somebody_else_is_told_and_stays_until_it_is_free() {
    let broker = TestBroker::new().with_role();
    write(&broker, "managed", NARROW).expect(204);
    let lease = broker.issue().expect(200).lease_id();
    let [arn] = broker.aws.managed_policies().try_into().unwrap();
    broker.aws.create_user("foreign", "/", &[]).unwrap();
    let attachment = [("UserName", "foreign"), ("PolicyArn", arn.as_str())];
    broker.aws.call("AttachUserPolicy", &attachment).unwrap();

    let errors = broker.revoke(&lease).expect(400).errors();
    assert!(errors[0].contains("attached to something else"), "{errors:?}");
    assert_eq!(broker.users(), ["foreign"]);
    let LeaseState::Revoking(progress) = broker.row(&lease).unwrap().state else { panic!("ended") };
    assert!(progress.contained_at.is_some() && progress.removed_at.is_none());

    broker.aws.call("DetachUserPolicy", &attachment).unwrap();
    broker.settle();
    assert!(broker.aws.managed_policies().is_empty() && broker.unfinished().is_empty());
    assert_eq!(broker.users(), ["foreign"]);
}

#[test]
fn a_user_that_grew_things_loses_them_all() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users().remove(0);
    broker.aws.add_login_profile(&user).unwrap();
    for _ in 0..105 {
        broker.aws.add_mfa_device(&user).unwrap();
        broker.aws.add_ssh_key(&user).unwrap();
        broker.aws.add_signing_certificate(&user).unwrap();
        broker.aws.add_service_credential(&user).unwrap();
    }
    assert_eq!(broker.aws.virtual_mfa_devices().len(), 105);
    broker.revoke(&lease).expect(204);
    assert!(broker.users().is_empty());
    assert!(broker.aws.virtual_mfa_devices().is_empty(), "deactivated is not deleted");
}
