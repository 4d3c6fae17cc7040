//! Jobs, the end of a mount and its move, over the wire, and across a loss of power.

use std::time::Duration;

use embedded_aws::faults::{Decision, Fault};
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Reply;
use crate::support::log;

/// Sixteen slots an account and more, so that some leases have to wait.
fn with_leases(count: usize) -> (TestBroker, Vec<String>) {
    let broker = TestBroker::new().with_role();
    let ids = (0..count).map(|_| broker.issue().expect(200).lease_id()).collect();
    (broker, ids)
}

fn jobs(broker: &TestBroker) -> Vec<Value> {
    let all = broker.root().get("sys/leases/jobs").expect(200).data()["jobs"].clone();
    all.as_array().unwrap().clone()
}

fn job(broker: &TestBroker, id: &str) -> Value {
    broker.root().get(&format!("sys/leases/jobs/{id}")).expect(200).data().clone()
}

fn post(broker: &TestBroker, path: &str) -> Reply {
    broker.root().post(path, &json!({}))
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
fn a_query_is_answered_with_a_job_that_tells_how_far_it_is() {
    let (broker, ids) = with_leases(2);
    broker.write_role("other", crate::support::NARROW).expect(204);
    let kept = broker.root().get("aws/creds/other").expect(200).lease_id();
    let root = broker.root();
    assert_eq!(root.list("sys/leases/jobs").expect(404).json, json!({ "errors": [] }));
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));

    let begun = root.post("sys/leases/revoke-query", &json!({ "role": "r" })).expect(202);

    let id = begun.data()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(root.list("sys/leases/jobs").expect(200).data()["keys"], json!([id]));
    broker.run_due();
    let shown = job(&broker, &id);
    assert_eq!(
        (&shown["kind"], &shown["state"], &shown["scope"]),
        (&json!("revoke"), &json!("running"), &json!({ "filter": { "role": "r" } }))
    );
    assert_eq!(
        (&shown["total"], &shown["done"], &shown["failed"]),
        (&json!(2), &json!(0), &json!(2))
    );
    assert_eq!((&shown["contained"], &shown["errors"]), (&json!(2), &json!({ "AccessDenied": 2 })));
    broker.faults.heal();
    broker.settle();
    until(|| job(&broker, &id)["state"] == "done");
    assert_eq!(job(&broker, &id)["done"], json!(2));
    broker.lookup(&kept).expect(200);
    for gone in ids {
        broker.lookup(&gone).expect(400);
    }
    root.delete(&format!("sys/leases/jobs/{id}")).expect(204);
    root.get(&format!("sys/leases/jobs/{id}")).expect(404);
    post(&broker, &format!("sys/leases/jobs/{id}/pause")).expect(404);
}

#[test]
fn a_bad_query_is_refused() {
    let (broker, ids) = with_leases(1);
    let ask = |body: Value| {
        broker.root().post("sys/leases/revoke-query", &body).expect(400).errors()[0].clone()
    };
    assert!(ask(json!({})).starts_with("the query names nothing to look for"));
    assert!(ask(json!({ "state": "active" })).starts_with("the query names nothing to look for"));
    // A term that is not understood would leave a wider query than was meant.
    for unknown in [json!({ "role": "r", "caler": "ci" }), json!({ "role": "r", "limit": 1 })] {
        assert!(
            ask(unknown.clone()).contains("is nothing that leases can be looked for by"),
            "{unknown}"
        );
    }
    assert!(ask(json!({ "source": "here" })).starts_with("`here` is no source"));
    assert_eq!(ask(json!({ "role_version": -1 })), "`-1` is no role_version");
    assert!(ask(json!({ "mount": "nowhere" })).starts_with("there is no mount `nowhere`"));
    broker.lookup(&ids[0]).expect(200);
}

#[test]
fn a_loss_of_power_in_the_middle_of_a_job_loses_nothing_of_it() {
    let (mut broker, _) = with_leases(6);
    broker.faults.fail_every("DeleteUser", Fault::ServerErrorBefore(503));
    broker.root().put("sys/leases/revoke-prefix/aws", &json!({ "sync": false })).expect(202);
    let id = jobs(&broker)[0]["id"].as_str().unwrap().to_owned();

    broker.lose_power();

    assert_eq!(job(&broker, &id)["total"], json!(6));
    broker.settle();
    assert!(broker.users().is_empty());
    until(|| job(&broker, &id)["state"] == "done");
}

#[test]
fn a_caller_that_hangs_up_stops_no_job() {
    use std::io::Write as _;
    let (broker, _) = with_leases(3);
    let gate = broker.faults.hold_next("DeleteUser");
    let mut stream = std::net::TcpStream::connect(broker.socket()).unwrap();
    write!(
        stream,
        "PUT /v1/sys/leases/revoke-prefix/aws HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {}\r\n\
         Content-Length: 0\r\n\r\n",
        crate::support::broker::ROOT
    )
    .unwrap();
    broker.wait(gate.arrived());
    drop(stream);
    gate.release();
    until(|| broker.users().is_empty());
}

#[test]
fn a_mount_whose_users_stay_for_a_while_is_gone_when_they_are() {
    let (mut broker, ids) = with_leases(2);
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    let reply = broker.root().delete("sys/mounts/aws").expect(400);
    assert!(reply.errors()[0].starts_with("failed to revoke \""), "{:?}", reply.errors());
    assert!(ids.iter().any(|id| reply.errors()[0].contains(id)));
    let listed = |broker: &TestBroker| {
        broker.root().get("sys/mounts").expect(200).data().get("aws/").is_some()
    };
    assert!(listed(&broker));
    broker.root().get("aws/roles/r").expect(404);
    assert_eq!((jobs(&broker).len(), &jobs(&broker)[0]["kind"]), (1, &json!("disable")));

    broker.lose_power();
    assert!(listed(&broker));
    broker.settle();
    assert!(broker.users().is_empty());
    until(|| !listed(&broker));
    assert_eq!(jobs(&broker)[0]["state"], json!("done"));
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
}

#[test]
fn force_and_disable_take_a_stuck_mount_away() {
    let (broker, _) = with_leases(2);
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    broker.root().delete("sys/mounts/aws").expect(400);
    broker.root().put("sys/leases/revoke-force/aws", &json!({})).expect(204);
    broker.root().delete("sys/mounts/aws").expect(204);
    broker.root().get("sys/mounts/aws").expect(400);
    assert_eq!(broker.users().len(), 2, "their teardown goes on");
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty());
}

#[test]
fn a_mount_that_was_tainted_when_the_power_went_is_taken_away_by_the_next_start() {
    let (mut broker, _) = with_leases(2);
    // The taint is durable, the job is not begun.
    broker.store().spoil(
        2,
        leasehold::store::faulty::Fault::PowerLoss(leasehold::store::faulty::Moment::BeforeCommit),
    );
    assert_ne!(broker.root().delete("sys/mounts/aws").status, 204);
    broker.lose_power();
    broker.run_due();
    until(|| broker.users().is_empty());
    until(|| broker.root().get("sys/mounts/aws").status == 400);
}

#[test]
fn a_moved_mount_takes_everything_along_and_its_leases_keep_their_ids() {
    let (mut broker, ids) = with_leases(2);
    let root = broker.root();
    root.post("aws/config/lease", &json!({ "lease": "1h", "lease_max": "2h" })).expect(204);

    let moved = root.post("sys/remount", &json!({ "from": "aws", "to": "team/aws/" })).expect(200);

    let id = moved.data()["migration_id"].as_str().unwrap().to_owned();
    assert_eq!(moved.json["migration_id"], json!(id), "old paths have it at the top too");
    let warning = moved.json["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("Mount move has been queued. Progress will be"), "{warning}");
    let status = root.get(&format!("sys/remount/status/{id}")).expect(200);
    let info = json!({ "source_mount": "aws/", "target_mount": "team/aws/", "status": "success" });
    assert_eq!(status.data(), &json!({ "migration_id": id, "migration_info": info }));
    root.get("sys/remount/status/none").expect(404);
    root.get("aws/roles/r").expect(404);

    broker.lose_power();
    let root = broker.root();
    root.get("team/aws/roles/r").expect(200);
    assert_eq!(root.get("team/aws/config/lease").expect(200).data()["lease"], json!("1h0m0s"));
    broker.lookup(&ids[0]).expect(200);
    root.put("sys/leases/renew", &json!({ "lease_id": ids[0] })).expect(200);
    broker.revoke(&ids[0]).expect(204);
    assert_eq!(broker.users().len(), 1);
    let new = root.get("team/aws/creds/r").expect(200).lease_id();
    assert!(new.starts_with("team/aws/creds/r/"), "{new}");

    // Another engine at the old path, under which an old lease still stands.
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    root.delete("sys/mounts/aws").expect(204);
    broker.lookup(&ids[1]).expect(200);
    root.delete("sys/mounts/team/aws").expect(204);
    assert!(broker.users().is_empty(), "those with the old ids too");
    broker.settle();
    assert!(broker.unfinished().is_empty());
}

#[test]
fn moves_that_cannot_be_are_refused_in_vaults_words() {
    let broker = TestBroker::new().with_role();
    broker.root().post("sys/mounts/b", &json!({ "type": "aws" })).expect(204);
    let ask = |from: Value, to: Value| {
        let body = json!({ "from": from, "to": to });
        broker.root().post("sys/remount", &body).expect(400).errors()[0].clone()
    };
    let missing = "both 'from' and 'to' path must be specified as a string";
    assert_eq!(ask(json!("aws"), Value::Null), missing);
    assert_eq!(ask(json!(["aws"]), json!("x")), missing);
    assert_eq!(ask(json!("x"), json!("y")), "no matching mount at \"x/\"");
    assert_eq!(ask(json!("aws"), json!("b/")), "path already in use at \"b/\"");
    assert_eq!(ask(json!("sys"), json!("x")), "cannot remount \"sys/\"");
    assert_eq!(ask(json!("auth/token"), json!("auth/x")), "cannot remount \"auth/token/\"");
    assert_eq!(ask(json!("aws"), json!("identity")), "cannot remount \"identity/\"");
    broker.root().get("aws/roles/r").expect(200);
}

#[test]
fn a_teardown_that_keeps_failing_is_an_error_in_the_log_once() {
    let (broker, ids) = with_leases(1);
    let user = broker.users()[0].clone();
    broker.faults.on_call(Box::new(move |call| {
        let doomed = call.parameters.get("UserName") == Some(&user);
        if doomed { Decision::Fault(Fault::refuse(403, "AccessDenied")) } else { Decision::Pass }
    }));
    broker.revoke(&ids[0]).expect(400);
    for _ in 0..30 {
        broker.advance(Duration::from_secs(900));
    }
    for alert in ["teardown_failing", "not_contained"] {
        let lines = log::with(&ids[0]);
        let told: Vec<_> = lines
            .iter()
            // Brokers of other tests in this process may have leases of the same id.
            .filter(|line| line.contains(alert) && line.contains("AccessDenied"))
            .collect();
        assert_eq!(told.len(), 1, "{alert}: {told:#?}");
        assert!(told[0].contains("ERROR"), "{}", told[0]);
    }
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty());
}
