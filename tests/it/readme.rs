//! The README's transcripts, run word for word against the real binary: every command, and an answer of
//! the same shape. What is made up anew each time (ids, keys, times) may differ, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::broker::TestBroker;
use crate::support::process::Process;

/// One command of a transcript with the lines that it printed.
#[derive(Debug)]
struct Step {
    command: String,
    printed: String,
}

/// The steps of all `console` blocks of the README.
fn steps() -> Vec<Step> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let mut here_document = false;
        for line in block.split("```").next().unwrap().lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                here_document = command.contains("<<'END'");
                steps.push(Step { command: command.to_owned(), printed: String::new() });
                continue;
            }
            let step = steps.last_mut().unwrap();
            let continues = here_document || step.command.matches('\'').count() % 2 == 1;
            here_document &= line != "END";
            let part = if continues { &mut step.command } else { &mut step.printed };
            part.push('\n');
            part.push_str(line);
        }
    }
    steps
}

/// Names of members that are made up anew each time.
const FRESH: [&str; 7] =
    ["request_id", "lease_id", "id", "access_key", "secret_key", "issue_time", "expire_time"];

/// Puts a mark where a value is made up anew each time.
fn masked(mut value: Value) -> Value {
    fn mask(value: &mut Value) {
        if let Value::Object(members) = value {
            for (name, member) in members {
                if FRESH.contains(&name.as_str())
                    && member.as_str().is_some_and(|text| !text.is_empty())
                {
                    *member = "fresh".into();
                }
                // Seconds may go by between two commands: to the minute.
                if let Some(seconds) = member.as_u64().filter(|_| name == "ttl") {
                    *member = seconds.next_multiple_of(60).into();
                }
                mask(member);
            }
        }
    }
    mask(&mut value);
    value
}

#[test]
fn the_readme_works_word_for_word() {
    let broker = Process::dev(&["--dev-root-token-id", "readme"]);
    let dir = tempfile::tempdir().unwrap();
    let steps = steps();
    assert!(steps.len() > 10, "the transcripts were not found");
    // One shell runs them all, and writes what each printed into a file of its own.
    let mut script = String::from("leasehold() { \"$LEASEHOLD_BINARY\" \"$@\"; }\n");
    for (number, step) in steps.iter().enumerate() {
        let command = if step.command.starts_with("export VAULT_ADDR=") {
            format!("export VAULT_ADDR={} VAULT_TOKEN=readme", broker.url)
        } else {
            step.command.clone()
        };
        let begin = format!("exec 3>out.{number} 4>&1 >&3\n");
        script.extend([begin.as_str(), &command, "\nexec >&4 3>&- 4>&-\n"]);
    }
    let status = Command::new("bash")
        .args(["-c", &script])
        .env("LEASEHOLD_BINARY", env!("CARGO_BIN_EXE_leasehold"))
        .current_dir(dir.path())
        .status();
    assert!(status.is_ok(), "bash is needed");
    for (number, step) in steps.iter().enumerate() {
        let printed = std::fs::read_to_string(dir.path().join(format!("out.{number}"))).unwrap();
        let (printed, promised) = (printed.trim(), step.printed.trim());
        match (serde_json::from_str(printed), serde_json::from_str(promised)) {
            (Ok(printed), Ok(promised)) => {
                assert_eq!(masked(printed), masked(promised), "{}", step.command);
            }
            (_, _) => assert_eq!(printed, promised, "{}", step.command),
        }
    }
}

/// The IAM policy that the README gives for the broker's own user, for the account of the tests.
fn broker_policy() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let json = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(json, leasehold::engine::doctor::policy::BROKER_POLICY, "one text in two places");
    let named = json.replace("<account_id>", "123456789012").replace("<broker>", "the-broker");
    named.replace("<boundary>", "bound")
}

/// The value of an element of an IAM reply.
fn element(reply: &str, name: &str) -> String {
    let inside = reply.split(&format!("<{name}>")).nth(1).unwrap();
    inside.split('<').next().unwrap().to_owned()
}

#[test]
fn the_policy_in_the_readme_is_enough_and_nothing_in_it_is_idle() {
    let broker = TestBroker::new();
    let policy = broker_policy();
    broker.aws.call("CreateUser", &[("UserName", "the-broker")]).unwrap();
    let put = [("UserName", "the-broker"), ("PolicyName", "broker"), ("PolicyDocument", &policy)];
    broker.aws.call("PutUserPolicy", &put).unwrap();
    let keys = broker.aws.call("CreateAccessKey", &[("UserName", "the-broker")]).unwrap();
    let (id, secret) = (element(&keys, "AccessKeyId"), element(&keys, "SecretAccessKey"));
    let arn = broker.aws.create_managed_policy("one", NARROW).unwrap();
    let bound = broker.aws.create_managed_policy("bound", NARROW).unwrap();
    broker.faults.clear_calls();

    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    root.post("aws/config/root", &json!({ "access_key": id, "secret_key": secret })).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": NARROW, "policy_arns": [arn], "iam_tags": { "team": "a" }, "permissions_boundary_arn": bound });
    root.post("aws/roles/r", &role).expect(204);
    let lease = broker.issue().expect(200).lease_id();
    assert_eq!(broker.users().len(), 2);
    broker.revoke(&lease).expect(204);
    broker.settle();
    assert_eq!(broker.users(), ["the-broker"]);
    let report = root.post("sys/leases/reconcile", &json!({})).expect(200);
    assert_eq!(report.data()["totals"]["failed"], 0);
    assert_eq!(root.get("sys/doctor").expect(200).data()["status"], "ok");

    let granted: BTreeSet<String> = serde_json::from_str::<Value>(&policy).unwrap()["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().trim_start_matches("iam:").to_owned())
        .collect();
    let mut used: BTreeSet<String> = broker.faults.actions().into_iter().collect();
    // `CreateUser` with tags asks for this one.
    used.insert("TagUser".to_owned());
    // And this one needs no permission.
    used.remove("GetCallerIdentity");
    assert_eq!(granted, used);
}
