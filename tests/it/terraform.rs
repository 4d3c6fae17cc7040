//! The requests of Terraform's Vault provider and of the Vault CLI, in their order and with their bodies
//! (contract 2.8), as tables: what is sent, which status must come, which fields are read of the answer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};

/// One request: method, path, body, the status that must come, and what must be in the answer, by JSON
/// pointer.
type Row<'a> = (&'a str, &'a str, Value, u16, Vec<(&'a str, Value)>);

/// Sends the rows one after the other; gives the last answer.
fn replay(client: &Client, rows: Vec<Row<'_>>) -> Reply {
    let mut last = None;
    for (method, path, body, status, fields) in rows {
        let sent = if body.is_null() {
            client.raw(method, path, b"")
        } else {
            client.send(method, path, &body)
        };
        assert_eq!(sent.status, status, "{method} {path} {body}: {}", sent.text);
        for (pointer, wanted) in fields {
            let found = sent.json.pointer(pointer);
            assert_eq!(found, Some(&wanted), "{method} {path} at {pointer}: {}", sent.text);
        }
        last = Some(sent);
    }
    last.unwrap()
}

const NO_BODY: Value = Value::Null;

/// As Go's client sends an engine to be mounted.
fn mount_input(default_lease_ttl: &str, max_lease_ttl: &str) -> Value {
    json!({
        "type": "aws", "description": "by terraform", "local": false, "seal_wrap": false,
        "external_entropy_access": false, "options": null,
        "config": {
            "options": null, "default_lease_ttl": default_lease_ttl,
            "max_lease_ttl": max_lease_ttl, "force_no_cache": false,
        },
    })
}

/// Configures the provider: a child token of twenty minutes, and a version that it can read.
fn provider(broker: &TestBroker) -> Client {
    let parent = broker.root().with_header("X-Vault-Request", "true");
    let child = json!({
        "display_name": "terraform", "ttl": "1200s", "explicit_max_ttl": "1200s", "renewable": false,
    });
    let made = replay(
        &parent,
        vec![
            ("GET", "auth/token/lookup-self", NO_BODY, 200, vec![("/data/ttl", json!(0))]),
            (
                "POST",
                "auth/token/create",
                child,
                200,
                vec![
                    ("/auth/lease_duration", json!(1200)),
                    ("/auth/renewable", json!(false)),
                    ("/auth/policies", json!(["root"])),
                ],
            ),
        ],
    );
    let client = parent.with_token(made.json["auth"]["client_token"].as_str().unwrap());
    let status = client.get("sys/seal-status").expect(200);
    assert_eq!(status.json["sealed"], false);
    let version = status.json["version"].as_str().unwrap();
    // Strict semver, and no `+ent` in it, which would turn on what only Enterprise has.
    let (core, _own) = version.split_once('+').unwrap();
    assert_eq!(core.split('.').filter(|part| part.parse::<u64>().is_ok()).count(), 3, "{version}");
    assert!(!version.contains("ent"), "{version}");
    client
}

/// Creating the backend and reading it back: `vault_aws_secret_backend`.
fn apply_backend(client: &Client) {
    let root = json!({ "access_key": "AKIATERRAFORM0000000", "secret_key": "tf-secret", "region": "eu-central-1" });
    let read = vec![
        ("/data/access_key", json!("AKIATERRAFORM0000000")),
        ("/data/region", json!("eu-central-1")),
        ("/data/iam_endpoint", json!("")),
        ("/data/sts_endpoint", json!("")),
        ("/data/sts_region", json!("")),
        ("/data/sts_fallback_endpoints", json!([])),
        ("/data/sts_fallback_regions", json!([])),
    ];
    let mount = vec![
        ("/data/type", json!("aws")),
        ("/data/description", json!("by terraform")),
        ("/data/local", json!(false)),
        ("/data/config/default_lease_ttl", json!(0)),
        ("/data/config/max_lease_ttl", json!(0)),
    ];
    replay(
        client,
        vec![
            ("POST", "sys/mounts/tf/aws", mount_input("0s", "0s"), 204, vec![]),
            ("PUT", "tf/aws/config/root", root, 204, vec![]),
            ("GET", "sys/mounts/tf/aws", NO_BODY, 200, mount),
            ("GET", "tf/aws/config/root", NO_BODY, 200, read),
        ],
    );
    let read = client.get("tf/aws/config/root").expect(200);
    assert!(!read.data()["username_template"].as_str().unwrap().is_empty());
    assert!(read.data().get("secret_key").is_none());
}

/// A role of each type, written by PUT and read back: `vault_aws_secret_backend_role`. Times go as
/// decimal texts.
fn apply_roles(client: &Client, role_arn: &str) {
    let user = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    let assumed = json!({
        "credential_type": "assumed_role", "role_arns": [role_arn],
        "default_sts_ttl": "1800", "max_sts_ttl": "3600",
    });
    let federated = json!({
        "credential_type": "federation_token", "policy_document": NARROW, "default_sts_ttl": "3600",
    });
    replay(
        client,
        vec![
            ("GET", "tf/aws/roles/user", NO_BODY, 404, vec![("/errors", json!([]))]),
            ("PUT", "tf/aws/roles/user", user, 204, vec![]),
            (
                "GET",
                "tf/aws/roles/user",
                NO_BODY,
                200,
                vec![
                    ("/data/credential_type", json!("iam_user")),
                    ("/data/policy_document", json!(NARROW)),
                    ("/data/permissions_boundary_arn", json!("")),
                    ("/data/user_path", json!("")),
                ],
            ),
            ("PUT", "tf/aws/roles/assumed", assumed, 204, vec![]),
            (
                "GET",
                "tf/aws/roles/assumed",
                NO_BODY,
                200,
                vec![
                    ("/data/role_arns", json!([role_arn])),
                    ("/data/default_sts_ttl", json!(1800)),
                    ("/data/max_sts_ttl", json!(3600)),
                ],
            ),
            ("PUT", "tf/aws/roles/federated", federated, 204, vec![]),
            ("GET", "tf/aws/roles/federated", NO_BODY, 200, vec![]),
        ],
    );
}

#[test]
fn terraform_applies_reads_changes_and_destroys() {
    let broker = TestBroker::new();
    let role_arn = broker.aws.create_role("deploy", 43_200).unwrap();
    let client = provider(&broker);
    apply_backend(&client);
    apply_roles(&client, &role_arn);
    assert!(broker.users().is_empty(), "configuring creates nothing");

    // Data sources. An empty `role_arn` is always sent.
    let user = client.get("tf/aws/creds/user?role_arn=").expect(200);
    assert_eq!(user.data()["security_token"], Value::Null);
    assert_eq!(user.json["renewable"], true);
    assert_eq!(user.text_of("secret_key").len(), 40);
    assert_eq!(broker.users().len(), 1);
    let session = client.get("tf/aws/sts/assumed?role_arn=&ttl=20m").expect(200);
    assert!(session.text_of("access_key").starts_with("ASIA"));
    assert!(!session.text_of("security_token").is_empty());
    assert_eq!(session.json["lease_duration"], 1200);
    let chosen = format!("tf/aws/sts/assumed?role_arn={role_arn}");
    assert_eq!(client.get(&chosen).expect(200).json["lease_duration"], 1800);
    // The ephemeral resource: PUT, with a region that the engine does not know.
    let ephemeral = json!({ "role_arn": "", "region": "eu-central-1" });
    let issued = client.put("tf/aws/sts/federated", &ephemeral).expect(200);
    assert_eq!(issued.warnings(), ["Endpoint ignored these unrecognized parameters: [region]"]);

    // A change of the backend, then everything goes.
    let tune = json!({
        "description": "changed", "options": null, "default_lease_ttl": "3600s",
        "max_lease_ttl": "7200s", "force_no_cache": false,
    });
    let lease = json!({ "lease_id": user.lease_id() });
    replay(
        &client,
        vec![
            ("POST", "sys/mounts/tf/aws/tune", tune, 204, vec![]),
            (
                "GET",
                "sys/mounts/tf/aws",
                NO_BODY,
                200,
                vec![
                    ("/data/description", json!("changed")),
                    ("/data/config/default_lease_ttl", json!(3600)),
                    ("/data/config/max_lease_ttl", json!(7200)),
                ],
            ),
            (
                "GET",
                "sys/mounts/tf/aws/tune",
                NO_BODY,
                200,
                vec![("/data/default_lease_ttl", json!(3600))],
            ),
            ("GET", "sys/mounts", NO_BODY, 200, vec![("/data/tf~1aws~1/type", json!("aws"))]),
            ("PUT", "sys/leases/revoke", lease, 204, vec![]),
            ("DELETE", "tf/aws/roles/user", NO_BODY, 204, vec![]),
            ("GET", "tf/aws/roles/user", NO_BODY, 404, vec![("/errors", json!([]))]),
            ("DELETE", "sys/mounts/tf/aws", NO_BODY, 204, vec![]),
        ],
    );
    let gone = client.get("sys/mounts/tf/aws").expect(400);
    // By this text the provider knows that the mount is not there.
    assert!(gone.errors()[0].contains("No secret engine mount at tf/aws/"), "{}", gone.text);
    assert!(broker.users().is_empty());
}

/// A role of type `session_token`, with `vault_aws_access_credentials` of type `sts` and the ephemeral resource.
#[test]
fn terraform_keeps_a_role_of_session_tokens_and_reads_them() {
    let broker = TestBroker::new();
    let client = provider(&broker);
    apply_backend(&client);
    let path = "tf/aws/roles/session";
    let role = |default: &str, max: &str| json!({ "credential_type": "session_token", "default_sts_ttl": default, "max_sts_ttl": max });
    let read = |default: u64, max: u64| {
        vec![
            ("/data/credential_type", json!("session_token")),
            ("/data/default_sts_ttl", json!(default)),
            ("/data/max_sts_ttl", json!(max)),
            ("/data/policy_document", json!("")),
            ("/data/user_path", json!("")),
            ("/data/permissions_boundary_arn", json!("")),
            ("/data/mfa_serial_number", json!("")),
        ]
    };
    replay(
        &client,
        vec![
            ("GET", path, NO_BODY, 404, vec![("/errors", json!([]))]),
            ("PUT", path, role("3600", "7200"), 204, vec![]),
            ("GET", path, NO_BODY, 200, read(3600, 7200)),
        ],
    );
    let session = client.get("tf/aws/sts/session?role_arn=").expect(200);
    assert!(session.text_of("access_key").starts_with("ASIA"), "{}", session.text);
    assert_eq!(session.text_of("security_token"), session.text_of("session_token"));
    let lasts = [&session.json["lease_duration"], &session.json["renewable"]];
    assert_eq!(lasts, [&json!(3600), &json!(false)]);
    let shorter = client.get("tf/aws/sts/session?role_arn=&ttl=15m").expect(200);
    assert_eq!(shorter.json["lease_duration"], 900);
    let ephemeral = client.put("tf/aws/sts/session", &json!({ "role_arn": "" })).expect(200);
    assert!(ephemeral.text_of("access_key").starts_with("ASIA"));
    assert!(broker.users().is_empty(), "no user is made");

    let leases = [session.lease_id(), shorter.lease_id(), ephemeral.lease_id()];
    let gone = vec![("/errors", json!([]))];
    replay(
        &client,
        vec![
            ("PUT", path, role("1800", "3600"), 204, vec![]),
            ("GET", path, NO_BODY, 200, read(1800, 3600)),
            ("PUT", "sys/leases/revoke", json!({ "lease_id": leases[0] }), 204, vec![]),
            ("DELETE", path, NO_BODY, 204, vec![]),
            ("GET", path, NO_BODY, 404, gone),
            ("DELETE", "sys/mounts/tf/aws", NO_BODY, 204, vec![]),
        ],
    );
    for lease in &leases {
        broker.lookup(lease).expect(400);
    }
}

/// `vault_aws_secret_backend_static_role` and its data source; the provider repeats the name in the body.
#[test]
fn terraform_keeps_a_static_role() {
    let broker = TestBroker::new();
    broker.aws.create_user("jane", "/", &[]).unwrap();
    let client = provider(&broker);
    apply_backend(&client);
    let role =
        |period: &str| json!({ "name": "keys", "username": "jane", "rotation_period": period });
    let read = |period: u64| {
        vec![
            ("/data/name", json!("keys")),
            ("/data/username", json!("jane")),
            ("/data/rotation_period", json!(period)),
        ]
    };
    let path = "tf/aws/static-roles/keys";
    let gone = vec![("/errors", json!([]))];
    replay(
        &client,
        vec![("PUT", path, role("3600"), 200, read(3600)), ("GET", path, NO_BODY, 200, read(3600))],
    );
    let first = client.get("tf/aws/static-creds/keys").expect(200);
    assert_eq!(first.text_of("secret_key").len(), 40);
    replay(
        &client,
        vec![("PUT", path, role("7200"), 200, read(7200)), ("GET", path, NO_BODY, 200, read(7200))],
    );
    let second = client.get("tf/aws/static-creds/keys").expect(200);
    assert_eq!(
        second.text_of("access_key"),
        first.text_of("access_key"),
        "a change rotates nothing"
    );
    replay(
        &client,
        vec![("DELETE", path, NO_BODY, 204, vec![]), ("GET", path, NO_BODY, 404, gone)],
    );
    assert!(broker.aws.user("jane").unwrap().keys.is_empty());
}

/// A changed `path` of the backend: moved, polled until it is done, then read at the new place.
#[test]
fn terraform_moves_a_backend_and_its_leases_stay() {
    let broker = TestBroker::new();
    let client = provider(&broker);
    apply_backend(&client);
    apply_roles(&client, "arn:aws:iam::123456789012:role/any");
    let lease = client.get("tf/aws/creds/user?role_arn=").expect(200).lease_id();
    let moving =
        client.post("sys/remount", &json!({ "from": "tf/aws", "to": "moved/aws" })).expect(200);
    let status = format!("sys/remount/status/{}", moving.text_of("migration_id"));
    loop {
        let polled = client.get(&status).expect(200);
        match polled.data()["migration_info"]["status"].as_str().unwrap() {
            "in-progress" => std::thread::yield_now(),
            ended => break assert_eq!(ended, "success", "{}", polled.text),
        }
    }
    let role = vec![("/data/credential_type", json!("iam_user"))];
    let revoke = json!({ "lease_id": lease });
    replay(
        &client,
        vec![
            ("GET", "sys/mounts/moved/aws", NO_BODY, 200, vec![("/data/type", json!("aws"))]),
            ("GET", "sys/mounts/tf/aws", NO_BODY, 400, vec![]),
            ("GET", "moved/aws/config/root", NO_BODY, 200, vec![]),
            ("GET", "moved/aws/roles/user", NO_BODY, 200, role),
        ],
    );
    assert_eq!(broker.users().len(), 1, "a move revokes nothing");
    replay(&client, vec![("PUT", "sys/leases/revoke", revoke, 204, vec![])]);
    assert!(broker.users().is_empty());
}

#[test]
fn what_terraform_issued_ends_with_its_token_of_twenty_minutes() {
    let broker = TestBroker::new();
    let client = provider(&broker);
    apply_backend(&client);
    apply_roles(&client, "arn:aws:iam::123456789012:role/any");
    let issued = client.get("tf/aws/creds/user?role_arn=").expect(200);
    broker.advance(Duration::from_secs(1_199));
    assert_eq!(broker.users().len(), 1);
    broker.advance(Duration::from_secs(2));
    assert!(broker.users().is_empty(), "the user ends with the token");
    broker.lookup(&issued.lease_id()).expect(400);
    client.get("auth/token/lookup-self").expect(403);
}

#[test]
fn the_vault_cli_sends_this() {
    let broker = TestBroker::new();
    let cli = broker.root().with_header("X-Vault-Request", "true");
    let role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    let enabled = vec![("/data/aws~1/type", json!("aws"))];
    let ui = vec![("/data/path", json!("aws/")), ("/data/type", json!("aws"))];
    let paths = json!({ "paths": ["aws/creds/r"] });
    let root = vec![("/data/aws~1creds~1r", json!(["root"])), ("/capabilities", json!(["root"]))];
    let config = json!({ "access_key": "AKIACLI0000000000000", "secret_key": "cli-secret" });
    replay(
        &cli,
        vec![
            // vault status · login · token lookup
            ("GET", "sys/seal-status", NO_BODY, 200, vec![("/sealed", json!(false))]),
            ("GET", "sys/leader", NO_BODY, 200, vec![("/ha_enabled", json!(false))]),
            ("GET", "auth/token/lookup-self", NO_BODY, 200, vec![]),
            // vault secrets enable · list · tune
            ("POST", "sys/mounts/aws", mount_input("0s", "0s"), 204, vec![]),
            ("GET", "sys/mounts", NO_BODY, 200, enabled),
            ("POST", "sys/mounts/aws/tune", json!({ "max_lease_ttl": "24h" }), 204, vec![]),
            // The look before kv commands, and of the UI
            ("GET", "sys/internal/ui/mounts/aws/creds/r", NO_BODY, 200, ui),
            ("GET", "sys/internal/ui/mounts/nothing", NO_BODY, 403, vec![]),
            // vault write · read · list · delete
            ("PUT", "aws/config/root", config, 204, vec![]),
            ("PUT", "aws/roles/r", role, 204, vec![]),
            ("GET", "aws/roles?list=true", NO_BODY, 200, vec![("/data/keys", json!(["r"]))]),
            ("GET", "aws/roles/r", NO_BODY, 200, vec![("/data/policy_document", json!(NARROW))]),
            // vault token capabilities · path-help
            ("POST", "sys/capabilities-self", paths, 200, root),
            ("GET", "aws/creds/r?help=1", NO_BODY, 200, vec![("/see_also", json!([]))]),
        ],
    );
    let lease = cli.get("aws/creds/r").expect(200).lease_id();
    let by_id = format!("sys/leases/revoke/{lease}");
    let id = json!({ "lease_id": lease });
    let found = vec![("/data/id", json!(lease))];
    let renewed = vec![("/lease_id", json!(lease)), ("/lease_duration", json!(600))];
    replay(
        &cli,
        vec![
            // vault lease lookup · renew · revoke, which returns at once
            ("PUT", "sys/leases/lookup", id, 200, found),
            (
                "PUT",
                "sys/leases/renew",
                json!({ "increment": 600, "lease_id": lease }),
                200,
                renewed,
            ),
            ("GET", "sys/leases/lookup/aws/creds/r?list=true", NO_BODY, 200, vec![]),
            ("PUT", &by_id, json!({ "sync": false }), 202, vec![]),
        ],
    );
    broker.run_due();
    assert!(broker.users().is_empty(), "revoked in the background");
    cli.get("aws/creds/r").expect(200);
    replay(
        &cli,
        vec![
            ("PUT", "sys/leases/revoke-prefix/aws/creds", json!({ "sync": true }), 204, vec![]),
            ("DELETE", "aws/roles/r", NO_BODY, 204, vec![]),
            ("DELETE", "sys/mounts/aws", NO_BODY, 204, vec![]),
        ],
    );
    assert!(broker.users().is_empty());
}
