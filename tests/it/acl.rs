//! ACL policies over HTTP: written, read, asked, and what they keep a token from doing in AWS.

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Client;

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";

fn policy(broker: &TestBroker, name: &str, text: &str) {
    broker.root().put(&format!("sys/policies/acl/{name}"), &json!({ "policy": text })).expect(204);
}

fn holder(broker: &TestBroker, policies: &[&str]) -> Client {
    let body = json!({ "policies": policies, "ttl": "1h" });
    let made = broker.root().post("auth/token/create", &body).expect(200);
    broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap())
}

#[test]
fn a_policy_lets_a_token_do_what_it_names_and_nothing_else() {
    let broker = TestBroker::new().with_role();
    policy(&broker, "ci", r#"path "aws/creds/r" { capabilities = ["read"] }"#);
    let ci = holder(&broker, &["ci"]);
    ci.get("aws/creds/r").expect(200);
    assert_eq!(broker.users().len(), 1);
    for refused in [
        ci.post("aws/creds/r", &json!({})),
        ci.get("aws/sts/r"),
        ci.get("aws/roles/r"),
        ci.get("aws/creds/other"),
        ci.get("sys/policies/acl/ci"),
    ] {
        assert_eq!(refused.expect(403).errors(), [DENIED]);
    }
    assert_eq!(broker.users().len(), 1, "what is denied reaches nobody");
}

#[test]
fn a_rewritten_policy_counts_for_the_next_request_of_a_token_that_is_out_already() {
    let broker = TestBroker::new().with_role();
    policy(&broker, "ci", r#"path "aws/roles/*" { capabilities = ["read"] }"#);
    let ci = holder(&broker, &["ci"]);
    ci.get("aws/roles/r").expect(200);
    policy(&broker, "ci", r#"path "aws/roles/r" { capabilities = ["deny"] }"#);
    ci.get("aws/roles/r").expect(403);
    broker.root().delete("sys/policies/acl/ci").expect(204);
    ci.get("aws/roles/r").expect(403);
    ci.get("auth/token/lookup-self").expect(200);
}

#[test]
fn policies_outlive_a_restart() {
    let mut broker = TestBroker::new().with_role();
    policy(&broker, "ci", r#"path "aws/roles/r" { capabilities = ["read"] }"#);
    let ci = holder(&broker, &["ci"]);
    broker.restart();
    let again = broker.root().with_token(ci.token());
    again.get("aws/roles/r").expect(200);
    again.get("aws/creds/r").expect(403);
}

#[test]
fn writing_listing_and_removing_policies_speaks_vaults_words() {
    let broker = TestBroker::new();
    let root = broker.root();
    let text = r#"path "a" { capabilities = ["read"] }"#;
    let mixed = root.put("sys/policies/acl/MixedCase", &json!({ "policy": text })).expect(200);
    assert_eq!(mixed.json["warnings"], json!(["policy name was converted to mixedcase"]));
    assert_eq!(root.get("sys/policies/acl/mixedcase").expect(200).data()["policy"], text);
    let keys = root.list("sys/policies/acl").expect(200).data()["keys"].clone();
    assert_eq!(keys, json!(["default", "mixedcase", "root"]));
    let old = root.get("sys/policy").expect(200);
    assert_eq!((&old.json["policies"], &old.json["keys"]), (&keys, &keys));
    let by_old = root.put("sys/policy/old", &json!({ "rules": text })).expect(200);
    assert_eq!(
        by_old.json["warnings"],
        json!(["'rules' is deprecated, please use 'policy' instead"])
    );
    assert_eq!(root.get("sys/policy/old").expect(200).data()["rules"], text);
    // As base64, which some clients send.
    let coded = json!({ "policy": "cGF0aCAiYSIgeyBjYXBhYmlsaXRpZXMgPSBbInJlYWQiXSB9" });
    root.put("sys/policies/acl/coded", &coded).expect(204);
    assert_eq!(root.get("sys/policies/acl/coded").expect(200).data()["policy"], text);

    for (path, body, told) in [
        (
            "bad",
            json!({ "policy": "path \"x\" { colour = 1 }" }),
            "failed to parse policy: 1 error occurred:\n\t* path \"x\": invalid key \"colour\" on line 1\n\n",
        ),
        (
            "bad",
            json!({ "policy": "path" }),
            "failed to parse policy: at line 1: a value is missing",
        ),
        ("bad", json!({}), "'policy' parameter not supplied or empty"),
        ("root", json!({ "policy": text }), "cannot update \"root\" policy"),
    ] {
        let reply = root.put(&format!("sys/policies/acl/{path}"), &body).expect(400);
        assert_eq!(reply.errors(), [told]);
    }
    root.get("sys/policies/acl/bad").expect(404);
    assert_eq!(
        root.delete("sys/policies/acl/root").expect(400).errors(),
        ["cannot delete \"root\" policy"]
    );
    assert_eq!(
        root.delete("sys/policies/acl/default").expect(400).errors(),
        ["cannot delete default policy"]
    );
    root.delete("sys/policies/acl/none").expect(204);
}

#[test]
fn capabilities_are_told_of_oneself_of_a_token_and_of_an_accessor() {
    let broker = TestBroker::new();
    policy(
        &broker,
        "ci",
        r#"path "aws/creds/*" { capabilities = ["read", "update"] } path "aws/creds/x" { capabilities = ["deny"] }"#,
    );
    let ci = holder(&broker, &["ci"]);
    let paths = json!({ "paths": ["aws/creds/a", "aws/creds/x", "aws/roles/a"] });
    let wanted = json!({
        "aws/creds/a": ["read", "update"], "aws/creds/x": ["deny"], "aws/roles/a": ["deny"],
    });
    let told = ci.post("sys/capabilities-self", &paths).expect(200);
    assert_eq!(told.json["data"], wanted);
    assert_eq!(told.json["aws/creds/a"], json!(["read", "update"]), "at the top level too");
    let accessor = ci.get("auth/token/lookup-self").expect(200).data()["accessor"].clone();
    let with = |key: &str, value: &Value| {
        let mut body = paths.clone();
        body[key] = value.clone();
        body
    };
    let root = broker.root();
    let of_token = root.post("sys/capabilities", &with("token", &json!(ci.token()))).expect(200);
    assert_eq!(of_token.json["data"], wanted);
    let of_accessor = root.post("sys/capabilities-accessor", &with("accessor", &accessor));
    assert_eq!(of_accessor.expect(200).json["data"], wanted);
    let one = root.post("sys/capabilities-self", &json!({ "path": "anything" })).expect(200);
    assert_eq!(one.json["data"], json!({ "anything": ["root"], "capabilities": ["root"] }));
    root.post("sys/capabilities", &with("token", &json!("nobody"))).expect(400);
    root.post("sys/capabilities-accessor", &with("accessor", &json!("nobody"))).expect(400);
    let acl = ci.get("sys/internal/ui/resultant-acl").expect(200);
    assert_eq!(acl.data()["exact_paths"]["aws/creds/x"], json!({ "capabilities": ["deny"] }));
    assert_eq!(
        acl.data()["glob_paths"]["aws/creds/"],
        json!({ "capabilities": ["read", "update"] })
    );
}

#[test]
fn what_touches_everybody_needs_sudo() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let rule = |more: &str| {
        format!(r#"path "sys/leases/revoke-prefix/*" {{ capabilities = ["update"{more}] }}"#)
    };
    policy(&broker, "ops", &rule(""));
    let ops = holder(&broker, &["ops"]);
    ops.put("sys/leases/revoke-prefix/aws", &json!({})).expect(403);
    assert_eq!(broker.users().len(), 1);
    policy(&broker, "ops", &rule(r#", "sudo""#));
    ops.put("sys/leases/revoke-prefix/aws", &json!({})).expect(204);
    assert!(broker.users().is_empty());
    broker.root().put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(400);
}

#[test]
fn every_way_to_the_leases_of_all_needs_sudo_with_a_slash_at_the_end_too() {
    let broker = TestBroker::new().with_role();
    broker.issue().expect(200);
    policy(&broker, "look", r#"path "sys/*" { capabilities = ["read", "list", "update"] }"#);
    let look = holder(&broker, &["look"]);
    for path in [
        "sys/leases/query",
        "sys/leases/jobs",
        "sys/leases/orphans",
        "sys/leases/accounts",
        "sys/leases/lookup",
        "sys/leases/lookup/aws",
        "auth/token/accessors",
    ] {
        look.list(path).expect(403);
        look.get(&format!("{path}/")).expect(403);
    }
    look.get("sys/leases/query").expect(403);
    look.post("sys/leases/query", &json!({})).expect(403);
}

#[test]
fn a_rule_about_a_policy_is_not_got_around_by_other_letters() {
    let broker = TestBroker::new();
    let text = r#"path "aws/creds/r" { capabilities = ["read"] }"#;
    policy(&broker, "admin", text);
    policy(
        &broker,
        "team",
        r#"path "sys/polic*" { capabilities = ["read", "update", "delete"] }
           path "sys/policies/acl/admin" { capabilities = ["deny"] }
           path "sys/policy/admin" { capabilities = ["deny"] }"#,
    );
    let team = holder(&broker, &["team"]);
    for path in ["sys/policies/acl/Admin", "sys/policy/ADMIN"] {
        team.put(path, &json!({ "policy": r#"path "*" { capabilities = ["sudo"] }"# })).expect(403);
        team.get(path).expect(403);
        team.delete(path).expect(403);
    }
    assert_eq!(broker.root().get("sys/policies/acl/admin").expect(200).data()["policy"], text);
    team.put("sys/policies/acl/Mine", &json!({ "policy": text })).expect(200);
}

#[test]
fn creating_config_root_and_changing_it_are_two_capabilities() {
    let broker = TestBroker::new();
    broker.root().post("sys/mounts/other", &json!({ "type": "aws" })).expect(204);
    policy(&broker, "setup", r#"path "other/config/root" { capabilities = ["create"] }"#);
    let setup = holder(&broker, &["setup"]);
    setup.post("other/config/root", &json!({ "region": "eu-west-1" })).expect(204);
    setup.post("other/config/root", &json!({ "region": "eu-west-2" })).expect(403);
}

#[test]
fn a_caller_sees_the_mounts_that_its_rules_reach() {
    let broker = TestBroker::new().with_role();
    broker.root().post("sys/mounts/other", &json!({ "type": "aws" })).expect(204);
    policy(
        &broker,
        "ci",
        r#"path "aws/creds/r" { capabilities = ["read"] } path "other/*" { capabilities = ["deny"] }"#,
    );
    let ci = holder(&broker, &["ci"]);
    let seen = ci.get("sys/internal/ui/mounts").expect(200);
    let secret: Vec<_> = seen.data()["secret"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(secret, ["aws/"]);
    ci.get("sys/internal/ui/mounts/aws").expect(200);
    ci.get("sys/internal/ui/mounts/other").expect(403);
    ci.get("sys/internal/ui/mounts/none").expect(403);
}

#[test]
fn tokens_are_reached_by_their_accessors() {
    let broker = TestBroker::new();
    let root = broker.root();
    let ci = holder(&broker, &["default"]);
    let accessor = ci.get("auth/token/lookup-self").expect(200).data()["accessor"].clone();
    let named = json!({ "accessor": accessor });
    let found = root.post("auth/token/lookup-accessor", &named).expect(200);
    assert_eq!((found.data()["id"].as_str(), &found.data()["accessor"]), (Some(""), &accessor));
    let listed = root.list("auth/token/accessors").expect(200).data()["keys"].clone();
    assert!(listed.as_array().unwrap().contains(&accessor));
    let renewed = root.post("auth/token/renew-accessor", &named).expect(200);
    assert_eq!(renewed.json["auth"]["client_token"], "");
    root.post("auth/token/revoke-accessor", &named).expect(204);
    ci.get("auth/token/lookup-self").expect(403);
    let again = root.post("auth/token/revoke-accessor", &named).expect(200);
    assert_eq!(again.json["warnings"], json!(["No token found with this accessor"]));
    let gone = root.post("auth/token/lookup-accessor", &named).expect(400);
    assert_eq!(gone.errors(), ["1 error occurred:\n\t* invalid accessor\n\n"]);
}

#[test]
fn revoke_orphan_ends_one_token_and_lets_its_children_live() {
    let broker = TestBroker::new().with_role();
    let parent = holder(&broker, &["root"]);
    parent.get("aws/creds/r").expect(200);
    let made =
        parent.post("auth/token/create", &json!({ "policies": ["root"], "ttl": "1h" })).expect(200);
    let child = broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap());
    broker.root().post("auth/token/revoke-orphan", &json!({ "token": parent.token() })).expect(204);
    parent.get("auth/token/lookup-self").expect(403);
    let own = child.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.data()["orphan"], true);
    broker.run_due();
    assert!(broker.users().is_empty(), "the leases of the one that ended end with it");
    let unknown = json!({ "token": "nobody" });
    broker.root().post("auth/token/revoke-orphan", &unknown).expect(400);
    let limited = holder(&broker, &["default"]);
    limited.post("auth/token/revoke-orphan", &unknown).expect(403);
}

#[test]
fn what_is_denied_by_a_name_is_denied_in_whatever_letters_the_name_comes() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/auth/people", &json!({ "type": "userpass" })).expect(204);
    for name in ["admin", "bob"] {
        root.post(&format!("auth/people/users/{name}"), &json!({ "password": "one" })).expect(204);
    }
    policy(
        &broker,
        "help-desk",
        r#"path "auth/people/users/*" { capabilities = ["update"] }
           path "auth/people/users/Admin/password" { capabilities = ["deny"] }
           path "auth/people/users/admin" { capabilities = ["read"] }"#,
    );
    let desk = holder(&broker, &["help-desk"]);
    let set = |user: &str| {
        desk.post(&format!("auth/people/users/{user}/password"), &json!({ "password": "two" }))
            .status
    };
    assert_eq!(["bob", "BOB", "admin", "ADMIN", "Admin"].map(set), [204, 204, 403, 403, 403]);
    let body = json!({ "token_policies": ["root"] });
    for user in ["admin", "ADMIN"] {
        desk.post(&format!("auth/people/users/{user}"), &body).expect(403);
    }
    desk.get("auth/people/users/ADMIN").expect(403); // As it is written it is under `users/*` alone.
    desk.get("auth/people/users/admin").expect(200);
    let paths = ["auth/people/users/ADMIN/password", "auth/people/users/BOB/password"];
    let told = desk.post("sys/capabilities-self", &json!({ "paths": paths })).expect(200);
    assert_eq!(told.data()[paths[0]], json!(["deny"]));
    assert_eq!(told.data()[paths[1]], json!(["update"]));
    let body = json!({ "password": "one" });
    root.anonymous().post("auth/people/login/admin", &body).expect(200);
}

#[test]
fn a_policy_that_names_a_role_in_capitals_grants_it_as_it_is_written() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    root.post("auth/approle/role/MyApp", &json!({})).expect(204);
    let text = r#"path "auth/approle/role/MyApp/role-id" { capabilities = ["read"] }"#;
    policy(&broker, "app", text);
    let app = holder(&broker, &["app"]);
    app.get("auth/approle/role/MyApp/role-id").expect(200);
    app.get("auth/approle/role/myapp/role-id").expect(403);
}
