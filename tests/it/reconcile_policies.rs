//! Managed policies of leases that no lease names: found, listed, removed or ignored, and never touched where they are
//! not ours, too young, or of a lease that is under way. And leases that were looked for in the wrong account.
//! Users without a lease: `reconcile.rs`.

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::model::LeaseState;
use serde_json::{Value, json};

use crate::support::broker::{OTHER_ACCOUNT, OTHER_KEY, TestBroker};
use crate::support::client::Reply;
use crate::support::{NARROW, log};

const TAG: &str = "abcdefghijklmnopqrstuvwx";
const OTHER_TAG: &str = "bbcdefghijklmnopqrstuvwx";
/// Older than IAM's news.
const OLD: Duration = Duration::from_secs(301);

fn installation(broker: &TestBroker) -> String {
    broker.root().get("sys/health").json["cluster_id"].as_str().unwrap().to_owned()
}

/// A policy under the path of a lease, with these tags.
fn make(broker: &TestBroker, path: &str, name: &str, owner: &str, lease: &str) -> String {
    let call = [
        ("PolicyName", name),
        ("Path", path),
        ("PolicyDocument", NARROW),
        ("Tags.member.1.Key", "leasehold:broker"),
        ("Tags.member.1.Value", owner),
        ("Tags.member.2.Key", "leasehold:lease"),
        ("Tags.member.2.Value", lease),
    ];
    let answer = broker.aws.call("CreatePolicy", &call).unwrap();
    answer.split("<Arn>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// A policy as a lease of this tag would have made it.
pub(crate) fn make_orphan(broker: &TestBroker, tag: &str) -> String {
    let id = installation(broker);
    make(broker, &format!("/leasehold/{id}/{tag}/"), &format!("leasehold-{tag}"), &id, tag)
}

fn with_managed_role() -> TestBroker {
    let broker = TestBroker::new().with_role();
    let role =
        json!({ "credential_type": "iam_user", "policy_document": NARROW, "placement": "managed" });
    broker.root().post("aws/roles/r", &role).expect(204);
    broker
}

fn compare(broker: &TestBroker) -> Value {
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200).data().clone()
}

fn arns(report: &Value) -> Vec<&str> {
    let list = report["accounts"][0]["orphan_policies"].as_array().unwrap();
    list.iter().map(|one| one["arn"].as_str().unwrap()).collect()
}

fn decide(broker: &TestBroker, policy: &str, action: &str) -> Reply {
    let body = json!({ "action": action, "ttl": "1h", "until": "48h" });
    broker.root().post(&format!("sys/leases/orphans/{policy}"), &body)
}

fn attach(broker: &TestBroker, kind: &str, name: &str, arn: &str) {
    let (action, owner) = (format!("Attach{kind}Policy"), format!("{kind}Name"));
    broker.aws.call(&action, &[(owner.as_str(), name), ("PolicyArn", arn)]).unwrap();
}

#[test]
fn only_policies_with_our_path_and_tags_and_without_a_lease_are_orphans() {
    let broker = with_managed_role();
    let id = installation(&broker);
    broker.issue().expect(200);
    let left = make_orphan(&broker, TAG);
    // Of another installation, by its path or by its tags; of another lease than its path says; not ours at all.
    make(&broker, &format!("/leasehold/another/{TAG}/"), "a", "another", TAG);
    make(&broker, &format!("/leasehold/{id}/{OTHER_TAG}/"), "b", "another", OTHER_TAG);
    make(&broker, &format!("/leasehold/{id}/zbcdefghijklmnopqrstuvwx/"), "c", &id, TAG);
    make(&broker, &format!("/leasehold/{id}/"), "d", &id, TAG);
    broker.aws.create_managed_policy("e", NARROW).unwrap();
    broker.clock.advance(OLD);
    make_orphan(&broker, "cbcdefghijklmnopqrstuvwx");
    broker.faults.clear_calls();

    let report = compare(&broker);

    assert_eq!(arns(&report), [left.as_str()], "{report}");
    let account = &report["accounts"][0];
    assert_eq!(account["orphan_policies"][0]["lease_tag"], TAG);
    assert_eq!(account["orphans"], json!([]));
    assert_eq!(report["totals"]["orphan_policies"], 1);
    assert_eq!(report["totals"]["orphans"], 0);
    // One list, and tags only of those whose lease no row is of.
    let actions = broker.faults.actions();
    let asked = |name: &str| actions.iter().filter(|action| *action == name).count();
    assert_eq!((asked("ListPolicies"), asked("ListPolicyTags")), (1, 4), "{actions:?}");
    assert!(actions.iter().all(|action| action.starts_with("List")), "{actions:?}");
    let listed = broker.root().list("sys/leases/orphans").expect(200);
    let name = format!("leasehold-{TAG}");
    assert_eq!(listed.data()["keys"], json!([name]));
    let shown = broker.root().get(&format!("sys/leases/orphans/{name}")).expect(200);
    assert_eq!((shown.text_of("arn"), shown.text_of("mount")), (left.clone(), "aws/".to_owned()));
    let all = broker.root().get("sys/leases/orphans").expect(200);
    assert_eq!(all.data()["policies"][0]["policy_id"], shown.data()["policy_id"]);
    assert_eq!(all.data()["orphans"], json!([]));
    assert!(!log::with(&format!("policy {left} is ours and has no lease")).is_empty());
}

#[test]
fn every_page_of_the_policies_is_read_and_half_a_list_concludes_nothing() {
    let broker = TestBroker::new().with_role();
    let id = installation(&broker);
    for number in 0..1_100 {
        let path = format!("/leasehold/{id}/{OTHER_TAG}/");
        make(&broker, &path, &format!("p{number}"), "another", OTHER_TAG);
    }
    let left = make_orphan(&broker, TAG);
    broker.aws.create_user("vault-left", "/", &[("leasehold:broker", id.as_str())]).unwrap();
    broker.clock.advance(OLD);
    assert_eq!(arns(&compare(&broker)), [left.as_str()]);
    let name = format!("leasehold-{TAG}");
    for (action, nth) in [("ListPolicies", 1), ("ListPolicies", 2), ("ListPolicyTags", 1)] {
        broker.faults.fail_nth(action, nth, Fault::refuse(403, "AccessDenied"));
        let report = compare(&broker);
        broker.faults.heal();
        assert!(arns(&report).is_empty(), "{action} {nth}");
        let told = report["accounts"][0]["policies_error"]["message"].as_str().unwrap();
        assert!(told.contains("AccessDenied"), "{told}");
        assert_eq!(report["totals"]["failed"], 1);
        assert_eq!(report["totals"]["orphans"], 1, "users were compared all the same");
        broker.root().get(&format!("sys/leases/orphans/{name}")).expect(200);
    }
}

#[test]
fn a_policy_whose_lease_is_under_way_is_never_an_orphan() {
    let broker = with_managed_role();
    let held = broker.faults.hold_next("CreateAccessKey");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    broker.wait(held.arrived());
    broker.clock.advance(OLD);
    assert!(arns(&compare(&broker)).is_empty());
    held.release();
    let lease = asking.join().unwrap().expect(200).lease_id();

    // One that ends between the list and the look at the rows.
    let reading = broker.faults.hold_next("ListPolicyTags");
    let left = make_orphan(&broker, TAG);
    broker.clock.advance(OLD);
    let root = broker.root();
    let comparing = std::thread::spawn(move || root.post("sys/leases/reconcile", &json!({})));
    broker.wait(reading.arrived());
    broker.revoke(&lease).expect(204);
    reading.release();
    let report = comparing.join().unwrap().expect(200);
    assert_eq!(arns(report.data()), [left.as_str()]);
}

#[test]
fn an_orphaned_policy_is_taken_from_what_is_ours_and_goes_with_its_versions() {
    let broker = with_managed_role();
    let lease = broker.issue().expect(200).lease_id();
    let id = installation(&broker);
    let left = make_orphan(&broker, TAG);
    for _version in 0..2 {
        let version =
            [("PolicyArn", left.as_str()), ("PolicyDocument", NARROW), ("SetAsDefault", "true")];
        broker.aws.call("CreatePolicyVersion", &version).unwrap();
    }
    let tags = [("leasehold:broker", id.as_str()), ("leasehold:lease", TAG)];
    broker.aws.create_user("vault-left", "/", &tags).unwrap();
    attach(&broker, "User", "vault-left", &left);
    broker.clock.advance(OLD);
    compare(&broker);
    broker.faults.clear_calls();

    let reply = decide(&broker, &format!("leasehold-{TAG}"), "remove").expect(200);

    assert_eq!(reply.text_of("arn"), left);
    assert_eq!(broker.aws.managed_policies().len(), 1, "that of the lease");
    assert!(broker.aws.user("vault-left").unwrap().attached.is_empty());
    let actions = broker.faults.actions();
    let at = |name: &str| actions.iter().position(|action| action == name).unwrap();
    assert!(at("ListPolicyTags") < at("DetachUserPolicy"), "{actions:?}");
    assert!(at("DetachUserPolicy") < at("DeletePolicyVersion"), "{actions:?}");
    broker.root().get(&format!("sys/leases/orphans/leasehold-{TAG}")).expect(404);
    assert!(arns(&compare(&broker)).is_empty());
    broker.revoke(&lease).expect(204);
    assert!(broker.aws.managed_policies().is_empty());
}

#[test]
fn a_policy_that_somebody_else_has_stays_whole_and_is_told() {
    let broker = TestBroker::new().with_role();
    let id = installation(&broker);
    let left = make_orphan(&broker, TAG);
    let ours = [("leasehold:broker", id.as_str()), ("leasehold:lease", TAG)];
    broker.aws.create_user("vault-left", "/", &ours).unwrap();
    broker.aws.create_user("foreign", "/", &[("leasehold:broker", "another")]).unwrap();
    let of_a_lease = broker.issue().expect(200).lease_id();
    let live = broker.users().into_iter().find(|name| name.starts_with("vault-root")).unwrap();
    broker.aws.create_group("team", &[], &[]).unwrap();
    broker.clock.advance(OLD);
    compare(&broker);
    attach(&broker, "User", "vault-left", &left);
    for (kind, name) in [("User", "foreign"), ("User", live.as_str()), ("Group", "team")] {
        attach(&broker, kind, name, &left);
        let told = decide(&broker, &format!("leasehold-{TAG}"), "remove").expect(400).errors();
        assert!(
            told[0].contains(&format!("is attached to {} `{name}`", kind.to_lowercase())),
            "{told:?}"
        );
        let (action, owner) = (format!("Detach{kind}Policy"), format!("{kind}Name"));
        broker.aws.call(&action, &[(owner.as_str(), name), ("PolicyArn", &left)]).unwrap();
        assert_eq!(broker.aws.user("vault-left").unwrap().attached, [left.as_str()], "untouched");
    }
    let boundary = [("UserName", "foreign"), ("PermissionsBoundary", left.as_str())];
    broker.aws.call("PutUserPermissionsBoundary", &boundary).unwrap();
    decide(&broker, &format!("leasehold-{TAG}"), "remove").expect(400);
    assert_eq!(broker.aws.managed_policies(), [left]);
    broker.lookup(&of_a_lease).expect(200);
}

#[test]
fn the_tags_of_a_policy_are_read_again_before_it_is_touched() {
    let broker = TestBroker::new().with_role();
    let left = make_orphan(&broker, TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let untag = [("PolicyArn", left.as_str()), ("TagKeys.member.1", "leasehold:broker")];
    broker.aws.call("UntagPolicy", &untag).unwrap();
    let told = decide(&broker, &format!("leasehold-{TAG}"), "remove").expect(400).errors();
    assert!(told[0].contains("does not carry our tags any more"), "{told:?}");
    assert_eq!(broker.aws.managed_policies(), [left]);
    assert!(arns(&compare(&broker)).is_empty());
}

#[test]
fn a_policy_cannot_be_adopted_and_can_be_ignored_until_its_day() {
    let mut broker = TestBroker::new().with_role();
    let left = make_orphan(&broker, TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let name = format!("leasehold-{TAG}");
    let told = decide(&broker, &name, "adopt").expect(400).errors();
    assert!(told[0].contains("is a policy, and a policy is nobody's credential"), "{told:?}");
    decide(&broker, &name, "ignore").expect(200);
    broker.restart();
    let totals = |report: &Value| {
        (report["totals"]["orphan_policies"].clone(), report["totals"]["ignored"].clone())
    };
    assert_eq!(totals(&compare(&broker)), (json!(0), json!(1)));
    broker.clock.advance(Duration::from_secs(49 * 3600));
    assert_eq!(totals(&compare(&broker)), (json!(1), json!(0)));
    assert_eq!(broker.aws.managed_policies(), [left]);
}

#[test]
fn a_user_without_a_lease_takes_its_policy_along() {
    let broker = TestBroker::new().with_role();
    let id = installation(&broker);
    let left = make_orphan(&broker, TAG);
    let ours = [("leasehold:broker", id.as_str()), ("leasehold:lease", TAG)];
    broker.aws.create_user("vault-left", "/", &ours).unwrap();
    attach(&broker, "User", "vault-left", &left);
    broker.clock.advance(OLD);
    compare(&broker);
    decide(&broker, "vault-left", "remove").expect(200);
    assert!(broker.aws.managed_policies().is_empty());
    // What is gone already is removed.
    decide(&broker, &format!("leasehold-{TAG}"), "remove").expect(200);
    broker.root().list("sys/leases/orphans").expect(404);
}

#[test]
fn a_policy_in_an_account_that_the_keys_are_not_of_is_not_called_gone() {
    let broker = TestBroker::new().with_role();
    let left = make_orphan(&broker, TAG);
    broker.clock.advance(OLD);
    compare(&broker);
    let keys = json!({ "access_key": OTHER_KEY, "secret_key": "made-up" });
    broker.root().post("aws/config/root", &keys).expect(204);
    let told = decide(&broker, &format!("leasehold-{TAG}"), "remove").expect(400).errors();
    assert!(told[0].contains(OTHER_ACCOUNT), "{told:?}");
    assert_eq!(broker.aws.managed_policies(), [left]);
    broker.root().get(&format!("sys/leases/orphans/leasehold-{TAG}")).expect(200);
}

/// The bug: every lease of the account before was told as missing its user.
#[test]
fn a_lease_of_another_account_is_not_looked_for_and_not_missing() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let user = broker.users().remove(0);
    broker.clock.advance(OLD);
    let keys = json!({ "access_key": OTHER_KEY, "secret_key": "made-up" });
    broker.root().post("aws/config/root", &keys).expect(204);
    broker.faults.clear_calls();

    let report = compare(&broker);

    let account = &report["accounts"][0];
    assert_eq!(account["missing"], json!([]), "{report}");
    assert_eq!(
        (&report["totals"]["missing"], &report["totals"]["not_looked"]),
        (&json!(0), &json!(1))
    );
    let told = &account["not_looked"][0];
    assert_eq!((&told["lease"], &told["user"]), (&json!(lease), &json!(user)));
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("in account `123456789012`"), "{detail}");
    assert!(detail.contains(&format!("are of account `{OTHER_ACCOUNT}`")), "{detail}");
    assert!(
        !broker.faults.actions().contains(&"ListUserTags".to_owned()),
        "nobody is asked about it"
    );
    assert!(matches!(broker.row(&lease).unwrap().state, LeaseState::Active { .. }));

    broker.faults.fail_every("GetCallerIdentity", Fault::LostBefore);
    let again = json!({ "access_key": OTHER_KEY, "secret_key": "made-up-again" });
    broker.root().post("aws/config/root", &again).expect(204);
    let report = compare(&broker);
    let detail = report["accounts"][0]["not_looked"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("cannot be found out"), "{detail}");
}
