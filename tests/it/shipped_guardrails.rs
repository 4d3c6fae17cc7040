//! The guardrails that ship, bound by a write: each stops the role that it is for, by its name, and lets another through.
//! What each finds in detail is said by its vectors; here it is that the server hands it what it judges by.

use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::client::Reply;

/// May change the policies of its own user.
const ESCALATES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}]}"#;

/// A broker with one guardrail that enforces, beside the one that warns.
fn with(plugin: &str, settings: &Value) -> TestBroker {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let body = json!({ "plugin": plugin, "mode": "enforce", "settings": settings });
    root.post(&format!("sys/guardrails/{plugin}"), &body).expect(200);
    let read = root.get(&format!("sys/guardrails/{plugin}")).expect(200);
    assert_eq!(read.data()["plugin"], format!("builtin:{plugin}"));
    assert_eq!(read.data()["mode"], "enforce");
    broker
}

fn write(broker: &TestBroker, name: &str, fields: &Value) -> Reply {
    let mut role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    for (field, value) in fields.as_object().unwrap() {
        role[field] = value.clone();
    }
    broker.root().post(&format!("aws/roles/{name}"), &role)
}

/// Refused with this rule, and nothing is kept or made.
fn refused(broker: &TestBroker, name: &str, fields: &Value, rule: &str) {
    let users = broker.users();
    let reply = write(broker, name, fields).expect(400);
    assert!(reply.errors().iter().any(|line| line.starts_with(rule)), "{reply:?}");
    broker.root().get(&format!("aws/roles/{name}")).expect(404);
    assert_eq!(broker.users(), users);
}

#[test]
fn a_way_up_is_refused_and_a_narrow_role_is_not() {
    let broker = with("no-privilege-escalation", &json!({}));
    let fields = json!({ "policy_document": ESCALATES });
    refused(&broker, "r", &fields, "no-privilege-escalation/rewrites-own-permissions: ");
    write(&broker, "narrow", &json!({})).expect(204);
}

#[test]
fn a_listed_action_is_refused() {
    let broker = with("deny-list", &json!({ "denied_actions": ["iam:Put*"] }));
    refused(&broker, "r", &json!({ "policy_document": ESCALATES }), "deny-list/denied-action: ");
    write(&broker, "narrow", &json!({})).expect(204);
}

#[test]
fn users_without_a_boundary_are_refused() {
    let broker = with("boundary-required", &json!({}));
    refused(&broker, "r", &json!({}), "boundary-required/boundary-missing: ");
}

#[test]
fn names_and_tags_are_those_of_the_role() {
    let settings = json!({ "names": ["{tag:team}-*"], "required_tags": { "team": ["*"] } });
    let broker = with("tags-and-names", &settings);
    refused(&broker, "etl", &json!({}), "tags-and-names/missing-tag: ");
    let tagged = json!({ "iam_tags": { "team": "data" } });
    refused(&broker, "etl", &tagged, "tags-and-names/role-name: ");
    write(&broker, "data-etl", &tagged).expect(204);
}

#[test]
fn the_life_is_what_role_and_mount_give_together() {
    let broker = with("ttl-limits", &json!({ "max_ttl_seconds": { "any": 3600, "write": 3600 } }));
    // The mount's own limit is longer.
    refused(&broker, "r", &json!({}), "ttl-limits/ttl-too-long");
    write(&broker, "short", &json!({ "ttl": 600, "max_ttl": 3600 })).expect(204);
}

#[test]
fn what_is_sensitive_needs_a_source() {
    let broker = with("mfa-or-source-conditions", &json!({ "networks": ["203.0.113.0/24"] }));
    let fields = json!({ "policy_document": ESCALATES });
    refused(&broker, "r", &fields, "mfa-or-source-conditions/mfa-or-source-missing: ");
    let bounded = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/25"}}}]}"#;
    write(&broker, "bounded", &json!({ "policy_document": bounded })).expect(200);
}

#[test]
fn settings_of_a_shipped_guardrail_are_checked_by_it() {
    let broker = TestBroker::new();
    let body = json!({
        "plugin": "no-privilege-escalation", "mode": "enforce", "settings": { "allowed_ways": ["no-such-way"] }
    });
    let reply = broker.root().post("sys/guardrails/no-privilege-escalation", &body).expect(400);
    assert!(reply.errors().join("\n").contains("there is no way `no-such-way`"), "{reply:?}");
    broker.root().get("sys/guardrails/no-privilege-escalation").expect(404);
}
