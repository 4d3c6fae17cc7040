//! The seal of the real binary: init, restart, shares by the command line, a wrong one, `kill -9` in between.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::process::{Process, binary};

/// A folder with a configuration that says nothing of a seal.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let text = format!(
            "data_dir = \"{}\"\n[listener]\naddress = \"127.0.0.1:0\"\n",
            place.0.path().join("data").display()
        );
        std::fs::write(place.config(), text).unwrap();
        place
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("leasehold.toml")
    }

    fn start(&self) -> Process {
        Process::start(&["server", "--config", self.config().to_str().unwrap()])
    }

    fn home(&self) -> &Path {
        self.0.path()
    }
}

/// `leasehold operator …`, with what is typed and a token.
fn operator(
    place: &Place,
    server: &Process,
    token: &str,
    arguments: &[&str],
    typed: &str,
) -> Output {
    let mut child = binary()
        .arg("operator")
        .args(arguments)
        .env("VAULT_ADDR", &server.url)
        .env("VAULT_TOKEN", token)
        .env("HOME", place.home())
        // The first unsealing compiles a guardrail, and a debug build takes its time.
        .env("VAULT_CLIENT_TIMEOUT", "600")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone already.
    drop(child.stdin.take().unwrap().write_all(typed.as_bytes()));
    child.wait_with_output().unwrap()
}

fn printed(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What follows `Name:` or the name in a table.
fn after<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no `{name}` in: {text}"));
    line.trim_start_matches(name).trim_start_matches(':').trim()
}

#[test]
fn two_of_three_shares_unseal_the_binary_after_every_end() {
    let place = Place::new();
    let server = place.start();
    let status = operator(&place, &server, "", &["init", "--status"], "");
    assert_eq!(status.status.code(), Some(2));
    let made = printed(operator(
        &place,
        &server,
        "",
        &["init", "--key-shares", "3", "--key-threshold", "2"],
        "",
    ));
    let keys = [1, 2, 3].map(|at| after(&made, &format!("Unseal Key {at}")).to_owned());
    let token = after(&made, "Initial Root Token").to_owned();
    assert!(made.contains("a key threshold of 2"), "{made}");
    assert_eq!(operator(&place, &server, "", &["init", "--status"], "").status.code(), Some(0));
    let again = operator(&place, &server, "", &["init"], "");
    assert!(String::from_utf8_lossy(&again.stderr).contains("Vault is already initialized"));

    let unseal =
        |server: &Process, key: &str| printed(operator(&place, server, "", &["unseal", key], ""));
    let first = unseal(&server, &keys[0]);
    assert_eq!((after(&first, "Sealed"), after(&first, "Unseal Progress")), ("true", "1/2"));
    server.kill();

    let server = place.start();
    let first = unseal(&server, &keys[1]);
    assert_eq!(after(&first, "Unseal Progress"), "1/2", "what was given before is forgotten");
    let mut wrong = STANDARD.decode(&keys[0]).unwrap();
    wrong[0] ^= 1;
    let wrong = STANDARD.encode(wrong);
    let refused = operator(&place, &server, "", &["unseal", "-"], &wrong);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("cipher: message authentication failed") && !said.contains(&wrong),
        "{said}"
    );
    unseal(&server, &keys[1]);
    // Typed, not an argument.
    let open = printed(operator(&place, &server, "", &["unseal"], &format!("{}\n", keys[2])));
    assert_eq!((after(&open, "Sealed"), after(&open, "Cluster Name")), ("false", "leasehold"));
    let root = Client::new(&server.url, Some(&token));
    root.post("sys/mounts/aws", &serde_json::json!({ "type": "aws" })).expect(204);
    server.kill();

    let server = place.start();
    let root = Client::new(&server.url, Some(&token));
    assert_eq!(root.get("sys/mounts").expect(503).errors(), ["Vault is sealed"]);
    unseal(&server, &keys[2]);
    unseal(&server, &keys[0]);
    assert!(root.get("sys/mounts").expect(200).data().get("aws/").is_some());
    let sealed = printed(operator(&place, &server, &token, &["seal"], ""));
    assert_eq!(sealed, "Success! Leasehold is sealed.\n");
    root.get("sys/health").expect(503);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_command_line_replaces_keys_and_makes_a_root_token() {
    let place = Place::new();
    let server = place.start();
    let made: Value = serde_json::from_str(&printed(operator(
        &place,
        &server,
        "",
        &["init", "--key-shares", "1", "--key-threshold", "1", "--format", "json"],
        "",
    )))
    .unwrap();
    let old = made["keys_base64"][0].as_str().unwrap().to_owned();
    let token = made["root_token"].as_str().unwrap().to_owned();
    let run = |arguments: &[&str], typed: &str| {
        printed(operator(&place, &server, &token, arguments, typed))
    };
    run(&["unseal", "-"], &old);

    assert_eq!(after(&run(&["key-status"], ""), "Key Term"), "1");
    let rotated = run(&["rotate"], "");
    assert!(rotated.starts_with("Success! Rotated key\n\nKey Term"), "{rotated}");
    assert_eq!(after(&rotated, "Key Term"), "2");

    let early = operator(&place, &server, &token, &["rekey"], &old);
    assert_eq!(early.status.code(), Some(2), "nothing was begun");
    let begun = run(&["rekey", "--init", "--key-shares", "2", "--key-threshold", "2"], "");
    assert_eq!(after(&begun, "Rekey Progress"), "0/1");
    assert_eq!(after(&begun, "Verification Required"), "true", "unless somebody says otherwise");
    let done = run(&["rekey"], &old);
    let keys = [1, 2].map(|at| after(&done, &format!("Key {at}")).to_owned());
    assert!(done.contains("do not count yet"), "{done}");
    let one = run(&["rekey", "--verify"], &keys[0]);
    assert_eq!(after(&one, "Rekey Progress"), "1/2");
    assert!(run(&["rekey", "--verify"], &keys[1]).contains("verification complete"));

    let at_once = ["rekey", "--init", "--verify=false"];
    let begun = operator(&place, &server, &token, &at_once, "");
    let warned = String::from_utf8(begun.stderr.clone()).unwrap();
    assert!(warned.contains("count as soon as they are printed"), "{warned}");
    assert_eq!(after(&printed(begun), "Verification Required"), "false");
    run(&["rekey", "--cancel"], "");

    let begun = run(&["generate-root", "--init"], "");
    let otp = after(&begun, "OTP ").to_owned();
    run(&["generate-root", "-"], &keys[0]);
    let done = run(&["generate-root"], &keys[1]);
    assert_eq!(after(&done, "Complete"), "true");
    let encoded = after(&done, "Encoded Token");
    let fresh = run(&["generate-root", "--decode", encoded, "--otp", &otp], "");
    let own = Client::new(&server.url, Some(fresh.trim())).get("auth/token/lookup-self");
    assert_eq!(own.expect(200).data()["policies"], serde_json::json!(["root"]));
    assert!(!server.log().contains(&old) && !server.log().contains(fresh.trim()));
}
