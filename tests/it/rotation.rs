//! The root key over the wire: rotated on demand and by itself, under load, and with every step broken in every
//! way. Whatever happens, the stored key works in the end, and there is no other.

use std::collections::BTreeSet;
use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Reply;
use crate::support::trouble::every_step;

const ADMIN: &str = "account-admin";
const HOUR: Duration = Duration::from_secs(3600);

/// An engine with a role whose root key was made here: rotated once, and calls are sent once.
fn rotated() -> TestBroker {
    let broker = TestBroker::new().with_role();
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    broker.root().post("aws/config/root", &keys).expect(204);
    rotate(&broker).expect(200);
    broker.faults.clear_calls();
    broker
}

fn rotate(broker: &TestBroker) -> Reply {
    broker.root().post("aws/config/rotate-root", &json!({}))
}

fn stored_key(broker: &TestBroker) -> String {
    broker.root().get("aws/config/root").expect(200).text_of("access_key")
}

fn status(broker: &TestBroker) -> Value {
    broker.root().get("aws/config/rotation-status").expect(200).data().clone()
}

/// The keys of the broker's own user, and whether they are active.
fn keys(broker: &TestBroker) -> Vec<(String, bool)> {
    let user = broker.aws.user(ADMIN).unwrap();
    user.keys.into_iter().map(|key| (key.access_key_id, key.active)).collect()
}

#[test]
fn a_rotation_makes_proves_switches_and_only_then_removes() {
    let broker = rotated();
    let old = stored_key(&broker);

    let reply = rotate(&broker).expect(200);

    let new = reply.text_of("access_key");
    assert_eq!(reply.data(), &json!({ "access_key": new }));
    assert_ne!(new, old);
    assert_eq!(stored_key(&broker), new);
    assert_eq!(keys(&broker), [(new.clone(), true)]);
    assert_eq!(
        broker.faults.actions(),
        [
            "GetUser",
            "ListAccessKeys",
            "CreateAccessKey",
            "GetCallerIdentity",
            "GetUser",
            "UpdateAccessKey",
            "DeleteAccessKey"
        ]
    );
    let seen = status(&broker);
    assert_eq!((&seen["access_key"], &seen["last_error"]), (&json!(new), &Value::Null));
    assert_eq!(seen["last_rotation"], "2026-05-28T20:26:40Z");
    assert_eq!((&seen["next_rotation"], &seen["under_way"]), (&Value::Null, &Value::Null));
    broker.issue().expect(200);
}

#[test]
fn a_key_that_has_not_spread_is_waited_for() {
    let broker = rotated();
    broker.faults.hide_fresh_user(2);
    let new = rotate(&broker).expect(200).text_of("access_key");
    let probes = |action: &&String| action.as_str() == "GetCallerIdentity";
    assert_eq!(broker.faults.actions().iter().filter(probes).count(), 3);
    assert_eq!(keys(&broker), [(new, true)]);
}

#[test]
fn without_keys_there_is_nothing_to_rotate() {
    let broker = TestBroker::new().with_role();
    let none = rotate(&broker).expect(500);
    assert!(none.errors()[0].contains("no configuration found for config/root"), "{}", none.text);
    broker.root().get("aws/config/rotation-status").expect(404);
    broker.root().post("aws/config/root", &json!({ "region": "eu-west-1" })).expect(204);
    let empty = rotate(&broker).expect(400);
    assert_eq!(
        empty.errors(),
        ["Cannot call config/rotate-root when either access_key or secret_key is empty"]
    );
    assert!(broker.faults.calls().is_empty());
}

#[test]
fn two_keys_already_are_an_error_that_says_what_to_do() {
    let broker = rotated();
    broker.aws.call("CreateAccessKey", &[("UserName", ADMIN)]).unwrap();
    let before = keys(&broker);
    let refused = rotate(&broker).expect(500);
    let text = &refused.errors()[0];
    assert!(text.contains("error calling CreateAccessKey: LimitExceeded"), "{text}");
    assert!(text.contains("help: IAM allows a user two access keys"), "{text}");
    assert_eq!(keys(&broker), before, "neither was touched");
    let seen = status(&broker);
    assert_eq!((&seen["attempts"], &seen["under_way"]), (&json!(1), &Value::Null));
    assert!(seen["last_error"].as_str().unwrap().contains("LimitExceeded"), "{seen}");
    broker.issue().expect(200);
}

#[test]
fn an_old_key_that_cannot_be_deleted_is_deleted_later() {
    let broker = rotated();
    let old = stored_key(&broker);
    broker.faults.fail_every("DeleteAccessKey", Fault::refuse(403, "AccessDenied"));
    let told = rotate(&broker).expect(500);
    let new = stored_key(&broker);
    let text = &told.errors()[0];
    assert!(text.contains("error deleting old access key: AccessDenied"), "{text}");
    assert!(text.contains(&format!("the new key `{new}` is stored and in use")), "{text}");
    assert_eq!(keys(&broker), [(old, false), (new.clone(), true)]);
    assert_eq!(status(&broker)["under_way"], "removing the old key");
    broker.issue().expect(200);
    broker.faults.heal();
    broker.clock.advance(Duration::from_secs(11));
    broker.rotate_due();
    assert_eq!(keys(&broker), [(new, true)]);
    let seen = status(&broker);
    assert_eq!((&seen["under_way"], &seen["last_error"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_teardown_under_way_survives_the_switch() {
    let broker = rotated();
    let lease = broker.issue().expect(200).lease_id();
    let gate = broker.faults.hold_next("DeleteUser");
    let root = broker.root();
    let asked = lease.clone();
    let revoking =
        std::thread::spawn(move || root.put("sys/leases/revoke", &json!({ "lease_id": asked })));
    broker.wait(gate.arrived());
    let root = broker.root();
    let rotating = std::thread::spawn(move || root.post("aws/config/rotate-root", &json!({})));
    while !broker.faults.actions().contains(&"CreateAccessKey".to_owned()) {
        std::thread::yield_now();
    }
    gate.release();
    revoking.join().unwrap().expect(204);
    let new = rotating.join().unwrap().expect(200).text_of("access_key");
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new());
    assert_eq!(keys(&broker), [(new, true)]);
}

#[test]
fn a_schedule_is_kept_and_a_missed_moment_caught_up() {
    let mut broker = rotated();
    // It is 20:26 on the 28th.
    let daily = json!({ "rotation_schedule": "0 3 * * *" });
    broker.root().post("aws/config/root", &daily).expect(204);
    assert_eq!(status(&broker)["next_rotation"], "2026-05-29T03:00:00Z");
    let first = stored_key(&broker);
    broker.clock.advance(6 * HOUR);
    broker.rotate_due();
    assert_eq!(stored_key(&broker), first, "not yet");
    broker.store().power_off();
    broker.clock.advance(5 * HOUR);
    broker.lose_power();
    broker.rotate_due();
    let second = stored_key(&broker);
    assert_ne!(second, first, "caught up at the start");
    assert_eq!(keys(&broker), [(second.clone(), true)]);
    assert_eq!(status(&broker)["next_rotation"], "2026-05-30T03:00:00Z");

    let narrow = json!({ "rotation_window": "1h" });
    broker.root().post("aws/config/root", &narrow).expect(204);
    broker.store().power_off();
    broker.clock.advance(30 * HOUR);
    broker.lose_power();
    broker.rotate_due();
    assert_eq!(stored_key(&broker), second, "the window of the missed moment was over");
    assert_eq!(status(&broker)["next_rotation"], "2026-05-31T03:00:00Z");
}

#[test]
fn a_period_that_fails_is_retried_with_back_off_and_shown() {
    let broker = rotated();
    broker.root().post("aws/config/root", &json!({ "rotation_period": "24h" })).expect(204);
    let old = stored_key(&broker);
    broker.faults.fail_every("CreateAccessKey", Fault::refuse(403, "AccessDenied"));
    broker.clock.advance(24 * HOUR);
    broker.rotate_due();
    let seen = status(&broker);
    assert_eq!((&seen["attempts"], stored_key(&broker)), (&json!(1), old.clone()));
    assert!(seen["last_error"].as_str().unwrap().contains("error calling CreateAccessKey"));
    assert_eq!(seen["next_rotation"], "2026-05-29T20:26:40Z");
    assert_eq!(seen["next_attempt"], "2026-05-29T20:26:50Z");
    broker.faults.heal();
    broker.rotate_due();
    assert_eq!(stored_key(&broker), old, "not before the wait is over");
    broker.clock.advance(Duration::from_secs(10));
    broker.rotate_due();
    let new = stored_key(&broker);
    assert_eq!(keys(&broker), [(new, true)]);
    assert_eq!(status(&broker)["attempts"], 0);
    // Switched off, nothing is planned.
    let off = json!({ "disable_automated_rotation": true });
    broker.root().post("aws/config/root", &off).expect(204);
    assert_eq!(status(&broker)["next_rotation"], Value::Null);
}

#[test]
fn a_rotation_that_breaks_at_any_step_leaves_one_key_that_works() {
    every_step(
        "rotate-root",
        rotated,
        |root| root.post("aws/config/rotate-root", &json!({})),
        |name, broker, reply| {
            let stored = stored_key(broker);
            assert_eq!(keys(broker), [(stored.clone(), true)], "{name}");
            broker.issue().expect(200);
            assert_eq!(status(broker)["under_way"], Value::Null, "{name}");
            if let Some(reply) = reply {
                assert!(matches!(reply.status, 200 | 500), "{name}: {}", reply.text);
                let told = reply.data()["access_key"].as_str();
                assert!(told.is_none_or(|told| told == stored), "{name}: {}", reply.text);
            }
        },
    );
}

#[test]
fn the_actions_that_operations_names_are_enough_and_none_is_idle() {
    let operations =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md"))
            .unwrap();
    let lines = operations.split("- `config/rotate-root` and its schedule need").nth(1).unwrap();
    let sentence = lines.split("on the broker's own user").next().unwrap();
    let actions: BTreeSet<&str> =
        sentence.split('`').skip(1).step_by(2).filter(|word| word.starts_with("iam:")).collect();
    let broker = TestBroker::new().with_role();
    let users =
        ["the-broker", "fixed"].map(|name| format!("arn:aws:iam::123456789012:user/{name}"));
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": users });
    let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    broker.aws.create_user("fixed", "/", &[]).unwrap();
    broker.aws.create_user("the-broker", "/", &[]).unwrap();
    let put = [("UserName", "the-broker"), ("PolicyName", "broker"), ("PolicyDocument", &policy)];
    broker.aws.call("PutUserPolicy", &put).unwrap();
    let made = broker.aws.call("CreateAccessKey", &[("UserName", "the-broker")]).unwrap();
    let element = |name: &str| {
        let inside = made.split(&format!("<{name}>")).nth(1).unwrap();
        inside.split('<').next().unwrap().to_owned()
    };
    let (id, secret) = (element("AccessKeyId"), element("SecretAccessKey"));
    let root = broker.root();
    root.post("aws/config/root", &json!({ "access_key": id, "secret_key": secret })).expect(204);
    broker.faults.clear_calls();

    let new = rotate(&broker).expect(200).text_of("access_key");

    let held = broker.aws.user("the-broker").unwrap().keys;
    assert_eq!(held.iter().map(|key| &key.access_key_id).collect::<Vec<_>>(), [&new]);
    let used: BTreeSet<String> = broker.faults.actions().into_iter().collect();
    let named = actions.iter().map(|action| action.trim_start_matches("iam:").to_owned());
    // That one needs no permission.
    assert_eq!(used, named.chain(["GetCallerIdentity".to_owned()]).collect());
    let fixed = json!({ "username": "fixed", "rotation_period": "1d" });
    root.post("aws/static-roles/fixed", &fixed).expect(200);
    root.post("aws/static-roles/fixed/rotate", &json!({})).expect(200);
    root.delete("aws/static-roles/fixed").expect(204);
    assert_eq!(broker.aws.user("fixed").unwrap().keys, []);
}
