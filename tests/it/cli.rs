//! The binary as a person meets it: what it prints, what it exits with, that it stops in order and comes
//! back after `kill -9` with everything it had.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::support::process::{Process, binary};
use crate::support::{NARROW, S3_STAR};

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = binary()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn check_judges_as_the_server_does() {
    let clean = run(&["check", "--format", "json", "-"], NARROW);
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean.stderr));
    let answer: Value = serde_json::from_slice(&clean.stdout).unwrap();
    assert_eq!(answer["results"][0]["verdict"], "allow");
    assert_eq!(answer["results"][0]["findings"], json!([]));

    let blocked = run(&["check", "--format", "json", "-"], S3_STAR);
    assert_eq!(blocked.status.code(), Some(2));
    let answer: Value = serde_json::from_slice(&blocked.stdout).unwrap();
    assert_eq!(answer["results"][0]["verdict"], "deny");
    let finding = &answer["results"][0]["findings"][0];
    assert!(finding["rule"].as_str().unwrap().starts_with("least-privilege/"));
    assert_eq!(finding["line"], 1);

    let role = json!({ "credential_type": "iam_user", "policy_arns": ["arn:aws:iam::123456789012:policy/unknown"] });
    let unknown = run(&["check", "-"], &role.to_string());
    assert_eq!(unknown.status.code(), Some(3), "{}", text(&unknown.stdout));

    let nonsense = run(&["check", "--format", "json", "-"], "hello");
    assert_eq!(nonsense.status.code(), Some(2));
    let answer: Value = serde_json::from_slice(&nonsense.stdout).unwrap();
    assert_eq!(answer["results"][0]["verdict"], "deny");
    assert_eq!(answer["results"][0]["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn check_warns_where_the_configuration_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("c.toml");
    std::fs::write(
        &config,
        "data_dir = \"/d\"\n[listener]\naddress = \"127.0.0.1:1\"\n[guardrails]\nmode = \"warn\"\n",
    )
    .unwrap();
    let warned = run(&["check", "--config", config.to_str().unwrap(), "-"], S3_STAR);
    assert_eq!(warned.status.code(), Some(1), "{}", text(&warned.stdout));
    assert!(text(&warned.stdout).contains("least-privilege/"));
}

#[test]
fn check_config_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("leasehold.toml");
    let file = path.to_str().unwrap();
    std::fs::write(
        &path,
        "data_dir = \"/var/lib/leasehold\"\n[listener]\naddress = \"127.0.0.1:8200\"\n",
    )
    .unwrap();
    let good = run(&["check-config", file], "");
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    std::fs::write(
        &path,
        "data_dir = \"/var/lib/leasehold\"\n[listener]\naddress = \"0.0.0.0:8200\"\n",
    )
    .unwrap();
    let open = run(&["check-config", file], "");
    assert_eq!(open.status.code(), Some(78));
    assert!(text(&open.stderr).contains("help: set tls_cert_file"), "{}", text(&open.stderr));
    std::fs::write(&path, "[listener]\nadress = \"0.0.0.0:8200\"\n").unwrap();
    let misspelt = run(&["check-config", file], "");
    assert_eq!(misspelt.status.code(), Some(78));
    assert!(text(&misspelt.stderr).contains("adress"));
}

#[test]
fn check_config_reads_the_files_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("leasehold.toml");
    let told = |lines: &str| {
        std::fs::write(&path, format!("{lines}\n[listener]\naddress = \"127.0.0.1:8200\"\n"))
            .unwrap();
        let output = run(&["check-config", path.to_str().unwrap()], "");
        assert_eq!(output.status.code(), Some(78), "{lines}");
        text(&output.stderr)
    };
    assert!(told("data_dir = \"\"").contains("`data_dir`"));
    let key = dir.path().join("seal.key");
    std::fs::write(&key, "nonsense").unwrap();
    let data_dir = format!("data_dir = {:?}", dir.path());
    assert!(told(&data_dir).contains("seal.key"), "a key file that the server would refuse");
}

#[test]
fn a_wrong_command_line_of_check_is_not_taken_for_a_verdict() {
    for arguments in [&["check"][..], &["check", "--fromat", "json", "-"]] {
        assert_eq!(run(arguments, "").status.code(), Some(3), "{arguments:?}");
    }
    assert_eq!(run(&["check", "--help"], "").status.code(), Some(0));
    assert_eq!(run(&["sever"], "").status.code(), Some(2));
}

#[test]
fn variables_of_development_mode_do_not_stop_a_configured_server() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("c.toml");
    let lines = format!("data_dir = {:?}\n[listener]\naddress = {address:?}\n", dir.path());
    std::fs::write(&config, lines).unwrap();
    let output = binary()
        .args(["server", "--config", config.to_str().unwrap()])
        .env("VAULT_DEV_ROOT_TOKEN_ID", "x")
        .env("VAULT_DEV_LISTEN_ADDRESS", "127.0.0.1:0")
        .output()
        .unwrap();
    let told = text(&output.stderr);
    assert!(told.contains("ignored without --dev"), "{told}");
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
    assert!(told.contains("\nhelp: "), "{told}");
}

#[test]
fn a_stranger_cannot_fill_the_log_with_errors_or_long_lines() {
    let server = Process::dev(&["--dev-root-token-id", ""]);
    assert_ne!(server.root_token.as_deref(), Some(""), "an empty token opens nothing");
    let mut stream =
        std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    server.root().get(&"a".repeat(50_000)).expect(404);
    let log = server.log();
    assert!(!log.contains("ERROR"), "{log}");
    assert!(log.lines().all(|line| line.len() < 3_000), "a line of {}", log.len());
    assert!(log.contains(" GET /v1/aaa"));
}

#[test]
fn a_server_without_a_word_says_how_to_start_it() {
    let output = run(&["server"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--dev"));
}

#[test]
fn development_mode_keeps_everything_over_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "somebody else's").unwrap();
    let data = ["--data-dir", dir.path().to_str().unwrap()];

    let first = Process::dev(&data);
    let root = first.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    root.post("aws/roles/r", &json!({ "credential_type": "iam_user", "policy_document": NARROW }))
        .expect(204);
    let lease = root.get("aws/creds/r").expect(200).lease_id();
    let token = first.root_token.clone().unwrap();
    first.kill();

    let second = Process::dev(&data);
    assert_eq!(second.root_token.as_deref(), Some(token.as_str()), "the token survives too");
    let root = second.root();
    root.put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(200);
    let revoked = root.put("sys/leases/revoke", &json!({ "lease_id": lease })).expect(204);
    assert_eq!(revoked.text, "", "the embedded AWS still knew the user");
    root.put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(400);
    assert!(second.log().contains(&lease));
    assert_eq!(second.stop(), Some(0));
    assert_eq!(std::fs::read_to_string(dir.path().join("notes.txt")).unwrap(), "somebody else's");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let first = Process::dev(&["--data-dir", data]);
    let second =
        run(&["server", "--dev", "--dev-listen-address", "127.0.0.1:0", "--data-dir", data], "");
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another leasehold"), "{}", text(&second.stderr));
    drop(first);
}

#[test]
fn without_a_folder_nothing_is_kept() {
    let first = Process::dev(&["--dev-root-token-id", "root"]);
    first.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    first.kill();
    let second = Process::dev(&["--dev-root-token-id", "root"]);
    assert!(second.root().get("sys/mounts").expect(200).data().get("aws/").is_none());
}

/// Reads one HTTP request from a connection.
fn read_request(stream: &mut std::net::TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0; 1];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn an_issue_in_flight_is_finished_when_the_server_is_told_to_stop() {
    let server = Process::dev(&[]);
    let aws = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = server.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let endpoint = format!("http://{}", aws.local_addr().unwrap());
    let binding = json!({ "access_key": "AKIASTOPPING00000000", "secret_key": "s", "iam_endpoint": endpoint });
    root.post("aws/config/root", &binding).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    root.post("aws/roles/r", &role).expect(204);
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    let (mut call, _) = aws.accept().unwrap();
    assert!(read_request(&mut call).contains("Action=CreateUser"), "AWS has the call, and is slow");

    let address = server.url.trim_start_matches("http://").to_owned();
    let stopping = std::thread::spawn(move || server.stop());
    // It stops to take connections; the one that waits for AWS is still served.
    let is_closed = || {
        let Ok(mut stream) = std::net::TcpStream::connect(&address) else { return true };
        stream.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        stream
            .write_all(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        !matches!(stream.read(&mut [0; 1]), Ok(1))
    };
    while !is_closed() {
        std::thread::yield_now();
    }
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>LimitExceeded</Code><Message>too many</Message></Error><RequestId>r</RequestId></ErrorResponse>";
    let reply = format!(
        "HTTP/1.1 409 Conflict\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    call.write_all(reply.as_bytes()).unwrap();

    let told = asking.join().unwrap().expect(400);
    assert!(
        told.errors()[0].starts_with("Error creating IAM user: LimitExceeded"),
        "{:?}",
        told.errors()
    );
    assert_eq!(stopping.join().unwrap(), Some(0));
}
