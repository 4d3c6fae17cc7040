//! A backup under load, restored elsewhere: the broker waits, shows what was done since the backup was made, and
//! takes everything down once it is told to go on. And the command line around it.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use leasehold::clock::Clock as _;
use leasehold::store::sqlite::backup;
use serde_json::json;

use crate::support::broker::TestBroker;
use crate::support::client::Client;
use crate::support::process::{Process, binary};

/// A backup of a broker that is issuing at that moment.
fn back_up_under_load(broker: &TestBroker, file: &Path) -> backup::BackupFacts {
    let stop = Arc::new(AtomicBool::new(false));
    let (root, until) = (broker.root(), Arc::clone(&stop));
    let issuing = std::thread::spawn(move || {
        while !until.load(Ordering::SeqCst) {
            root.get("aws/creds/r").expect(200);
        }
    });
    let facts = backup::back_up(broker.data_dir(), file, false, broker.clock.now()).unwrap();
    stop.store(true, Ordering::SeqCst);
    issuing.join().unwrap();
    facts
}

#[test]
fn a_backup_under_load_is_restored_and_waits_for_a_word() {
    let mut broker = TestBroker::new().with_role();
    let early: Vec<String> = (0..3).map(|_| broker.issue().expect(200).lease_id()).collect();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("backup.db");
    let facts = back_up_under_load(&broker, &file);
    assert!(facts.leases >= 3);
    let backed_up = usize::try_from(facts.unfinished).unwrap();
    // After the backup: one is made, one is revoked.
    broker.issue().expect(200);
    broker.revoke(&early[0]).expect(204);
    broker.clock.advance(Duration::from_secs(600));
    let in_aws = broker.users().len();

    broker.restore(&file);

    let root = broker.root();
    let told = root.get("aws/creds/r").expect(503).errors()[0].clone();
    assert!(told.contains("in quarantine") && told.contains("action=lift"), "{told}");
    root.get("aws/sts/r").expect(503);
    root.get("aws/roles/r").expect(200);
    root.get("auth/token/lookup-self").expect(200);
    assert_eq!(broker.lookup(&early[0]).expect(200).data()["id"], json!(early[0]));
    // Everything is overdue in its eyes, and nothing happens by itself.
    broker.clock.advance(Duration::from_secs(40 * 24 * 3600));
    broker.run_due_in_quarantine();
    assert_eq!(broker.users().len(), in_aws);

    root.post("sys/leases/reconcile", &json!({})).expect(200);
    let state = root.get("sys/leases/quarantine").expect(200);
    assert_eq!(state.data()["active"], true);
    let account = &state.data()["difference"]["accounts"][0];
    assert_eq!(account["missing"][0]["lease"], json!(early[0]), "{}", state.text);
    let orphans = account["orphans"].as_array().unwrap().len();
    assert_eq!(orphans + backed_up, in_aws + 1, "{}", state.text);
    assert!(orphans >= 1, "what was made after the backup");
    assert_eq!(account["overdue"].as_array().unwrap().len(), backed_up - 1);
    root.post("sys/leases/quarantine", &json!({ "action": "go" })).expect(400);

    broker.restart();
    broker.issue().expect(503);
    root_of(&broker).post("sys/leases/quarantine", &json!({ "action": "lift" })).expect(204);
    broker.issue().expect(200);
    broker.settle();
    assert_eq!(broker.users().len(), orphans + 1, "its own leases are gone, orphans wait");
    let listed = root_of(&broker).get("sys/leases/orphans").expect(200);
    for orphan in listed.data()["orphans"].as_array().unwrap() {
        let path = format!("sys/leases/orphans/{}", orphan["user_id"].as_str().unwrap());
        root_of(&broker).post(&path, &json!({ "action": "remove" })).expect(200);
    }
    assert_eq!(broker.users().len(), 1);
    broker.restart();
    broker.issue().expect(200);
    let state = root_of(&broker).get("sys/leases/quarantine").expect(200);
    assert_eq!(
        (&state.data()["active"], &state.data()["difference"]),
        (&json!(false), &json!(null))
    );
}

fn root_of(broker: &TestBroker) -> Client {
    broker.root()
}

#[test]
fn what_is_asked_for_by_name_is_done_in_quarantine() {
    let mut broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("backup.db");
    backup::back_up(broker.data_dir(), &file, false, broker.clock.now()).unwrap();
    broker.restore(&file);
    let renew = json!({ "lease_id": lease, "increment": 3600 });
    broker.root().put("sys/leases/renew", &renew).expect(200);
    broker.revoke(&lease).expect(204);
    assert!(broker.users().is_empty());
}

fn leasehold(arguments: &[&str], url: &str) -> Output {
    let mut command = binary();
    command.args(arguments).env("VAULT_ADDR", url).env("VAULT_TOKEN", "root");
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

fn dev(dir: &Path) -> Process {
    Process::dev(&["--dev-root-token-id", "root", "--data-dir", dir.to_str().unwrap()])
}

#[test]
fn the_command_line_backs_up_restores_looks_and_lifts() {
    let (state, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dir = state.path().to_str().unwrap();
    let file = out.path().join("backup.db");
    let file = file.to_str().unwrap();
    let server = dev(state.path());
    server.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": crate::support::NARROW });
    server.root().post("aws/roles/r", &role).expect(204);
    let secret = server.root().get("aws/creds/r").expect(200).text_of("secret_key");

    let made = leasehold(&["backup", file, "--data-dir", dir], &server.url);
    assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    assert!(told(&made).contains("1 leases (1 not ended), 1 mounts"), "{}", told(&made));
    assert!(told(&made).contains("seal.key` somewhere else"), "{}", told(&made));
    let bytes = std::fs::read(file).unwrap();
    for never in [secret.as_str(), "leasehold-master-key"] {
        assert!(!bytes.windows(never.len()).any(|window| window == never.as_bytes()));
    }
    let again = leasehold(&["backup", file, "--data-dir", dir], &server.url);
    assert_eq!(again.status.code(), Some(1));
    assert!(told(&again).contains("--force"), "{}", told(&again));
    let busy = leasehold(&["restore", file, "--data-dir", dir, "--force"], &server.url);
    assert!(told(&busy).contains("another leasehold uses"), "{}", told(&busy));
    let calm = leasehold(&["quarantine"], &server.url);
    assert_eq!(told(&calm), "there is no quarantine\n");
    let agreed = leasehold(&["reconcile"], &server.url);
    assert_eq!(
        (agreed.status.code(), told(&agreed)),
        (Some(0), "AWS and the leases agree\n".to_owned())
    );
    // What a killed server leaves, its log included, can be backed up too.
    server.kill();
    let cold = leasehold(&["backup", file, "--data-dir", dir, "--force"], "");
    assert_eq!(cold.status.code(), Some(0), "{}", told(&cold));

    let refused = leasehold(&["restore", file, "--data-dir", dir], "");
    assert!(told(&refused).contains("holds a database already"), "{}", told(&refused));
    let restored = leasehold(&["restore", file, "--data-dir", dir, "--force"], "");
    assert_eq!(restored.status.code(), Some(0), "{}", told(&restored));
    assert!(told(&restored).contains("in quarantine") && told(&restored).contains("replaced-"));

    let server = dev(state.path());
    server.root().get("aws/creds/r").expect(503);
    assert!(told(&leasehold(&["reconcile"], &server.url)).contains("agree"));
    let waiting = told(&leasehold(&["quarantine"], &server.url));
    assert!(
        waiting.contains("in quarantine since") && waiting.contains("backup made"),
        "{waiting}"
    );
    let lifted = leasehold(&["quarantine", "lift"], &server.url);
    assert_eq!(told(&lifted), "the quarantine is lifted\n");
    server.root().get("aws/creds/r").expect(200);
    assert_eq!(server.stop(), Some(0));
}
