//! Audit devices over HTTP: both entries of every request, nothing secret in them, nothing done that no device could
//! write down, and an end of the chain that shows what was taken away.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use embedded_aws::faults::Decision;
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::process::{Process, binary};

fn enable(broker: &TestBroker, options: &Value) {
    let body = json!({ "type": "file", "description": "for the test", "options": options });
    broker.root().put("sys/audit/f", &body).expect(204);
}

fn with_file(options: &[(&str, &str)]) -> (TestBroker, PathBuf) {
    let broker = TestBroker::new().with_role();
    let path = broker.data_dir().join("audit.log");
    let mut sent = json!({ "file_path": path });
    for (name, value) in options {
        sent[name] = json!(value);
    }
    enable(&broker, &sent);
    (broker, path)
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

fn hash(broker: &TestBroker, text: &str) -> String {
    broker.root().post("sys/audit-hash/f", &json!({ "input": text })).expect(200).text_of("hash")
}

#[test]
fn devices_are_enabled_listed_and_disabled_in_vaults_shapes() {
    let broker = TestBroker::new();
    let root = broker.root();
    assert_eq!(root.get("sys/audit").expect(200).data(), &json!({}));
    let path = broker.data_dir().join("audit.log");
    enable(&broker, &json!({ "file_path": path, "log_raw": false }));
    let listed = root.get("sys/audit").expect(200);
    let device = json!({ "type": "file", "description": "for the test", "local": false, "path": "f/",
        "options": { "file_path": path, "log_raw": "0" } });
    assert_eq!(listed.data(), &json!({ "f/": device }));
    assert_eq!(listed.json["f/"], device, "the old place");
    let again = json!({ "type": "file", "options": { "file_path": path } });
    assert_eq!(root.put("sys/audit/f", &again).expect(400).errors(), ["path already in use"]);
    let unknown = root.post("sys/audit-hash/x", &json!({ "input": "a" })).expect(400);
    assert_eq!(unknown.errors(), [r#"unknown audit backend "x/""#]);
    let empty = root.post("sys/audit-hash/f", &json!({})).expect(400);
    assert_eq!(empty.errors(), [r#"the "input" parameter is empty"#]);
    root.delete("sys/audit/f").expect(204);
    root.delete("sys/audit/f").expect(204);
    assert_eq!(root.get("sys/audit").expect(200).data(), &json!({}));
    let written = entries(&path).len();
    root.get("sys/audit").expect(200);
    assert_eq!(entries(&path).len(), written, "a disabled device is told nothing");
}

#[test]
fn an_issue_is_told_twice_and_no_secret_with_it() {
    let (broker, path) = with_file(&[]);
    let issued = broker.issue().expect(200);
    let [request, response] = last_two(&path);
    assert_eq!((&request["type"], &response["type"]), (&json!("request"), &json!("response")));
    assert_eq!(request["request"]["path"], "aws/creds/r");
    assert_eq!(request["request"]["operation"], "read");
    assert_eq!(request["request"]["mount_point"], "aws/");
    assert_eq!(request["request"]["remote_address"], "127.0.0.1");
    assert_eq!(request["request"]["id"], response["request"]["id"]);
    assert_eq!(issued.json["request_id"], request["request"]["id"]);
    assert_eq!(request["auth"]["display_name"], "root");
    assert_eq!(request["auth"]["policy_results"], json!({ "allowed": true }));
    let root = broker.root();
    assert_eq!(request["auth"]["client_token"], json!(hash(&broker, root.token())));
    assert_eq!(response["response"]["secret"]["lease_id"], json!(issued.lease_id()));
    let secret = issued.text_of("secret_key");
    assert_eq!(response["response"]["data"]["secret_key"], json!(hash(&broker, &secret)));
    let key = issued.text_of("access_key");
    assert_eq!(response["response"]["data"]["access_key"], json!(hash(&broker, &key)));
    let text = std::fs::read_to_string(&path).unwrap();
    for hidden in [root.token(), secret.as_str(), key.as_str()] {
        assert!(!text.contains(hidden), "{hidden} is in the file");
    }
}

#[test]
fn who_may_not_and_who_is_nobody_are_told_of_too() {
    let (broker, path) = with_file(&[]);
    let made =
        broker.root().post("auth/token/create", &json!({ "policies": ["none"] })).expect(200);
    let token = made.json["auth"]["client_token"].as_str().unwrap().to_owned();
    let [_, made] = last_two(&path);
    assert_eq!(made["response"]["auth"]["client_token"], json!(hash(&broker, &token)));
    assert_eq!(made["response"]["auth"]["policies"], json!(["default", "none"]));
    broker.root().with_token(&token).get("aws/creds/r").expect(403);
    let [request, response] = last_two(&path);
    for entry in [&request, &response] {
        assert!(entry["error"].as_str().unwrap().contains("permission denied"), "{entry}");
        assert_eq!(entry["auth"]["display_name"], "token");
    }
    assert_eq!(request["auth"]["policy_results"], json!({ "allowed": false }));
    broker.root().anonymous().get("aws/creds/r").expect(403);
    let [request, _] = last_two(&path);
    assert_eq!(request["error"], "permission denied");
    assert_eq!(request.get("auth"), None);
    broker.root().with_token("hvs.unknown").get("aws/roles/r").expect(403);
    let [request, _] = last_two(&path);
    assert_eq!(request["request"]["client_token"], json!(hash(&broker, "hvs.unknown")));
    let before = entries(&path).len();
    broker.root().get("sys/health").expect(200);
    assert_eq!(entries(&path).len(), before, "health checks are told to nobody");
}

#[test]
fn options_say_what_is_hidden() {
    let (broker, path) = with_file(&[("hmac_accessor", "false"), ("elide_list_responses", "true")]);
    let root = broker.root();
    let own = root.get("auth/token/lookup-self").expect(200);
    let [request, _] = last_two(&path);
    assert_eq!(request["auth"]["accessor"], json!(own.text_of("accessor")));
    root.list("aws/roles").expect(200);
    let [_, response] = last_two(&path);
    assert_eq!(response["response"]["data"]["keys"], 1);
    let tune = json!({ "audit_non_hmac_request_keys": ["region"], "audit_non_hmac_response_keys": ["region"] });
    root.post("sys/mounts/aws/tune", &tune).expect(204);
    let account =
        json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "region": "eu-west-1" });
    root.post("aws/config/root", &account).expect(204);
    let [request, _] = last_two(&path);
    assert_eq!(request["request"]["data"]["region"], "eu-west-1");
    assert_eq!(request["request"]["data"]["secret_key"], json!(hash(&broker, "s")));
    root.get("aws/config/root").expect(200);
    let [_, response] = last_two(&path);
    assert_eq!(response["response"]["data"]["region"], "eu-west-1");
}

#[test]
fn a_wrapped_answer_and_its_unwrapping_are_told_without_either_token() {
    let (broker, path) = with_file(&[]);
    let wrapped =
        broker.root().with_header("X-Vault-Wrap-TTL", "60").get("aws/creds/r").expect(200);
    let token = wrapped.json["wrap_info"]["token"].as_str().unwrap().to_owned();
    let [request, response] = last_two(&path);
    assert_eq!(request["request"]["wrap_ttl"], 60);
    assert_eq!(response["response"]["wrap_info"]["token"], json!(hash(&broker, &token)));
    let unwrap = json!({ "token": token });
    let inner = broker.root().post("sys/wrapping/unwrap", &unwrap).expect(200);
    let [request, response] = last_two(&path);
    assert_eq!(request["request"]["data"]["token"], json!(hash(&broker, &token)));
    let secret = inner.text_of("secret_key");
    assert_eq!(response["response"]["data"]["secret_key"], json!(hash(&broker, &secret)));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&token) && !text.contains(&secret));
}

/// A syslog that listens until it is told to go.
fn with_syslog() -> (TestBroker, UnixDatagram) {
    let broker = TestBroker::new().with_role();
    let path = broker.data_dir().join("syslog");
    let socket = UnixDatagram::bind(&path).unwrap();
    let options = json!({ "socket_path": path, "tag": "broker", "facility": "LOCAL0" });
    let body = json!({ "type": "syslog", "options": options });
    broker.root().put("sys/audit/s", &body).expect(204);
    (broker, socket)
}

#[test]
fn nothing_is_done_that_no_device_can_write_down() {
    let (broker, syslog) = with_syslog();
    broker.root().get("aws/roles/r").expect(200);
    let mut line = vec![0; 65_536];
    let length = syslog.recv(&mut line).unwrap();
    assert!(line[..length].starts_with(b"<134>broker["), "{:?}", &line[..32]);
    drop(syslog);
    broker.faults.clear_calls();
    let refused = broker.issue().expect(500);
    assert_eq!(refused.errors(), ["internal error"]);
    assert!(broker.faults.actions().is_empty() && broker.users().is_empty());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    let anonymous = broker.root().anonymous().get("aws/roles/r").expect(500);
    assert_eq!(anonymous.errors(), ["internal error"]);
    broker.root().get("sys/health").expect(200);
    let _back = UnixDatagram::bind_again(&broker);
    broker.root().get("aws/roles/r").expect(200);
}

trait BindAgain {
    fn bind_again(broker: &TestBroker) -> UnixDatagram;
}

impl BindAgain for UnixDatagram {
    fn bind_again(broker: &TestBroker) -> UnixDatagram {
        let path = broker.data_dir().join("syslog");
        std::fs::remove_file(&path).unwrap();
        UnixDatagram::bind(path).unwrap()
    }
}

/// In Vault the user lives on until its TTL.
#[test]
fn what_was_issued_and_could_not_be_written_down_is_taken_back() {
    let (broker, syslog) = with_syslog();
    let syslog = Mutex::new(Some(syslog));
    broker.faults.on_call(Box::new(move |call| {
        if call.action == "CreateAccessKey" {
            syslog.lock().unwrap().take();
        }
        Decision::Pass
    }));
    let refused = broker.issue().expect(500);
    assert_eq!(refused.errors(), ["internal error"]);
    assert!(broker.faults.actions().contains(&"CreateUser".to_owned()));
    broker.settle();
    assert!(broker.users().is_empty(), "{:?}", broker.users());
}

#[test]
fn what_was_unwrapped_and_could_not_be_written_down_is_taken_back() {
    let (broker, syslog) = with_syslog();
    let wrapped =
        broker.root().with_header("X-Vault-Wrap-TTL", "60").get("aws/creds/r").expect(200);
    assert_eq!(broker.users().len(), 1);
    let token = wrapped.json["wrap_info"]["token"].as_str().unwrap().to_owned();
    // The entry of the request still goes out; its receiver goes before that of the answer.
    let syslog = Mutex::new(Some(syslog));
    broker.store().watch(Box::new(move |method, _moment| {
        if method == "take_wrapping" {
            syslog.lock().unwrap().take();
        }
    }));
    let refused = broker.root().post("sys/wrapping/unwrap", &json!({ "token": token })).expect(500);
    assert_eq!(refused.errors(), ["internal error"]);
    broker.settle();
    assert!(broker.users().is_empty(), "{:?}", broker.users());
}

fn verify(files: &[&Path], device: Option<&TestBroker>) -> (Option<i32>, String) {
    let mut command: Command = binary();
    command.args(["audit", "verify"]).args(files);
    if let Some(broker) = device {
        command.args(["--device", "f"]);
        command.env("VAULT_ADDR", format!("http://{}", broker.socket()));
        command.env("VAULT_TOKEN", broker.root().token());
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[test]
fn an_edit_a_gap_and_a_cut_end_are_found() {
    let (mut broker, path) = with_file(&[]);
    broker.issue().expect(200);
    broker.restart();
    broker.root().get("aws/roles/r").expect(200);
    let (code, told) = verify(&[&path], Some(&broker));
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("all is there"), "{told}");

    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let other = broker.data_dir().join("other.log");
    let with = |text: String| {
        std::fs::write(&other, text).unwrap();
        verify(&[&other], Some(&broker))
    };
    let (code, told) = with(text.replacen("aws/creds/r", "aws/creds/x", 1));
    assert!(code == Some(1) && told.contains("entry 0 was changed"), "{told}");
    let (code, told) = with([&lines[..1], &lines[2..]].concat().concat());
    assert!(code == Some(1) && told.contains("entry 2 comes where 1 should"), "{told}");
    let (code, told) = with(lines[..2].concat());
    assert!(
        code == Some(1) && told.contains("the last entry is 1, and the server wrote"),
        "{told}"
    );
    let (code, told) = verify(&[Path::new("/no/such/file")], None);
    assert!(code == Some(2) && told.contains("`/no/such/file`"), "{told}");
}

#[test]
fn a_signal_opens_the_file_anew_and_the_chain_goes_on() {
    let server = Process::dev(&[]);
    let root = server.root();
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("audit.log"), dir.path().join("audit.log.1"));
    let body = json!({ "type": "file", "options": { "file_path": path } });
    root.put("sys/audit/f", &body).expect(204);
    root.get("sys/mounts").expect(200);
    std::fs::rename(&path, &old).unwrap();
    root.get("sys/mounts").expect(200);
    let pid = i32::try_from(server.pid()).unwrap();
    Command::new("kill").args(["-HUP", &pid.to_string()]).status().unwrap();
    while !path.exists() {
        root.get("sys/mounts").expect(200);
    }
    let (code, told) = verify(&[&old, &path], None);
    assert_eq!(code, Some(0), "{told}");
    let (_, alone) = verify(&[&path], None);
    assert!(alone.contains("older files were not looked at"), "{alone}");
}
