//! AWS compared with the leases, both ways: what is found, what is never touched, what somebody may decide, and
//! that nothing is concluded from half a list or from a lease that is under way.

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::model::LeaseState;
use serde_json::{Value, json};

use crate::support::broker::{OTHER_KEY, TestBroker};
use crate::support::{NARROW, log};

const TAG: &str = "abcdefghijklmnopqrstuvwx";
/// Older than IAM's news.
const OLD: Duration = Duration::from_secs(301);

fn installation(broker: &TestBroker) -> String {
    broker.root().get("sys/health").json["cluster_id"].as_str().unwrap().to_owned()
}

/// A user that carries our tag and that no lease knows.
fn make_orphan(broker: &TestBroker, name: &str, path: &str, tag: &str) {
    let id = installation(broker);
    let tags = [("leasehold:broker", id.as_str()), ("leasehold:lease", tag)];
    broker.aws.create_user(name, path, &tags).unwrap();
    broker.aws.call("CreateAccessKey", &[("UserName", name)]).unwrap();
}

fn compare(broker: &TestBroker) -> Value {
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200).data().clone()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["user"].as_str().unwrap()).collect()
}

fn decide(broker: &TestBroker, user: &str, body: &Value) -> crate::support::client::Reply {
    broker.root().post(&format!("sys/leases/orphans/{user}"), body)
}

#[test]
fn only_users_with_our_tag_and_without_a_lease_are_orphans() {
    let broker = TestBroker::new().with_role();
    let role =
        json!({ "credential_type": "iam_user", "policy_document": NARROW, "user_path": "/apps/" });
    broker.root().post("aws/roles/under-a-path", &role).expect(204);
    broker.issue().expect(200);
    broker.root().get("aws/creds/under-a-path").expect(200);
    make_orphan(&broker, "vault-left", "/", TAG);
    make_orphan(&broker, "odd-name", "/apps/", "bbcdefghijklmnopqrstuvwx");
    broker.aws.create_user("vault-theirs", "/", &[("leasehold:broker", "another")]).unwrap();
    broker.aws.create_user("vault-nobodys", "/", &[]).unwrap();
    broker.aws.create_user("somebody", "/", &[]).unwrap();
    broker.clock.advance(OLD);
    make_orphan(&broker, "vault-young", "/", "cbcdefghijklmnopqrstuvwx");
    broker.faults.clear_calls();

    let report = compare(&broker);

    let account = &report["accounts"][0];
    assert_eq!(names(&account["orphans"]), ["odd-name", "vault-left"], "{report}");
    assert_eq!(account["orphans"][1]["lease_tag"], TAG);
    assert_eq!(names(&account["of_another_broker"]), ["vault-theirs"]);
    assert_eq!(account["foreign"], 1, "one has the name and none of our tags");
    assert_eq!(account["too_young"], 1);
    assert_eq!((&account["with_lease"], &account["missing"]), (&json!(2), &json!([])));
    assert_eq!(report["totals"]["orphans"], 2);
    // One list of each kind, and tags only of candidates that no row knows by name.
    let mut actions = broker.faults.actions();
    actions.sort();
    let wanted = [vec!["ListPolicies"], vec!["ListUserTags"; 5], vec!["ListUsers"]].concat();
    assert_eq!(actions, wanted);
    assert_eq!(broker.users().len(), 8, "nothing was touched");
    let listed = broker.root().list("sys/leases/orphans").expect(200);
    assert_eq!(listed.data()["keys"], json!(["odd-name", "vault-left"]));
    assert_eq!(
        broker.root().get("sys/leases/orphans/vault-left").expect(200).text_of("mount"),
        "aws/"
    );
    assert!(!log::with("user vault-left is ours and has no lease").is_empty());
    let last = broker.root().get("sys/leases/reconcile").expect(200);
    assert_eq!(last.data()["last"]["totals"], report["totals"]);
}

#[test]
fn a_lease_whose_user_is_gone_is_missing() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users()[0].clone();
    let view = broker.aws.user(&user).unwrap();
    let key = view.keys[0].access_key_id.clone();
    broker.aws.call("DeleteAccessKey", &[("UserName", &user), ("AccessKeyId", &key)]).unwrap();
    let inline = [("UserName", user.as_str()), ("PolicyName", "r")];
    broker.aws.call("DeleteUserPolicy", &inline).unwrap();
    broker.aws.call("DeleteUser", &[("UserName", &user)]).unwrap();
    assert_eq!(compare(&broker)["totals"]["missing"], 0, "too young to tell");
    broker.clock.advance(OLD);
    let report = compare(&broker);
    assert_eq!(report["accounts"][0]["missing"][0]["lease"], json!(lease));
    assert_eq!(report["accounts"][0]["missing"][0]["detail"], "there is no such user");
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Active { .. }), "only told");
}

#[test]
fn an_orphan_is_removed_like_a_lease_and_foreign_users_stay() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.aws.create_user("vault-nobodys", "/", &[]).unwrap();
    broker.clock.advance(OLD);
    compare(&broker);
    broker.faults.clear_calls();

    let reply = decide(&broker, "vault-left", &json!({ "action": "remove" })).expect(200);

    let lease = reply.text_of("lease_id");
    assert_eq!(lease, format!("aws/creds/_adopted/{TAG}"));
    assert_eq!(broker.users(), ["vault-nobodys"]);
    let actions = broker.faults.actions();
    let at = |name: &str| actions.iter().position(|action| action == name).unwrap();
    assert!(at("UpdateAccessKey") < at("DeleteAccessKey"), "contained first: {actions:?}");
    broker.root().list("sys/leases/orphans").expect(404);
    broker.settle();
    assert!(broker.unfinished().is_empty());
    decide(&broker, "vault-nobodys", &json!({ "action": "remove" })).expect(404);
}

#[test]
fn a_removal_that_aws_refuses_goes_on_until_it_is_done() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    let reply = decide(&broker, "vault-left", &json!({ "action": "remove" })).expect(400);
    assert!(reply.errors()[0].contains("AccessDenied"), "{:?}", reply.errors());
    assert_eq!(broker.unfinished().len(), 1, "it has a row now");
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty());
}

#[test]
fn the_tags_are_read_again_before_an_orphan_is_touched() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let untag = [("UserName", "vault-left"), ("TagKeys.member.1", "leasehold:broker")];
    broker.aws.call("UntagUser", &untag).unwrap();
    for action in [json!({ "action": "remove" }), json!({ "action": "adopt", "ttl": "1h" })] {
        let reply = decide(&broker, "vault-left", &action).expect(400);
        assert!(reply.errors()[0].contains("does not carry our tags any more"));
    }
    assert_eq!(broker.users(), ["vault-left"]);
    assert!(broker.unfinished().is_empty());
    assert_eq!(compare(&broker)["totals"]["orphans"], 0);
}

#[test]
fn an_adopted_user_is_a_lease_that_ends_when_it_was_told_to() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let adopt = json!({ "action": "adopt", "ttl": "1h" });
    let lease = decide(&broker, "vault-left", &adopt).expect(200).text_of("lease_id");
    assert_eq!(broker.lookup(&lease).expect(200).data()["ttl"], 3600);
    assert_eq!(compare(&broker)["totals"]["orphans"], 0);
    let row = broker.row(&lease).unwrap();
    assert_eq!(row.origin.caller, "root");
    assert!(row.user_id.unwrap().starts_with("AIDA"));
    broker.advance(Duration::from_secs(3601));
    assert!(broker.users().is_empty(), "it ended like any other");
}

#[test]
fn an_ignored_orphan_is_quiet_until_its_day() {
    let mut broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let ignore = json!({ "action": "ignore", "until": "48h" });
    decide(&broker, "vault-left", &ignore).expect(200);
    broker.restart();
    let totals =
        |report: &Value| (report["totals"]["orphans"].clone(), report["totals"]["ignored"].clone());
    assert_eq!(totals(&compare(&broker)), (json!(0), json!(1)));
    let shown = broker.root().get("sys/leases/orphans/vault-left").expect(200);
    assert!(shown.data()["ignored_until"].is_string());
    broker.clock.advance(Duration::from_secs(49 * 3600));
    assert_eq!(totals(&compare(&broker)), (json!(1), json!(0)));
}

#[test]
fn what_a_decision_lacks_is_said() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    make_orphan(&broker, "vault-broken-tag", "/", "no tag of ours");
    let bare = [("leasehold:broker", installation(&broker))];
    let bare: Vec<(&str, &str)> = bare.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let tagged = [bare.as_slice(), &[("leasehold:lease", "zbcdefghijklmnopqrstuvwx")]].concat();
    broker.aws.create_user("vault-keyless", "/", &tagged).unwrap();
    broker.clock.advance(OLD);
    compare(&broker);
    let told = |user: &str, body: Value, status: u16| {
        decide(&broker, user, &body).expect(status).errors()[0].clone()
    };
    assert!(told("nobody", json!({ "action": "remove" }), 404).contains("no orphan `nobody`"));
    assert!(told("vault-left", json!({ "action": "keep" }), 400).contains("not `keep`"));
    assert!(told("vault-left", json!({ "action": "adopt" }), 400).contains("`ttl` is missing"));
    assert!(told("vault-left", json!({ "action": "ignore" }), 400).contains("`until` is missing"));
    assert!(
        told("vault-broken-tag", json!({ "action": "remove" }), 400).contains("has no lease tag")
    );
    let keyless = told("vault-keyless", json!({ "action": "adopt", "ttl": 60 }), 400);
    assert!(keyless.contains("has no access key"));
    let elsewhere = json!({ "mount": "nowhere" });
    broker.root().post("sys/leases/reconcile", &elsewhere).expect(400);
    assert_eq!(broker.users().len(), 3);
    assert!(broker.unfinished().is_empty());
}

#[test]
fn a_lease_that_was_called_gone_is_torn_down_again() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let tag = lease.rsplit('/').next().unwrap().to_owned();
    broker.revoke(&lease).expect(204);
    broker.settle();
    make_orphan(&broker, "vault-back", "/", &tag);
    broker.clock.advance(OLD);
    assert_eq!(names(&compare(&broker)["accounts"][0]["orphans"]), ["vault-back"]);
    let adopt = decide(&broker, "vault-back", &json!({ "action": "adopt", "ttl": 60 })).expect(400);
    assert!(adopt.errors()[0].contains("belongs to the ended lease"));
    let removed = decide(&broker, "vault-back", &json!({ "action": "remove" })).expect(200);
    assert_eq!(removed.text_of("lease_id"), lease, "its own row");
    broker.settle();
    assert!(broker.users().is_empty() && broker.unfinished().is_empty());
}

#[test]
fn nothing_is_concluded_from_a_list_that_could_not_be_read_to_its_end() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    for (action, fault) in [
        ("ListUsers", Fault::refuse(403, "AccessDenied")),
        ("ListUsers", Fault::LostAfter),
        ("ListUserTags", Fault::refuse(403, "AccessDenied")),
    ] {
        broker.faults.fail_every(action, fault);
        let report = compare(&broker);
        broker.faults.heal();
        let account = &report["accounts"][0];
        assert!(
            account["error"]["message"].as_str().unwrap().contains(action)
                || account["error"]["message"].as_str().unwrap().contains("AccessDenied"),
            "{report}"
        );
        assert_eq!((&account["orphans"], &account["missing"]), (&json!([]), &json!([])));
        assert_eq!(report["totals"]["failed"], 1);
        let kept = broker.root().list("sys/leases/orphans").expect(200);
        assert_eq!(kept.data()["keys"], json!(["vault-left"]), "what was known stays");
    }
    broker.lookup(&lease).expect(200);
}

#[test]
fn a_page_that_fails_in_the_middle_fails_the_list() {
    let broker = TestBroker::new().with_role();
    for number in 0..1100 {
        broker.aws.create_user(&format!("u{number:04}"), "/", &[]).unwrap();
    }
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    let report = compare(&broker);
    assert_eq!(report["accounts"][0]["users"], 1102, "all pages, and the account's own user");
    assert_eq!(report["totals"]["orphans"], 1);
    broker.faults.fail_nth("ListUsers", 2, Fault::refuse(403, "AccessDenied"));
    let report = compare(&broker);
    assert_eq!((&report["totals"]["failed"], &report["totals"]["orphans"]), (&json!(1), &json!(0)));
    broker.root().get("sys/leases/orphans/vault-left").expect(200);
}

#[test]
fn a_lease_under_way_is_never_taken_for_an_orphan() {
    let broker = TestBroker::new().with_role();
    // A user whose lease is pending: the keys are still being made.
    let held = broker.faults.hold_next("CreateAccessKey");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    broker.wait(held.arrived());
    broker.clock.advance(OLD);
    assert_eq!(compare(&broker)["totals"]["orphans"], 0);
    held.release();
    let lease = asking.join().unwrap().expect(200).lease_id();

    // One that ends between the list and the look at the rows.
    let reading = broker.faults.hold_next("ListUserTags");
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    let root = broker.root();
    let comparing = std::thread::spawn(move || root.post("sys/leases/reconcile", &json!({})));
    broker.wait(reading.arrived());
    let second = broker.root().post("sys/leases/reconcile", &json!({})).expect(409);
    assert!(second.errors()[0].contains("under way"));
    broker.revoke(&lease).expect(204);
    reading.release();
    let report = comparing.join().unwrap().expect(200);
    assert_eq!(names(&report.data()["accounts"][0]["orphans"]), ["vault-left"]);
    assert_eq!(report.data()["totals"]["missing"], 0);
}

#[test]
fn issues_and_comparisons_at_the_same_time_do_not_meet() {
    let broker = TestBroker::new().with_role();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let root = broker.root();
            std::thread::spawn(move || {
                for _ in 0..10 {
                    let lease = root.get("aws/creds/r").expect(200).lease_id();
                    root.put("sys/leases/revoke", &json!({ "lease_id": lease })).expect(204);
                }
            })
        })
        .collect();
    while threads.iter().any(|thread| !thread.is_finished()) {
        let report = compare(&broker);
        let (totals, account) = (&report["totals"], &report["accounts"][0]);
        assert_eq!((&totals["orphans"], &totals["missing"]), (&json!(0), &json!(0)));
        assert_eq!(account["too_young"], 0, "not even its age was needed: each has a row");
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(broker.users().is_empty());
}

#[test]
fn a_dry_run_keeps_nothing() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    let body = json!({ "dry_run": true, "mount": "aws/" });
    let report = broker.root().post("sys/leases/reconcile", &body).expect(200);
    assert_eq!(report.data()["totals"]["orphans"], 1);
    broker.root().list("sys/leases/orphans").expect(404);
    assert_eq!(broker.root().get("sys/leases/reconcile").expect(200).data()["last"], json!(null));
}

#[test]
fn only_root_may_look_or_decide() {
    let broker = TestBroker::new().with_role();
    let token = broker.root().post("auth/token/create", &json!({ "policies": ["default"] }));
    let token = token.expect(200).json["auth"]["client_token"].as_str().unwrap().to_owned();
    let limited = broker.root().with_token(&token);
    for path in ["sys/leases/reconcile", "sys/leases/orphans/x", "sys/leases/quarantine"] {
        limited.post(path, &json!({ "action": "lift" })).expect(403);
        limited.get(path).expect(403);
    }
}

/// The bug: the row of an adopted user did not say its account, so that any account without such a user made it
/// read as gone while it lived on.
#[test]
fn an_adopted_user_is_not_called_gone_by_keys_of_another_account() {
    let broker = TestBroker::new().with_role();
    make_orphan(&broker, "vault-left", "/", TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let adopt = json!({ "action": "adopt", "ttl": "1h" });
    let lease = decide(&broker, "vault-left", &adopt).expect(200).text_of("lease_id");
    let keys = json!({ "access_key": OTHER_KEY, "secret_key": "made-up" });
    broker.root().post("aws/config/root", &keys).expect(204);
    broker.revoke(&lease).expect(400);
    broker.settle();
    assert_eq!(broker.users(), ["vault-left"]);
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Revoking(_)));
}
