//! Response wrapping over HTTP: who gets the answer, once, and what becomes of what nobody unwraps.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};

const DEAD: &str = "wrapping token is not valid or does not exist";

fn wrapping(client: &Client, ttl: &str) -> Client {
    client.with_header("X-Vault-Wrap-TTL", ttl)
}

fn token_of(reply: &Reply) -> String {
    reply.json["wrap_info"]["token"].as_str().unwrap().to_owned()
}

fn unwrapped(broker: &TestBroker, token: &str) -> Reply {
    broker.root().with_token(token).put("sys/wrapping/unwrap", &json!({}))
}

#[test]
fn a_wrapped_credential_is_read_once_and_by_its_token_alone() {
    let broker = TestBroker::new().with_role();
    let reply = wrapping(&broker.root(), "60s").get("aws/creds/r").expect(200);
    assert_eq!(reply.json["data"], Value::Null);
    assert_eq!((&reply.json["lease_id"], &reply.json["request_id"]), (&json!(""), &json!("")));
    let info = &reply.json["wrap_info"];
    assert_eq!((&info["ttl"], &info["creation_path"]), (&json!(60), &json!("aws/creds/r")));
    assert_eq!(broker.users().len(), 1);

    let token = token_of(&reply);
    let looked = broker.root().anonymous();
    let looked = looked.put("sys/wrapping/lookup", &json!({ "token": token })).expect(200);
    assert_eq!(looked.data()["creation_ttl"], 60);
    let inner = unwrapped(&broker, &token).expect(200);
    assert!(inner.json["data"]["secret_key"].is_string() && !inner.text.ends_with('\n'));
    let lease = inner.lease_id();
    broker.lookup(&lease).expect(200);
    assert_eq!(unwrapped(&broker, &token).expect(400).errors(), [DEAD]);
    // It was read in time: nothing ends with the token.
    broker.advance(Duration::from_secs(120));
    broker.run_due();
    broker.lookup(&lease).expect(200);
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn of_many_that_unwrap_at_once_one_gets_the_answer() {
    let broker = TestBroker::new().with_role();
    for _round in 0..5 {
        let token = token_of(&wrapping(&broker.root(), "60s").get("aws/creds/r").expect(200));
        let begin = std::sync::Barrier::new(4);
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|_| {
                    let (caller, begin) = (broker.root().with_token(&token), &begin);
                    scope.spawn(move || {
                        begin.wait();
                        caller.put("sys/wrapping/unwrap", &json!({}))
                    })
                })
                .collect();
            asking.into_iter().map(|asking| asking.join().unwrap()).collect()
        });
        let (got, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(got.len(), 1);
        broker.lookup(&got[0].lease_id()).expect(200);
        for reply in refused {
            assert_eq!(reply.expect(400).errors(), [DEAD]);
        }
    }
    assert_eq!(broker.users().len(), 5);
}

#[test]
fn a_wrapped_credential_that_nobody_unwraps_is_revoked() {
    let broker = TestBroker::new().with_role();
    let token = token_of(&wrapping(&broker.root(), "60").get("aws/creds/r").expect(200));
    assert_eq!(broker.users().len(), 1);
    broker.advance(Duration::from_secs(61));
    broker.run_due();
    assert!(broker.users().is_empty());
    assert_eq!(unwrapped(&broker, &token).expect(400).errors(), [DEAD]);
}

#[test]
fn a_wrapping_token_used_elsewhere_is_burnt_and_what_it_held_is_revoked() {
    let broker = TestBroker::new().with_role();
    let token = token_of(&wrapping(&broker.root(), "60s").get("aws/creds/r").expect(200));
    broker.root().with_token(&token).get("aws/creds/r").expect(403);
    assert_eq!(unwrapped(&broker, &token).expect(400).errors(), [DEAD]);
    broker.run_due();
    assert!(broker.users().is_empty());
}

#[test]
fn a_token_that_was_wrapped_and_never_unwrapped_ends() {
    let broker = TestBroker::new();
    let body = json!({ "policies": ["default"], "ttl": "1h" });
    let reply = wrapping(&broker.root(), "60s").post("auth/token/create", &body).expect(200);
    let accessor = reply.json["wrap_info"]["wrapped_accessor"].clone();
    let named = json!({ "accessor": accessor });
    broker.root().post("auth/token/lookup-accessor", &named).expect(200);
    broker.advance(Duration::from_secs(61));
    broker.run_due();
    broker.root().post("auth/token/lookup-accessor", &named).expect(400);
}

#[test]
fn a_wrapped_renewal_that_nobody_reads_ends_nothing() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let renew = json!({ "lease_id": lease });
    wrapping(&broker.root(), "60s").put("sys/leases/renew", &renew).expect(200);
    broker.advance(Duration::from_secs(61));
    broker.run_due();
    broker.lookup(&lease).expect(200);
}

#[test]
fn rewrapping_moves_the_answer_to_another_token() {
    let broker = TestBroker::new().with_role();
    let old = token_of(&wrapping(&broker.root(), "60s").get("aws/creds/r").expect(200));
    let moved = broker.root().put("sys/wrapping/rewrap", &json!({ "token": old })).expect(200);
    assert_eq!(moved.json["wrap_info"]["creation_path"], "aws/creds/r");
    assert_eq!(unwrapped(&broker, &old).expect(400).errors(), [DEAD]);
    let inner = unwrapped(&broker, &token_of(&moved)).expect(200);
    assert!(inner.json["data"]["access_key"].is_string());
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn errors_and_empty_answers_are_not_wrapped() {
    let broker = TestBroker::new().with_role();
    let root = wrapping(&broker.root(), "60s");
    root.get("aws/creds/none").expect(400);
    assert_eq!(root.delete("aws/roles/none").expect(204).text, "");
    root.list("sys/leases/lookup/none/").expect(404);
    let negative = wrapping(&broker.root(), "-5s").get("aws/creds/r").expect(400);
    assert!(negative.errors()[0].contains("requested wrap ttl cannot be negative"));
    wrapping(&broker.root(), "abc").get("aws/creds/r").expect(400);
    broker.root().put("sys/wrapping/wrap", &json!({ "a": 1 })).expect(400);
    broker.root().anonymous().put("sys/wrapping/unwrap", &json!({})).expect(403);
    let body = json!({ "token": "x" });
    broker.root().anonymous().put("sys/wrapping/unwrap", &body).expect(403);
    assert!(broker.users().is_empty());
}

#[test]
fn any_data_can_be_wrapped_and_policies_can_ask_for_it() {
    let broker = TestBroker::new().with_role();
    let reply = wrapping(&broker.root(), "60").put("sys/wrapping/wrap", &json!({ "a": [1] }));
    let inner = unwrapped(&broker, &token_of(&reply.expect(200))).expect(200);
    assert_eq!(inner.json["data"], json!({ "a": [1] }));
    assert_eq!(inner.json["warnings"], Value::Null, "it is not ignored, it is what was wrapped");

    let rule = r#"path "aws/creds/r" { capabilities = ["read"] min_wrapping_ttl = "60s" }"#;
    broker.root().put("sys/policies/acl/w", &json!({ "policy": rule })).expect(204);
    let made = broker.root().post("auth/token/create", &json!({ "policies": ["w"] })).expect(200);
    let held = broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap());
    held.get("aws/creds/r").expect(403);
    wrapping(&held, "30s").get("aws/creds/r").expect(403);
    wrapping(&held, "120s").get("aws/creds/r").expect(200);
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn a_wrapped_secret_is_in_no_file_in_the_clear() {
    let mut broker = TestBroker::new().with_role();
    let token = token_of(&wrapping(&broker.root(), "1h").get("aws/creds/r").expect(200));
    broker.restart();
    let bytes: Vec<u8> = ["leasehold.db", "leasehold.db-wal"]
        .iter()
        .filter_map(|name| std::fs::read(broker.data_dir().join(name)).ok())
        .flatten()
        .collect();
    let inner = unwrapped(&broker, &token).expect(200);
    let secret = inner.text_of("secret_key");
    for hidden in [secret.as_bytes(), token.as_bytes()] {
        assert!(!bytes.windows(hidden.len()).any(|window| window == hidden));
    }
    let lease = b"aws/creds/r/";
    assert!(bytes.windows(lease.len()).any(|window| window == lease), "the files were read");
}

fn repeated(broker: &TestBroker) -> (String, String) {
    let caller = wrapping(&broker.root().with_header("Idempotency-Key", "k"), "60s");
    let first = token_of(&caller.get("aws/creds/r").expect(200));
    broker.advance(Duration::from_secs(5));
    (first, token_of(&caller.get("aws/creds/r").expect(200)))
}

#[test]
fn a_repeated_answer_that_was_unwrapped_outlives_the_copy_that_nobody_unwrapped() {
    for second_is_read in [true, false] {
        let broker = TestBroker::new().with_role();
        let (first, second) = repeated(&broker);
        let read = if second_is_read { second } else { first };
        let lease = unwrapped(&broker, &read).expect(200).lease_id();
        broker.advance(Duration::from_secs(61));
        broker.run_due();
        broker.lookup(&lease).expect(200);
        assert_eq!(broker.users().len(), 1, "second_is_read: {second_is_read}");
    }
}

#[test]
fn a_repeated_answer_can_still_be_unwrapped_when_the_first_copy_has_ended() {
    let broker = TestBroker::new().with_role();
    let (first, second) = repeated(&broker);
    broker.advance(Duration::from_secs(56));
    broker.run_due();
    unwrapped(&broker, &first).expect(400);
    let lease = unwrapped(&broker, &second).expect(200).lease_id();
    broker.lookup(&lease).expect(200);
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn a_repeated_answer_that_nobody_unwraps_is_revoked_with_its_last_copy() {
    let broker = TestBroker::new().with_role();
    repeated(&broker);
    broker.advance(Duration::from_secs(61));
    broker.run_due();
    assert!(broker.users().is_empty());
}

#[test]
fn an_answer_that_was_given_in_the_open_is_not_wrapped_when_it_is_repeated() {
    let broker = TestBroker::new().with_role();
    let caller = broker.root().with_header("Idempotency-Key", "k");
    caller.get("aws/creds/r").expect(200);
    wrapping(&caller, "60s").get("aws/creds/r").expect(422);
    broker.advance(Duration::from_secs(61));
    broker.run_due();
    assert_eq!(broker.users().len(), 1);
}

#[test]
fn nothing_is_stored_for_somebody_without_a_token() {
    let broker = TestBroker::new();
    let nobody = wrapping(&broker.root().anonymous(), "768h");
    let reply = nobody.get("sys/internal/ui/mounts").expect(200);
    assert_eq!(reply.json["wrap_info"], Value::Null);
}
