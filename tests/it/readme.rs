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
const FRESH: [&str; 13] = [
    "request_id",
    "lease_id",
    "id",
    "access_key",
    "secret_key",
    "issue_time",
    "expire_time",
    "user",
    "user_id",
    "proven_time",
    "token",
    "accessor",
    "creation_time",
];

/// Whether a text is the hex of a SHA-256: a verdict's changes with every release.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Puts a mark where a value is made up anew each time.
fn masked(mut value: Value) -> Value {
    fn mask(value: &mut Value) {
        if let Value::Object(members) = value {
            for (name, member) in members {
                let is_fresh = |text: &str| {
                    !text.is_empty() && (FRESH.contains(&name.as_str()) || is_digest(text))
                };
                if member.as_str().is_some_and(is_fresh) {
                    *member = "fresh".into();
                }
                // Seconds may go by between two commands: to the minute.
                if let Some(seconds) = member.as_u64().filter(|_| name == "ttl") {
                    *member = seconds.next_multiple_of(60).into();
                }
                if name == "waited_ms" {
                    *member = "fresh".into();
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

#[test]
fn the_configuration_in_the_readme_is_one() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let configuration = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("leasehold.toml"), configuration).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_leasehold"))
        .args(["check-config", "leasehold.toml"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
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
    // Anybody may ask STS who they are, the new key too.
    used.remove("GetCallerIdentity");
    assert_eq!(granted, used);
}

/// What `docs/OPERATIONS.md` gives beside the README's policy, for the account of the tests.
const MORE: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Resource":"arn:aws:iam::123456789012:policy/leasehold/*","Action":["iam:CreatePolicy","iam:TagPolicy",
     "iam:DeletePolicy","iam:ListPolicyVersions","iam:DeletePolicyVersion","iam:ListPolicyTags","iam:ListEntitiesForPolicy"]},
    {"Effect":"Allow","Resource":"arn:aws:iam::123456789012:role/deploy","Action":["sts:AssumeRole","sts:TagSession",
     "iam:GetRole","iam:GetRolePolicy","iam:PutRolePolicy","iam:DeleteRolePolicy"]},
    {"Effect":"Allow","Resource":"arn:aws:iam::123456789012:user/vault-*","Action":["iam:GetLoginProfile","iam:DeleteLoginProfile",
     "iam:ListMFADevices","iam:DeactivateMFADevice","iam:ListSSHPublicKeys","iam:DeleteSSHPublicKey","iam:ListSigningCertificates",
     "iam:DeleteSigningCertificate","iam:ListServiceSpecificCredentials","iam:DeleteServiceSpecificCredential"]},
    {"Effect":"Allow","Resource":"arn:aws:iam::123456789012:mfa/*","Action":"iam:DeleteVirtualMFADevice"}]}"#;

#[test]
fn what_operations_adds_is_enough_for_placement_revoked_sessions_and_grown_users() {
    let operations = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md");
    let operations = std::fs::read_to_string(operations).unwrap();
    for action in
        MORE.split('"').filter(|word| word.starts_with("iam:") || word.starts_with("sts:"))
    {
        assert!(
            operations.contains(&format!("`{action}`")),
            "OPERATIONS.md does not name {action}"
        );
    }
    let broker = TestBroker::new();
    broker.aws.call("CreateUser", &[("UserName", "the-broker")]).unwrap();
    let policy = broker_policy();
    let put = [("UserName", "the-broker"), ("PolicyName", "broker"), ("PolicyDocument", &policy)];
    broker.aws.call("PutUserPolicy", &put).unwrap();
    // Two inline policies would be too large together.
    let more = broker.aws.create_managed_policy("more", MORE).unwrap();
    let attach = [("UserName", "the-broker"), ("PolicyArn", more.as_str())];
    broker.aws.call("AttachUserPolicy", &attach).unwrap();
    let keys = broker.aws.call("CreateAccessKey", &[("UserName", "the-broker")]).unwrap();
    let (id, secret) = (element(&keys, "AccessKeyId"), element(&keys, "SecretAccessKey"));
    let role = broker.aws.create_role("deploy", 3_600).unwrap();
    let bound = broker.aws.create_managed_policy("bound", NARROW).unwrap();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    root.post("aws/config/root", &json!({ "access_key": id, "secret_key": secret })).expect(204);
    let managed = json!({ "credential_type": "iam_user", "policy_document": NARROW, "placement": "managed", "permissions_boundary_arn": bound });
    root.post("aws/roles/r", &managed).expect(204);
    let assumed = json!({ "credential_type": "assumed_role", "role_arns": [role], "session_revocation": "tag" });
    root.post("aws/roles/s", &assumed).expect(204);

    let user = broker.issue().expect(200);
    let name = broker.users().into_iter().find(|name| name.starts_with("vault-")).unwrap();
    broker.aws.add_login_profile(&name).unwrap();
    broker.aws.add_mfa_device(&name).unwrap();
    broker.aws.add_ssh_key(&name).unwrap();
    broker.aws.add_signing_certificate(&name).unwrap();
    broker.aws.add_service_credential(&name).unwrap();
    let session = root.get("aws/creds/s").expect(200);
    for issued in [user, session] {
        broker.revoke(&issued.lease_id()).expect(204);
    }
    assert_eq!(broker.aws.role_policies("deploy").unwrap().len(), 1);
    broker.settle();
    assert_eq!(broker.users(), ["the-broker"]);
    assert_eq!(broker.aws.managed_policies().len(), 2);
    assert!(broker.aws.role_policies("deploy").unwrap().is_empty());
    assert!(broker.aws.virtual_mfa_devices().is_empty());
    assert_eq!(broker.unfinished(), Vec::<String>::new());

    let id = root.get("sys/health").json["cluster_id"].as_str().unwrap().to_owned();
    let tag = "abcdefghijklmnopqrstuvwx";
    let left = super::reconcile_policies::make_orphan(&broker, tag);
    assert!(left.contains(&id));
    broker.clock.advance(std::time::Duration::from_secs(301));
    let report = root.post("sys/leases/reconcile", &json!({})).expect(200);
    let totals = &report.data()["totals"];
    assert_eq!((&totals["orphan_policies"], &totals["failed"]), (&json!(1), &json!(0)));
    let remove = json!({ "action": "remove" });
    root.post(&format!("sys/leases/orphans/leasehold-{tag}"), &remove).expect(200);
    assert_eq!(broker.aws.managed_policies().len(), 2);
}
