//! The wire's edges: statuses, envelopes and texts that clients rely on (contract, section 0), and what
//! a stranger may send.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::broker::TestBroker;

#[test]
fn statuses_and_texts_are_vaults() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let cases = [
        (root.get("aws/roles/missing"), 404, json!([])),
        (root.get("aws/nothing"), 404, json!(["1 error occurred:\n\t* unsupported path\n\n"])),
        (root.get("aws/roles"), 405, json!(["1 error occurred:\n\t* unsupported operation\n\n"])),
        (root.get("x/y"), 404, json!(["no handler for route \"x/y\". route entry not found."])),
        (root.get("aws/creds/missing"), 400, json!(["Role \"missing\" not found"])),
        (
            root.post("aws/roles/r/", &json!({})),
            400,
            json!(["cannot write to a path ending in '/'"]),
        ),
        (root.raw("PROPFIND", "aws/roles/r", b""), 405, json!([])),
        (root.get("sys/mounts/none"), 400, json!(["No secret engine mount at none/"])),
        (
            root.post("sys/mounts/aws", &json!({ "type": "aws" })),
            400,
            json!(["path is already in use at aws/"]),
        ),
        (
            root.post("sys/mounts/sys", &json!({ "type": "aws" })),
            400,
            json!(["cannot mount \"sys/\""]),
        ),
        (root.get("aws/roles?list=maybe"), 400, json!([])),
    ];
    for (reply, status, errors) in cases {
        assert_eq!((reply.status, &reply.json["errors"]), (status, &errors), "{}", reply.text);
        assert!(reply.text.ends_with('\n') && !reply.text.ends_with("\n\n"));
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(
            reply.headers["strict-transport-security"],
            "max-age=31536000; includeSubDomains"
        );
    }
    let broken = root.raw("POST", "aws/roles/r", b"{\"a\":").expect(400);
    assert!(broken.errors()[0].starts_with("error parsing JSON"), "{:?}", broken.errors());
    let wrong =
        root.post("aws/config/lease", &json!({ "lease": ["1h"], "lease_max": "1h" })).expect(400);
    assert!(wrong.errors()[0].contains("error converting input"), "{:?}", wrong.errors());
}

#[test]
fn the_envelope_has_every_member() {
    let broker = TestBroker::new().with_role();
    let reply = broker.root().get("aws/roles/r").expect(200);
    for member in [
        "request_id",
        "lease_id",
        "renewable",
        "lease_duration",
        "data",
        "wrap_info",
        "warnings",
        "auth",
        "mount_type",
    ] {
        assert!(reply.json.get(member).is_some(), "no `{member}` in {}", reply.text);
    }
    assert_eq!(reply.json["request_id"].as_str().unwrap().len(), 36);
    assert_eq!(reply.headers["content-type"], "application/json");
    let empty = broker.root().delete("aws/roles/missing").expect(204);
    assert_eq!(
        (empty.text.as_str(), &empty.headers["content-type"]),
        ("", &"application/json".parse().unwrap())
    );
}

#[test]
fn what_is_ignored_or_replaced_is_said() {
    let broker = TestBroker::new().with_role();
    let reply = broker.root().get("aws/creds/r?zzz=1&aaa=2&name=other").expect(200);
    assert_eq!(
        reply.warnings(),
        [
            "Endpoint ignored these unrecognized parameters: [aaa zzz]",
            "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [name]",
        ]
    );
}

#[test]
fn health_and_seal_status_need_no_token() {
    let broker = TestBroker::new();
    let anyone = broker.root().anonymous();
    let health = anyone.get("sys/health").expect(200);
    assert_eq!(
        (&health.json["initialized"], &health.json["sealed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(health.json["performance_standby"], json!(false), "vaultrs requires it");
    let version = health.json["version"].as_str().unwrap();
    assert!(version.starts_with("1.21.0+leasehold."), "{version}");
    assert_eq!(anyone.get("sys/seal-status").expect(200).json["sealed"], json!(false));
    assert_eq!(anyone.get("sys/leader").expect(200).json["ha_enabled"], json!(false));
    assert_eq!(anyone.raw("HEAD", "sys/health", b"").status, 200);
    assert_eq!(anyone.get("sys/health?activecode=299").status, 299);
}

/// Sends bytes as they are and gives the first line of the answer.
fn raw(broker: &TestBroker, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(broker.socket()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn hostile_bytes_get_an_answer_and_harm_nobody() {
    let broker = TestBroker::new().with_role();
    let long = format!("GET /v1/{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(2_000_000));
    let header = format!(
        "GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "a".repeat(2_000_000)
    );
    for request in [
        "nonsense\r\n\r\n",
        long.as_str(),
        header.as_str(),
        "GET /v1/%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let line = raw(&broker, request.as_bytes());
        assert!(line.is_empty() || line.starts_with("HTTP/1.1 4"), "{line}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    broker.root().raw("POST", "aws/roles/r", deep.as_bytes()).expect(400);
    let big = vec![b' '; 33 * 1024 * 1024];
    let reply = broker.root().raw("POST", "aws/roles/r", &big).expect(413);
    assert!(reply.errors()[0].contains("http: request body too large"));
    broker.issue().expect(200);
}

#[test]
fn a_body_on_a_get_is_ignored_and_leaves_the_connection_open() {
    let broker = TestBroker::new();
    let mut stream = TcpStream::connect(broker.socket()).unwrap();
    for _ in 0..2 {
        // Head and body apart, as a client's two writes arrive.
        for part in
            ["GET /v1/sys/init HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n", "{\"a\": 1}"]
        {
            stream.write_all(part.as_bytes()).unwrap();
        }
        let mut answer = String::new();
        while !answer.ends_with("{\"initialized\":true}\n") {
            let mut some = [0; 1024];
            let read = stream.read(&mut some).unwrap();
            assert!(read > 0, "the connection is closed after: {answer}");
            answer.push_str(std::str::from_utf8(&some[..read]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.to_lowercase().contains("connection: close"), "{answer}");
    }
}

#[test]
fn the_line_of_a_request_that_aws_refused_says_why() {
    let broker = TestBroker::new().with_role();
    broker.write_role("refused-by-aws", crate::support::NARROW).expect(204);
    broker.faults.fail_next("CreateUser", embedded_aws::faults::Fault::refuse(403, "AccessDenied"));
    broker.root().get("aws/creds/refused-by-aws").expect(400);
    let lines = crate::support::log::with("GET /v1/aws/creds/refused-by-aws 400");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.contains("WARN") && line.contains("AccessDenied"), "{line}");
}

#[test]
fn two_spellings_of_a_path_are_one() {
    let broker = TestBroker::new().with_role();
    let plain = broker.root().get("aws/roles/r").expect(200);
    let encoded = broker.root().get("aws%2froles%2fr").expect(200);
    assert_eq!(plain.data(), encoded.data());
    broker.root().get("aws/roles/%2e%2e/r").expect(400);
    let listed: Vec<Value> = ["aws/roles?list=true", "aws/roles/?list=1"]
        .iter()
        .map(|path| broker.root().get(path).expect(200).data()["keys"].clone())
        .collect();
    assert_eq!(listed, [json!(["r"]), json!(["r"])]);
}
