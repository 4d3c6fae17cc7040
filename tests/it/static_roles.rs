//! Static roles over the wire: Vault's shapes, rotation on demand and by itself, keys of others, and every step
//! broken in every way. Whatever happens, the key that is handed out works, no other of ours is left, and
//! those of others are as they were.

use std::time::Duration;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::broker::{OTHER_ACCOUNT, OTHER_KEY, TestBroker};
use crate::support::client::Reply;
use crate::support::log;
use crate::support::trouble::every_step;

const HOUR: Duration = Duration::from_secs(3600);

/// An engine that sends each call once, and a user `jane` with so many keys that others made.
fn with_jane(foreign: usize) -> TestBroker {
    let broker = TestBroker::new();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    broker.root().post("aws/config/root", &keys).expect(204);
    broker.aws.create_user("jane", "/", &[]).unwrap();
    for _key in 0..foreign {
        broker.aws.call("CreateAccessKey", &[("UserName", "jane")]).unwrap();
        broker.clock.advance(HOUR);
    }
    broker.faults.clear_calls();
    broker
}

fn make(broker: &TestBroker) -> Reply {
    let role = json!({ "username": "jane", "rotation_period": "1d" });
    broker.root().post("aws/static-roles/r", &role)
}

fn with_role(foreign: usize) -> TestBroker {
    let broker = with_jane(foreign);
    make(&broker).expect(200);
    broker.faults.clear_calls();
    broker
}

fn keys(broker: &TestBroker) -> Vec<String> {
    broker.aws.user("jane").unwrap().keys.into_iter().map(|key| key.access_key_id).collect()
}

fn served(broker: &TestBroker) -> String {
    broker.root().get("aws/static-creds/r").expect(200).text_of("access_key")
}

/// Whether what is handed out works, as its holder finds.
fn works(broker: &TestBroker) -> bool {
    let reply = broker.root().get("aws/static-creds/r").expect(200);
    let keys = Credentials::new(
        reply.text_of("access_key"),
        reply.text_of("secret_key"),
        None,
        None,
        "static-creds",
    );
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(keys)
        .http_client(broker.aws.http_client())
        .build();
    let client = aws_sdk_sts::Client::from_conf(config);
    let who = broker.wait(client.get_caller_identity().send());
    who.is_ok_and(|who| who.arn().is_some_and(|arn| arn.ends_with(":user/jane")))
}

#[test]
fn a_role_is_made_read_listed_and_deleted_in_vaults_shapes() {
    let broker = with_jane(0);
    let root = broker.root();
    root.list("aws/static-roles").expect(404);
    root.get("aws/static-roles/r").expect(404);
    root.get("aws/static-creds/r").expect(404);

    let made = make(&broker).expect(200);

    let id = broker.aws.user("jane").unwrap().id;
    let wanted = json!({ "name": "r", "id": id, "username": "jane", "rotation_period": 86_400,
        "assume_role_arn": "", "assume_role_session_name": "", "external_id": "" });
    assert_eq!((made.data(), made.warnings()), (&wanted, vec![]));
    assert_eq!(root.get("aws/static-roles/r").expect(200).data(), &wanted);
    assert_eq!(root.list("aws/static-roles").expect(200).data()["keys"], json!(["r"]));
    let credentials = root.get("aws/static-creds/r").expect(200);
    assert_eq!(keys(&broker), [credentials.text_of("access_key")]);
    assert_eq!(credentials.data().as_object().unwrap().len(), 3);
    assert_eq!(credentials.text_of("expiration"), "2026-05-29T20:26:40Z");
    assert_eq!(
        (&credentials.json["lease_id"], &credentials.json["lease_duration"]),
        (&json!(""), &json!(0))
    );
    assert!(works(&broker));

    let shorter = json!({ "name": "r", "rotation_period": "19m" });
    let changed = root.put("aws/static-roles/r", &shorter).expect(200);
    assert_eq!(changed.data()["rotation_period"], 1140);
    assert_eq!(changed.data()["username"], "jane");
    root.delete("aws/static-roles/r").expect(204);
    assert_eq!(keys(&broker), Vec::<String>::new());
    root.get("aws/static-roles/r").expect(404);
    root.get("aws/static-creds/r").expect(404);
    root.delete("aws/static-roles/r").expect(204);
    root.post("aws/static-roles/r/rotate", &json!({})).expect(404);
}

#[test]
fn what_a_role_cannot_be_is_told_and_nothing_is_made() {
    let broker = with_jane(0);
    let told = |role: Value, status: u16| {
        broker.root().post("aws/static-roles/r", &role).expect(status).errors()[0].clone()
    };
    assert_eq!(told(json!({ "rotation_period": "1d" }), 400), "missing \"username\" parameter");
    assert_eq!(told(json!({ "username": "jane" }), 400), "missing \"rotation_period\" parameter");
    let short = told(json!({ "username": "jane", "rotation_period": "45s" }), 500);
    assert!(short.contains("must be greater than 60.00 seconds"), "{short}");
    let nobody = told(json!({ "username": "nobody", "rotation_period": "1d" }), 500);
    assert!(nobody.contains("unable to validate username \"nobody\": NoSuchEntity"), "{nobody}");
    let odd = told(json!({ "username": "a b", "rotation_period": "1d" }), 500);
    assert!(odd.contains("unable to validate username \"a b\""), "{odd}");
    let elsewhere = told(
        json!({ "username": "jane", "rotation_period": "1d", "assume_role_arn": "arn:aws:iam::1:role/x" }),
        500,
    );
    assert!(elsewhere.contains("only supported in Vault Enterprise"), "{elsewhere}");
    broker.root().get("aws/static-roles/r").expect(404);
    assert_eq!(keys(&broker), Vec::<String>::new());
    // The broker's own user is not for others.
    broker.root().post("aws/config/rotate-root", &json!({})).expect(200);
    let own = told(json!({ "username": "account-admin", "rotation_period": "1d" }), 400);
    assert!(own.contains("help: its key is rotated with config/rotate-root"), "{own}");
    make(&broker).expect(200);
    let second = json!({ "username": "jane", "rotation_period": "1d" });
    let taken = broker.root().post("aws/static-roles/s", &second).expect(400);
    assert!(taken.errors()[0].contains("belongs to static role `r` already"), "{}", taken.text);
}

#[test]
fn a_rotation_replaces_our_key_and_leaves_those_of_others() {
    let broker = with_jane(1);
    let foreign = keys(&broker);
    let made = make(&broker).expect(200);
    assert!(made.warnings()[0].contains(&foreign[0]), "{}", made.text);
    let ours = served(&broker);
    assert_eq!(keys(&broker), [foreign[0].clone(), ours.clone()]);

    let full = broker.root().post("aws/static-roles/r/rotate", &json!({})).expect(400);
    let text = &full.errors()[0];
    assert!(text.contains(&format!("leasehold did not make `{}`", foreign[0])), "{text}");
    assert!(text.contains("replace_foreign_keys=true"), "{text}");
    assert_eq!((served(&broker), works(&broker)), (ours.clone(), true));
    let shown = broker.root().get("aws/static-roles/r").expect(200);
    assert!(shown.text_of("last_error").contains("has two access keys"), "{}", shown.text);

    let may = json!({ "replace_foreign_keys": true });
    broker.root().post("aws/static-roles/r", &may).expect(200);
    let rotated = broker.root().post("aws/static-roles/r/rotate", &json!({})).expect(200);
    assert_eq!(keys(&broker), [rotated.text_of("access_key")]);
    assert_ne!(served(&broker), ours);
    assert!(works(&broker));
    let shown = broker.root().get("aws/static-roles/r").expect(200);
    assert_eq!(shown.data()["last_error"], Value::Null);
}

#[test]
fn two_keys_of_others_are_not_touched_unless_the_role_says_so() {
    let broker = with_jane(2);
    let foreign = keys(&broker);
    let full = make(&broker).expect(400);
    assert!(foreign.iter().all(|key| full.text.contains(key.as_str())), "{}", full.text);
    assert_eq!(keys(&broker), foreign);
    broker.root().get("aws/static-roles/r").expect(404);
    let role = json!({ "username": "jane", "rotation_period": "1d", "replace_foreign_keys": true });
    broker.root().post("aws/static-roles/r", &role).expect(200);
    assert_eq!(keys(&broker), [foreign[1].clone(), served(&broker)], "the oldest made room");
}

#[test]
fn only_what_is_due_is_rotated_and_a_failure_is_tried_again() {
    let broker = with_role(0);
    broker.aws.create_user("june", "/", &[]).unwrap();
    let weekly = json!({ "username": "june", "rotation_schedule": "@weekly" });
    let made = broker.root().post("aws/static-roles/weekly", &weekly).expect(200);
    assert_eq!(
        (&made.data()["rotation_period"], &made.data()["rotation_schedule"]),
        (&json!(0), &json!("@weekly"))
    );
    let june = broker.root().get("aws/static-creds/weekly").expect(200);
    assert_eq!(june.text_of("expiration"), "2026-05-31T00:00:00Z");
    let old = served(&broker);
    broker.clock.advance(25 * HOUR);
    broker.faults.fail_next("CreateAccessKey", Fault::ServerErrorAfter(500));
    broker.rotate_due();
    assert_eq!((served(&broker), keys(&broker).len()), (old.clone(), 1), "what AWS made is gone");
    broker.clock.advance(Duration::from_secs(11));
    broker.rotate_due();
    let new = served(&broker);
    assert_ne!(new, old);
    assert_eq!((keys(&broker), works(&broker)), (vec![new], true));
    let after = broker.root().get("aws/static-creds/weekly").expect(200);
    assert_eq!(after.text_of("access_key"), june.text_of("access_key"));
    broker.clock.advance(48 * HOUR);
    broker.rotate_due();
    let after = broker.root().get("aws/static-creds/weekly").expect(200);
    assert_ne!(after.text_of("access_key"), june.text_of("access_key"));
}

#[test]
fn an_old_key_works_for_as_long_as_the_role_says() {
    let broker = with_jane(0);
    let role = json!({ "username": "jane", "rotation_period": "1d", "overlap": "1h" });
    broker.root().post("aws/static-roles/r", &role).expect(200);
    let first = served(&broker);
    broker.clock.advance(24 * HOUR);
    broker.rotate_due();
    let second = served(&broker);
    assert_eq!(keys(&broker), [first, second.clone()]);
    broker.clock.advance(HOUR);
    broker.rotate_due();
    assert_eq!(keys(&broker), std::slice::from_ref(&second));
    // A second rotation within the overlap makes room first.
    let third = broker.root().post("aws/static-roles/r/rotate", &json!({})).expect(200);
    let third = third.text_of("access_key");
    assert_eq!(keys(&broker), [second, third.clone()]);
    let fourth = broker.root().post("aws/static-roles/r/rotate", &json!({})).expect(200);
    assert_eq!(keys(&broker), [third, fourth.text_of("access_key")]);
    broker.root().delete("aws/static-roles/r").expect(204);
    assert_eq!(keys(&broker), Vec::<String>::new());
}

#[test]
fn a_user_made_anew_is_not_the_one_of_the_role() {
    let broker = with_role(0);
    broker
        .aws
        .call("DeleteAccessKey", &[("UserName", "jane"), ("AccessKeyId", &served(&broker))])
        .unwrap();
    broker.aws.call("DeleteUser", &[("UserName", "jane")]).unwrap();
    broker.aws.create_user("jane", "/", &[]).unwrap();
    let other = broker.root().post("aws/static-roles/r/rotate", &json!({})).expect(500);
    assert!(other.errors()[0].contains("the ID did not match"), "{}", other.text);
    assert_eq!(keys(&broker), Vec::<String>::new());
    broker.root().delete("aws/static-roles/r").expect(204);
}

#[test]
fn a_deletion_that_aws_refuses_goes_on_out_of_sight() {
    let broker = with_role(0);
    broker.faults.fail_every("DeleteAccessKey", Fault::refuse(403, "AccessDenied"));
    let refused = broker.root().delete("aws/static-roles/r").expect(500);
    let text = &refused.errors()[0];
    assert!(text.contains("failed to clean credentials while deleting role \"r\""), "{text}");
    broker.root().get("aws/static-roles/r").expect(404);
    broker.root().list("aws/static-roles").expect(404);
    broker.faults.heal();
    broker.clock.advance(Duration::from_secs(11));
    broker.rotate_due();
    assert_eq!(keys(&broker), Vec::<String>::new());
    make(&broker).expect(200);
}

#[test]
fn the_keys_of_a_disabled_mount_are_removed() {
    let mut broker = with_role(1);
    let foreign = keys(&broker)[0].clone();
    broker.root().delete("sys/mounts/aws").expect(204);
    broker.rotate_due();
    assert_eq!(keys(&broker), std::slice::from_ref(&foreign));
    broker.restart();
    broker.rotate_due();
    assert_eq!(keys(&broker), [foreign]);
}

#[test]
fn a_role_whose_making_breaks_at_any_step_is_there_with_a_key_or_not_at_all() {
    every_step(
        "making",
        || with_jane(1),
        |root| {
            root.post("aws/static-roles/r", &json!({ "username": "jane", "rotation_period": "1d" }))
        },
        |name, broker, _reply| {
            let there = broker.root().get("aws/static-roles/r").status == 200;
            let ours: Vec<String> = keys(broker).into_iter().skip(1).collect();
            if there {
                assert_eq!(ours, [served(broker)], "{name}");
                assert!(works(broker), "{name}");
            } else {
                assert_eq!(ours, Vec::<String>::new(), "{name}");
            }
        },
    );
}

#[test]
fn a_rotation_that_breaks_at_any_step_leaves_one_key_that_works() {
    every_step(
        "rotation",
        || with_role(0),
        |root| root.post("aws/static-roles/r/rotate", &json!({})),
        |name, broker, reply| {
            assert_eq!(keys(broker), [served(broker)], "{name}");
            assert!(works(broker), "{name}");
            let told = reply.filter(|reply| reply.status == 200).map(|it| it.text_of("access_key"));
            assert!(told.is_none_or(|told| told == served(broker)), "{name}");
        },
    );
}

#[test]
fn a_deletion_that_breaks_at_any_step_leaves_nothing_of_ours() {
    every_step(
        "deletion",
        || with_role(1),
        |root| root.delete("aws/static-roles/r"),
        |name, broker, reply| {
            // What was never written down was not begun.
            let there = broker.root().get("aws/static-roles/r").status == 200;
            assert!(!there || reply.is_none_or(|reply| reply.status == 500), "{name}");
            assert_eq!(keys(broker).len(), if there { 2 } else { 1 }, "{name}");
            assert!(!there || works(broker), "{name}");
        },
    );
}

fn bind(broker: &TestBroker, key: &str) {
    let keys = json!({ "access_key": key, "secret_key": "s", "max_retries": 0 });
    broker.root().post("aws/config/root", &keys).expect(204);
}

/// The bug: the other account knows no such user, its keys were taken for gone, and the key lived on for ever.
#[test]
fn a_key_is_not_taken_for_gone_where_its_user_cannot_be_seen() {
    let mut broker = with_role(0);
    let key = keys(&broker);
    assert_eq!(key.len(), 1);
    bind(&broker, OTHER_KEY);
    broker.restart();

    let refused = broker.root().delete("aws/static-roles/r").expect(500).errors()[0].clone();

    let told =
        "the user is in account `[masked]`, and the keys of its mount are of account `[masked]`";
    assert!(refused.contains(told), "{refused}");
    let whole = format!(
        "in account `123456789012`, and the keys of its mount are of account `{OTHER_ACCOUNT}`"
    );
    assert!(!log::with(&whole).is_empty(), "the log masks nothing");
    broker.root().get("aws/static-roles/r").expect(404);
    assert_eq!(keys(&broker), key);
    broker.clock.advance(HOUR);
    broker.rotate_due();
    assert_eq!(keys(&broker), key, "as often as it is tried");

    bind(&broker, "AKIARIGHTACCOUNT0000");
    broker.clock.advance(HOUR);
    broker.rotate_due();
    assert_eq!(keys(&broker), Vec::<String>::new());
    make(&broker).expect(200);
}

/// The same hole in another place: the old key of a rotation was taken for removed.
#[test]
fn an_old_key_is_not_taken_for_removed_where_its_user_cannot_be_seen() {
    let broker = with_jane(0);
    let role = json!({ "username": "jane", "rotation_period": "1d", "overlap": "1h" });
    broker.root().post("aws/static-roles/r", &role).expect(200);
    broker.root().post("aws/static-roles/r/rotate", &json!({})).expect(200);
    assert_eq!(keys(&broker).len(), 2);
    bind(&broker, OTHER_KEY);
    broker.clock.advance(HOUR);
    broker.rotate_due();
    assert_eq!(keys(&broker).len(), 2);

    bind(&broker, "AKIARIGHTACCOUNT0000");
    broker.clock.advance(HOUR);
    broker.rotate_due();
    assert_eq!(keys(&broker), [served(&broker)]);
}

#[test]
fn a_disabled_mount_says_which_account_the_keys_of_its_static_roles_are_in() {
    let mut broker = with_role(0);
    bind(&broker, OTHER_KEY);
    broker.restart();
    broker.root().delete("sys/mounts/aws").expect(204);
    broker.rotate_due();
    assert_eq!(keys(&broker).len(), 1);
    let mounts = broker.root().list("sys/leases/accounts").expect(200);
    let id = mounts.data()["keys"][0].as_str().unwrap().to_owned();
    let path = format!("sys/leases/accounts/{id}");
    let told = broker.root().get(&path).expect(200);
    assert_eq!(told.data()["accounts"], json!(["123456789012"]), "{}", told.text);
    let right = json!({ "access_key": "AKIARIGHTACCOUNT0000", "secret_key": "s" });
    broker.root().post(&path, &right).expect(204);
    broker.clock.advance(HOUR);
    broker.rotate_due();
    assert_eq!(keys(&broker), Vec::<String>::new());
}
