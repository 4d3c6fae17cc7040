//! What a reply says about its TTL: what was asked, what was given, who cut it; and roles that refuse to have
//! it cut.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::client::Reply;

fn told(reply: &Reply) -> Value {
    let data = reply.data();
    json!([data["requested_ttl"], data["granted_ttl"], data["limited_by"]])
}

fn child(broker: &TestBroker, parent: &str, ttl: &str) -> String {
    let body = json!({ "policies": ["root"], "ttl": ttl });
    let made = broker.root().with_token(parent).post("auth/token/create", &body).expect(200);
    made.json["auth"]["client_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_is_told_who_cut_its_lease() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let issued = broker.issue().expect(200);
    assert_eq!(told(&issued), json!([2_764_800, 2_764_800, "none"]));
    // The request has no say for users, as in Vault.
    assert_eq!(told(&root.get("aws/creds/r?ttl=900").expect(200)), told(&issued));

    root.post("aws/roles/r", &json!({ "ttl": "2h" })).expect(204);
    root.post("aws/config/lease", &json!({ "lease": "1h", "lease_max": "90m" })).expect(204);
    let cut = broker.issue().expect(200);
    assert_eq!(told(&cut), json!([7200, 5400, "config_lease_max"]));
    assert_eq!(cut.json["lease_duration"], 5400);
    root.post("sys/mounts/aws/tune", &json!({ "max_lease_ttl": "30m" })).expect(204);
    assert_eq!(told(&broker.issue().expect(200)), json!([7200, 1800, "mount_max_lease_ttl"]));
    root.post("aws/roles/r", &json!({ "ttl": "15m", "max_ttl": "15m" })).expect(204);
    assert_eq!(told(&broker.issue().expect(200)), json!([900, 900, "none"]));
}

#[test]
fn a_session_is_told_who_cut_it() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let arn = broker.aws.create_role("deploy", 43_200).unwrap();
    let role =
        json!({ "credential_type": "assumed_role", "role_arns": [arn], "max_sts_ttl": "2h" });
    root.post("aws/roles/s", &role).expect(204);
    let federation = json!({ "credential_type": "federation_token", "policy_document": NARROW });
    root.post("aws/roles/f", &federation).expect(204);
    root.post("aws/roles/t", &json!({ "credential_type": "session_token" })).expect(204);

    for role in ["s", "f", "t"] {
        let issued = root.get(&format!("aws/sts/{role}")).expect(200);
        assert_eq!(told(&issued), json!([3600, 3600, "none"]), "{role}");
    }
    let cut = root.get("aws/sts/s?ttl=5h").expect(200);
    assert_eq!(told(&cut), json!([18_000, 7200, "role_max_sts_ttl"]));
    assert_eq!((&cut.data()["ttl"], &cut.json["lease_duration"]), (&json!(7200), &json!(7200)));
    root.post("sys/mounts/aws/tune", &json!({ "max_lease_ttl": "1h" })).expect(204);
    let shorter = root.get("aws/sts/s?ttl=5h").expect(200);
    assert_eq!(told(&shorter), json!([18_000, 3600, "mount_max_lease_ttl"]));
    assert_eq!(
        (&shorter.data()["ttl"], &shorter.json["lease_duration"]),
        (&json!(7200), &json!(3600))
    );
}

#[test]
fn a_lease_ends_with_its_token_or_with_the_tokens_parent_and_the_reply_says_so() {
    let broker = TestBroker::new().with_role();
    let parent = child(&broker, crate::support::broker::ROOT, "10m");
    let token = child(&broker, &parent, "30m");
    let issued = broker.root().with_token(&token).get("aws/creds/r").expect(200);
    assert_eq!(told(&issued), json!([2_764_800, 600, "token"]));
    assert_eq!(issued.json["lease_duration"], 2_764_800, "as Vault gives it");

    broker.advance(Duration::from_secs(599));
    assert_eq!(broker.users().len(), 1);
    broker.advance(Duration::from_secs(1));
    assert!(broker.users().is_empty(), "it ended when the reply said");
}

#[test]
fn a_strict_role_refuses_what_would_be_cut_before_anything_is_made() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("aws/roles/r", &json!({ "ttl": "2h", "strict_ttl": true })).expect(204);
    assert_eq!(root.get("aws/roles/r").expect(200).data()["strict_ttl"], true);
    broker.issue().expect(200);
    root.post("aws/config/lease", &json!({ "lease": "1h", "lease_max": "90m" })).expect(204);
    broker.faults.clear_calls();

    let refused = broker.issue().expect(400).errors().join("|");
    assert_eq!(
        refused,
        "a TTL of 7200 seconds would be cut to 5400 by config_lease_max, and role `r` has strict_ttl\nhelp: lower the role's ttl or lease of config/lease, or raise its lease_max"
    );
    let token = child(&broker, crate::support::broker::ROOT, "10m");
    root.post("aws/roles/r", &json!({ "ttl": "1h" })).expect(204);
    let refused = root.with_token(&token).get("aws/creds/r").expect(400).errors().join("|");
    assert!(refused.contains("cut to 600 by token"), "{refused}");
    assert_eq!(broker.unfinished().len(), 1);
    assert!(broker.faults.actions().is_empty());

    root.post("aws/roles/r", &json!({ "strict_ttl": false })).expect(204);
    assert!(root.get("aws/roles/r").expect(200).data().get("strict_ttl").is_none());
    root.with_token(&token).get("aws/creds/r").expect(200);
}
