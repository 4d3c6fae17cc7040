//! Roles by the deprecated parameters `policy` and `arn`: what they read back as, what each path gives, and
//! that the gate sees all that they grant.

use serde_json::json;

use crate::support::broker::TestBroker;
use crate::support::{NARROW, S3_STAR};

const WARNING: &str =
    "Detected use of legacy role or policy parameter. Please upgrade to use the new parameters.";

fn with_engine(broker: TestBroker) -> TestBroker {
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    broker
}

#[test]
fn a_document_gives_a_user_by_creds_and_a_session_by_sts() {
    let broker = with_engine(TestBroker::new());
    let root = broker.root();
    let written = root.post("aws/roles/l", &json!({ "policy": NARROW })).expect(200);
    assert_eq!(written.warnings(), [WARNING]);
    assert!(written.data().is_null());
    let read = root.get("aws/roles/l").expect(200);
    assert_eq!(read.text_of("credential_type"), "iam_user,federation_token");
    assert_eq!(read.text_of("policy_document"), NARROW);

    let user = root.get("aws/creds/l").expect(200);
    assert!(user.data()["security_token"].is_null());
    assert_eq!(broker.row(&user.lease_id()).unwrap().credential_type.as_str(), "iam_user");
    broker.faults.clear_calls();
    let session = root.get("aws/sts/l").expect(200);
    assert!(session.data()["security_token"].is_string());
    assert_eq!(session.json["renewable"], false);
    let row = broker.row(&session.lease_id()).unwrap();
    assert_eq!(row.credential_type.as_str(), "federation_token");
    assert!(broker.faults.actions().contains(&"GetFederationToken".to_owned()));
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn an_arn_gives_its_one_type_by_its_own_path_alone() {
    let broker = with_engine(TestBroker::new());
    let root = broker.root();
    let role = broker.aws.create_role("deploy", 43_200).unwrap();
    let policy = broker.aws.create_managed_policy("p", NARROW).unwrap();
    root.post("aws/roles/a", &json!({ "arn": role })).expect(200);
    root.post("aws/roles/u", &json!({ "policy": policy })).expect(200);
    let read = root.get("aws/roles/a").expect(200);
    assert_eq!(
        (&read.data()["credential_type"], &read.data()["role_arns"]),
        (&json!("assumed_role"), &json!([role]))
    );
    assert_eq!(root.get("aws/roles/u").expect(200).data()["policy_arns"], json!([policy]));

    let refused = root.get("aws/creds/a").expect(400);
    assert_eq!(
        refused.errors(),
        [
            "attempted to retrieve assumed_role credentials through the creds path; this is not allowed for legacy roles"
        ]
    );
    let refused = root.get("aws/sts/u").expect(400);
    assert_eq!(
        refused.errors(),
        [
            "attempted to retrieve iam_user credentials through the sts path; this is not allowed for legacy roles"
        ]
    );
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    root.get("aws/sts/a").expect(200);
    root.get("aws/creds/u").expect(200);

    // A write in today's words ends that.
    root.post("aws/roles/u", &json!({ "policy_document": NARROW })).expect(204);
    root.get("aws/sts/u").expect(200);
}

#[test]
fn a_legacy_write_replaces_the_whole_role_and_a_restart_remembers_it() {
    let mut broker = with_engine(TestBroker::new());
    let modern = json!({
        "credential_type": "iam_user", "iam_groups": "g", "user_path": "/a/", "ttl": 60, "max_leases": 2,
    });
    broker.root().post("aws/roles/l", &modern).expect(200);
    broker.root().post("aws/roles/l", &json!({ "arn": NARROW })).expect(200);
    broker.restart();
    let read = broker.root().get("aws/roles/l").expect(200);
    assert_eq!(read.text_of("credential_type"), "iam_user,federation_token");
    assert_eq!(
        (&read.data()["iam_groups"], &read.data()["user_path"], &read.data()["ttl"]),
        (&json!(null), &json!(""), &json!(0))
    );
    assert!(read.data().get("max_leases").is_none());
}

#[test]
fn what_cannot_be_read_or_stands_beside_other_fields_changes_nothing() {
    let broker = with_engine(TestBroker::new());
    let root = broker.root();
    let told = |body: serde_json::Value, status: u16| {
        root.post("aws/roles/l", &body).expect(status).errors().join("|")
    };
    let both = json!({ "policy": NARROW, "arn": "arn:aws:iam::aws:policy/P" });
    assert_eq!(
        told(both, 500),
        "1 error occurred:\n\t* only one of policy or arn should be provided\n\n"
    );
    assert_eq!(
        told(json!({ "arn": "arn:gobbledygook" }), 400),
        "unable to parse supplied data: \"arn:gobbledygook\""
    );
    let mixed = "cannot supply deprecated role or policy parameters with ";
    let typed = json!({ "policy": NARROW, "credential_type": "iam_user" });
    assert_eq!(told(typed, 400), format!("{mixed}an explicit credential_type"));
    assert_eq!(
        told(json!({ "policy": NARROW, "user_path": "/" }), 400),
        format!("{mixed}user_path")
    );
    // JSON, and no policy: Vault would store it.
    told(json!({ "policy": "{\"Statement\":[{\"Effect\":\"Maybe\"}]}" }), 400);
    root.get("aws/roles/l").expect(404);
    assert!(broker.faults.actions().is_empty());
}

#[test]
fn the_gate_judges_a_legacy_role_as_each_type_that_it_gives() {
    let broker = with_engine(TestBroker::enforcing());
    let root = broker.root();
    root.post("aws/roles/wide", &json!({ "policy": S3_STAR })).expect(400);
    root.get("aws/roles/wide").expect(404);
    let wide = broker.aws.create_managed_policy("wide", S3_STAR).unwrap();
    root.post("aws/roles/wide", &json!({ "arn": wide })).expect(400);
    root.get("aws/roles/wide").expect(404);

    let warning = with_engine(TestBroker::new());
    warning.root().post("aws/roles/l", &json!({ "policy": S3_STAR })).expect(200);
    let stricter = warning.enforce_from_now_on();
    stricter.root().get("aws/creds/l").expect(400);
    stricter.root().get("aws/sts/l").expect(400);
    assert_eq!(stricter.unfinished(), Vec::<String>::new());
    assert!(stricter.users().is_empty());
}
