//! What the configuration file says of guardrails, through the real binary: settings, modes and limits hold from the first
//! request on, and what cannot be is named before anything listens.

use serde_json::json;

use crate::support::NARROW;
use crate::support::process::{Process, binary};

/// May change the policies of its own user.
const ESCALATES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}]}"#;

const HEAD: &str =
    "data_dir = \"/d\"\n[listener]\naddress = \"127.0.0.1:0\"\n[guardrails]\nmode = \"warn\"\n";

/// Writes a configuration; gives the folder that holds it and its path.
fn config(guardrails: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("leasehold.toml");
    std::fs::write(&path, format!("{HEAD}{guardrails}")).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn settings_and_limits_of_the_file_judge_from_the_first_request_on() {
    let (dir, file) = config(
        "[guardrails.limits]\nfindings = 1\n[guardrails.deny-list]\nmode = \"enforce\"\nsettings = { denied_actions = [\"iam:Put*\"] }\n",
    );
    let data = dir.path().join("data");
    let server = Process::dev(&["--config", &file, "--data-dir", data.to_str().unwrap()]);
    let root = server.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let role =
        |document: &str| json!({ "credential_type": "iam_user", "policy_document": document });
    let denied = root.post("aws/roles/r", &role(ESCALATES)).expect(400);
    assert!(denied.errors()[0].starts_with("deny-list/denied-action: "), "{denied:?}");
    root.post("aws/roles/r", &role(NARROW)).expect(204);

    let read = root.get("sys/guardrails/deny-list").expect(200);
    let data = read.data();
    assert_eq!(data["settings"], json!({ "denied_actions": ["iam:Put*"] }));
    assert_eq!((&data["origin"], &data["mode"]), (&json!("configuration"), &json!("enforce")));
    let kept = denied.text_of("digest");
    let kept = root.get(&format!("sys/guardrails/verdicts/{kept}")).expect(200);
    assert!(kept.text_of("engine").ends_with(", limits findings 1"), "{}", kept.text);

    // A write goes before the file, and its end goes back to the file.
    root.post("sys/guardrails/deny-list", &json!({ "settings": {} })).expect(200);
    root.post("aws/roles/r", &role(ESCALATES)).expect(200);
    root.delete("sys/guardrails/deny-list").expect(204);
    root.post("aws/roles/r", &role(ESCALATES)).expect(400);
}

#[test]
fn check_config_asks_the_guardrails_about_their_settings() {
    for (guardrails, part) in [
        (
            "[guardrails.deny-list]\nsettings = { denied_actions = [5] }",
            "the guardrail `deny-list` of the configuration cannot be used: failure/settings: `/denied_actions/0`",
        ),
        (
            "[guardrails.limits]\nfuel = 3_000_000_000",
            "`guardrails.limits.fuel`: is 3000000000, more than",
        ),
        ("[guardrails.limits]\nmemory = 5", "unknown field `memory`"),
    ] {
        let (_dir, file) = config(guardrails);
        let output = binary().args(["check-config", &file]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{told}");
        assert!(told.contains(part), "{told}");
    }
    let (_dir, file) =
        config("[guardrails.deny-list]\nsettings = { denied_actions = [\"iam:*\"] }");
    let output = binary().args(["check-config", &file]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
