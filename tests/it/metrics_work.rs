//! `sys/metrics` on what belongs to issuing and to keeping things in order: each thing is done over HTTP, and
//! both forms say it.

#![expect(clippy::float_cmp, reason = "counts are whole numbers, which floats hold exactly")]

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::clock::Clock as _;
use leasehold::store::sqlite::backup;
use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::TestBroker;

const HOUR: Duration = Duration::from_secs(3600);

/// A number of `sys/metrics`, which both forms must have; `None` where neither has it.
#[track_caller]
fn maybe(broker: &TestBroker, name: &str, labels: &Value) -> Option<f64> {
    // One is read after the other, and something may be counted between.
    for _ in 0..20 {
        let [in_text, in_json] = both(broker, name, labels);
        if in_text == in_json {
            return in_text;
        }
    }
    panic!("{name} {labels}: the two forms differ: {:?}", both(broker, name, labels));
}

/// In the text, and in the JSON.
fn both(broker: &TestBroker, name: &str, labels: &Value) -> [Option<f64>; 2] {
    let root = broker.root();
    let text = root.get("sys/metrics?format=prometheus").expect(200).text;
    let named: Vec<String> = labels
        .as_object()
        .unwrap()
        .iter()
        .map(|(label, value)| format!("{label}=\"{}\"", value.as_str().unwrap()))
        .collect();
    let series = if named.is_empty() {
        format!("{name} ")
    } else {
        format!("{name}{{{}}} ", named.join(","))
    };
    let in_text = text.lines().find_map(|line| line.strip_prefix(series.as_str()));
    let in_text = in_text.map(|value| value.parse::<f64>().unwrap());
    let json = root.get("sys/metrics").expect(200).json;
    let lists = ["Gauges", "Counters"].map(|list| json[list].as_array().unwrap().clone());
    let found = lists.iter().flatten().find(|one| one["Name"] == name && one["Labels"] == *labels);
    let in_json = found.map(|one| {
        let value = if one["Value"].is_null() { &one["Sum"] } else { &one["Value"] };
        value.as_f64().unwrap()
    });
    [in_text, in_json]
}

#[track_caller]
fn shown(broker: &TestBroker, name: &str, labels: &Value) -> f64 {
    maybe(broker, name, labels).unwrap_or_else(|| panic!("{name} {labels} is not shown"))
}

#[track_caller]
fn plain(broker: &TestBroker, name: &str) -> f64 {
    shown(broker, name, &json!({}))
}

#[track_caller]
fn outcome(broker: &TestBroker, outcome: &str) -> Option<f64> {
    let labels = json!({ "mount": "aws/", "outcome": outcome, "type": "iam_user" });
    maybe(broker, "leasehold_issues_total", &labels)
}

/// Looks until it is so; what the broker does on its own threads takes a moment.
fn until(what: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !what() {
        assert!(std::time::Instant::now() < deadline, "it did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn readiness_is_counted_by_mode_and_by_what_came_of_it() {
    let broker = TestBroker::new().with_role();
    let counted = |mode: &str, outcome: &str| {
        shown(&broker, "leasehold_readiness_total", &json!({ "mode": mode, "outcome": outcome }))
    };
    let set = |mode: &str| {
        broker.root().post("aws/roles/r", &json!({ "readiness": mode })).expect(204);
    };
    assert_eq!((counted("wait", "proven"), counted("wait", "unproven")), (0.0, 0.0));
    broker.issue().expect(200);
    broker.faults.fail_every("GetCallerIdentity", Fault::LostBefore);
    broker.issue().expect(200);
    assert_eq!((counted("wait", "proven"), counted("wait", "unproven")), (1.0, 1.0));
    set("async");
    broker.issue().expect(200);
    until(|| counted("async", "unproven") > 0.0);
    broker.faults.heal();
    broker.issue().expect(200);
    until(|| counted("async", "proven") > 0.0);
    set("off");
    broker.issue().expect(200);
    assert_eq!(counted("off", "not_asked"), 1.0);
    assert_eq!((counted("wait", "proven"), counted("async", "unproven")), (1.0, 1.0));

    let text = broker.root().get("sys/metrics?format=prometheus").expect(200).text;
    for line in [
        r#"leasehold_readiness_wait_seconds_count{mode="wait"} 2"#,
        r#"leasehold_readiness_wait_seconds_count{mode="async"} 2"#,
    ] {
        assert!(text.lines().any(|own| own == line), "no {line}");
    }
    let json = broker.root().get("sys/metrics").expect(200).json;
    let samples = json["Samples"].as_array().unwrap();
    let waited = samples.iter().find(|one| {
        one["Name"] == "leasehold_readiness_wait_seconds" && one["Labels"]["mode"] == "wait"
    });
    let waited = waited.unwrap();
    assert_eq!(waited["Count"], 2);
    assert!(waited["Sum"].as_f64().unwrap() >= 0.3, "it tried three times: {waited}");
}

#[test]
fn a_refusal_by_a_cap_and_one_by_strict_ttl_are_told_from_others() {
    let broker = TestBroker::new().with_role();
    broker.root().post("aws/roles/r", &json!({ "max_leases": 1 })).expect(204);
    broker.issue().expect(200);
    broker.issue().expect(400);
    assert_eq!((outcome(&broker, "cap_reached"), outcome(&broker, "ttl_cut")), (Some(1.0), None));
    let strict = json!({ "max_leases": 0, "ttl": "2h", "strict_ttl": true });
    broker.root().post("aws/roles/r", &strict).expect(204);
    broker.root().post("sys/mounts/aws/tune", &json!({ "max_lease_ttl": "30m" })).expect(204);
    broker.issue().expect(400);
    assert_eq!(outcome(&broker, "ttl_cut"), Some(1.0));
    assert_eq!(
        (outcome(&broker, "cap_reached"), outcome(&broker, "issued")),
        (Some(1.0), Some(1.0))
    );
    assert_eq!(outcome(&broker, "refused"), None);
}

#[test]
fn replays_and_refusals_of_used_keys_are_counted() {
    let broker = TestBroker::new().with_role();
    let caller = broker.root().with_header("Idempotency-Key", "k");
    let counted = |outcome: &str| {
        shown(&broker, "leasehold_idempotency_total", &json!({ "outcome": outcome }))
    };
    caller.get("aws/creds/r").expect(200);
    assert_eq!(counted("replayed"), 0.0);
    caller.get("aws/creds/r").expect(200);
    caller.get("aws/creds/r").expect(200);
    caller.get("aws/sts/r").expect(422);
    broker.advance(Duration::from_secs(61));
    caller.get("aws/creds/r").expect(409);
    assert_eq!((counted("replayed"), counted("mismatch"), counted("too_late")), (2.0, 1.0, 1.0));
    assert_eq!(outcome(&broker, "issued"), Some(1.0), "a replay issues nothing");
}

#[test]
fn the_last_comparison_is_shown_with_its_age_also_after_a_restart() {
    let mut broker = TestBroker::new().with_role();
    assert_eq!(maybe(&broker, "leasehold_reconcile_age_seconds", &json!({})), None);
    let id = broker.root().get("sys/health").json["cluster_id"].as_str().unwrap().to_owned();
    let tags = [("leasehold:broker", id.as_str()), ("leasehold:lease", "abcdefghijklmnopqrstuvwx")];
    broker.aws.create_user("vault-left", "/", &tags).unwrap();
    crate::reconcile_policies::make_orphan(&broker, "bbcdefghijklmnopqrstuvwx");
    broker.issue().expect(200);
    let user = broker.users().into_iter().find(|name| name != "vault-left").unwrap();
    broker.clock.advance(HOUR);
    for key in broker.aws.user(&user).unwrap().keys {
        let key = key.access_key_id;
        let delete = [("UserName", user.as_str()), ("AccessKeyId", key.as_str())];
        broker.aws.call("DeleteAccessKey", &delete).unwrap();
    }
    let delete = [("UserName", user.as_str()), ("PolicyName", "r")];
    broker.aws.call("DeleteUserPolicy", &delete).unwrap();
    broker.aws.call("DeleteUser", &[("UserName", &user)]).unwrap();
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200);
    broker.clock.advance(Duration::from_secs(90));

    let look = |broker: &TestBroker| {
        let found =
            |kind: &str| shown(broker, "leasehold_reconcile_found", &json!({ "kind": kind }));
        assert_eq!(found("orphans"), 1.0);
        assert_eq!(found("orphan_policies"), 1.0);
        assert_eq!(found("missing"), 1.0);
        assert_eq!((found("not_looked"), found("failed_accounts")), (0.0, 0.0));
        assert_eq!(plain(broker, "leasehold_reconcile_age_seconds"), 90.0);
        assert_eq!(plain(broker, "leasehold_reconcile_timestamp_seconds"), 1_780_003_600.0);
    };
    look(&broker);
    broker.restart();
    look(&broker);
}

#[test]
fn a_backup_and_the_quarantine_of_a_restored_one_are_shown() {
    let mut broker = TestBroker::new().with_role();
    assert_eq!(plain(&broker, "leasehold_quarantined"), 0.0);
    assert_eq!(maybe(&broker, "leasehold_last_backup_age_seconds", &json!({})), None);
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("backup.db");
    backup::back_up(broker.data_dir(), &file, false, broker.clock.now()).unwrap();
    broker.clock.advance(HOUR);
    assert_eq!(plain(&broker, "leasehold_last_backup_age_seconds"), 3600.0);
    assert_eq!(plain(&broker, "leasehold_last_backup_timestamp_seconds"), 1_780_000_000.0);
    broker.restore(&file);
    assert_eq!(plain(&broker, "leasehold_quarantined"), 1.0);
    broker.root().post("sys/leases/quarantine", &json!({ "action": "lift" })).expect(204);
    assert_eq!(plain(&broker, "leasehold_quarantined"), 0.0);
}

#[test]
fn jobs_are_shown_by_state_with_what_is_left_of_them() {
    let broker = TestBroker::new().with_role();
    for _ in 0..3 {
        broker.issue().expect(200);
    }
    let state =
        |state: &str| shown(&broker, "leasehold_revocation_jobs", &json!({ "state": state }));
    let left = || plain(&broker, "leasehold_revocation_job_leases_left");
    assert_eq!((state("running"), left()), (0.0, 0.0));
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    let begun = broker.root().post("sys/leases/revoke-query", &json!({ "role": "r" })).expect(202);
    let id = begun.data()["job_id"].as_str().unwrap().to_owned();
    until(|| state("running") == 1.0 && left() == 3.0);
    broker.root().post(&format!("sys/leases/jobs/{id}/pause"), &json!({})).expect(204);
    assert_eq!((state("running"), state("paused"), left()), (0.0, 1.0, 3.0));
    broker.root().post(&format!("sys/leases/jobs/{id}/resume"), &json!({})).expect(204);
    broker.faults.heal();
    broker.settle();
    until(|| state("done") == 1.0);
    assert_eq!((state("marking"), state("paused"), left()), (0.0, 0.0, 0.0));
}

#[test]
fn rotations_done_failed_and_overdue_are_told_by_the_kind_of_key() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    root.post("aws/config/root", &keys).expect(204);
    root.post("aws/config/rotate-root", &json!({})).expect(200);
    broker.aws.create_user("jane", "/", &[]).unwrap();
    let role = json!({ "username": "jane", "rotation_period": "1d" });
    root.post("aws/static-roles/j", &role).expect(200);
    root.post("aws/config/root", &json!({ "rotation_period": "24h" })).expect(204);
    let total = |key: &str, outcome: &str| {
        let labels = json!({ "key": key, "outcome": outcome });
        shown(&broker, "leasehold_rotations_total", &labels)
    };
    let overdue = |key: &str| shown(&broker, "leasehold_rotations_overdue", &json!({ "key": key }));
    assert_eq!((total("root", "done"), total("static", "done")), (1.0, 1.0));
    assert_eq!((overdue("root"), overdue("static")), (0.0, 0.0));

    broker.faults.fail_every("CreateAccessKey", Fault::refuse(403, "AccessDenied"));
    broker.clock.advance(25 * HOUR);
    broker.rotate_due();
    until(|| total("root", "failed") > 0.0 && total("static", "failed") > 0.0);
    assert_eq!((overdue("root"), overdue("static")), (1.0, 1.0));
    broker.faults.heal();
    broker.clock.advance(HOUR);
    broker.rotate_due();
    until(|| total("root", "done") > 1.0 && total("static", "done") > 1.0);
    assert_eq!((total("root", "done"), total("static", "done")), (2.0, 2.0));
    assert_eq!((overdue("root"), overdue("static")), (0.0, 0.0));
}

#[test]
fn sessions_that_are_cut_off_are_counted_by_the_means() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let arn = broker.aws.create_role("deploy", 43_200).unwrap();
    let counted = |by: &str, outcome: &str| {
        let labels = json!({ "by": by, "outcome": outcome });
        shown(&broker, "leasehold_session_revocations_total", &labels)
    };
    for (by, times) in [("tag", 2), ("older", 1)] {
        let role = json!({ "credential_type": "assumed_role", "role_arns": [arn], "session_revocation": by });
        root.post("aws/roles/s", &role).expect(204);
        for _ in 0..times {
            let lease = root.get("aws/creds/s").expect(200).lease_id();
            broker.revoke(&lease).expect(204);
        }
    }
    assert_eq!((counted("tag", "cut"), counted("older", "cut")), (2.0, 1.0));
    let lease = root.get("aws/creds/s").expect(200).lease_id();
    broker.faults.fail_every("PutRolePolicy", Fault::refuse(403, "AccessDenied"));
    broker.clock.advance(Duration::from_secs(5));
    broker.revoke(&lease).expect(400);
    assert_eq!((counted("older", "failed"), counted("older", "cut")), (1.0, 1.0));
}

#[test]
fn placements_are_counted() {
    let broker = TestBroker::new().with_role();
    let counted = |placement: &str| {
        shown(&broker, "leasehold_placements_total", &json!({ "placement": placement }))
    };
    broker.issue().expect(200);
    let managed =
        json!({ "credential_type": "iam_user", "policy_document": NARROW, "placement": "managed" });
    broker.root().post("aws/roles/r", &managed).expect(204);
    broker.issue().expect(200);
    broker.issue().expect(200);
    assert_eq!((counted("inline"), counted("managed")), (1.0, 2.0));
}
