//! The OpenAPI document (contract 2.6): what it has for whom, that the OpenAPI validator takes it, and that what it says of
//! answers is what the broker answers.

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Client;

const PATH: &str = "sys/internal/specs/openapi";

fn broker() -> TestBroker {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("sys/auth/approle", &json!({"type": "approle"})).expect(204);
    root.post("sys/auth/people", &json!({"type": "userpass"})).expect(204);
    root.post("sys/mounts/team/aws", &json!({"type": "aws"})).expect(204);
    broker
}

fn paths(document: &Value) -> Vec<&str> {
    document["paths"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_document_has_the_mounts_that_its_reader_reaches() {
    let broker = broker();
    let root = broker.root();
    let all = root.get(PATH).expect(200).json;
    for path in [
        "/aws/roles/{name}",
        "/team/aws/roles/{name}",
        "/auth/approle/login",
        "/auth/people/login/{username}",
        "/auth/token/create",
        "/sys/health",
        "/sys/internal/specs/openapi",
    ] {
        assert!(all["paths"][path].is_object(), "{path}");
    }
    let policy = json!({"policy": "path \"aws/roles/*\" { capabilities = [\"read\"] }"});
    root.put("sys/policies/acl/narrow", &policy).expect(204);
    let made = root.post("auth/token/create", &json!({"policies": ["narrow"]})).expect(200);
    let token = made.json["auth"]["client_token"].as_str().unwrap();
    let narrow = Client::new(&format!("http://{}", broker.socket()), Some(token));
    let seen = narrow.get(PATH).expect(200).json;
    assert!(seen["paths"]["/aws/roles/{name}"].is_object());
    assert!(!paths(&seen).iter().any(|path| path.starts_with("/team/")), "{:?}", paths(&seen));
    let nobody = Client::new(&format!("http://{}", broker.socket()), None);
    assert!(paths(&nobody.get(PATH).expect(200).json).is_empty());
    root.post("sys/auth/people/tune", &json!({"listing_visibility": "unauth"})).expect(204);
    let seen = nobody.get(PATH).expect(200).json;
    assert!(paths(&seen).iter().all(|path| path.starts_with("/auth/people/")));
    assert!(!paths(&seen).is_empty());
}

#[test]
fn mounts_of_one_kind_may_be_shown_as_one() {
    let broker = broker();
    let root = broker.root();
    for reply in [
        root.get(&format!("{PATH}?generic_mount_paths=true")),
        root.post(PATH, &json!({"generic_mount_paths": true})),
    ] {
        let body = reply.expect(200).json;
        assert!(body["paths"]["/{aws_mount_path}/roles/{name}"].is_object());
        assert!(body["paths"]["/auth/{approle_mount_path}/login"].is_object());
        assert!(!paths(&body).iter().any(|path| path.starts_with("/aws/")));
    }
}

#[test]
fn help_shows_what_a_path_takes() {
    let broker = TestBroker::new().with_role();
    for (path, part) in [
        ("aws/roles/r", "policy_document"),
        ("aws/creds/r", "role_session_name"),
        ("sys/mounts/aws", "description"),
        ("auth/token/create", "display_name"),
    ] {
        let body = broker.root().get(&format!("{path}?help=1")).expect(200).json;
        let help = body["help"].as_str().unwrap();
        assert!(help.contains("## PARAMETERS") && help.contains(part), "{help}");
        assert_eq!(body["openapi"]["paths"].as_object().unwrap().len(), 1, "{body}");
    }
}

/// The validator that the OpenAPI Initiative names, over the meta schema of the version.
#[test]
fn the_validator_of_openapi_takes_the_document() {
    let Some(python) = crate::clients::tool("LEASEHOLD_PYTHON") else { return };
    let broker = broker();
    for query in ["", "?generic_mount_paths=true"] {
        let document = broker.root().get(&format!("{PATH}{query}")).expect(200).json;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), document.to_string()).unwrap();
        let script = "import json, sys\ntry:\n from openapi_spec_validator import validate\nexcept ImportError: sys.exit(77)\nvalidate(json.load(open(sys.argv[1])))\n";
        let output = std::process::Command::new(&python)
            .args(["-c", script])
            .arg(file.path())
            .output()
            .unwrap();
        if output.status.code() == Some(77) {
            assert!(
                std::env::var_os("LEASEHOLD_CLIENTS").is_none(),
                "tests/run did not install it"
            );
            println!("skipped: openapi-spec-validator is not installed; tests/run installs it");
            return;
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_server_says_what_it_is_and_runs_on() {
    let broker = TestBroker::new();
    let root = broker.root();
    let host = root.get("sys/host-info").expect(200).json;
    for part in ["timestamp", "cpu", "cpu_times", "disk", "host", "memory"] {
        assert!(!host["data"][part].is_null(), "{part}: {host}");
    }
    let nodes = root.get("sys/ha-status").expect(200).json;
    assert_eq!(nodes["data"]["nodes"][0]["active_node"], true);
    assert_eq!(nodes["nodes"], nodes["data"]["nodes"], "old clients read the top level");
    let version = nodes["data"]["nodes"][0]["version"].as_str().unwrap().to_owned();
    let history = root.get("sys/version-history?list=true").expect(200).json;
    assert_eq!(history["data"]["keys"], json!([version]));
    let since = &history["data"]["key_info"][&version]["timestamp_installed"];
    assert!(since.as_str().unwrap().starts_with("2026-"), "{history}");
    let configuration = root.get("sys/config/state/sanitized").expect(200).json;
    assert_eq!(configuration["data"]["listeners"][0]["type"], "tcp");
    assert!(!configuration.to_string().contains(crate::support::broker::ROOT));
}

#[test]
fn the_history_of_versions_outlives_a_restart() {
    let mut broker = TestBroker::new();
    let before = broker.root().get("sys/version-history?list=true").expect(200).json;
    broker.advance(std::time::Duration::from_hours(1));
    broker.restart();
    let after = broker.root().get("sys/version-history?list=true").expect(200).json;
    assert_eq!(before["data"], after["data"]);
}
