//! What the stock Vault CLI printed otherwise against this server than against Vault 1.14.8, one test for each, as the
//! requests that it makes. The transcripts of the CLI itself are in `vault_cli`.

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Client;

/// As the CLI asks: writes by PUT, and its header.
fn cli(broker: &TestBroker) -> Client {
    broker.root().with_header("X-Vault-Request", "true")
}

fn with_userpass() -> TestBroker {
    let broker = TestBroker::new();
    let enable = json!({ "type": "userpass", "description": "people" });
    cli(&broker).post("sys/auth/people", &enable).expect(204);
    broker
}

#[test]
fn auth_tune_reaches_the_method_under_sys_mounts() {
    let broker = with_userpass();
    let cli = cli(&broker);
    let tune = json!({
        "options": null, "default_lease_ttl": "20m", "description": "tuned", "max_lease_ttl": "",
        "force_no_cache": false, "token_type": "default-batch",
    });
    cli.post("sys/mounts/auth/people/tune", &tune).expect(204);
    for path in ["sys/mounts/auth/people/tune", "sys/auth/people/tune"] {
        let tuned = cli.get(path).expect(200);
        assert_eq!(tuned.data()["default_lease_ttl"], 1200, "{path}");
        assert_eq!(tuned.text_of("description"), "tuned");
        assert_eq!(tuned.text_of("token_type"), "default-batch");
    }
    let missing = cli.post("sys/mounts/auth/nobody/tune", &json!({})).expect(400);
    assert_eq!(missing.errors(), ["tune of path \"auth/nobody/\" failed: no mount entry found"]);
    let tokens = cli.post("sys/mounts/auth/token/tune", &json!({})).expect(400);
    assert_eq!(tokens.errors(), ["the settings of `auth/token/` are fixed"]);
}

#[test]
fn auth_tune_needs_the_right_to_the_path_that_was_asked() {
    let broker = with_userpass();
    let root = broker.root();
    let policy =
        json!({ "policy": r#"path "sys/auth/people/tune" { capabilities = ["update", "sudo"] }"# });
    root.post("sys/policies/acl/tuner", &policy).expect(204);
    let made = root.post("auth/token/create", &json!({ "policies": ["tuner"] })).expect(200);
    let tuner = root.with_token(made.json["auth"]["client_token"].as_str().unwrap());
    tuner.post("sys/auth/people/tune", &json!({ "description": "a" })).expect(204);
    tuner.post("sys/mounts/auth/people/tune", &json!({ "description": "b" })).expect(403);
    assert_eq!(root.get("sys/auth/people/tune").expect(200).text_of("description"), "a");
}

#[test]
fn user_lockout_that_cannot_be_tuned_is_refused_and_not_forgotten() {
    let broker = with_userpass();
    let cli = cli(&broker);
    let lockout = json!({ "lockout_threshold": "10", "lockout_duration": "10m" });
    let tune = json!({ "description": "changed", "user_lockout_config": lockout });
    let refused = cli.post("sys/mounts/auth/people/tune", &tune).expect(400);
    assert!(
        refused.errors()[0].starts_with("`user_lockout_config` is not tuned"),
        "{}",
        refused.text
    );
    assert_eq!(cli.get("sys/auth/people/tune").expect(200).text_of("description"), "people");
    let enable = json!({ "type": "userpass", "config": { "user_lockout_config": lockout } });
    cli.post("sys/auth/more", &enable).expect(400);
    cli.get("sys/auth/more").expect(400);
    let nothing = json!({ "description": "kept", "user_lockout_config": null });
    cli.post("sys/mounts/auth/people/tune", &nothing).expect(204);
}

#[test]
fn tuning_what_is_the_servers_own_says_so() {
    let broker = TestBroker::new();
    for own in ["sys/", "cubbyhole/", "identity/"] {
        let refused = cli(&broker).post(&format!("sys/mounts/{own}tune"), &json!({})).expect(400);
        assert_eq!(refused.errors(), [format!("cannot tune \"{own}\"")]);
    }
}

#[test]
fn stepping_down_without_a_standby_is_done() {
    let broker = TestBroker::new();
    let cli = cli(&broker);
    cli.put("sys/step-down", &json!({})).expect(204);
    cli.get("sys/mounts").expect(200);
    let made = cli.post("auth/token/create", &json!({ "policies": ["default"] })).expect(200);
    let nobody = cli.with_token(made.json["auth"]["client_token"].as_str().unwrap());
    nobody.put("sys/step-down", &json!({})).expect(403);
}

#[test]
fn version_history_has_a_build_date_that_is_a_text() {
    let history = cli(&TestBroker::new()).list("sys/version-history").expect(200);
    for (version, one) in history.data()["key_info"].as_object().unwrap() {
        assert_eq!(one["build_date"], "", "{version}: the CLI prints `%!s(<nil>)` for null");
    }
}

#[test]
fn whole_numbers_are_written_without_a_fraction() {
    let broker = TestBroker::new();
    let cli = cli(&broker);
    let host = cli.get("sys/host-info").expect(200);
    assert!(host.data()["host"]["uptime"].is_u64(), "{}", host.text);
    assert!(!host.text.contains(".0,") && !host.text.contains(".0}"), "{}", host.text);
    for (rate, shown) in [("100", "\"rate\":100,"), ("0.5", "\"rate\":0.5,")] {
        cli.put("sys/quotas/rate-limit/q", &json!({ "rate": rate })).expect(204);
        let read = cli.get("sys/quotas/rate-limit/q").expect(200);
        assert!(read.text.contains(shown), "{}", read.text);
    }
}

#[test]
fn a_cap_is_told_in_whole_seconds() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    broker.clock.advance(std::time::Duration::from_millis(596));
    let renew = json!({ "lease_id": lease, "increment": "2000h" });
    let renewed = cli(&broker).put("sys/leases/renew", &renew).expect(200);
    let warning = renewed.warnings()[0].clone();
    let cap = warning.split('"').nth(3).unwrap();
    assert!(cap.ends_with("59s") && !cap.contains('.'), "{warning}");
}

#[test]
fn a_wrapped_secret_id_tells_its_accessor() {
    let broker = TestBroker::new();
    let cli = cli(&broker);
    cli.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    cli.put("auth/approle/role/ci", &json!({ "token_policies": "default" })).expect(204);
    let wrapping = cli.with_header("X-Vault-Wrap-TTL", "60");
    let wrapped = wrapping.put("auth/approle/role/ci/secret-id", &json!({})).expect(200);
    let told = wrapped.json["wrap_info"]["wrapped_accessor"].as_str().unwrap().to_owned();
    let token = wrapped.json["wrap_info"]["token"].as_str().unwrap();
    let opened = cli.with_token(token).put("sys/wrapping/unwrap", &json!({})).expect(200);
    assert_eq!(opened.text_of("secret_id_accessor"), told);
    let other = wrapping.get("auth/approle/role/ci").expect(200);
    assert_eq!(other.json["wrap_info"].get("wrapped_accessor"), None);
}

#[test]
fn a_wrapping_token_has_no_display_name() {
    let broker = TestBroker::new();
    let cli = cli(&broker);
    let wrapped = cli.with_header("X-Vault-Wrap-TTL", "60").get("sys/mounts").expect(200);
    let token = wrapped.json["wrap_info"]["token"].as_str().unwrap();
    let shown = cli.post("auth/token/lookup", &json!({ "token": token })).expect(200);
    assert_eq!(shown.text_of("display_name"), "");
}

#[test]
fn an_audit_path_that_is_taken_is_told_before_the_options_are_read() {
    let broker = TestBroker::new();
    let cli = cli(&broker);
    let place = broker.data_dir().join("audit.log");
    let file = json!({ "type": "file", "options": { "file_path": place } });
    cli.put("sys/audit/file", &file).expect(204);
    let again = cli.put("sys/audit/file", &json!({ "type": "file" })).expect(400);
    assert_eq!(again.errors(), ["path already in use"]);
}

#[test]
fn path_help_of_a_whole_mount_lists_its_paths() {
    let broker = TestBroker::new().with_role();
    let cli = cli(&broker);
    cli.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    for (path, lines) in [
        ("aws", ["    creds/:name", "    config/rotate-root"]),
        ("aws/", ["    roles/:name", "    static-roles/:name"]),
        ("sys", ["    mounts/:path", "    step-down"]),
        ("auth/token", ["    create", "    roles/:name"]),
        ("auth/approle", ["    login", "    role/:name"]),
        ("identity", ["    entity/id/:path", "    lookup/entity"]),
    ] {
        let help = cli.get(&format!("{path}?help=1")).expect(200).json;
        let text = help["help"].as_str().unwrap();
        for line in lines {
            assert!(text.lines().any(|one| one == line), "{path} without `{line}`: {text}");
        }
        assert!(!help["openapi"]["paths"].as_object().unwrap().is_empty(), "{path}");
    }
    cli.get("nowhere?help=1").expect(404);
}

#[test]
fn the_tokens_own_mount_is_no_plugin_that_could_be_deprecated() {
    let listed = cli(&TestBroker::new()).get("sys/auth").expect(200);
    assert_eq!(listed.data()["token/"].get("deprecation_status"), None);
}

#[test]
fn the_catalogue_of_plugins_is_what_can_be_mounted() {
    let broker = TestBroker::new();
    let cli = cli(&broker);
    let all = cli.get("sys/plugins/catalog").expect(200);
    assert_eq!(all.data()["secret"], json!(["aws"]));
    assert_eq!(all.data()["auth"], json!(["approle", "jwt", "kubernetes", "oidc", "userpass"]));
    let detailed = all.data()["detailed"].as_array().unwrap();
    assert_eq!(detailed.len(), 6);
    assert!(detailed.iter().all(|one| one["builtin"] == true), "{detailed:?}");
    let listed = cli.list("sys/plugins/catalog/secret").expect(200);
    assert_eq!(listed.data()["keys"], json!(["aws"]));
    let one = cli.get("sys/plugins/catalog/secret/aws").expect(200);
    assert_eq!((one.text_of("name").as_str(), &one.data()["builtin"]), ("aws", &Value::Bool(true)));
    cli.get("sys/plugins/catalog/secret/kv").expect(404);
    cli.get("sys/plugins/catalog/nonsense/aws").expect(404);
    let register = json!({ "command": "x", "sha256": "aa" });
    cli.put("sys/plugins/catalog/secret/x", &register).expect(405);
    // What was mounted from the catalogue is the catalogue's version.
    let version = one.text_of("version");
    cli.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    assert_eq!(cli.get("sys/mounts/aws").expect(200).text_of("running_plugin_version"), version);
}
