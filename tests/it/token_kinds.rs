//! Token roles and batch tokens over HTTP: what each may be, and that what a batch token holds ends with it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::canary::{bytes, holds};
use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};

const INVALID: &str = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";

fn broker() -> TestBroker {
    let broker = TestBroker::new().with_role();
    let policy = r#"path "aws/creds/r" { capabilities = ["read"] }
        path "auth/token/create" { capabilities = ["update"] }"#;
    broker.root().put("sys/policies/acl/ci", &json!({ "policy": policy })).expect(204);
    broker
}

fn batch(by: &Client, body: &Value) -> Reply {
    let mut whole = json!({ "policies": ["ci"], "type": "batch", "ttl": "10m" });
    for (name, value) in body.as_object().unwrap() {
        whole[name] = value.clone();
    }
    by.post("auth/token/create", &whole)
}

fn token_of(reply: &Reply) -> String {
    reply.json["auth"]["client_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_batch_token_works_is_shown_and_cannot_be_changed_or_listed() {
    let broker = broker();
    let root = broker.root();
    let listed = root.list("auth/token/accessors").expect(200).data()["keys"].clone();
    let made = batch(&root, &json!({ "meta": { "job": "7" }, "display_name": "ci" })).expect(200);
    let auth = &made.json["auth"];
    assert_eq!(
        (&auth["accessor"], &auth["token_type"], &auth["renewable"], &auth["orphan"]),
        (&json!(""), &json!("batch"), &json!(false), &json!(false))
    );
    assert_eq!(auth["lease_duration"], 600);
    let text = token_of(&made);
    assert!(text.starts_with("hvb.") && !text.contains("default"), "{text}");
    let caller = root.with_token(&text);
    let own = caller.get("auth/token/lookup-self").expect(200);
    for (name, value) in [
        ("type", json!("batch")),
        ("accessor", json!("")),
        ("id", json!(text)),
        ("policies", json!(["ci", "default"])),
        ("meta", json!({ "job": "7" })),
        ("display_name", json!("token-ci")),
        ("renewable", json!(false)),
        ("num_uses", json!(0)),
        ("ttl", json!(600)),
        ("path", json!("auth/token/create")),
    ] {
        assert_eq!(own.data()[name], value, "{name}");
    }
    let named = json!({ "token": text });
    root.post("auth/token/lookup", &named).expect(200);
    for (reply, told) in [
        (root.post("auth/token/renew", &named), "batch tokens cannot be renewed"),
        (root.post("auth/token/revoke", &named), "batch tokens cannot be revoked"),
        (caller.post("auth/token/renew-self", &json!({})), "batch tokens cannot be renewed"),
        (caller.post("auth/token/revoke-self", &json!({})), "batch tokens cannot be revoked"),
        (caller.post("auth/token/create", &json!({})), "batch tokens cannot create more tokens"),
        (batch(&root, &json!({ "num_uses": 1 })), "batch tokens cannot have \"num_uses\" set"),
        (batch(&root, &json!({ "period": "1h" })), "batch tokens cannot have \"period\" set"),
        (
            batch(&root, &json!({ "explicit_max_ttl": "1h" })),
            "batch tokens cannot have \"explicit_max_ttl\" set",
        ),
        (batch(&root, &json!({ "policies": [] })), "batch tokens cannot be root tokens"),
        (batch(&root, &json!({ "type": "other" })), "invalid 'token_type' value"),
    ] {
        assert_eq!(reply.expect(400).errors(), [told]);
    }
    assert_eq!(root.list("auth/token/accessors").expect(200).data()["keys"], listed);
    assert!(!holds(&bytes(broker.data_dir()), &text), "nothing of it is stored");
}

#[test]
fn a_batch_token_ends_with_its_time_its_parent_and_a_changed_byte() {
    let mut broker = broker();
    let root = broker.root();
    let parent = root.post("auth/token/create", &json!({ "policies": ["ci"], "ttl": "1h" }));
    let parent = root.with_token(&token_of(&parent.expect(200)));
    let child = token_of(&batch(&parent, &json!({})).expect(200));
    let orphan = root.post(
        "auth/token/create-orphan",
        &json!({ "policies": ["ci"], "type": "batch", "ttl": "20m" }),
    );
    let orphan = token_of(&orphan.expect(200));
    broker.restart();
    let root = broker.root();
    let look = |token: &str| root.with_token(token).get("auth/token/lookup-self");
    look(&child).expect(200);
    look(&orphan).expect(200);

    let mut changed = child.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    assert_eq!(look(&changed).expect(403).errors(), [INVALID]);
    assert_eq!(look("hvb.").expect(403).errors(), [INVALID]);
    let bad = root.post("auth/token/lookup", &json!({ "token": changed })).expect(403);
    assert_eq!(bad.errors(), ["bad token"]);

    root.with_token(parent.token()).post("auth/token/revoke-self", &json!({})).expect(204);
    assert_eq!(look(&child).expect(403).errors(), [INVALID]);
    look(&orphan).expect(200);
    broker.advance(Duration::from_secs(1200));
    assert_eq!(look(&orphan).expect(403).errors(), [INVALID]);
}

#[test]
fn a_batch_tokens_leases_end_with_it_and_with_its_parent_and_renewing_changes_nothing() {
    let broker = broker();
    let root = broker.root();
    let parent = root.post("auth/token/create", &json!({ "policies": ["ci"], "ttl": "2h" }));
    let parent = root.with_token(&token_of(&parent.expect(200)));
    let child = root.with_token(&token_of(&batch(&parent, &json!({})).expect(200)));
    let issued = child.get("aws/creds/r").expect(200);
    let lease = issued.lease_id();
    assert_eq!(
        (&issued.json["lease_duration"], &issued.json["renewable"]),
        (&json!(600), &json!(true))
    );
    assert_eq!(issued.data()["limited_by"], "token");
    broker.advance(Duration::from_secs(300));
    let renewed =
        root.post("sys/leases/renew", &json!({ "lease_id": lease, "increment": "2h" })).expect(200);
    assert_eq!(renewed.json["lease_duration"], 300, "no renewal outlives the token");
    broker.advance(Duration::from_secs(301));
    assert!(broker.users().is_empty(), "{:?}", broker.users());

    let child = root.with_token(&token_of(&batch(&parent, &json!({})).expect(200)));
    child.get("aws/creds/r").expect(200);
    assert_eq!(broker.users().len(), 1);
    parent.post("auth/token/revoke-self", &json!({})).expect(204);
    broker.run_due();
    assert!(broker.users().is_empty(), "the parent's end takes it along");

    let orphan = root.post(
        "auth/token/create-orphan",
        &json!({ "policies": ["ci"], "type": "batch", "ttl": "10m" }),
    );
    let orphan = root.with_token(&token_of(&orphan.expect(200)));
    orphan.get("aws/creds/r").expect(200);
    broker.advance(Duration::from_secs(601));
    assert!(broker.users().is_empty(), "an orphan's lease ends by itself");
}

#[test]
fn logins_make_batch_tokens_where_their_role_or_mount_says_so() {
    let broker = broker();
    let root = broker.root();
    root.post("sys/auth/people", &json!({ "type": "userpass" })).expect(204);
    let user = |body: Value| root.post("auth/people/users/bob", &body);
    user(json!({ "password": "one", "token_policies": ["ci"], "token_type": "batch", "token_ttl": "5m" }))
        .expect(204);
    let log_in = || {
        root.anonymous().post("auth/people/login/bob", &json!({ "password": "one" })).expect(200)
    };
    let reply = log_in();
    let token = token_of(&reply);
    assert!(token.starts_with("hvb."), "{token}");
    assert_eq!(reply.json["auth"]["lease_duration"], 300);
    let own = root.with_token(&token).get("auth/token/lookup-self").expect(200);
    assert_eq!(own.text_of("path"), "auth/people/login/bob");
    assert!(!own.text_of("entity_id").is_empty());
    let told = user(json!({ "token_num_uses": 3 })).expect(400).errors();
    assert_eq!(
        told,
        [
            "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count"
        ]
    );
    user(json!({ "token_type": "default" })).expect(204);
    assert!(token_of(&log_in()).starts_with("hvs."));
    root.post("sys/auth/people/tune", &json!({ "token_type": "default-batch" })).expect(204);
    let second = token_of(&log_in());
    assert!(second.starts_with("hvb."), "{second}");
    root.delete("sys/auth/people").expect(204);
    let gone = root.with_token(&second).get("auth/token/lookup-self").expect(403);
    assert_eq!(gone.errors(), [INVALID], "its mount is gone");
}

#[test]
fn a_token_role_is_written_read_and_removed() {
    let broker = broker();
    let root = broker.root();
    root.list("auth/token/roles").expect(404);
    root.get("auth/token/roles/r").expect(404);
    let body = json!({
        "allowed_policies": "ci,Other", "token_period": "1h", "period": "2h",
        "explicit_max_ttl": "3h", "path_suffix": "v-1", "token_bound_cidrs": "127.0.0.1",
    });
    let written = root.post("auth/token/roles/r", &body).expect(200);
    assert_eq!(
        written.warnings(),
        [
            "Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value"
        ]
    );
    let read = root.get("auth/token/roles/r").expect(200);
    for (name, value) in [
        ("name", json!("r")),
        ("allowed_policies", json!(["ci", "other"])),
        ("token_period", json!(3600)),
        ("period", json!(0)),
        ("explicit_max_ttl", json!(10800)),
        ("token_explicit_max_ttl", json!(10800)),
        ("orphan", json!(false)),
        ("renewable", json!(true)),
        ("token_type", json!("default-service")),
        ("token_bound_cidrs", json!(["127.0.0.1"])),
        ("allowed_entity_aliases", Value::Null),
    ] {
        assert_eq!(read.data()[name], value, "{name}");
    }
    assert_eq!(root.list("auth/token/roles").expect(200).data()["keys"], json!(["r"]));
    let told = root.post("auth/token/roles/r", &json!({ "token_type": "x" })).expect(400).errors();
    assert_eq!(told, ["invalid 'token_type' value \"x\""]);
    root.delete("auth/token/roles/r").expect(204);
    root.delete("auth/token/roles/r").expect(204);
    root.get("auth/token/roles/r").expect(404);
}

#[test]
fn who_may_use_a_role_gets_what_it_allows_and_nothing_else() {
    let broker = broker();
    let root = broker.root();
    let may = r#"path "auth/token/create/deploy" { capabilities = ["update"] }"#;
    root.put("sys/policies/acl/may", &json!({ "policy": may })).expect(204);
    let role = json!({
        "allowed_policies": ["ci"], "disallowed_policies": ["default"], "orphan": true,
        "path_suffix": "v-1", "token_period": 600, "token_explicit_max_ttl": 1200,
    });
    root.post("auth/token/roles/deploy", &role).expect(204);
    let user = root.post("auth/token/create", &json!({ "policies": ["may"], "ttl": "1h" }));
    let user = root.with_token(&token_of(&user.expect(200)));
    let made = user.post("auth/token/create/deploy", &json!({})).expect(200);
    let auth = &made.json["auth"];
    assert_eq!((&auth["policies"], &auth["orphan"]), (&json!(["ci"]), &json!(true)));
    assert_eq!(auth["lease_duration"], 600);
    let holder = root.with_token(&token_of(&made));
    holder.get("aws/creds/r").expect(200);
    let accessor = json!({ "accessor": auth["accessor"] });
    let own = root.post("auth/token/lookup-accessor", &accessor).expect(200);
    assert_eq!(
        (own.text_of("role"), own.text_of("path")),
        ("deploy".to_owned(), "auth/token/create/deploy/v-1".to_owned())
    );
    let refused =
        user.post("auth/token/create/deploy", &json!({ "policies": ["may"] })).expect(400);
    assert_eq!(
        refused.errors(),
        [
            "token policies ([\"may\"]) must be subset of the role's allowed policies ([\"ci\"]) or glob policies ([])"
        ]
    );
    user.post("auth/token/create/other", &json!({})).expect(403);
    let unknown = root.post("auth/token/create/other", &json!({})).expect(400);
    assert_eq!(unknown.errors(), ["unknown role other"]);

    broker.advance(Duration::from_secs(500));
    let renew = || root.post("auth/token/renew-accessor", &accessor);
    assert_eq!(renew().expect(200).json["auth"]["lease_duration"], 600);
    root.post("auth/token/roles/deploy", &json!({ "token_period": 60 })).expect(204);
    assert_eq!(renew().expect(200).json["auth"]["lease_duration"], 60, "as the role says now");
    root.delete("auth/token/roles/deploy").expect(204);
    assert_eq!(
        renew().expect(400).errors(),
        ["original token role \"deploy\" could not be found, not renewing"]
    );
}

#[test]
fn a_tokens_place_is_the_roles_and_a_foreign_one_opens_nothing() {
    let broker = broker();
    let root = broker.root();
    let bound = |cidr: &str| json!({ "token_bound_cidrs": cidr, "allowed_policies": "ci" });
    root.post("auth/token/roles/here", &bound("127.0.0.0/8")).expect(204);
    root.post("auth/token/roles/there", &bound("192.0.2.0/24")).expect(204);
    for (role, kind, status) in [
        ("here", "service", 200),
        ("there", "service", 403),
        ("here", "batch", 200),
        ("there", "batch", 403),
    ] {
        let made = root.post(&format!("auth/token/create/{role}"), &json!({ "type": kind }));
        let token = token_of(&made.expect(200));
        root.with_token(&token).get("auth/token/lookup-self").expect(status);
    }
}
