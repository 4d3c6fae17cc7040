//! Guardrails over HTTP: written, scoped, suspended, tried and replayed, with what each means for roles and credentials.

use std::time::Duration;

use leasehold::model::{Accessor, PluginDigest, PluginRecord, PluginTests, Timestamp, Uploader};
use leasehold::store::{PluginStore as _, PutPlugin};
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};
use crate::support::process::{Process, binary};
use crate::support::{NARROW, S3_STAR, log};

/// A guest that does what its settings say.
const HOSTILE: &[u8] = include_bytes!("../../plugins/fixtures/hostile/hostile.wasm");

fn with_engine() -> TestBroker {
    let broker = TestBroker::new();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    broker
}

fn write(root: &Client, name: &str, body: &Value) -> Reply {
    root.post(&format!("sys/guardrails/{name}"), body)
}

/// Puts the plugin into the store, as an upload does.
fn upload_hostile(broker: &TestBroker) -> PluginDigest {
    let digest = leasehold::gate::component_digest(HOSTILE).unwrap();
    let record = PluginRecord {
        digest: digest.clone(),
        name: "hostile".parse().unwrap(),
        version: "0.1.0".parse().unwrap(),
        bytes: u64::try_from(HOSTILE.len()).unwrap(),
        imports: Vec::new(),
        manifest: json!({}),
        settings_schema: json!({}),
        tests: PluginTests::None,
        signatures: Vec::new(),
        uploaded_at: Timestamp::from_millis(1),
        uploaded_by: Uploader {
            accessor: Accessor("a".to_owned()),
            display_name: "root".to_owned(),
        },
    };
    let put = broker.wait(broker.store().put_plugin(record, HOSTILE.to_vec())).unwrap();
    assert_eq!(put, PutPlugin::Stored);
    digest
}

#[test]
fn a_fresh_server_has_what_the_configuration_binds() {
    let broker = with_engine();
    let root = broker.root();
    let listed = root.list("sys/guardrails").expect(200);
    assert_eq!(listed.data()["keys"], json!(["least-privilege"]));
    let read = root.get("sys/guardrails/least-privilege").expect(200);
    let data = read.data();
    assert_eq!(
        (data["origin"].as_str(), data["version"].as_i64()),
        (Some("configuration"), Some(0))
    );
    assert_eq!(
        (data["mode"].as_str(), data["plugin"].as_str()),
        (Some("warn"), Some("builtin:least-privilege"))
    );
    assert!(data["plugin_digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!((&data["suspended"], &data["problem"]), (&Value::Null, &Value::Null));
    let all = root.get("sys/guardrails").expect(200);
    assert_eq!(all.data()["guardrails"].as_array().unwrap().len(), 1);
    root.get("sys/guardrails/absent").expect(404);
    let refused = root.delete("sys/guardrails/least-privilege").expect(400).errors().join("\n");
    assert!(refused.contains("is bound by the configuration"), "{refused}");
    root.delete("sys/guardrails/absent").expect(204);

    // A delete that is refused leaves it as it was: suspended, until somebody resumes it.
    let body = json!({ "for": "30m", "reason": "x" });
    root.post("sys/guardrails/least-privilege/suspend", &body).expect(200);
    root.delete("sys/guardrails/least-privilege").expect(400);
    let read = root.get("sys/guardrails/least-privilege").expect(200);
    assert_eq!(read.data()["suspended"]["by"], "root");
    root.post("sys/guardrails/least-privilege/resume", &json!({})).expect(204);
    let warned = broker.write_role("r", S3_STAR).expect(200);
    assert!(warned.warnings()[0].starts_with("least-privilege/service-wildcard"), "{warned:?}");
}

#[test]
fn a_stricter_guardrail_denies_a_write_and_stops_an_old_role_and_its_end_lets_both_through() {
    let broker = with_engine();
    let root = broker.root();
    assert!(!broker.write_role("r", S3_STAR).expect(200).warnings().is_empty(), "it warns");
    broker.issue().expect(200);
    let users = broker.users().len();

    let warned = write(&root, "least-privilege", &json!({ "mode": "enforce" })).expect(200);
    assert!(warned.warnings()[0].contains("were not tried on the stored roles"), "{warned:?}");

    let reply = broker.issue().expect(400);
    assert_eq!(reply.data()["verdict"], "deny");
    assert_eq!(broker.users().len(), users, "nothing was made");
    let reply = broker.write_role("other", S3_STAR).expect(400);
    assert!(reply.errors()[0].starts_with("least-privilege/service-wildcard: "), "{reply:?}");
    root.get("aws/roles/other").expect(404);
    let read = root.get("sys/guardrails/least-privilege").expect(200);
    let data = read.data();
    assert_eq!((data["origin"].as_str(), data["version"].as_i64()), (Some("written"), Some(1)));
    assert_eq!(
        (data["mode"].as_str(), data["configured_mode"].as_str()),
        (Some("enforce"), Some("warn"))
    );
    assert_eq!(data["written_by"], "root");

    root.delete("sys/guardrails/least-privilege").expect(204);
    broker.issue().expect(200);
    assert_eq!(
        root.get("sys/guardrails/least-privilege").expect(200).data()["origin"],
        "configuration"
    );
    assert!(!log::with("guardrail least-privilege removed").is_empty());
}

#[test]
fn a_scope_a_name_of_its_own_and_overrides_decide_whom_it_stops() {
    let broker = with_engine();
    let root = broker.root();
    let body = json!({
        "plugin": "least-privilege", "mode": "enforce", "roles": "team-*", "mounts": "aws",
        "severities": { "service-wildcard": "critical" }, "order": -1
    });
    write(&root, "team", &body).expect(200);
    broker.write_role("other", S3_STAR).expect(200);
    let reply = broker.write_role("team-a", S3_STAR).expect(400);
    let first = &reply.data()["findings"][0];
    assert_eq!(
        (first["rule"].as_str(), first["severity"].as_str()),
        (Some("team/service-wildcard"), Some("critical"))
    );
    broker.write_role("team-b", NARROW).expect(204);

    write(&root, "team", &json!({ "rules_off": "service-wildcard,write-on-any-resource" }))
        .expect(200);
    broker.write_role("team-a", S3_STAR).expect(200);
    write(&root, "team", &json!({ "rules_off": "", "severities": {}, "deny_at": "critical" }))
        .expect(200);
    broker.write_role("team-c", S3_STAR).expect(200);
    write(&root, "team", &json!({ "deny_at": "low" })).expect(200);
    broker.write_role("team-c", S3_STAR).expect(400);
    let kept = root.get("sys/guardrails/team").expect(200);
    assert_eq!(kept.data()["mounts"], json!(["aws/"]), "what was not sent stays");
    assert_eq!(
        (kept.data()["version"].as_i64(), kept.data()["order"].as_i64()),
        (Some(4), Some(-1))
    );
}

#[test]
fn what_is_wrong_comes_back_with_pointers_and_nothing_is_written() {
    let broker = with_engine();
    let root = broker.root();
    let reply = write(
        &root,
        "own",
        &json!({ "plugin": "least-privilege", "settings": { "allowed_actions": [5], "extra": 1 } }),
    )
    .expect(400);
    let issues = reply.data()["issues"].as_array().unwrap();
    let pointers: Vec<&str> =
        issues.iter().map(|issue| issue["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/settings/allowed_actions/0", "/settings/extra"]);
    assert_eq!(reply.errors().len(), 2);
    let reply =
        write(&root, "own", &json!({ "plugin": "least-privilege", "rules_off": "ful-admin" }));
    assert_eq!(reply.expect(400).data()["issues"][0]["pointer"], "/rules_off/ful-admin");
    let reply = write(
        &root,
        "own",
        &json!({ "plugin": "least-privilege", "mode": "loud", "deny_at": "x" }),
    );
    assert_eq!(reply.expect(400).data()["issues"].as_array().unwrap().len(), 2);
    for (name, body, says) in [
        ("own", json!({}), "`plugin` is missing"),
        ("own", json!({ "plugin": "absent@1.0.0" }), "there is no plugin `absent@1.0.0`"),
        ("document", json!({ "plugin": "least-privilege" }), "is not a name"),
        ("own", json!({ "plugin": "least-privilege", "cas": 3 }), "check-and-set"),
    ] {
        let told = write(&root, name, &body).expect(400).errors().join("\n");
        assert!(told.contains(says), "{told}");
    }
    // The plugin itself is asked where its schema has nothing to say.
    let hostile = upload_hostile(&broker);
    let body = json!({ "plugin": hostile.as_str(), "settings": { "does": "refuse-settings" } });
    let reply = write(&root, "own", &body).expect(400);
    assert_eq!(reply.errors(), ["`/settings/does`: is refused"]);
    root.get("sys/guardrails/own").expect(404);
    let body = json!({ "plugin": "least-privilege", "mode": "audit", "cas": 0 });
    write(&root, "own", &body).expect(204);
    write(&root, "own", &body).expect(400);
}

#[test]
fn a_failure_denies_unless_its_rule_says_otherwise_and_is_counted() {
    let broker = with_engine();
    let root = broker.root();
    upload_hostile(&broker);
    let hostile = |more: Value| {
        let mut body = json!({ "plugin": "hostile@0.1.0", "mode": "enforce", "settings": { "does": "panic" } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(matches!(write(&root, "own", &body).status, 200 | 204));
    };
    hostile(json!({}));
    let reply = broker.write_role("r", NARROW).expect(400);
    assert_eq!(reply.errors(), ["own/failure: trap"]);
    assert!(!reply.text.contains("boom"), "the guest's words are the operator's: {}", reply.text);
    assert!(!log::with("boom").is_empty());
    hostile(json!({ "on_failure": { "trap": "note" } }));
    let reply = broker.write_role("r", NARROW).expect(200);
    assert_eq!(reply.warnings(), ["own/failure: trap"]);
    hostile(json!({ "on_failure": { "*": "allow" } }));
    broker.write_role("r", NARROW).expect(204);
    hostile(json!({ "on_failure": {}, "mode": "warn" }));
    assert_eq!(broker.write_role("r", NARROW).expect(200).warnings(), ["own/failure: trap"]);
    let metrics = root.get("sys/metrics?format=prometheus").expect(200).text;
    for line in [
        r#"leasehold_guardrail_failures_total{guardrail="own",kind="trap",led_to="deny"} 1"#,
        r#"leasehold_guardrail_failures_total{guardrail="own",kind="trap",led_to="note"} 2"#,
        r#"leasehold_guardrail_failures_total{guardrail="own",kind="trap",led_to="allow"} 1"#,
        r#"leasehold_guardrail_denials_total{guardrail="own"} 1"#,
    ] {
        assert!(metrics.contains(line), "no `{line}` in {metrics}");
    }
}

#[test]
fn a_suspension_needs_a_reason_is_told_everybody_and_ends_by_the_clock() {
    let mut broker = with_engine();
    write(&broker.root(), "least-privilege", &json!({ "mode": "enforce" })).expect(200);
    let suspend = |broker: &TestBroker, body: &Value| {
        broker.root().post("sys/guardrails/least-privilege/suspend", body)
    };
    for (body, says) in [
        (json!({ "for": "30m" }), "`reason` is missing"),
        (json!({ "for": "30m", "reason": " " }), "`reason` is missing"),
        (json!({ "reason": "x" }), "say either `for`"),
        (json!({ "for": "25h", "reason": "x" }), "24h at most"),
        (json!({ "until": "2020-01-01T00:00:00Z", "reason": "x" }), "24h at most"),
    ] {
        let told = suspend(&broker, &body).expect(400).errors().join("\n");
        assert!(told.contains(says), "{told}");
    }
    broker
        .root()
        .post("sys/guardrails/absent/suspend", &json!({ "for": "1m", "reason": "x" }))
        .expect(404);
    broker.write_role("r", S3_STAR).expect(400);

    let reply =
        suspend(&broker, &json!({ "for": "30m", "reason": "the deploy must out" })).expect(200);
    assert_eq!(reply.data()["by"], "root");
    let reply = broker.write_role("r", S3_STAR).expect(200);
    assert!(
        reply.warnings()[0]
            .starts_with("least-privilege/suspended: the guardrail is suspended by `root` until ")
            && reply.warnings()[0].ends_with(": the deploy must out"),
        "{:?}",
        reply.warnings()
    );
    broker.clock.advance(Duration::from_secs(29 * 60));
    broker.restart();
    broker.issue().expect(200);
    let metrics = broker.root().get("sys/metrics?format=prometheus").expect(200).text;
    assert!(metrics.contains("leasehold_guardrails_suspended 1"), "{metrics}");
    broker.clock.advance(Duration::from_secs(60));
    broker.issue().expect(400);
    assert_eq!(
        broker.root().get("sys/guardrails/least-privilege").expect(200).data()["suspended"],
        Value::Null
    );
    broker.end_suspensions();
    assert!(
        !log::with("guardrail least-privilege judges again: its suspension has ended").is_empty()
    );
    broker.root().post("sys/guardrails/least-privilege/resume", &json!({})).expect(400);
    suspend(&broker, &json!({ "for": "1h", "reason": "again" })).expect(200);
    broker.root().post("sys/guardrails/least-privilege/resume", &json!({})).expect(204);
    broker.issue().expect(400);
}

#[test]
fn breaking_the_glass_needs_sudo() {
    let broker = with_engine();
    let root = broker.root();
    let grant = |capabilities: &str| {
        let policy = format!(r#"path "sys/guardrails/*" {{ capabilities = [{capabilities}] }}"#);
        root.put("sys/policies/acl/ops", &json!({ "policy": policy })).expect(204);
        let made = root.post("auth/token/create", &json!({ "policies": ["ops"] })).expect(200);
        root.with_token(made.json["auth"]["client_token"].as_str().unwrap())
    };
    let body = json!({ "for": "1m", "reason": "x" });
    let plain = grant(r#""create", "update", "read", "list""#);
    plain.list("sys/guardrails").expect(200);
    plain.post("sys/guardrails/least-privilege/suspend", &body).expect(403);
    write(&plain, "least-privilege", &json!({ "mode": "audit" })).expect(204);
    let sudo = grant(r#""update", "sudo""#);
    let reply = sudo.post("sys/guardrails/least-privilege/suspend", &body).expect(200);
    assert_eq!(reply.data()["by"], "token");
}

#[test]
fn a_try_shows_what_would_flip_and_changes_nothing() {
    let broker = with_engine();
    let root = broker.root();
    broker.write_role("wide", S3_STAR).expect(200);
    broker.write_role("narrow", NARROW).expect(204);
    let before = root.get("sys/metrics?format=prometheus").expect(200).text;
    let report = root.post("sys/guardrails/least-privilege/what-if", &json!({})).expect(200);
    let data = report.data();
    let counts = ["roles", "judged", "unchanged", "allow_to_deny", "deny_to_allow", "new_findings"];
    let counted: Vec<_> = counts.iter().map(|name| data[name].as_i64().unwrap()).collect();
    assert_eq!(counted, [2, 2, 1, 1, 0, 0], "{data}");
    let change = &data["changes"][0];
    assert_eq!((change["role"].as_str(), change["after"].as_str()), (Some("wide"), Some("deny")));
    let after = root.get("sys/metrics?format=prometheus").expect(200).text;
    let verdicts = |text: &str| {
        let own = |line: &&str| line.starts_with("leasehold_g") && !line.contains("duration");
        text.lines().filter(own).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&before), verdicts(&after));
    assert_eq!(root.get("sys/guardrails/least-privilege").expect(200).data()["mode"], "warn");

    // A new one, on a part, that would add findings.
    let body = json!({ "plugin": "least-privilege", "mode": "warn", "mount": "aws" });
    let report = root.post("sys/guardrails/what-if", &body).expect(200);
    let data = report.data();
    assert_eq!(
        (data["allow_to_deny"].as_i64(), data["guardrail"].as_str()),
        (Some(0), Some("tried"))
    );
    assert!(data["new_findings"].as_i64().unwrap() >= 1, "{data}");
    assert!(data["changes"][0]["new"][0]["rule"].as_str().unwrap().starts_with("tried/"));
    root.post("sys/guardrails/what-if", &json!({ "plugin": "least-privilege", "mount": "x" }))
        .expect(400);
    root.post("sys/guardrails/what-if", &json!({})).expect(400);

    // Failures are told, not hidden.
    upload_hostile(&broker);
    let body = json!({ "plugin": "hostile", "settings": { "does": "fail-internal" } });
    let report = root.post("sys/guardrails/what-if", &body).expect(200);
    assert_eq!(report.data()["failures"].as_i64(), Some(2), "{}", report.text);
    assert_eq!(report.data()["changes"][0]["failures"], json!([["tried", "failure/internal"]]));

    // On a part of the roles, or to see what it would say, it was not tried for this.
    for part in [
        json!({ "rules_off": ["full-admin"], "mount": "aws" }),
        json!({ "rules_off": ["full-admin"], "mode": "warn" }),
    ] {
        root.post("sys/guardrails/least-privilege/what-if", &part).expect(200);
    }
    let body =
        json!({ "plugin": "least-privilege", "rules_off": ["full-admin"], "mode": "enforce" });
    let warned = write(&root, "part", &body).expect(200);
    assert!(warned.warnings()[0].contains("were not tried on the stored roles"), "{warned:?}");
    root.delete("sys/guardrails/part").expect(204);

    // What was tried enforces without a word.
    write(&root, "least-privilege", &json!({ "mode": "enforce" })).expect(204);
    broker.write_role("wide", S3_STAR).expect(400);
    assert_eq!(root.list("sys/guardrails").expect(200).data()["keys"], json!(["least-privilege"]));
}

#[test]
fn a_verdict_is_reached_again_byte_for_byte() {
    let mut broker = TestBroker::enforcing();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let denied = broker.write_role("r", S3_STAR).expect(400);
    let digest = denied.text_of("digest");
    broker.write_role("r", NARROW).expect(204);
    let lease = broker.issue().expect(200).lease_id();
    let of_lease = broker.row(&lease).unwrap().verdict;
    broker.clock.advance(Duration::from_secs(3_600));
    broker.restart();
    let root = broker.root();
    // Other guardrails judge by now.
    write(&root, "least-privilege", &json!({ "mode": "audit" })).expect(204);
    for (digest, decision) in [(digest.as_str(), "deny"), (of_lease.as_str(), "allow")] {
        let path = format!("sys/guardrails/verdicts/{digest}");
        let kept = root.get(&path).expect(200);
        assert_eq!(kept.data()["verdict"]["decision"], decision);
        assert_eq!(kept.data()["guardrails"][0]["name"], "least-privilege");
        let replayed = root.post(&format!("{path}/replay"), &json!({})).expect(200);
        let data = replayed.data();
        assert_eq!((data["same"].as_bool(), &data["again"]), (Some(true), &Value::Null), "{data}");
        assert_eq!(data["verdict"], kept.data()["verdict"]);
    }
    root.get("sys/guardrails/verdicts/00").expect(404);

    // With its plugin gone it says which.
    let hostile = upload_hostile(&broker);
    let body = json!({ "plugin": hostile.as_str(), "settings": { "does": "nothing" } });
    write(&root, "own", &body).expect(204);
    broker.write_role("s", NARROW).expect(204);
    let lease = root.get("aws/creds/s").expect(200).lease_id();
    let of_lease = broker.row(&lease).unwrap().verdict;
    let path = format!("sys/guardrails/verdicts/{of_lease}/replay");
    assert_eq!(root.post(&path, &json!({})).expect(200).data()["same"], true);
    root.delete("sys/guardrails/own").expect(204);
    broker
        .wait(
            broker
                .store()
                .delete_plugin_version(&"hostile".parse().unwrap(), &"0.1.0".parse().unwrap()),
        )
        .unwrap();
    let told = root.post(&path, &json!({})).expect(400).errors().join("\n");
    assert!(
        told.contains(&format!("the plugin `{hostile}` of guardrail `own` is not stored any more")),
        "{told}"
    );
}

#[test]
fn a_guardrail_whose_plugin_is_gone_denies_and_says_so() {
    let mut broker = with_engine();
    let hostile = upload_hostile(&broker);
    let body =
        json!({ "plugin": hostile.as_str(), "mode": "enforce", "settings": { "does": "nothing" } });
    write(&broker.root(), "own", &body).expect(200);
    broker.write_role("r", NARROW).expect(204);
    // What the broker itself refuses while a guardrail works with it.
    let database = rusqlite::Connection::open(broker.data_dir().join("leasehold.db")).unwrap();
    let foreign_keys = "PRAGMA foreign_keys = ON; DELETE FROM plugin";
    database.execute_batch(foreign_keys).unwrap();
    drop(database);
    broker.restart();
    let reply = broker.issue().expect(400);
    assert_eq!(reply.errors(), ["own/failure: load"]);
    let read = broker.root().get("sys/guardrails/own").expect(200);
    assert!(read.text_of("problem").contains("there is no plugin"), "{}", read.text);
    upload_hostile(&broker);
    broker.retry_broken_guardrails();
    broker.issue().expect(200);
}

/// `leasehold guardrail …` against a server: exit code, output, errors.
fn guardrail(server: &Process, token: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = binary()
        .arg("guardrail")
        .args(arguments)
        .env("VAULT_ADDR", &server.url)
        .env("VAULT_TOKEN", token)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Tries a guardrail of a team's own, then binds it.
fn try_and_bind(server: &Process, token: &str, dir: &std::path::Path) {
    let settings = dir.join("settings.json");
    std::fs::write(&settings, r#"{"allowed_actions": ["ec2:StopInstances"]}"#).unwrap();
    let bound = [
        "--plugin",
        "least-privilege",
        "--settings",
        settings.to_str().unwrap(),
        "--roles",
        "team-*",
    ];
    let (code, out, err) = guardrail(server, token, &[&["what-if", "team"][..], &bound].concat());
    assert_eq!(code, 1, "a role would be stopped: {out}{err}");
    assert!(
        out.contains("would be denied   1")
            && out.contains("aws/roles/team-a (iam_user): allow -> deny"),
        "{out}"
    );
    let enforce = [&["write", "team"][..], &bound, &["--mode", "enforce"]].concat();
    let (code, out, err) = guardrail(server, token, &enforce);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "guardrail team is written\n", ""));
    let wrong = ["write", "team", "--severity", "full-admn=low", "--cas", "1"];
    let (code, _, err) = guardrail(server, token, &wrong);
    assert!(code == 1 && err.contains("`/severities/full-admn`: `full-admn` is no rule"), "{err}");
}

/// Asks why something was denied, breaks the glass, mends it, and takes the guardrail away.
fn replay_suspend_and_delete(server: &Process, token: &str) {
    let denied = server.root().get("aws/creds/team-a").expect(400);
    let digest = denied.text_of("digest");
    let (code, out, err) = guardrail(server, token, &["replay", &digest]);
    assert!(
        code == 0 && out.contains("the same bytes") && out.contains("team/service-wildcard"),
        "{out}{err}"
    );

    let suspend = ["suspend", "team", "--for", "30m", "--reason", "incident 4711"];
    let (code, out, err) = guardrail(server, token, &suspend);
    assert!(code == 0 && out.starts_with("guardrail team is not asked until "), "{out}{err}");
    let warned = server.root().get("aws/creds/team-a").expect(200);
    assert!(warned.warnings().iter().any(|line| line.contains("incident 4711")), "{warned:?}");
    let (_, out, _) = guardrail(server, token, &["read", "team"]);
    assert!(out.contains("incident 4711 (by root)") && out.contains("suspended until"), "{out}");
    assert_eq!(guardrail(server, token, &["resume", "team"]).0, 0);
    server.root().get("aws/creds/team-a").expect(400);
    assert_eq!(guardrail(server, token, &["delete", "team"]).0, 0);
    server.root().get("aws/creds/team-a").expect(200);
}

#[test]
fn what_the_command_line_binds_outlives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let data = ["--data-dir", dir.path().to_str().unwrap()];
    let server = Process::dev(&data);
    let token = server.root_token.clone().unwrap();
    let root = server.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": S3_STAR });
    root.post("aws/roles/team-a", &role).expect(200);

    try_and_bind(&server, &token, dir.path());
    assert_eq!(server.stop(), Some(0));

    let server = Process::dev(&data);
    let (code, out, err) = guardrail(&server, &token, &["list"]);
    assert_eq!(code, 0, "{err}");
    let line = out.lines().find(|line| line.starts_with("team ")).unwrap_or_default();
    for word in ["enforce", "ready", "builtin:least-privilege", "roles team-*", "written"] {
        assert!(line.contains(word), "no `{word}` in {out}");
    }
    replay_suspend_and_delete(&server, &token);
    // Killed in the middle of nothing, it has what was said last.
    assert_eq!(guardrail(&server, &token, &["write", "least-privilege", "--mode", "enforce"]).0, 0);
    server.kill();
    let server = Process::dev(&data);
    server.root().get("aws/creds/team-a").expect(400);
    let (_, out, _) = guardrail(&server, &token, &["--format", "json", "read", "least-privilege"]);
    let read: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (read["mode"].as_str(), read["configured_mode"].as_str()),
        (Some("enforce"), Some("warn"))
    );
}

#[test]
fn guardrails_change_under_load_and_no_request_sees_a_half() {
    let broker = with_engine();
    broker.write_role("r", S3_STAR).expect(200);
    let both = |mode: &str| json!({ "plugin": "least-privilege", "mode": mode });
    let root = broker.root();
    std::thread::scope(|threads| {
        let asking = threads.spawn(|| {
            let root = broker.root();
            for _ in 0..60 {
                let reply = root.get("aws/creds/r");
                assert!(matches!(reply.status, 200 | 400), "{}", reply.text);
                let told = if reply.status == 200 { reply.warnings() } else { reply.errors() };
                assert!(told.iter().any(|line| line.starts_with("least-privilege/")), "{told:?}");
            }
        });
        for round in 0..20 {
            let mode = if round % 2 == 0 { "enforce" } else { "warn" };
            let reply = write(&root, "least-privilege", &both(mode));
            assert!(matches!(reply.status, 200 | 204), "{}", reply.text);
        }
        asking.join().unwrap();
    });
    broker.issue().expect(200);
}
