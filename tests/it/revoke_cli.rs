//! `leasehold revoke` and `leasehold jobs` as a person runs them, against a real broker: what ends, what is said, and
//! what the exit code tells.

use std::process::{Output, Stdio};

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::{ROOT, TestBroker};
use crate::support::process::binary;

/// Runs `leasehold` against the broker, with nobody at the terminal.
fn run(broker: &TestBroker, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    binary()
        .args(arguments)
        .env("VAULT_ADDR", format!("http://{}", broker.socket()))
        .env("VAULT_TOKEN", ROOT)
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What it printed, where it ended with this code.
fn told(broker: &TestBroker, arguments: &[&str], code: i32) -> String {
    let output = run(broker, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let all = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {all}");
    all
}

/// Whether it shows that value under that name.
fn shows(shown: &str, name: &str, value: &str) -> bool {
    shown.lines().any(|line| line.split_whitespace().eq([name, value]))
}

fn with_leases(count: usize) -> (TestBroker, Vec<String>) {
    let broker = TestBroker::new().with_role();
    let ids = (0..count).map(|_| broker.issue().expect(200).lease_id()).collect();
    (broker, ids)
}

#[test]
fn named_leases_end_and_one_that_is_not_there_is_told() {
    let (broker, ids) = with_leases(3);
    let said = told(&broker, &["revoke", &ids[0], &ids[1]], 0);
    assert_eq!(said, "revoked: 2 of 2 leases\n");
    assert_eq!(broker.users().len(), 1);
    let unknown = "aws/creds/r/zzzzzzzzzzzzzzzzzzzzzzzz";
    let said = told(&broker, &["revoke", unknown, &ids[2], "--async"], 1);
    assert!(said.starts_with("being revoked: 1 of 2 leases\n"), "{said}");
    assert!(said.contains(&format!("failed: {unknown}: ")) && said.contains("invalid lease"));
    broker.settle();
    assert!(broker.users().is_empty());
    let said = told(&broker, &["revoke", &ids[0], "--format", "json"], 1);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["revoked"], &said["failed"][0]["lease_id"]), (&json!([]), &json!(ids[0])));
}

#[test]
fn what_who_finds_is_what_revoke_ends() {
    let (broker, _) = with_leases(1);
    broker.write_role("other", NARROW).expect(204);
    let other = broker.root().get("aws/creds/other").expect(200);
    let key = other.text_of("access_key");
    let said = told(&broker, &["revoke", &key, "--yes"], 0);
    assert!(said.starts_with("revoked: 1 lease (job "), "{said}");
    assert_eq!(broker.users().len(), 1);
    broker.issue().expect(200);
    let by_term = ["revoke", "--where", "role=r", "--where", "caller=root"];
    assert!(told(&broker, &by_term, 0).starts_with("revoked: 2 leases (job "));
    assert!(broker.users().is_empty());
    assert!(told(&broker, &by_term, 4).contains("nothing found"));
    assert!(told(&broker, &["revoke", "--where", "caler=x"], 2).contains("`caler`"));
    told(&broker, &["revoke"], 2);
    told(&broker, &["revoke", "--prefix", "/"], 2);
}

#[test]
fn all_under_a_path_end_as_a_job_and_neighbours_stay() {
    let (broker, _) = with_leases(3);
    broker.write_role("rr", NARROW).expect(204);
    let kept = broker.root().get("aws/creds/rr").expect(200).lease_id();
    let said = told(&broker, &["revoke", "--prefix", "aws/creds/r"], 0);
    assert!(said.starts_with("revoked: 3 leases (job "), "{said}");
    broker.lookup(&kept).expect(200);
    assert_eq!(broker.users().len(), 1);
    assert!(told(&broker, &["revoke", "--prefix", "aws/creds/r/"], 4).contains("nothing found"));
}

#[test]
fn leases_that_fail_are_told_and_their_job_is_shown_paused_and_resumed() {
    let (broker, _) = with_leases(2);
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    let said = told(&broker, &["revoke", "--where", "role=r"], 1);
    assert!(
        said.contains("revoked: 0 of 2 leases; the rest fails and is tried on: AccessDenied 2")
    );
    let id = said.split("jobs read ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let listed = told(&broker, &["jobs", "list"], 0);
    assert!(listed.contains(&id) && listed.contains("role=r"), "{listed}");
    let shown = told(&broker, &["jobs", "read", &id], 0);
    assert!(shows(&shown, "failing", "2") && shown.contains("AccessDenied 2"), "{shown}");
    assert_eq!(told(&broker, &["jobs", "pause", &id], 0), format!("job {id} paused\n"));
    let json = told(&broker, &["jobs", "read", &id, "--format", "json"], 0);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["state"], "paused");
    assert_eq!(told(&broker, &["jobs", "resume", &id], 0), format!("job {id} goes on\n"));
    broker.faults.heal();
    broker.settle();
    assert!(broker.users().is_empty());
    assert!(told(&broker, &["jobs", "read", "nobody"], 1).contains("nothing at"));
}

#[test]
fn whoever_does_not_wait_is_given_the_job() {
    let (broker, _) = with_leases(2);
    let line = ["revoke", "--where", "role=r", "--async", "--format", "json"];
    let said: Value = serde_json::from_str(&told(&broker, &line, 0)).unwrap();
    let id = said["job_id"].as_str().unwrap();
    broker.settle();
    assert!(broker.users().is_empty());
    assert!(shows(&told(&broker, &["jobs", "read", id], 0), "leases", "2"));
    assert_eq!(told(&TestBroker::new(), &["jobs", "list"], 0), "there are no jobs\n");
}
