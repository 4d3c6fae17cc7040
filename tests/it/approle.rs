//! AppRole over HTTP: machines log in, may do what their policies say, and what they hold ends with them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";
const WRONG: &str = "invalid role or secret ID";

/// A broker with an engine, a policy `ci` for its credentials, AppRole, and a role of these fields.
fn broker(role: &Value) -> TestBroker {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let policy = r#"path "aws/creds/r" { capabilities = ["read"] }"#;
    root.put("sys/policies/acl/ci", &json!({ "policy": policy })).expect(204);
    root.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    root.post("auth/approle/role/Deploy", role).expect(204);
    broker
}

fn role_id(root: &Client) -> String {
    root.get("auth/approle/role/deploy/role-id").expect(200).text_of("role_id")
}

fn secret_id(root: &Client, body: &Value) -> Reply {
    root.post("auth/approle/role/deploy/secret-id", body)
}

fn log_in(root: &Client, role_id: &str, secret_id: &str) -> Reply {
    let body = json!({ "role_id": role_id, "secret_id": secret_id });
    root.anonymous().post("auth/approle/login", &body)
}

/// Logs in with a fresh secret id; the token's caller and the reply.
fn entered(root: &Client) -> (Client, Reply) {
    let secret = secret_id(root, &json!({})).expect(200).text_of("secret_id");
    let reply = log_in(root, &role_id(root), &secret).expect(200);
    (root.with_token(reply.json["auth"]["client_token"].as_str().unwrap()), reply)
}

#[test]
fn a_machine_logs_in_and_may_do_what_its_policies_say() {
    let broker = broker(&json!({
        "token_policies": "ci", "token_ttl": "10m", "token_max_ttl": "30m", "token_num_uses": 9,
    }));
    let root = broker.root();
    let made = secret_id(&root, &json!({ "metadata": r#"{"job":"7"}"# })).expect(200);
    assert_eq!(made.data()["secret_id_num_uses"], 0);
    let reply = log_in(&root, &role_id(&root), &made.text_of("secret_id")).expect(200);
    let auth = &reply.json["auth"];
    assert_eq!(auth["policies"], json!(["ci", "default"]));
    assert_eq!(auth["metadata"], json!({ "job": "7", "role_name": "deploy" }));
    assert_eq!((&auth["lease_duration"], &auth["renewable"]), (&json!(600), &json!(true)));
    assert_eq!((&auth["orphan"], &auth["num_uses"]), (&json!(true), &json!(9)));
    assert_eq!(reply.json["mount_type"], "");

    let machine = root.with_token(auth["client_token"].as_str().unwrap());
    let own = machine.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.text_of("path"), "auth/approle/login");
    assert_eq!(own.text_of("display_name"), "approle");
    let lease = machine.get("aws/creds/r").expect(200).lease_id();
    assert!(broker.users()[0].contains("approle"), "{:?}", broker.users());
    assert_eq!(machine.get("aws/roles/r").expect(403).errors(), [DENIED]);
    assert_eq!(machine.get("auth/approle/role/deploy").expect(403).errors(), [DENIED]);

    // Renewed at most to its maximum, and its end ends what it holds.
    broker.advance(Duration::from_secs(540));
    let renewed = machine.post("auth/token/renew-self", &json!({ "increment": "1h" })).expect(200);
    assert_eq!(renewed.json["auth"]["lease_duration"], 1800 - 540);
    broker.advance(Duration::from_secs(1261));
    machine.get("auth/token/lookup-self").expect(403);
    assert!(broker.users().is_empty());
    broker.lookup(&lease).expect(400);
}

#[test]
fn what_is_wrong_is_not_told_apart_and_what_is_missing_is() {
    let broker = broker(&json!({}));
    let root = broker.root();
    let id = role_id(&root);
    let nobody = root.anonymous();
    let told = |body: Value, status: u16| nobody.post("auth/approle/login", &body).expect(status);
    let no_alias = told(json!({ "secret_id": "x" }), 500);
    assert_eq!(no_alias.errors(), ["failed to determine alias name from login request"]);
    assert_eq!(told(json!({ "role_id": id }), 400).errors(), ["missing secret_id"]);
    for body in [
        json!({ "role_id": "nobody", "secret_id": "x" }),
        json!({ "role_id": "nobody" }),
        json!({ "role_id": id, "secret_id": "x" }),
    ] {
        assert_eq!(told(body, 400).errors(), [WRONG]);
    }
    // A method that is not there is nobody's to log in at.
    let nowhere = nobody.post("auth/other/login", &json!({})).expect(403);
    assert_eq!(nowhere.errors(), ["permission denied"]);
    // A token that is sent along is not looked at.
    let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
    let body = json!({ "role_id": id, "secret_id": secret });
    root.with_token("hvs.none").post("auth/approle/login", &body).expect(200);
}

#[test]
fn five_wrong_guesses_lock_a_role_id_for_a_quarter_of_an_hour() {
    let broker = broker(&json!({ "secret_id_num_uses": 1 }));
    let root = broker.root();
    let id = role_id(&root);
    let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
    for _ in 0..5 {
        assert_eq!(log_in(&root, &id, "wrong").expect(400).errors(), [WRONG]);
    }
    assert_eq!(log_in(&root, &id, &secret).expect(403).errors(), ["permission denied"]);
    // Another role is not locked with it.
    root.post("auth/approle/role/other", &json!({})).expect(204);
    let other = root.get("auth/approle/role/other/role-id").expect(200).text_of("role_id");
    log_in(&root, &other, "wrong").expect(400);
    broker.clock.advance(Duration::from_secs(901));
    // Its one use was not taken by the refusal.
    log_in(&root, &id, &secret).expect(200);
    assert_eq!(log_in(&root, &id, &secret).expect(400).errors(), [WRONG]);
}

#[test]
fn a_secret_id_is_good_for_its_uses_and_its_time() {
    let mut broker = broker(&json!({ "secret_id_num_uses": 3, "secret_id_ttl": "10m" }));
    let root = broker.root();
    let id = role_id(&root);
    let made = secret_id(&root, &json!({ "num_uses": 2 })).expect(200);
    assert_eq!(
        (&made.data()["secret_id_num_uses"], &made.data()["secret_id_ttl"]),
        (&json!(2), &json!(600))
    );
    let two = made.text_of("secret_id");
    let accessor = made.text_of("secret_id_accessor");
    log_in(&root, &id, &two).expect(200);
    broker.lose_power();
    let root = broker.root();
    let by_accessor = json!({ "secret_id_accessor": accessor });
    let path = "auth/approle/role/deploy/secret-id-accessor/lookup";
    let left = root.post(path, &by_accessor).expect(200);
    assert_eq!(left.data()["secret_id_num_uses"], 1);
    log_in(&root, &id, &two).expect(200);
    log_in(&root, &id, &two).expect(400);
    let gone = root.post(path, &by_accessor).expect(404);
    let text = format!("failed to find accessor entry for secret_id_accessor: \"{accessor}\"");
    assert_eq!(gone.errors(), [text]);

    let late = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
    broker.clock.advance(Duration::from_secs(600));
    log_in(&root, &id, &late).expect(400);
    root.post("auth/approle/role/deploy/secret-id/lookup", &json!({ "secret_id": late }))
        .expect(204);
    root.list("auth/approle/role/deploy/secret-id").expect(404);
    root.post("auth/approle/tidy/secret-id", &json!({})).expect(202);
}

#[test]
fn of_many_logins_with_the_last_use_one_gets_in() {
    let broker = broker(&json!({ "secret_id_num_uses": 1 }));
    let root = broker.root();
    let id = role_id(&root);
    let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..4).map(|_| scope.spawn(|| log_in(&root, &id, &secret).status)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}

#[test]
fn secret_ids_are_listed_shown_and_ended_by_themselves_and_by_accessor() {
    let broker = broker(&json!({}));
    let root = broker.root();
    let id = role_id(&root);
    let base = "auth/approle/role/deploy";
    let custom = json!({ "secret_id": "chosen-by-hand", "cidr_list": "127.0.0.0/8", "ttl": 60 });
    let made = root.post(&format!("{base}/custom-secret-id"), &custom).expect(200);
    assert_eq!(made.text_of("secret_id"), "chosen-by-hand");
    let again = root.post(&format!("{base}/custom-secret-id"), &custom).expect(400);
    assert_eq!(again.errors(), ["failed to store secret_id: SecretID is already registered"]);
    root.post(&format!("{base}/custom-secret-id"), &json!({})).expect(400);
    let second = secret_id(&root, &json!({})).expect(200);
    let keys = root.list(&format!("{base}/secret-id")).expect(200).data()["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);

    let named = json!({ "secret_id": "chosen-by-hand" });
    let shown = root.post(&format!("{base}/secret-id/lookup"), &named).expect(200);
    assert_eq!(shown.data()["cidr_list"], json!(["127.0.0.0/8"]));
    assert_eq!(shown.text_of("secret_id_accessor"), made.text_of("secret_id_accessor"));
    assert!(!shown.text.contains("chosen-by-hand"));
    log_in(&root, &id, "chosen-by-hand").expect(200);
    root.post(&format!("{base}/secret-id/destroy"), &named).expect(204);
    log_in(&root, &id, "chosen-by-hand").expect(400);
    let by_accessor = json!({ "secret_id_accessor": second.text_of("secret_id_accessor") });
    root.post(&format!("{base}/secret-id-accessor/destroy"), &by_accessor).expect(204);
    log_in(&root, &id, &second.text_of("secret_id")).expect(400);
    root.post(&format!("{base}/secret-id-accessor/destroy"), &by_accessor).expect(404);
    root.list(&format!("{base}/secret-id")).expect(404);
}

#[test]
fn a_role_is_written_read_and_removed_in_vaults_shape() {
    let broker = broker(&json!({ "token_policies": ["B", "a"], "token_period": "1h" }));
    let root = broker.root();
    let read = root.get("auth/approle/role/deploy").expect(200);
    assert_eq!(
        *read.data(),
        json!({
            "bind_secret_id": true, "local_secret_ids": false, "secret_id_bound_cidrs": null,
            "secret_id_num_uses": 0, "secret_id_ttl": 0, "token_bound_cidrs": [],
            "token_explicit_max_ttl": 0, "token_max_ttl": 0, "token_no_default_policy": false,
            "token_num_uses": 0, "token_period": 3600, "token_policies": ["a", "b"],
            "token_ttl": 0, "token_type": "default",
        })
    );
    assert_eq!(root.list("auth/approle/role").expect(200).data()["keys"], json!(["deploy"]));
    let write =
        |body: Value, status: u16| root.post("auth/approle/role/deploy", &body).expect(status);
    let unbound = write(json!({ "bind_secret_id": false }), 500);
    assert_eq!(
        unbound.errors(),
        ["1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n"]
    );
    assert_eq!(
        write(json!({ "token_ttl": 61, "token_max_ttl": 60 }), 400).errors(),
        ["'token_ttl' cannot be greater than 'token_max_ttl'"]
    );
    assert_eq!(
        write(json!({ "token_type": "other" }), 400).errors(),
        ["invalid 'token_type' value \"other\""]
    );
    assert!(
        write(json!({ "token_ttl": "x" }), 400).errors()[0].starts_with("error converting input")
    );
    assert_eq!(write(json!({ "token_max_ttl": "9000h" }), 200).warnings().len(), 1);
    assert_eq!(root.get("auth/approle/role/deploy").expect(200).data()["token_period"], 3600);

    root.post("auth/approle/role/deploy/role-id", &json!({ "role_id": "fixed" })).expect(204);
    assert_eq!(role_id(&root), "fixed");
    root.post("auth/approle/role/two", &json!({ "role_id": "fixed" })).expect(400);

    let missing = [
        (root.post("auth/approle/role/none/secret-id", &json!({})), 404),
        (root.post("auth/approle/role/none/custom-secret-id", &json!({ "secret_id": "x" })), 404),
        (root.list("auth/approle/role/none/secret-id"), 400),
    ];
    for (reply, status) in missing {
        assert_eq!(reply.expect(status).errors(), ["role \"none\" does not exist"]);
    }
    assert!(root.get("auth/approle/role/none").expect(404).errors().is_empty());
    assert!(root.get("auth/approle/role/none/role-id").expect(404).errors().is_empty());

    let (machine, _) = entered(&root);
    let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
    root.delete("auth/approle/role/deploy").expect(204);
    root.delete("auth/approle/role/deploy").expect(204);
    log_in(&root, "fixed", &secret).expect(400);
    let gone = machine.post("auth/token/renew-self", &json!({})).expect(400);
    assert_eq!(gone.errors(), ["role \"deploy\" does not exist during renewal"]);
    // Secret ids of a role that was there before are none of the new one's.
    root.post("auth/approle/role/deploy", &json!({ "role_id": "fixed" })).expect(204);
    log_in(&root, "fixed", &secret).expect(400);
}

#[test]
fn a_login_from_elsewhere_is_refused_by_whatever_binds_it() {
    let broker = broker(&json!({ "secret_id_bound_cidrs": "10.0.0.0/8" }));
    let root = broker.root();
    let id = role_id(&root);
    let refused = |text: &str| {
        let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
        let reply = log_in(&root, &id, &secret).expect(400);
        assert_eq!(reply.errors(), [format!("source address \"127.0.0.1\" unauthorized {text}")]);
    };
    refused("by CIDR restrictions on the role");
    let role = "auth/approle/role/deploy";
    let elsewhere = json!({ "secret_id_bound_cidrs": "", "token_bound_cidrs": ["10.1.2.3"] });
    root.post(role, &elsewhere).expect(204);
    refused("by CIDR restrictions on the token");
    root.post(role, &json!({ "token_bound_cidrs": [] })).expect(204);
    let bound = secret_id(&root, &json!({ "cidr_list": ["10.0.0.0/8"] })).expect(200);
    let reply = log_in(&root, &id, &bound.text_of("secret_id")).expect(400);
    assert!(reply.errors()[0].ends_with("through CIDR restrictions on the secret ID"));
    // Without a secret id the place is what is proved.
    let open = json!({ "bind_secret_id": false, "token_bound_cidrs": "127.0.0.0/8" });
    root.post(role, &open).expect(204);
    root.anonymous().post("auth/approle/login", &json!({ "role_id": id })).expect(200);
    secret_id(&root, &json!({})).expect(400);
}

#[test]
fn a_bound_token_and_its_children_work_in_their_place_alone() {
    let broker =
        broker(&json!({ "token_bound_cidrs": "127.0.0.1/32", "token_policies": "ci,maker" }));
    let root = broker.root();
    let maker = r#"path "auth/token/create" { capabilities = ["update"] }"#;
    root.put("sys/policies/acl/maker", &json!({ "policy": maker })).expect(204);
    let (machine, _) = entered(&root);
    let own = machine.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.data()["bound_cidrs"], json!(["127.0.0.1"]));
    let made = machine.post("auth/token/create", &json!({ "policies": ["ci"] })).expect(200);
    let child = root.with_token(made.json["auth"]["client_token"].as_str().unwrap());
    for holder in [&machine, &child] {
        holder.get("aws/creds/r").expect(200);
        let stolen = from_elsewhere(&broker, "aws/creds/r", holder.token());
        assert!(
            stolen.starts_with("HTTP/1.1 403") && stolen.contains("permission denied"),
            "{stolen}"
        );
    }
    assert_eq!(broker.users().len(), 2);
}

/// The reply to a GET that comes from 127.0.0.2.
fn from_elsewhere(broker: &TestBroker, path: &str, token: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    broker.wait(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(broker.socket().parse().unwrap()).await.unwrap();
        let request = format!(
            "GET /v1/{path} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    })
}

#[test]
fn disabling_the_method_ends_its_tokens_their_children_and_their_leases() {
    let mut broker = broker(&json!({ "token_policies": "ci,maker" }));
    let root = broker.root();
    let maker = r#"path "auth/token/create" { capabilities = ["update"] }"#;
    root.put("sys/policies/acl/maker", &json!({ "policy": maker })).expect(204);
    let (machine, _) = entered(&root);
    machine.get("aws/creds/r").expect(200);
    let made = machine.post("auth/token/create", &json!({ "policies": ["ci"] })).expect(200);
    let child = root.with_token(made.json["auth"]["client_token"].as_str().unwrap());
    child.get("aws/creds/r").expect(200);
    let others = broker.issue().expect(200).lease_id();
    assert_eq!(broker.users().len(), 3);
    broker.restart();
    let root = broker.root();
    let (again, id) = (root.with_token(machine.token()), role_id(&root));
    again.get("auth/token/lookup-self").expect(200);
    let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");

    root.delete("sys/auth/approle").expect(204);
    broker.run_due();
    assert_eq!(broker.users().len(), 1);
    broker.lookup(&others).expect(200);
    again.get("auth/token/lookup-self").expect(403);
    root.with_token(child.token()).get("auth/token/lookup-self").expect(403);
    log_in(&root, &id, &secret).expect(403);
    root.delete("sys/auth/approle").expect(204);
    // What is mounted there later begins empty.
    root.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    root.list("auth/approle/role").expect(404);
}

#[test]
fn auth_mounts_are_listed_tuned_and_refused_in_vaults_words() {
    let broker = broker(&json!({}));
    let root = broker.root();
    let all = root.get("sys/auth").expect(200);
    assert_eq!(all.data()["token/"]["type"], "token");
    assert_eq!(all.json["approle/"]["type"], "approle");
    assert_eq!(all.data()["approle/"]["options"], json!({}));
    assert_eq!(all.data()["approle/"]["config"]["token_type"], "default-service");
    let accessor = all.data()["approle/"]["accessor"].as_str().unwrap();
    assert!(accessor.starts_with("auth_approle_"), "{accessor}");
    let one = root.get("sys/auth/approle").expect(200);
    assert_eq!(one.data()["accessor"], accessor);

    let refused = |reply: Reply| reply.expect(400).errors().join("|");
    let enable = |path: &str, body: Value| refused(root.post(&format!("sys/auth/{path}"), &body));
    let approle = || json!({ "type": "approle" });
    assert_eq!(enable("approle", approle()), "path is already in use at approle/");
    assert_eq!(enable("approle/x", approle()), "path is already in use at approle/");
    assert_eq!(enable("token", approle()), "path is already in use at token/");
    assert_eq!(
        enable("t", json!({ "type": "token" })),
        "token credential backend cannot be instantiated"
    );
    assert_eq!(enable("t", json!({ "type": "ldap" })), "plugin not found in the catalog: ldap");
    assert_eq!(enable("t", json!({})), "backend type must be specified as a string");
    let other = json!({ "type": "approle", "config": { "token_type": "other" } });
    assert_eq!(enable("t", other), "invalid value for 'token_type'");
    assert_eq!(
        refused(root.delete("sys/auth/token")),
        "token credential backend cannot be disabled"
    );
    assert_eq!(refused(root.get("sys/auth/x")), "No auth engine at x/");
    assert_eq!(refused(root.get("sys/auth/x/tune")), "cannot fetch sysview for path \"auth/x/\"");
    let tuned = json!({ "default_lease_ttl": "5m", "max_lease_ttl": "10m", "description": "d" });
    assert_eq!(
        refused(root.post("sys/auth/x/tune", &tuned)),
        "tune of path \"auth/x/\" failed: no mount entry found"
    );
}

#[test]
fn a_tuned_auth_mount_bounds_its_tokens_and_all_but_the_list_needs_sudo() {
    let broker = broker(&json!({}));
    let root = broker.root();
    let approle = || json!({ "type": "approle" });
    let tuned = json!({ "default_lease_ttl": "5m", "max_lease_ttl": "10m", "description": "d" });
    root.post("sys/auth/approle/tune", &tuned).expect(204);
    let read = root.get("sys/auth/approle/tune").expect(200);
    assert_eq!(
        (&read.data()["default_lease_ttl"], &read.data()["max_lease_ttl"]),
        (&json!(300), &json!(600))
    );
    let (_, reply) = entered(&root);
    assert_eq!(reply.json["auth"]["lease_duration"], 300);
    root.post("auth/approle/role/deploy", &json!({ "token_ttl": "20m" })).expect(204);
    let (_, reply) = entered(&root);
    assert_eq!(reply.json["auth"]["lease_duration"], 600);
    assert_eq!(
        reply.warnings(),
        [
            r#"TTL of "20m" exceeded the effective max_ttl of "10m"; TTL value is capped accordingly"#
        ]
    );

    // All but the list needs sudo.
    let policy = r#"path "sys/auth*" { capabilities = ["read", "update", "delete"] }"#;
    root.put("sys/policies/acl/half", &json!({ "policy": policy })).expect(204);
    root.post("auth/approle/role/deploy", &json!({ "token_policies": "half" })).expect(204);
    let (half, _) = entered(&root);
    half.get("sys/auth").expect(200);
    half.get("sys/auth/approle").expect(403);
    half.post("sys/auth/y", &approle()).expect(403);
    half.delete("sys/auth/approle").expect(403);
}

#[test]
fn no_login_makes_root_or_opens_wrapped_answers() {
    let broker = broker(&json!({ "token_policies": "root" }));
    let root = broker.root();
    let id = role_id(&root);
    let secret = secret_id(&root, &json!({})).expect(200).text_of("secret_id");
    let refused = log_in(&root, &id, &secret).expect(400);
    assert_eq!(refused.errors(), ["auth methods cannot create root tokens"]);
    root.post("auth/approle/role/deploy", &json!({ "token_policies": "response-wrapping" }))
        .expect(204);
    log_in(&root, &id, &secret).expect(400);
}

#[test]
fn a_wrapped_secret_id_is_good_for_a_login_after_unwrapping() {
    let broker = broker(&json!({}));
    let root = broker.root();
    let wrapped = root.with_header("X-Vault-Wrap-TTL", "60s");
    let reply = secret_id(&wrapped, &json!({})).expect(200);
    assert!(reply.json["data"].is_null());
    let token = reply.json["wrap_info"]["token"].as_str().unwrap();
    let inside = root.with_token(token).post("sys/wrapping/unwrap", &json!({})).expect(200);
    log_in(&root, &role_id(&root), &inside.text_of("secret_id")).expect(200);
}
