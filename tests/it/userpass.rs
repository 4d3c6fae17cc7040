//! People with a password over HTTP: written, let in, locked out; and no secret of a login is ever in a
//! file or in the log.

use std::time::Duration;

use serde_json::{Value, json};

use crate::canary::{bytes, holds};
use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};
use crate::support::log;

fn broker() -> TestBroker {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let policy = r#"path "aws/creds/r" { capabilities = ["read"] }"#;
    root.put("sys/policies/acl/ci", &json!({ "policy": policy })).expect(204);
    root.post("sys/auth/people", &json!({ "type": "userpass" })).expect(204);
    broker
}

fn user(root: &Client, body: &Value) {
    root.post("auth/people/users/Bob", body).expect(204);
}

fn log_in(root: &Client, name: &str, password: &str) -> Reply {
    let body = json!({ "password": password });
    root.anonymous().post(&format!("auth/people/login/{name}"), &body)
}

#[test]
fn a_person_logs_in_and_their_credentials_carry_their_name() {
    let broker = broker();
    let root = broker.root();
    user(&root, &json!({ "password": "correct horse", "token_policies": ["ci"], "ttl": "1h" }));
    let reply = log_in(&root, "BOB", "correct horse").expect(200);
    let auth = &reply.json["auth"];
    assert_eq!(auth["metadata"], json!({ "username": "bob" }));
    assert_eq!(
        (&auth["policies"], &auth["lease_duration"]),
        (&json!(["ci", "default"]), &json!(3600))
    );
    let person = root.with_token(auth["client_token"].as_str().unwrap());
    let own = person.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.text_of("display_name"), "people-bob");
    assert_eq!(own.text_of("path"), "auth/people/login/bob");
    person.get("aws/creds/r").expect(200);
    assert!(broker.users()[0].contains("people-bob"), "{:?}", broker.users());
    person.get("auth/people/users/bob").expect(403);
    person.post("auth/token/revoke-self", &json!({})).expect(204);
    broker.run_due();
    assert!(broker.users().is_empty());
}

#[test]
fn users_are_written_read_changed_and_removed() {
    let broker = broker();
    let root = broker.root();
    let missing = root.post("auth/people/users/bob", &json!({ "token_ttl": 60 })).expect(400);
    assert_eq!(missing.errors(), ["missing password"]);
    user(&root, &json!({ "password": "one", "token_ttl": 60 }));
    let read = root.get("auth/people/users/bob").expect(200);
    assert_eq!(
        (&read.data()["token_ttl"], &read.data()["token_type"]),
        (&json!(60), &json!("default"))
    );
    assert!(!read.text.contains("password"), "{}", read.text);
    assert_eq!(root.list("auth/people/users").expect(200).data()["keys"], json!(["bob"]));
    root.post("auth/people/users/bob/password", &json!({ "password": "two" })).expect(204);
    root.post("auth/people/users/bob/policies", &json!({ "token_policies": "ci" })).expect(204);
    let wrong = log_in(&root, "bob", "one").expect(400);
    assert_eq!(wrong.errors(), ["invalid username or password"]);
    let reply = log_in(&root, "bob", "two").expect(200);
    assert_eq!(reply.json["auth"]["policies"], json!(["ci", "default"]));
    let nobody =
        root.post("auth/people/users/eve/password", &json!({ "password": "x" })).expect(400);
    assert_eq!(nobody.errors(), ["username does not exist"]);
    assert_eq!(log_in(&root, "eve", "x").expect(400).errors(), ["invalid username or password"]);
    assert_eq!(log_in(&root, "bob", "").expect(400).errors(), ["missing password"]);
    root.delete("auth/people/users/bob").expect(204);
    log_in(&root, "bob", "two").expect(400);
    root.get("auth/people/users/bob").expect(404);
    root.list("auth/people/users").expect(404);
}

#[test]
fn five_wrong_passwords_lock_a_person_out_and_a_right_one_forgives() {
    let broker = broker();
    let root = broker.root();
    user(&root, &json!({ "password": "right" }));
    for _ in 0..4 {
        log_in(&root, "bob", "wrong").expect(400);
    }
    log_in(&root, "Bob", "right").expect(200);
    for _ in 0..5 {
        log_in(&root, "bob", "wrong").expect(400);
    }
    assert_eq!(log_in(&root, "bob", "right").expect(403).errors(), ["permission denied"]);
    assert_eq!(log_in(&root, "BOB", "right").expect(403).errors(), ["permission denied"]);
    broker.clock.advance(Duration::from_secs(900));
    log_in(&root, "bob", "right").expect(200);
}

#[test]
fn wrong_passwords_add_up_whatever_letters_the_name_comes_in() {
    let broker = broker();
    let root = broker.root();
    user(&root, &json!({ "password": "right" }));
    for name in ["bob", "BOB", "Bob", "bOb", "boB"] {
        log_in(&root, name, "wrong").expect(400);
    }
    for name in ["bob", "bOB"] {
        assert_eq!(log_in(&root, name, "right").expect(403).errors(), ["permission denied"]);
    }
}

#[test]
fn one_person_is_one_entity_and_one_name_in_whatever_letters_they_log_in() {
    let broker = broker();
    let root = broker.root();
    user(&root, &json!({ "password": "right" }));
    let seen: Vec<_> = ["bob", "BOB", "Bob"]
        .map(|name| log_in(&root, name, "right").expect(200))
        .iter()
        .map(|reply| {
            let auth = &reply.json["auth"];
            let token = root.with_token(auth["client_token"].as_str().unwrap());
            let own = token.get("auth/token/lookup-self").expect(200);
            (auth["entity_id"].clone(), own.text_of("display_name"), own.text_of("path"))
        })
        .collect();
    assert_eq!(seen[0].1, "people-bob");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(
        root.list("identity/entity/id").expect(200).data()["keys"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_person_bound_to_another_place_is_not_let_in() {
    let broker = broker();
    let root = broker.root();
    user(&root, &json!({ "password": "right", "token_bound_cidrs": "10.0.0.0/8" }));
    let refused = log_in(&root, "bob", "right").expect(403);
    assert_eq!(refused.errors(), ["1 error occurred:\n\t* permission denied\n\n"]);
}

#[test]
fn passwords_and_secret_ids_are_in_no_file_and_no_line_of_the_log() {
    let mut broker = broker();
    let root = broker.root();
    let (password, wrong, chosen) =
        ("canary-password-0001", "canary-wrong-password-0002", "canary-secret-id-0003");
    user(&root, &json!({ "password": password }));
    log_in(&root, "bob", password).expect(200);
    log_in(&root, "bob", wrong).expect(400);
    root.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    root.post("auth/approle/role/ci", &json!({ "role_id": "canary-role" })).expect(204);
    let role = "auth/approle/role/ci";
    let drawn =
        root.post(&format!("{role}/secret-id"), &json!({})).expect(200).text_of("secret_id");
    root.post(&format!("{role}/custom-secret-id"), &json!({ "secret_id": chosen })).expect(200);
    let mut tokens = Vec::new();
    for secret in [drawn.as_str(), chosen] {
        let body = json!({ "role_id": "canary-role", "secret_id": secret });
        let reply = root.anonymous().post("auth/approle/login", &body).expect(200);
        tokens.push(reply.json["auth"]["client_token"].as_str().unwrap().to_owned());
    }
    root.delete(&format!("{role}/secret-id/destroy?secret_id={chosen}")).expect(204);
    let odd = root.post(&format!("{role}/secret-id/lookup"), &json!({ "secret_id": [chosen] }));
    assert!(!odd.expect(400).text.contains(chosen));
    broker.restart();

    let files = bytes(broker.data_dir());
    assert!(holds(&files, "canary-role"), "the rows are in what is searched");
    assert!(!log::with("auth/approle/login").is_empty(), "the log is in what is searched");
    let secrets = [password, wrong, chosen, &drawn, &tokens[0], &tokens[1], "argon2", "memory_kib"];
    for secret in secrets {
        assert!(!holds(&files, secret), "`{secret}` is in a file");
        // Brokers of other tests have the same seed: what is drawn here is a request's id there.
        let mut lines = log::with(secret);
        lines.retain(|line| !line.contains(&format!("request_id=\"{secret}\"")));
        assert_eq!(lines, Vec::<String>::new(), "`{secret}` is in the log");
    }
}
