//! The walk-through of the AWS-roles guide, request by request: as curl sends it, and as the Vault CLI
//! does (PUT for writes, `X-Vault-Request`). Every step looks at the reply, at AWS and at the rows.

use std::time::Duration;

use leasehold::model::LeaseState;
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Client;
use crate::support::{S3_STAR, log};

#[derive(Clone, Copy)]
struct Style {
    write: &'static str,
    cli: bool,
}

const CURL: Style = Style { write: "POST", cli: false };
const CLI: Style = Style { write: "PUT", cli: true };

#[expect(clippy::too_many_lines, reason = "the guide, from its first step to its last")]
fn walk(style: Style) {
    let broker = TestBroker::new();
    let caller: Client = if style.cli {
        broker.root().with_header("X-Vault-Request", "true")
    } else {
        broker.root()
    };

    // vault secrets enable aws
    let enable = json!({
        "type": "aws", "description": "", "local": false, "seal_wrap": false, "external_entropy_access": false, "options": null,
        "config": { "options": null, "default_lease_ttl": "0s", "max_lease_ttl": "0s", "force_no_cache": false },
    });
    let reply = caller.post("sys/mounts/aws", &enable).expect(204);
    assert_eq!(reply.text, "");
    let mounts = caller.get("sys/mounts").expect(200);
    assert_eq!(mounts.json["aws/"]["type"], "aws", "old clients read the top level");
    assert!(mounts.data()["aws/"]["accessor"].as_str().unwrap().starts_with("aws_"));

    // vault write aws/config/root …
    let binding = json!({ "access_key": "AKIAWALKTHROUGH00000", "secret_key": "walk-secret", "region": "eu-central-1" });
    caller.send(style.write, "aws/config/root", &binding).expect(204);
    let read = caller.get("aws/config/root").expect(200);
    assert_eq!(read.text_of("access_key"), "AKIAWALKTHROUGH00000");
    assert!(read.data().get("secret_key").is_none(), "the secret is never given back");
    assert!(!read.text.contains("walk-secret"));

    // vault write aws/config/lease lease=30m lease_max=1h
    caller
        .send(style.write, "aws/config/lease", &json!({ "lease": "30m", "lease_max": "1h" }))
        .expect(204);
    assert_eq!(caller.get("aws/config/lease").expect(200).text_of("lease"), "30m0s");

    // vault write aws/roles/my-role …, as the guide has it, ttl and max_ttl included
    let role = json!({ "credential_type": "iam_user", "policy_document": spread(S3_STAR), "ttl": "30m", "max_ttl": "1h" });
    let written = caller.send(style.write, "aws/roles/my-role", &role).expect(200);
    assert_eq!(written.data(), &Value::Null);
    let warnings = written.warnings();
    assert!(
        warnings.iter().any(|line| line.contains("least-privilege/")),
        "the guardrail warns: {warnings:?}"
    );
    assert!(broker.users().is_empty(), "a role write creates nothing");
    let read = caller.get("aws/roles/my-role").expect(200);
    assert_eq!(read.text_of("policy_document"), S3_STAR, "compacted, nothing reordered");
    assert_eq!(
        (read.data()["ttl"].as_u64(), read.data()["max_ttl"].as_u64()),
        (Some(1800), Some(3600))
    );
    assert_eq!(caller.list("aws/roles").expect(200).data()["keys"], json!(["my-role"]));

    // vault read aws/creds/my-role
    let issued = caller.get("aws/creds/my-role").expect(200);
    let lease = issued.lease_id();
    assert!(
        lease.starts_with("aws/creds/my-role/") && lease.len() == "aws/creds/my-role/".len() + 24
    );
    assert_eq!(
        (&issued.json["lease_duration"], &issued.json["renewable"]),
        (&json!(1800), &json!(true))
    );
    assert_eq!(issued.data()["security_token"], Value::Null);
    assert!(issued.data().as_object().unwrap().contains_key("security_token"), "present, as null");
    let users = broker.aws.users();
    assert_eq!(users.len(), 1);
    let user = &users[0];
    assert!(user.name.starts_with("vault-root-my-role-"), "{}", user.name);
    assert_eq!(user.keys.len(), 1);
    assert_eq!(user.keys[0].access_key_id, issued.text_of("access_key"));
    assert_eq!(user.inline["my-role"], S3_STAR, "the bytes judged are the bytes sent");
    assert_eq!(user.tags["leasehold:lease"], lease.rsplit('/').next().unwrap());
    let row = broker.row(&lease).unwrap();
    assert!(matches!(row.state, LeaseState::Active { .. }), "{row:?}");
    assert_eq!(row.user.as_ref().unwrap().as_str(), user.name);

    // vault lease lookup · renew · revoke
    broker.clock.advance(Duration::from_secs(600));
    let looked = caller.put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(200);
    assert_eq!((&looked.data()["id"], &looked.data()["ttl"]), (&json!(lease), &json!(1200)));
    assert_eq!(looked.data()["last_renewal"], Value::Null);
    let renewed = caller
        .put("sys/leases/renew", &json!({ "lease_id": lease, "increment": 2400 }))
        .expect(200);
    assert_eq!(
        (&renewed.json["lease_duration"], &renewed.json["data"]),
        (&json!(2400), &Value::Null)
    );
    let capped = caller
        .put("sys/leases/renew", &json!({ "lease_id": lease, "increment": "5h" }))
        .expect(200);
    assert_eq!(capped.json["lease_duration"], 3000, "an hour from issue, ten minutes of it gone");
    assert_eq!(capped.warnings().len(), 1);
    if style.cli {
        let queued = caller
            .put(&format!("sys/leases/revoke/{lease}"), &json!({ "sync": false }))
            .expect(202);
        assert_eq!(queued.text, "");
        broker.run_due();
    } else {
        caller.put("sys/leases/revoke", &json!({ "lease_id": lease })).expect(204);
    }
    assert!(broker.users().is_empty(), "a revoked lease leaves no user");
    let gone = caller.put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(400);
    assert_eq!(gone.errors(), ["invalid lease"]);
    assert!(!log::with(&lease).is_empty(), "the log tells of it");

    // vault secrets disable aws, with a lease alive
    caller.get("aws/creds/my-role").expect(200);
    assert_eq!(broker.users().len(), 1);
    caller.delete("sys/mounts/aws").expect(204);
    assert!(broker.users().is_empty());
    assert!(caller.get("sys/mounts").expect(200).data().get("aws/").is_none());
    let after = caller.get("aws/creds/my-role").expect(404);
    assert_eq!(
        after.errors(),
        ["no handler for route \"aws/creds/my-role\". route entry not found."]
    );
    broker.settle();
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

/// The document as people write it: over many lines.
fn spread(document: &str) -> String {
    serde_json::to_string_pretty(
        &serde_json::from_str::<serde_json::Map<String, Value>>(document).unwrap(),
    )
    .map(|_| document.replace(',', ",\n  ").replace('{', "{\n  "))
    .unwrap()
}

#[test]
fn the_guide_works_by_curl() {
    walk(CURL);
}

#[test]
fn the_guide_works_by_the_vault_cli() {
    walk(CLI);
}

#[test]
fn a_lease_ends_by_itself() {
    let broker = TestBroker::new().with_role();
    broker
        .root()
        .post("aws/config/lease", &json!({ "lease": "30m", "lease_max": "1h" }))
        .expect(204);
    let lease = broker.issue().expect(200).lease_id();
    broker.advance(Duration::from_secs(1799));
    assert_eq!(broker.users().len(), 1, "not a second too early");
    broker.advance(Duration::from_secs(2));
    assert!(broker.users().is_empty());
    broker.lookup(&lease).expect(400);
    broker.settle();
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Revoked { .. }));
}
