//! The gate over the wire: what is refused creates nothing, whatever the mode; what warns passes; the
//! same findings come from `leasehold check`.

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::{NARROW, S3_STAR};

fn role(document: &str) -> Value {
    json!({ "credential_type": "iam_user", "policy_document": document })
}

#[test]
fn a_denied_role_creates_nothing() {
    let broker = TestBroker::enforcing();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    broker.faults.clear_calls();

    let reply = broker.root().post("aws/roles/wide", &role(S3_STAR)).expect(400);

    let errors = reply.errors();
    assert!(
        !errors.is_empty() && errors.iter().all(|line| line.contains("least-privilege/")),
        "{errors:?}"
    );
    assert_eq!(reply.data()["verdict"], "deny");
    let findings = reply.data()["findings"].as_array().unwrap();
    assert_eq!(findings.len(), errors.len(), "one sentence a finding");
    for member in ["rule", "severity", "message", "pointer", "line", "column", "remediation"] {
        assert!(findings[0].get(member).is_some(), "no `{member}` in {}", findings[0]);
    }
    assert!(broker.faults.calls().is_empty(), "AWS was not asked");
    broker.root().get("aws/roles/wide").expect(404);
    broker.root().list("aws/roles").expect(404);
}

#[test]
fn a_stricter_gate_stops_an_old_role_at_issue() {
    // Written while the gate warns, read by a broker that enforces on the same data.
    let broker = TestBroker::new();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    broker.write_role("r", S3_STAR).expect(200);
    let broker = broker.enforce_from_now_on();
    broker.faults.clear_calls();

    let reply = broker.issue().expect(400);

    assert_eq!(reply.data()["verdict"], "deny");
    assert!(broker.users().is_empty());
    assert!(!broker.faults.actions().contains(&"CreateUser".to_owned()));
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_role_cannot_walk_around_the_gate_by_an_arn_or_a_group() {
    let broker = TestBroker::enforcing();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let admin = json!({ "credential_type": "iam_user", "policy_arns": ["arn:aws:iam::aws:policy/AdministratorAccess"] });
    let reply = broker.root().post("aws/roles/admin", &admin).expect(400);
    assert!(
        reply.errors().iter().any(|line| line.contains("AdministratorAccess")),
        "{:?}",
        reply.errors()
    );

    broker.aws.call("CreateGroup", &[("GroupName", "wide")]).unwrap();
    broker
        .aws
        .call(
            "PutGroupPolicy",
            &[("GroupName", "wide"), ("PolicyName", "all"), ("PolicyDocument", S3_STAR)],
        )
        .unwrap();
    let group = json!({ "credential_type": "iam_user", "iam_groups": ["wide"] });
    let reply = broker.root().post("aws/roles/group", &group).expect(400);
    assert!(reply.errors().iter().any(|line| line.contains("wide")), "{:?}", reply.errors());
    broker.root().list("aws/roles").expect(404);
}

#[test]
fn what_cannot_be_read_is_a_finding_that_mode_decides() {
    let unknown = json!({ "credential_type": "iam_user", "policy_arns": ["arn:aws:iam::123456789012:policy/missing"] });
    let warning = TestBroker::new();
    warning.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let reply = warning.root().post("aws/roles/r", &unknown).expect(200);
    assert!(
        reply.warnings().iter().any(|line| line.contains("policy/missing")),
        "{:?}",
        reply.warnings()
    );

    let enforcing = TestBroker::enforcing();
    enforcing.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let reply = enforcing.root().post("aws/roles/r", &unknown).expect(400);
    assert!(
        reply.errors().iter().any(|line| line.contains("policy/missing")),
        "{:?}",
        reply.errors()
    );
}

#[test]
fn what_is_no_policy_is_refused_in_every_mode() {
    let statement = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#;
    let long =
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, vec![statement; 40].join(","));
    let cases = [
        (
            "not json",
            r#"{"Version":"#.to_owned(),
            "cannot parse policy document: \"{\\\"Version\\\":\"",
        ),
        ("misspelt", NARROW.replace("\"Action\"", "\"Actions\""), "Action"),
        (
            "duplicate",
            NARROW.replace("\"Effect\":\"Allow\"", "\"Effect\":\"Deny\",\"Effect\":\"Allow\""),
            "Effect",
        ),
        ("deep", format!("{}{}", "[".repeat(5000), "]".repeat(5000)), "deep"),
        ("over the quota", long, "2048"),
    ];
    for broker in [TestBroker::new(), TestBroker::enforcing()] {
        broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
        for (name, document, says) in &cases {
            let reply = broker.root().post("aws/roles/r", &role(document)).expect(400);
            let text = reply.errors().join("\n");
            assert!(text.contains(says), "{name}: {text}");
        }
        broker.root().list("aws/roles").expect(404);
        assert!(broker.users().is_empty());
    }
}

#[test]
fn a_narrow_role_passes_without_a_word() {
    let broker = TestBroker::enforcing().with_role();
    assert_eq!(broker.write_role("again", NARROW).expect(204).text, "");
    broker.issue().expect(200);
    assert_eq!(broker.users().len(), 1);
}
