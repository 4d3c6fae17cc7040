//! Plugins over HTTP and from the command line: what is uploaded is examined, stored by its digest and never changed;
//! what is wrong is refused by name and leaves nothing behind.

use guardrail_kit::package::{
    About, CONTRACT, Package, Signature, SigningKey, Statement, TestFile, digest,
};
use leasehold::clock::Clock as _;
use leasehold::gate::{Trust, TrustedKey};
use leasehold::store::sqlite::backup;
use ring::rand::SystemRandom;
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};
use crate::support::log;
use crate::support::process::{Process, binary};

/// A guest that does what its settings say; its name and version stand once in it, side by side.
const HOSTILE: &[u8] = include_bytes!("../../plugins/fixtures/hostile/hostile.wasm");
const LEAST_PRIVILEGE: &[u8] = include_bytes!("../../plugins/least-privilege/least-privilege.wasm");
const PATH: &str = "sys/plugins/guardrails";
const CHECK: &str = "sys/plugins/guardrails-check";

/// The guest with every `from` in it replaced by `to`, which has the same length.
fn with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = HOSTILE.to_vec();
    let mut found = false;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            found = true;
        }
    }
    assert!(found, "{from}");
    bytes
}

/// Other bytes of the same name and version: a custom section at the end.
fn other_bytes() -> Vec<u8> {
    [HOSTILE, &[0, 3, 1, b'x', b'y']].concat()
}

fn upload(root: &Client, path: &str, bytes: &[u8]) -> Reply {
    root.raw("PUT", path, bytes)
}

/// A package of the guest, as the kit makes it.
fn package(component: &[u8], tests: &[(&str, Value)]) -> Package {
    let file = |(name, vector): &(&str, Value)| TestFile {
        name: (*name).to_owned(),
        bytes: vector.to_string().into_bytes(),
    };
    Package {
        about: About {
            format: 1,
            name: "hostile".to_owned(),
            version: "1.0.0".to_owned(),
            digest: digest(component),
            contract: CONTRACT.to_owned(),
            created_by: "a test".to_owned(),
        },
        component: component.to_vec(),
        settings_schema: r#"{"type":"object","properties":{"does":{"type":"string"}}}"#.to_owned(),
        readme: None,
        tests: tests.iter().map(file).collect(),
        signatures: Vec::new(),
    }
}

/// A vector: the guest does nothing and so passes, whatever is expected.
fn vector(verdict: &str) -> Value {
    json!({
        "about": "it says nothing",
        "settings": { "does": "nothing" },
        "grant": { "documents": [{ "source": "inline", "document": {
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }],
        } }] },
        "expect": { "verdict": verdict },
    })
}

fn key() -> SigningKey {
    SigningKey::generate(&SystemRandom::new()).unwrap().0
}

fn trust(keys: &[(&str, &SigningKey, &str)], require_signature: bool) -> Trust {
    let key = |(name, key, plugins): &(&str, &SigningKey, &str)| TrustedKey {
        name: (*name).to_owned(),
        key: key.public(),
        plugins: vec![(*plugins).to_owned()],
    };
    Trust { require_signature, keys: keys.iter().map(key).collect() }
}

fn signed(mut package: Package, key: &SigningKey) -> Vec<u8> {
    let signature = Signature::make(key, &package.statement());
    package.signatures.push(signature);
    package.write().unwrap()
}

fn errors(reply: &Reply) -> String {
    reply.errors().join("\n")
}

#[test]
fn a_component_is_uploaded_shown_and_outlives_the_process() {
    let mut broker = TestBroker::new();
    let root = broker.root();
    assert_eq!(root.list(PATH).expect(200).data()["keys"], json!(["least-privilege"]));

    let reply = upload(&root, &format!("{PATH}/hostile"), HOSTILE).expect(200);

    let data = reply.data();
    assert_eq!((&data["name"], &data["version"]), (&json!("hostile"), &json!("1.0.0")));
    assert_eq!((&data["stored"], &data["origin"]), (&json!(true), &json!("uploaded")));
    assert_eq!(data["digest"], json!(digest(HOSTILE)));
    assert_eq!(data["size"], json!(HOSTILE.len()));
    let imports = data["imports"].as_array().unwrap();
    assert!(imports.contains(&json!("leasehold:guardrail/log@1.0.0")), "{imports:?}");
    assert_eq!(data["manifest"]["rules"][0]["id"], "declared");
    assert_eq!(data["settings_schema"]["properties"]["does"]["type"], "string");
    assert_eq!(data["tests"], json!({ "outcome": "none" }));
    assert_eq!(data["uploaded_by"]["display_name"], "root");
    assert_eq!((&data["used_by"], &data["signers"]), (&json!([]), &json!([])));
    let line = format!("plugin hostile 1.0.0 stored as {}", digest(HOSTILE));
    assert!(!log::with(&line).is_empty());

    // The same in base64, by its whole path: nothing changes.
    let coded = leasehold::model::encoding::base64(HOSTILE);
    let body = json!({ "component": coded, "digest": digest(HOSTILE) });
    let again = root.post(&format!("{PATH}/hostile/1.0.0"), &body).expect(200);
    assert_eq!(again.data()["stored"], false);
    assert_eq!(again.data()["uploaded_at"], data["uploaded_at"]);

    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("backup.db");
    backup::back_up(broker.data_dir(), &file, false, broker.clock.now()).unwrap();
    broker.restart();
    let shown = |broker: &TestBroker| {
        let root = broker.root();
        assert_eq!(
            root.list(PATH).expect(200).data()["keys"],
            json!(["hostile", "least-privilege"])
        );
        assert_eq!(
            root.list(&format!("{PATH}/hostile")).expect(200).data()["keys"],
            json!(["1.0.0"])
        );
        for name in ["hostile", "hostile/1.0.0", &digest(HOSTILE)] {
            let read = root.get(&format!("{PATH}/{name}")).expect(200);
            assert_eq!(read.data()["digest"], data["digest"], "{name}");
            assert_eq!(read.data()["stored"], Value::Null);
        }
    };
    shown(&broker);
    root_of(&broker).delete(&format!("{PATH}/hostile/1.0.0")).expect(204);
    broker.restore(&file);
    shown(&broker);
}

fn root_of(broker: &TestBroker) -> Client {
    broker.root()
}

#[test]
fn what_ships_is_shown_beside_and_cannot_be_deleted_or_replaced() {
    let broker = TestBroker::new();
    let root = broker.root();
    let read = root.get(&format!("{PATH}/least-privilege")).expect(200);
    let data = read.data();
    assert_eq!(
        (&data["origin"], &data["used_by"]),
        (&json!("builtin"), &json!(["least-privilege"]))
    );
    assert_eq!((&data["uploaded_at"], &data["tests"]), (&Value::Null, &Value::Null));
    let version = data["version"].as_str().unwrap();
    let path = format!("{PATH}/least-privilege/{version}");
    let told = errors(&root.delete(&path).expect(400));
    assert!(told.ends_with("ships with the broker and cannot be deleted"), "{told}");
    let same = upload(&root, &path, LEAST_PRIVILEGE).expect(200);
    assert_eq!(
        (&same.data()["stored"], &same.data()["origin"]),
        (&json!(false), &json!("builtin"))
    );
    let other = [LEAST_PRIVILEGE, &[0, 3, 1, b'x', b'y']].concat();
    upload(&root, &path, &other).expect(409);
    let all = root.get(PATH).expect(200);
    assert_eq!(all.data()["plugins"].as_array().unwrap().len(), 1, "{}", all.text);
}

#[test]
fn a_version_never_changes_and_the_newest_is_the_one_that_a_name_means() {
    let broker = TestBroker::new();
    let root = broker.root();
    upload(&root, PATH, HOSTILE).expect(200);
    let told = errors(&upload(&root, PATH, &other_bytes()).expect(409));
    assert!(
        told.contains("`hostile` 1.0.0 is stored already") && told.contains("never changes"),
        "{told}"
    );
    upload(&root, CHECK, &other_bytes()).expect(409);
    let later = with("hostile1.0.0", "hostile1.0.1");
    upload(&root, PATH, &later).expect(200);
    assert_eq!(
        root.list(&format!("{PATH}/hostile")).expect(200).data()["keys"],
        json!(["1.0.0", "1.0.1"])
    );
    let newest = root.get(&format!("{PATH}/hostile")).expect(200);
    assert_eq!(newest.data()["digest"], json!(digest(&later)));
    let first = root.get(&format!("{PATH}/hostile/1.0.0")).expect(200);
    assert_eq!(first.data()["digest"], json!(digest(HOSTILE)));
}

#[test]
fn what_is_no_plugin_is_refused_by_name_and_leaves_nothing_behind() {
    let broker = TestBroker::new();
    let root = broker.root();
    let component = |rest: &[u8]| [b"\0asm\x0d\0\x01\0", rest].concat();
    for (bytes, status, part) in [
        (b"MZ\x90".to_vec(), 400, "this is neither a component nor a package"),
        (b"\0asm\x01\0\0\0".to_vec(), 400, "this is a WebAssembly core module, not a component"),
        (component(b"nonsense"), 400, "the component cannot be compiled"),
        (component(&vec![0; 25 << 20]), 413, "more than the 25165824 that are allowed"),
        (vec![1; 33 << 20], 413, "the upload has 34603008 bytes, more than the 29360128"),
        (vec![1; 41 << 20], 413, "request body too large"),
        (
            with("guardrail/log@1.0.0", "guardrail/lag@1.0.0"),
            400,
            "imports `leasehold:guardrail/lag@1.0.0`",
        ),
        (with("\"string\"", "\"strang\""), 400, "settings schema cannot be used"),
        (with("hostile1.0.0", "hostile1.0.a"), 400, "`1.0.a` is not a valid semantic version"),
        (with("hostile1.0.0", "Hostile1.0.0"), 400, "its name `Hostile` is not of the form"),
        (
            package(HOSTILE, &[]).write().unwrap()[..5000].to_vec(),
            400,
            "neither a component nor a package",
        ),
    ] {
        let reply = upload(&root, PATH, &bytes).expect(status);
        assert!(errors(&reply).contains(part), "{part}: {}", reply.text);
    }
    for (path, body, part) in [
        (PATH.to_owned(), json!({}), "no component was sent"),
        (PATH.to_owned(), json!({ "component": "%%" }), "`component` is not base64"),
        (format!("{PATH}/UPPER"), json!({ "component": "" }), "`UPPER` is not a valid plugin name"),
    ] {
        let reply = root.post(&path, &body).expect(400);
        assert!(errors(&reply).contains(part), "{}", reply.text);
    }
    for (path, part) in [
        (
            format!("{PATH}/other"),
            "the name in the request is `other`, and the component's is `hostile`",
        ),
        (format!("{PATH}/hostile/2.0.0"), "the version in the request is `2.0.0`"),
        (format!("{PATH}?digest={}", digest(b"")), "the digest in the request is"),
    ] {
        let reply = upload(&root, &path, HOSTILE).expect(400);
        assert!(errors(&reply).contains(part), "{}", reply.text);
    }
    let mut lying = package(HOSTILE, &[]);
    lying.about.version = "9.9.9".to_owned();
    let told = errors(&upload(&root, PATH, &lying.write().unwrap()).expect(400));
    assert!(told.contains("its version is `9.9.9`, and the component's `1.0.0`"), "{told}");

    upload(&root, CHECK, HOSTILE).expect(200);
    assert_eq!(root.list(PATH).expect(200).data()["keys"], json!(["least-privilege"]));
    root.get(&format!("{PATH}/hostile")).expect(404);
    root.list(&format!("{PATH}/hostile")).expect(404);
}

#[test]
fn the_tests_of_a_package_must_pass_unless_somebody_says_otherwise() {
    let broker = TestBroker::new();
    let root = broker.root();
    let failing = package(HOSTILE, &[("bad.json", vector("deny")), ("good.json", vector("pass"))]);
    let failing = failing.write().unwrap();
    let reply = upload(&root, PATH, &failing).expect(400);
    let told = errors(&reply);
    assert!(told.contains("1 of 2 tests of the package failed\n  bad.json: "), "{told}");
    assert_eq!(reply.data()["tests"]["failed"][0]["name"], "bad.json");
    root.get(&format!("{PATH}/hostile")).expect(404);

    let nonsense = package(HOSTILE, &[("x.json", json!({ "grant": 1 }))]).write().unwrap();
    let told = errors(&upload(&root, PATH, &nonsense).expect(400));
    assert!(told.contains("x.json: the vector cannot be read"), "{told}");

    let good = package(HOSTILE, &[("good.json", vector("pass"))]).write().unwrap();
    let checked = upload(&root, CHECK, &good).expect(200);
    assert_eq!(checked.data()["tests"]["outcome"], "passed");
    assert_eq!(checked.data()["tests"]["cases"], 1);
    assert!(checked.data()["tests"]["most_fuel"].as_u64().unwrap() > 0);
    let skipped = upload(&root, &format!("{PATH}?skip_tests=true"), &failing).expect(200);
    assert_eq!(skipped.data()["tests"], json!({ "outcome": "skipped", "cases": 2 }));
}

#[test]
fn where_signatures_are_required_a_trusted_one_opens_and_nothing_else() {
    let (ours, theirs) = (key(), key());
    let broker = TestBroker::trusting(trust(&[("ci", &ours, "host*")], true));
    let root = broker.root();
    let told = errors(&upload(&root, &format!("{PATH}/hostile"), HOSTILE).expect(400));
    assert!(told.contains("it is signed by nobody, and trusted for `hostile` are `ci`"), "{told}");
    let unsigned = package(HOSTILE, &[]);
    upload(&root, PATH, &unsigned.write().unwrap()).expect(400);
    let told = errors(&upload(&root, PATH, &signed(unsigned.clone(), &theirs)).expect(400));
    for id in [ours.public().id(), theirs.public().id()] {
        assert!(told.contains(&id), "{told}");
    }
    // In our name, over other bytes.
    let mut forged = unsigned.clone();
    let elsewhere = digest(b"other");
    let other = Statement { digest: &elsewhere, ..unsigned.statement() };
    forged.signatures.push(Signature::make(&ours, &other));
    let told = errors(&upload(&root, PATH, &forged.write().unwrap()).expect(400));
    assert!(told.contains("was not made by it over these bytes"), "{told}");
    assert_eq!(root.list(PATH).expect(200).data()["keys"], json!(["least-privilege"]));

    let good = upload(&root, PATH, &signed(unsigned, &ours)).expect(200);
    assert_eq!(good.data()["signers"], json!(["ci"]));
    let signature = json!({ "key_id": ours.public().id(), "trusted_as": "ci" });
    assert_eq!(good.data()["signatures"], json!([signature]));
}

#[test]
fn a_key_signs_the_names_that_it_is_trusted_for() {
    let key = key();
    let broker = TestBroker::trusting(trust(&[("ci", &key, "deny-*")], true));
    let told =
        errors(&upload(&broker.root(), PATH, &signed(package(HOSTILE, &[]), &key)).expect(400));
    assert!(
        told.contains(&key.public().id()) && told.contains("trusted for `hostile` are nobody"),
        "{told}"
    );
}

#[test]
fn a_signature_can_come_later_and_is_needed_again_whenever_the_plugin_is_loaded() {
    let key = key();
    let mut broker = TestBroker::trusting(trust(&[("ci", &key, "*")], false));
    let root = broker.root();
    upload(&root, PATH, HOSTILE).expect(200);
    let bind = json!({ "plugin": "hostile@1.0.0", "settings": { "does": "nothing" } });
    root.post("sys/guardrails/guest", &bind).expect(204);
    let later = upload(&root, PATH, &signed(package(HOSTILE, &[]), &key)).expect(200);
    assert_eq!((&later.data()["stored"], &later.data()["signers"]), (&json!(true), &json!(["ci"])));
    let again = upload(&root, PATH, &signed(package(HOSTILE, &[]), &key)).expect(200);
    assert_eq!(again.data()["stored"], false);

    // From now on another key is asked for: the guardrail stays, and fails with the reason.
    let other = self::key();
    broker.trust_from_now_on(trust(&[("new", &other, "*")], true));
    let problem = |broker: &TestBroker| {
        broker.root().get("sys/guardrails/guest").expect(200).data()["problem"].clone()
    };
    let told = problem(&broker).as_str().unwrap_or_default().to_owned();
    assert!(told.contains("no signature that is trusted") && told.contains("`new`"), "{told}");
    let read = broker.root().get(&format!("{PATH}/hostile")).expect(200);
    assert_eq!(read.data()["signers"], json!([]));
    assert_eq!(read.data()["used_by"], json!(["guest"]));
    // Its signature makes the guardrail work again at once.
    upload(&broker.root(), PATH, &signed(package(HOSTILE, &[]), &other)).expect(200);
    assert_eq!(problem(&broker), Value::Null);
}

#[test]
fn what_a_guardrail_works_with_is_not_deleted() {
    let broker = TestBroker::new();
    let root = broker.root();
    upload(&root, PATH, HOSTILE).expect(200);
    let bind = json!({ "plugin": "hostile@1.0.0", "settings": { "does": "nothing" } });
    root.post("sys/guardrails/guest", &bind).expect(204);
    let version = format!("{PATH}/hostile/1.0.0");
    assert_eq!(root.get(&version).expect(200).data()["used_by"], json!(["guest"]));
    let told = errors(&root.delete(&version).expect(409));
    assert!(told.contains("`hostile` 1.0.0 is in use by guest"), "{told}");
    root.delete(&format!("{PATH}/{}", digest(HOSTILE))).expect(409);
    let told = errors(&root.delete(&format!("{PATH}/hostile")).expect(400));
    assert!(told.contains("which version of `hostile`"), "{told}");

    root.delete("sys/guardrails/guest").expect(204);
    root.delete(&version).expect(204);
    root.get(&version).expect(404);
    root.delete(&version).expect(204);
    assert!(!log::with("plugin hostile 1.0.0 deleted").is_empty());
    // The name is free again, also for other bytes.
    upload(&root, PATH, &other_bytes()).expect(200);
}

#[test]
fn an_upload_needs_sudo() {
    let broker = TestBroker::new();
    let root = broker.root();
    let token = |name: &str, capabilities: &str| {
        let policy = format!("path \"{PATH}/hostile\" {{ capabilities = [{capabilities}] }}");
        root.post(&format!("sys/policies/acl/{name}"), &json!({ "policy": policy })).expect(204);
        let made = root.post("auth/token/create", &json!({ "policies": [name] })).expect(200);
        root.with_token(made.json["auth"]["client_token"].as_str().unwrap())
    };
    let plain = token("plain", "\"update\"");
    upload(&plain, &format!("{PATH}/hostile"), HOSTILE).expect(403);
    let sudo = token("sudo", "\"update\", \"sudo\"");
    upload(&sudo, PATH, HOSTILE).expect(403);
    upload(&sudo, &format!("{PATH}/hostile"), HOSTILE).expect(200);
}

/// Runs `leasehold plugin` and gives what it printed.
fn plugin(arguments: &[&str], process: Option<&Process>, good: bool) -> String {
    let mut command = binary();
    command.arg("plugin").args(arguments);
    if let Some(process) = process {
        let token = process.root_token.as_deref().unwrap();
        command.env("VAULT_ADDR", &process.url).env("VAULT_TOKEN", token);
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.success(), good, "{arguments:?}: {text}");
    text
}

#[test]
fn a_plugin_is_packed_signed_uploaded_and_deleted_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("hostile.wasm"), HOSTILE).unwrap();
    std::fs::create_dir(file("tests")).unwrap();
    std::fs::write(file("tests/good.json"), vector("pass").to_string()).unwrap();
    let made = plugin(&["keygen", &file("ci.pem")], None, true);
    let line = |name: &str| made.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let key = line("key = ");
    let packed = file("out.guardrail");
    let pack = ["package", &file("hostile.wasm"), "--tests", &file("tests"), "--out", &packed];
    assert!(plugin(&pack, None, true).contains("1 tests"));
    plugin(&["sign", &packed, "--key", &file("ci.pem")], None, true);
    let shown = plugin(&["inspect", &packed, "--key", &file("ci.pem.pub")], None, true);
    assert!(shown.contains("(good)") && shown.contains("hostile 1.0.0"), "{shown}");

    let config = format!(
        "[plugins]\nrequire_signature = true\n[[plugins.trusted_keys]]\nname = \"ci\"\n{key}\nplugins = [\"*\"]\n[listener]\naddress = \"127.0.0.1:0\"\n"
    );
    std::fs::write(file("leasehold.toml"), config).unwrap();
    let process = Process::dev(&["--config", &file("leasehold.toml")]);
    let server = Some(&process);
    let refused = plugin(&["upload", &file("hostile.wasm")], server, false);
    assert!(refused.contains("no signature that is trusted"), "{refused}");
    assert!(
        plugin(&["upload", "--check", &packed], server, true).starts_with("good: hostile 1.0.0")
    );
    let stored = plugin(&["upload", &packed], server, true);
    assert!(stored.starts_with("stored: hostile 1.0.0"), "{stored}");
    assert!(stored.contains("(ci)") && stored.contains("passed (1, "), "{stored}");
    assert!(plugin(&["upload", &packed], server, true).starts_with("there already"));
    let listed = plugin(&["list"], server, true);
    assert!(listed.contains("hostile") && listed.contains("least-privilege"), "{listed}");
    let read = plugin(&["read", "hostile@1.0.0", "--format", "json"], server, true);
    let read: Value = serde_json::from_str(&read).unwrap();
    assert_eq!(read["digest"], json!(digest(HOSTILE)));
    plugin(&["delete", "hostile@1.0.0"], server, true);
    plugin(&["read", "hostile"], server, false);

    // A package whose tests fail is not made.
    std::fs::write(file("tests/bad.json"), vector("deny").to_string()).unwrap();
    let told = plugin(&pack, None, false);
    assert!(told.contains("failed bad.json") && told.contains("not packed"), "{told}");
}
