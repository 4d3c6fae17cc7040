//! The doctor, over the wire and on the command line: a healthy broker, one that may not do its work, one with
//! things left behind. It must never change anything.

use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::process::{Process, binary};

fn diagnose(broker: &TestBroker) -> Value {
    broker.root().get("sys/doctor").expect(200).data().clone()
}

/// Status and detail of a check.
fn check(diagnosis: &Value, name: &str) -> (String, String) {
    let checks = diagnosis["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no check `{name}` in {diagnosis}"));
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("status"), text("detail"))
}

#[test]
fn a_healthy_broker_is_healthy_and_nothing_is_changed() {
    let broker = TestBroker::new().with_role();
    broker.issue().expect(200);
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200);
    broker.faults.clear_calls();
    let diagnosis = diagnose(&broker);
    assert_eq!(diagnosis["status"], "ok", "{diagnosis}");
    let (_, who) = check(&diagnosis, "sts aws/");
    assert_eq!(who, "account 123456789012 as arn:aws:iam::123456789012:user/account-admin");
    assert_eq!(check(&diagnosis, "clock aws/").1, "as AWS's");
    assert_eq!(check(&diagnosis, "permissions aws/").1, "all that an IAM user needs");
    assert!(check(&diagnosis, "orphans").1.starts_with("0 orphans, 0 of them policies, 0 leases"));
    assert!(
        diagnosis["policy"].as_str().unwrap().contains("arn:aws:iam::123456789012:user/vault-*")
    );
    for action in broker.faults.actions() {
        let reads = ["Get", "List", "Simulate"].iter().any(|start| action.starts_with(start));
        assert!(reads, "{action}");
    }
}

#[test]
fn what_the_broker_may_not_do_is_named() {
    let broker = TestBroker::new().with_role();
    broker.aws.create_user("the-broker", "/", &[]).unwrap();
    let most = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Deny","Action":"iam:DeleteUser","Resource":"*"}]}"#;
    let put = |document: &str| {
        let put = [("UserName", "the-broker"), ("PolicyName", "p"), ("PolicyDocument", document)];
        broker.aws.call("PutUserPolicy", &put).unwrap();
    };
    put(most);
    let keys = broker.aws.call("CreateAccessKey", &[("UserName", "the-broker")]).unwrap();
    let element = |name: &str| {
        let inside = keys.split(&format!("<{name}>")).nth(1).unwrap();
        inside.split('<').next().unwrap().to_owned()
    };
    let root = json!({ "access_key": element("AccessKeyId"), "secret_key": element("SecretAccessKey"), "max_retries": 0 });
    broker.root().post("aws/config/root", &root).expect(204);
    let (status, detail) = check(&diagnose(&broker), "permissions aws/");
    assert_eq!((status.as_str(), detail.as_str()), ("fail", "not allowed: iam:DeleteUser"));

    // Without the simulator: what reads show, and that the rest is not known.
    put(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:List*","Resource":"*"}]}"#,
    );
    let (status, detail) = check(&diagnose(&broker), "permissions aws/");
    assert_eq!(status, "unknown", "{detail}");
    assert!(detail.starts_with("reads are allowed; the rest could not be asked about"));
    put(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "permissions aws/").0, "fail");
    assert_eq!(check(&diagnosis, "iam aws/").0, "warn");
    assert_eq!(diagnosis["status"], "fail");
}

#[test]
fn what_is_left_behind_is_told() {
    let broker = TestBroker::new().with_role();
    assert_eq!(check(&diagnose(&broker), "orphans").0, "unknown");
    let id = broker.root().get("sys/health").json["cluster_id"].as_str().unwrap().to_owned();
    let tags = [("leasehold:broker", id.as_str()), ("leasehold:lease", "abcdefghijklmnopqrstuvwx")];
    broker.aws.create_user("vault-left", "/", &tags).unwrap();
    let lease = broker.issue().expect(200).lease_id();
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    broker.revoke(&lease).expect(400);
    for _ in 0..8 {
        broker.advance(Duration::from_secs(600));
    }
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200);
    let diagnosis = diagnose(&broker);
    let (status, detail) = check(&diagnosis, "orphans");
    assert_eq!(status, "warn");
    assert!(detail.starts_with("1 orphans"), "{detail}");
    let (status, detail) = check(&diagnosis, "teardowns");
    assert_eq!(status, "fail");
    assert!(detail.contains(&lease) && detail.contains("AccessDenied"), "{detail}");
    broker.faults.fail_every("*", Fault::LostBefore);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "iam aws/").0, "fail");
}

#[test]
fn the_command_line_shows_the_checks_and_the_policy() {
    let server = Process::dev(&["--dev-root-token-id", "root"]);
    server.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    server.root().post("aws/roles/r", &role).expect(204);
    let run = |arguments: &[&str], address: &str| {
        let mut command = binary();
        command.args(arguments).env("VAULT_ADDR", address).env("VAULT_TOKEN", "root");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, shown) = run(&["doctor"], &server.url);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("permissions aws/") && shown.contains("help: orphans: "), "{shown}");
    let (code, json) = run(&["doctor", "--format", "json"], &server.url);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["status"], "unknown");
    let (code, policy) = run(&["doctor", "--policy"], &server.url);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&policy).unwrap()["Version"], "2012-10-17");
    let (code, _) = run(&["doctor"], "http://127.0.0.1:1");
    assert_eq!(code, Some(3));
}
