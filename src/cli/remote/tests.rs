//! Answers and refusals as they are understood, and what is said of a server.

use std::time::Duration;

use clap::Parser;

use super::arguments::{switch, timeout};
use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    remote: RemoteArguments,
}

fn arguments(line: &[&str]) -> RemoteArguments {
    let line = [&["leasehold", "--address", "http://127.0.0.1:1"], line].concat();
    Line::try_parse_from(line).unwrap().remote
}

fn remote(token: Option<&str>) -> Remote {
    Remote::with_token(&arguments(&[]), token.map(str::to_owned)).unwrap()
}

#[test]
fn answers_are_told_apart_by_their_envelope() {
    let remote = remote(None);
    let read = |status, text: &str| remote.understand("GET", "aws/roles/r", status, text);
    let body = r#"{"request_id":"i","lease_id":"l","data":{"a":1},"warnings":["w"]}"#;
    let enveloped = read(200, body).unwrap();
    assert_eq!(enveloped.data, serde_json::json!({"a": 1}));
    assert_eq!((enveloped.lease_id.as_str(), enveloped.warnings), ("l", vec!["w".to_owned()]));
    let bare = read(200, r#"{"initialized":true}"#).unwrap();
    assert_eq!(bare.data, serde_json::json!({"initialized": true}));
    assert_eq!(read(204, "").unwrap().data, Value::Null);
    let absent = read(404, r#"{"errors":[]}"#).unwrap_err();
    assert!(matches!(absent, RemoteError::NothingThere { .. }));
}

#[test]
fn a_refusal_has_the_servers_sentences_and_help_where_no_token_was_sent() {
    let body = r#"{"errors":["permission denied","and more"]}"#;
    let told = |token| {
        let refused = remote(token).understand("GET", "sys/x", 403, body);
        refused.unwrap_err().to_string()
    };
    assert_eq!(told(Some("t")), "GET sys/x: 403\n  permission denied\n  and more");
    assert!(told(None).contains("\nhelp: no token was sent"));
    let page = remote(None).understand("GET", "x", 502, "<html>\u{1b}[31m").unwrap_err();
    assert!(page.to_string().contains("502"), "{page}");
    assert!(!page.to_string().contains('\u{1b}'));
}

#[test]
fn a_token_never_prints_and_a_broken_one_is_not_shown() {
    assert!(!format!("{:?}", remote(Some("hvs.secret"))).contains("hvs.secret"));
    let broken = Remote::with_token(&arguments(&[]), Some("hvs.se\ncret".to_owned()));
    assert!(!broken.unwrap_err().to_string().contains("cret"));
}

#[test]
fn what_is_said_of_the_server_is_read_as_vaults_command_line_reads_it() {
    assert_eq!(arguments(&[]).client_timeout, Duration::from_mins(1));
    assert_eq!(arguments(&["--client-timeout", "90s"]).client_timeout, Duration::from_secs(90));
    assert!(!arguments(&[]).tls_skip_verify);
    assert!(arguments(&["--tls-skip-verify"]).tls_skip_verify);
    assert_eq!((switch("0"), switch("t")), (Ok(false), Ok(true)));
    assert!(switch("maybe").is_err() && timeout("0").is_err() && timeout("x").is_err());
    for address in ["ftp://a", "127.0.0.1:8200", "http://", "x y"] {
        let line = Line::try_parse_from(["leasehold", "--address", address]).unwrap();
        let refused = Remote::with_token(&line.remote, None).unwrap_err();
        assert!(matches!(refused, RemoteError::Address(_)), "{address}: {refused}");
    }
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, "nothing").unwrap();
    for file in [file, dir.path().join("absent.pem")] {
        let shown = file.to_str().unwrap();
        let line = ["leasehold", "--address", "https://h", "--ca-cert", shown];
        let line = Line::try_parse_from(line).unwrap();
        let refused = Remote::with_token(&line.remote, None).unwrap_err();
        assert!(refused.to_string().starts_with(&format!("`{shown}`")), "{refused}");
    }
}

#[test]
fn what_people_type_is_escaped_in_a_path() {
    assert_eq!(escaped("a/b c?d&é"), "a%2Fb%20c%3Fd%26%C3%A9");
    assert_eq!(escaped("AKIA-._~9"), "AKIA-._~9");
}

#[test]
fn proxies_are_not_asked_for_this_machine() {
    assert!(is_loopback("127.0.0.1") && is_loopback("[::1]") && is_loopback("localhost"));
    assert!(!is_loopback("10.0.0.1") && !is_loopback("localhost.example"));
}
