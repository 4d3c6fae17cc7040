//! What is left behind of guardrails: the verdict that let a role or a credential through is named to its caller, in the
//! audit and in the log; every write about plugins and guardrails is told of, by the digest of what was uploaded.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Reply;
use crate::support::{NARROW, S3_STAR, log};

const HOSTILE: &[u8] = include_bytes!("../../plugins/fixtures/hostile/hostile.wasm");
const PLUGINS: &str = "sys/plugins/guardrails";
const HEADER: &str = "x-leasehold-verdict";

/// A broker with an engine, and two devices: one that hides, one that shows everything.
fn audited() -> (TestBroker, [PathBuf; 2]) {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let paths = ["hidden", "raw"].map(|name| broker.data_dir().join(name));
    for (name, path) in ["hidden", "raw"].iter().zip(&paths) {
        let options = json!({ "file_path": path, "log_raw": (*name == "raw").to_string() });
        let body = json!({ "type": "file", "options": options });
        root.put(&format!("sys/audit/{name}"), &body).expect(204);
    }
    (broker, paths)
}

fn entries(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The request and the response of the last request.
fn last_two(path: &Path) -> [Value; 2] {
    let all = entries(path);
    let [.., request, response] = all.as_slice() else { panic!("{all:?}") };
    [request.clone(), response.clone()]
}

fn verdicts(reply: &Reply) -> Vec<String> {
    let header = reply.headers.get(HEADER).map(|value| value.to_str().unwrap());
    header.map(|value| value.split(", ").map(str::to_owned).collect()).unwrap_or_default()
}

#[test]
fn the_verdict_of_a_role_write_is_named_and_can_be_reached_again() {
    let (broker, [hidden, _]) = audited();
    let root = broker.root();
    for (name, document, status) in [("r", NARROW, 204), ("wide", S3_STAR, 200)] {
        let told = verdicts(&broker.write_role(name, document).expect(status));
        assert_eq!(told.len(), 1);
        let [_, entry] = last_two(&hidden);
        assert_eq!(entry["response"]["headers"][HEADER], json!(told));
        let line = log::with(&told[0]);
        assert!(line.iter().any(|line| line.contains("written")), "{line:?}");
        let path = format!("sys/guardrails/verdicts/{}", told[0]);
        let kept = root.get(&path).expect(200);
        assert_eq!(kept.data()["verdict"]["decision"], "allow");
        assert_eq!(kept.data()["input"]["trigger"], "create");
        let replayed = root.post(&format!("{path}/replay"), &json!({})).expect(200);
        assert_eq!(replayed.data()["same"], true, "{}", replayed.text);
    }
    // Each type of credential is a grant of its own; a role of the old form has two.
    let old = json!({ "policy": NARROW });
    let told = verdicts(&root.post("aws/roles/old", &old).expect(200));
    assert_eq!(told.len(), 2);
    assert_ne!(told[0], told[1]);
}

#[test]
fn an_issue_and_a_denial_name_their_verdict_too_and_nothing_else_names_any() {
    let (broker, [hidden, _]) = audited();
    let root = broker.root();
    broker.write_role("r", S3_STAR).expect(200);
    let issued = broker.issue().expect(200);
    let row = broker.row(&issued.lease_id()).unwrap();
    assert_eq!(verdicts(&issued), std::slice::from_ref(&row.verdict));
    let [_, entry] = last_two(&hidden);
    assert_eq!(entry["response"]["headers"][HEADER], json!([row.verdict]));
    assert!(verdicts(&root.get("aws/roles/r").expect(200)).is_empty());
    let [_, entry] = last_two(&hidden);
    assert_eq!(entry["response"].get("headers"), None);

    root.post("sys/guardrails/least-privilege", &json!({ "mode": "enforce" })).expect(200);
    let denied = broker.issue().expect(400);
    assert_eq!(verdicts(&denied), [denied.text_of("digest")]);
    let [_, entry] = last_two(&hidden);
    assert_eq!(entry["response"]["headers"][HEADER], json!(verdicts(&denied)));
    // Refused before anything was judged.
    let refused = broker.write_role("r", "{\"Version\":\"2012-10-17\"}").expect(400);
    assert_eq!(verdicts(&refused), Vec::<String>::new());
}

type Upload<'a> = &'a dyn Fn(&str) -> Reply;

#[test]
fn every_upload_is_told_of_by_its_digest_and_never_by_its_bytes() {
    let (broker, paths) = audited();
    let root = broker.root();
    let digest = leasehold::gate::component_digest(HOSTILE).unwrap().to_string();
    let coded = leasehold::model::encoding::base64(HOSTILE);
    let uploads: [(&str, &str, Upload<'_>); 4] = [
        (PLUGINS, "raw", &|path| root.raw("PUT", path, HOSTILE)),
        ("sys/plugins/guardrails/hostile/1.0.0", "in base64", &|path| {
            root.post(path, &json!({ "component": coded, "skip_tests": true }))
        }),
        ("sys/plugins/guardrails-check", "checked, raw", &|path| root.raw("POST", path, HOSTILE)),
        ("sys/plugins/guardrails-check", "checked, in base64", &|path| {
            root.post(path, &json!({ "component": coded }))
        }),
    ];
    for (path, how, upload) in uploads {
        upload(path).expect(200);
        for file in &paths {
            let [request, response] = last_two(file);
            assert_eq!(request["request"]["path"], path, "{how}");
            assert_eq!(request["request"]["operation"], "update", "{how}");
            assert_eq!(request["request"]["data"]["component"], json!(digest), "{how}");
            assert_eq!(response["request"]["data"]["component"], json!(digest), "{how}");
            assert_eq!(response["response"]["data"]["digest"], json!(digest), "{how}");
            assert_eq!(response["response"]["data"]["name"], "hostile", "{how}");
        }
    }
    // What cannot be read is not repeated either, nor what nobody may send.
    root.post(PLUGINS, &json!({ "component": "?".repeat(9_000) })).expect(400);
    root.post(PLUGINS, &json!({ "component": HOSTILE })).expect(400);
    root.anonymous().raw("PUT", PLUGINS, HOSTILE).expect(403);
    for file in &paths {
        let all = entries(file);
        let told: Vec<&Value> =
            all.iter().rev().take(6).map(|entry| &entry["request"]["data"]["component"]).collect();
        let (text, none) = (json!("9000 bytes that are no base64"), json!("no text"));
        assert_eq!(told, [&json!(digest), &json!(digest), &none, &none, &text, &text]);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            !text.contains(coded.get(..64).unwrap()) && !text.contains("???"),
            "{} bytes",
            text.len()
        );
        assert!(text.len() < 200_000, "{} bytes", text.len());
    }
}

#[test]
fn every_write_about_guardrails_is_told_of() {
    let (broker, paths) = audited();
    let root = broker.root();
    root.raw("PUT", PLUGINS, HOSTILE).expect(200);
    let verdict = verdicts(&broker.write_role("r", NARROW).expect(204)).remove(0);
    let own = json!({ "plugin": "hostile@1.0.0", "settings": { "does": "nothing" } });
    let suspend = json!({ "for": "1m", "reason": "an incident" });
    let replay = format!("sys/guardrails/verdicts/{verdict}/replay");
    let none = json!({});
    for (operation, path, body, status) in [
        ("update", "sys/guardrails/own", &own, 204),
        ("update", "sys/guardrails/own", &json!({ "mode": "loud" }), 400),
        ("update", "sys/guardrails/own/what-if", &none, 200),
        ("update", "sys/guardrails/what-if", &own, 200),
        ("update", "sys/guardrails/own/suspend", &suspend, 200),
        ("update", "sys/guardrails/own/resume", &none, 204),
        ("update", replay.as_str(), &none, 200),
        ("delete", "sys/plugins/guardrails/hostile/1.0.0", &none, 409),
        ("delete", "sys/guardrails/own", &none, 204),
        ("delete", "sys/plugins/guardrails/hostile/1.0.0", &none, 204),
    ] {
        let reply = if operation == "delete" { root.delete(path) } else { root.post(path, body) };
        reply.expect(status);
        for file in &paths {
            let [request, response] = last_two(file);
            for (entry, kind) in [(&request, "request"), (&response, "response")] {
                assert_eq!(entry["type"], kind, "{path}");
                assert_eq!(entry["request"]["path"], path, "{kind}");
                assert_eq!(entry["request"]["operation"], operation, "{path}");
                assert_eq!(entry["auth"]["display_name"], "root", "{path}");
            }
            assert_eq!(response.get("error").is_some(), status >= 400, "{path}: {response}");
        }
    }
    let raw = entries(&paths[1]);
    let told = raw.iter().find(|entry| entry["request"]["path"] == "sys/guardrails/own/suspend");
    assert_eq!(told.unwrap()["request"]["data"]["reason"], "an incident");
}
