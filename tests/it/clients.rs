//! Stock clients against the real binary, with moto as the AWS behind it: hvac from `PyPI`, vaultrs from
//! crates.io and node-vault from npm walk through the guide and every kind of credential, and moto is asked
//! at every step what is there.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::Process;

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/flow";

/// The path that `name` holds, or `None` with a line that says so. Under `tests/run` it must be set;
/// empty says that this machine has not what the client needs.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let set = std::env::var_os(name);
    if set.is_none() {
        assert!(std::env::var_os("LEASEHOLD_CLIENTS").is_none(), "tests/run did not set {name}");
        println!("skipped: {name} is not set; tests/run sets it");
    }
    set.filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// A moto server, the second AWS.
struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    fn start(python: &PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { child, url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto did not start");
            std::thread::yield_now();
        }
        moto
    }

    /// An IAM call as the SDK would make it, unsigned but for the scope that moto routes by.
    fn iam(&self, form: &str) -> String {
        let scope = "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
        let request = ureq::post(&format!("{}/", self.url)).header("Authorization", scope);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let body = format!("{form}&Version=2010-05-08");
        request.send(&body).unwrap().body_mut().read_to_string().unwrap()
    }

    /// Whom STS takes the holder of a key for.
    fn caller(&self, access_key: &str) -> String {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = ureq::post(&format!("{}/", self.url)).header("Authorization", scope);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let reply = request.send(body).unwrap().body_mut().read_to_string().unwrap();
        let arn = reply.split("<Arn>").nth(1).unwrap_or_default();
        arn.split('<').next().unwrap().to_owned()
    }

    /// Names of the users that exist.
    fn users(&self) -> Vec<String> {
        let reply = self.iam("Action=ListUsers");
        let names = reply.split("<UserName>").skip(1);
        names.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client program that stops at checkpoints.
struct Flow {
    child: Child,
    input: ChildStdin,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Flow {
    fn start(mut command: Command, broker: &Process, moto: &Moto) -> Self {
        let mut child = command
            .env("VAULT_ADDR", &broker.url)
            .env("VAULT_TOKEN", broker.root_token.as_ref().unwrap())
            .env("FLOW_AWS", &moto.url)
            .env("FLOW_POLICY", POLICY)
            .env("FLOW_ROLE_ARN", ROLE_ARN)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, lines }
    }

    /// The next checkpoint, which must be `name`; the program goes on when this is called again.
    fn checkpoint(&mut self, name: &str) -> Value {
        let line = self.lines.next().unwrap_or_else(|| panic!("it ended before `{name}`")).unwrap();
        let facts = line.strip_prefix(&format!("CHECKPOINT {name} "));
        serde_json::from_str(facts.unwrap_or_else(|| panic!("not `{name}` but: {line}"))).unwrap()
    }

    fn go_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    fn ends_well(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

fn walk(mut flow: Flow, broker: &Process, moto: &Moto) {
    let configured = flow.checkpoint("configured");
    assert_eq!(configured["lease"]["lease"], "30m0s");
    assert_eq!(configured["lease"]["lease_max"], "1h0m0s");
    flow.go_on();

    let role = flow.checkpoint("role");
    assert_eq!(role["keys"], json!(["my-role"]));
    let document: Value = serde_json::from_str(role["policy_document"].as_str().unwrap()).unwrap();
    assert_eq!(document, serde_json::from_str::<Value>(POLICY).unwrap());
    assert!(moto.users().is_empty(), "a role write creates nothing");
    flow.go_on();

    let issued = flow.checkpoint("issued");
    let users = moto.users();
    assert_eq!(users.len(), 1);
    assert!(users[0].starts_with("vault-root-my-role-"), "{users:?}");
    let keys = moto.iam(&format!("Action=ListAccessKeys&UserName={}", users[0]));
    assert!(keys.contains(issued["access_key"].as_str().unwrap()));
    let tags = moto.iam(&format!("Action=ListUserTags&UserName={}", users[0]));
    let lease_id = issued["lease_id"].as_str().unwrap();
    assert!(
        tags.contains("leasehold:lease") && tags.contains(lease_id.rsplit('/').next().unwrap())
    );
    let policy =
        moto.iam(&format!("Action=GetUserPolicy&UserName={}&PolicyName=my-role", users[0]));
    assert!(policy.contains("s3"), "{policy}");
    flow.go_on();

    let renewed = flow.checkpoint("renewed");
    assert_eq!(renewed["id"], issued["lease_id"]);
    assert_eq!(renewed["seconds"], 600);
    flow.go_on();

    flow.checkpoint("revoked");
    assert!(moto.users().is_empty(), "a revoked lease leaves no user");
    let lookup = broker.root().put("sys/leases/lookup", &json!({ "lease_id": lease_id }));
    assert_eq!(lookup.expect(400).errors(), ["invalid lease"]);
    flow.go_on();

    flow.checkpoint("issued again");
    assert_eq!(moto.users().len(), 1);
    flow.go_on();

    temporary(&flow.checkpoint("temporary"), broker, moto);
    flow.go_on();

    flow.checkpoint("disabled");
    assert!(moto.users().is_empty(), "disabling the mount revokes what is under it");
    let mounts = broker.root().get("sys/mounts").expect(200);
    assert!(mounts.data().get("aws/").is_none());
    flow.go_on();
    flow.ends_well();
}

/// What a client got of each kind of temporary credentials.
fn temporary(facts: &Value, broker: &Process, moto: &Moto) {
    assert_eq!(moto.users().len(), 1, "temporary credentials make no user");
    for (kind, seconds) in [("assumed", 1_200), ("federated", 3_600), ("session", 3_600)] {
        let own = &facts[kind];
        let key = own["access_key"].as_str().unwrap();
        // moto makes keys of its own for an assumed role; for the others it has a fixed example.
        let prefix = if kind == "assumed" { "ASIA" } else { "AKIA" };
        assert!(key.starts_with(prefix), "{kind}: {own}");
        let token = own["security_token"].as_str().unwrap();
        assert!(!token.is_empty(), "{kind}: {own}");
        // vaultrs' own type of an assumed role has neither the new name of the token nor the lease.
        if let Some(lease) = own["lease_id"].as_str() {
            assert_eq!(own["session_token"], token, "{kind}: the old name and the new one");
            assert!(own["seconds"].as_i64().unwrap() <= seconds, "{kind}: {own}");
            let found = broker.root().put("sys/leases/lookup", &json!({ "lease_id": lease }));
            assert_eq!(found.expect(200).data()["renewable"], false, "{kind}");
        }
    }
    let arn = facts["assumed"]["arn"].as_str().unwrap();
    assert!(arn.contains(":assumed-role/flow/"), "{arn}");
    assert_eq!(moto.caller(facts["assumed"]["access_key"].as_str().unwrap()), arn);
}

#[test]
fn hvac_walks_through_the_guide() {
    let Some(python) = tool("LEASEHOLD_PYTHON") else { return };
    let (broker, moto) = (Process::dev(&[]), Moto::start(&python));
    let mut command = Command::new(&python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/hvac_flow.py"));
    walk(Flow::start(command, &broker, &moto), &broker, &moto);
}

#[test]
fn hvac_makes_tokens_policies_logins_identities_and_wrapped_answers() {
    let Some(python) = tool("LEASEHOLD_PYTHON") else { return };
    let broker = Process::dev(&[]);
    let mut command = Command::new(&python);
    let status = command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/hvac_auth_flow.py"))
        .env("VAULT_ADDR", &broker.url)
        .env("VAULT_TOKEN", broker.root_token.as_ref().unwrap())
        .status()
        .unwrap();
    assert!(status.success(), "{}", broker.log());
}

#[test]
fn vaultrs_walks_through_the_guide() {
    let Some(python) = tool("LEASEHOLD_PYTHON") else { return };
    let Some(flow) = tool("LEASEHOLD_VAULTRS") else { return };
    let (broker, moto) = (Process::dev(&[]), Moto::start(&python));
    walk(Flow::start(Command::new(flow), &broker, &moto), &broker, &moto);
}

#[test]
fn node_vault_walks_through_the_guide() {
    let Some(python) = tool("LEASEHOLD_PYTHON") else { return };
    let Some(flow) = tool("LEASEHOLD_NODE_FLOW") else { return };
    let (broker, moto) = (Process::dev(&[]), Moto::start(&python));
    let mut command = Command::new("node");
    command.arg(flow);
    walk(Flow::start(command, &broker, &moto), &broker, &moto);
}

#[test]
fn a_configured_server_is_initialised_once_and_issues_from_moto() {
    let Some(python) = tool("LEASEHOLD_PYTHON") else { return };
    let moto = Moto::start(&python);
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("leasehold.toml");
    let text = format!(
        "data_dir = {:?}\n[listener]\naddress = \"127.0.0.1:0\"\n[seal]\ntype = \"static\"\n",
        dir.path().join("state")
    );
    std::fs::write(&config, text).unwrap();
    let arguments = ["server", "--config", config.to_str().unwrap()];

    let server = Process::start(&arguments);
    let anyone = Client::new(&server.url, None);
    anyone.get("sys/health").expect(501);
    assert_eq!(anyone.get("sys/init").expect(200).json["initialized"], false);
    anyone.get("sys/mounts").expect(503);
    let made =
        anyone.put("sys/init", &json!({ "secret_shares": 1, "secret_threshold": 1 })).expect(200);
    let root = anyone.with_token(made.json["root_token"].as_str().unwrap());
    assert_eq!(made.json["keys"], json!([]));
    anyone.put("sys/init", &json!({})).expect(400);
    anyone.get("sys/health").expect(200);

    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let binding = json!({
        "access_key": "AKIAFLOWROOT00000000", "secret_key": "flow-secret", "region": "us-east-1",
        "iam_endpoint": moto.url, "sts_endpoint": moto.url,
    });
    root.post("aws/config/root", &binding).expect(204);
    let narrow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;
    let wide = json!({ "credential_type": "iam_user", "policy_document": POLICY });
    let denied = root.post("aws/roles/wide", &wide).expect(400);
    assert_eq!(denied.data()["verdict"], "deny", "a configured server enforces");
    let role = json!({ "credential_type": "iam_user", "policy_document": narrow });
    root.post("aws/roles/narrow", &role).expect(204);
    let lease = root.get("aws/creds/narrow").expect(200).lease_id();
    assert_eq!(moto.users().len(), 1);
    server.kill();

    let server = Process::start(&arguments);
    let root = Client::new(&server.url, None).with_token(made.json["root_token"].as_str().unwrap());
    let found = root.put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(200);
    assert_eq!(found.data()["id"], lease.as_str());
    root.put("sys/leases/revoke", &json!({ "lease_id": lease })).expect(204);
    assert!(moto.users().is_empty());
    assert_eq!(server.stop(), Some(0));
}
