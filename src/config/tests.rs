//! What a file and flags come to, and what is wrong with others.

use super::checks::duration;
use super::*;

fn read(text: &str, flags: Overrides) -> Result<Config, String> {
    let file = toml::from_str(text).map_err(|error| error.to_string())?;
    Config::from_file(file, flags).map_err(|error| error.to_string())
}

fn dev() -> Overrides {
    Overrides { dev: Some(Dev::default()), ..Overrides::default() }
}

#[test]
fn dev_needs_nothing_and_warns() {
    let config = read("", dev()).unwrap();
    assert_eq!(config.listeners[0].address.to_string(), "127.0.0.1:8200");
    assert_eq!(config.guardrails.mode, Mode::Warn);
    assert_eq!((config.data_dir, config.seal), (None, Seal::Memory));
    assert_eq!(config.reconcile_interval, None);
    let told = |text: &str| read(text, dev()).unwrap().reconcile_interval;
    assert_eq!(told("reconcile_interval = \"1h\""), Some(Duration::from_hours(1)));
    assert_eq!(told("reconcile_interval = \"0\""), None);
}

#[test]
fn a_server_enforces_and_is_unsealed_by_shares() {
    let config =
        read("data_dir = \"/d\"\n[listener]\naddress = \"127.0.0.1:1\"", Overrides::default())
            .unwrap();
    assert_eq!(config.guardrails.mode, Mode::Enforce);
    assert_eq!(config.seal.key_file(), Some(Path::new("/d/seal.key")));
    assert!(matches!(config.seal, Seal::Unsaid { .. }));
    assert_eq!(config.default_lease_ttl.as_secs(), 2_764_800);
    assert_eq!(config.reconcile_interval, Some(Duration::from_hours(24)));
}

#[test]
fn a_guardrail_may_have_a_mode_of_its_own() {
    let text = "[guardrails]\nmode = \"enforce\"\n[guardrails.least-privilege]\nmode = \"audit\"";
    let config = read(text, dev()).unwrap();
    assert_eq!(config.guardrails.mode, Mode::Enforce);
    assert_eq!(config.guardrails.modes.get("least-privilege"), Some(&Mode::Audit));
    let misspelt = text.replace("least-privilege", "least-privileg");
    let told = read(&misspelt, dev()).unwrap_err();
    assert!(told.starts_with("`guardrails.least-privileg`: no guardrail of this name"), "{told}");
    assert!(read(&text.replace("audit", "loud"), dev()).is_err());
}

#[test]
fn private_networks_are_none_unless_they_are_named() {
    assert!(read("", dev()).unwrap().private_networks.is_empty());
    let named = read("[logins]\nprivate_networks = [\"10.96.0.0/12\", \"::1\"]", dev()).unwrap();
    assert_eq!(named.private_networks.len(), 2);
    let told = read("[logins]\nprivate_networks = [\"inside\"]", dev()).unwrap_err();
    assert!(told.starts_with("`logins.private_networks`: `inside` is no address"), "{told}");
}

#[test]
fn trusted_keys_are_read_and_must_be_told_apart() {
    let key = |name: &str, key: &str| {
        format!(
            "[[plugins.trusted_keys]]\nname = \"{name}\"\nkey = \"{key}\"\nplugins = [\"deny-*\"]\n"
        )
    };
    // The key of RFC 8410, section 10.1.
    let good = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let text = format!("[plugins]\nrequire_signature = true\n{}", key("ci", good));
    let plugins = read(&text, dev()).unwrap().plugins;
    assert!(plugins.require_signature);
    assert_eq!((plugins.keys[0].name.as_str(), plugins.keys[0].plugins.len()), ("ci", 1));
    for (text, part) in [
        (key("ci", "x"), "`plugins.trusted_keys`: `ci`: this is not an Ed25519 public key"),
        (key("ci", good) + &key("ci", other), "there twice"),
        (key("ci", good) + &key("cd", good), "there twice"),
        ("[plugins]\nrequire_signature = true".to_owned(), "no key is trusted"),
        (key("ci", good).replace("\"deny-*\"", ""), "may sign no plugin"),
        ("[plugins]\nsigned = true".to_owned(), "signed"),
    ] {
        let told = read(&text, dev()).unwrap_err();
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn an_open_address_needs_tls_or_a_word() {
    let text = "data_dir = \"/d\"\n[listener]\naddress = \"0.0.0.0:8200\"";
    assert!(read(text, Overrides::default()).unwrap_err().contains("not a loopback address"));
    let plain = read(&format!("{text}\ntls_disable = true"), Overrides::default()).unwrap();
    assert!(plain.listeners[0].tls.is_none());
    let tls =
        read(&format!("{text}\ntls_cert_file = \"c\"\ntls_key_file = \"k\""), Overrides::default())
            .unwrap();
    assert!(tls.listeners[0].tls.is_some());
    assert!(
        read(&format!("{text}\ntls_cert_file = \"c\""), Overrides::default())
            .unwrap_err()
            .contains("tls_key_file")
    );
}

#[test]
fn what_is_misspelt_is_named() {
    assert!(read("datadir = \"/d\"", dev()).unwrap_err().contains("datadir"));
    assert!(
        read("[guardrails.least-privlege]\nmode = \"warn\"", dev())
            .unwrap_err()
            .contains("least-privlege")
    );
    for text in ["[guardrails]\nmod = \"warn\"", "listener = 5", "guardrails.least-privilege = 1"] {
        let told = read(text, dev()).unwrap_err();
        assert!(!told.contains("struct") && !told.contains("File"), "{told}");
    }
    assert!(read("[guardrails]\nmod = \"warn\"", dev()).unwrap_err().contains("mod"));
    assert!(read("max_lease_ttl = \"1 hour\"", dev()).unwrap_err().contains("not a duration"));
    assert!(read("log_level = \"loud\"", dev()).unwrap_err().contains("loud"));
    assert!(read("[listener]\naddress = \"localhost\"", dev()).unwrap_err().contains("localhost"));
}

#[test]
fn durations_are_vaults() {
    for (text, seconds) in [("60", 60), ("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)] {
        assert_eq!(duration("k", text).unwrap().as_secs(), seconds, "{text}");
    }
    assert_eq!(duration("k", "1h30m").unwrap().as_secs(), 5400);
    for text in ["", "h", "-1h", "0", "1w", "5mm", "18446744073709551615d", "200000d"] {
        assert!(duration("k", text).is_err(), "{text}");
    }
}

#[test]
fn a_guardrail_may_have_settings_which_become_json() {
    let text = r#"
        [guardrails]
        mode = "audit"
        [guardrails.deny-list]
        settings = { denied_actions = ["iam:Put*"], deep = { number = 5, share = 0.5, yes = true, since = 2030-01-31 } }
        [guardrails.ttl-limits]
        mode = "enforce"
    "#;
    let Guardrails { modes, settings, .. } = read(text, dev()).unwrap().guardrails;
    let told = |name: &str| modes.get(name).copied();
    assert_eq!(told("deny-list"), Some(Mode::Audit), "named is bound, in the mode of all");
    assert_eq!(told("ttl-limits"), Some(Mode::Enforce));
    assert_eq!(settings.len(), 1);
    let json: serde_json::Value = serde_json::from_str(&settings["deny-list"]).unwrap();
    let deep = serde_json::json!({ "number": 5, "share": 0.5, "yes": true, "since": "2030-01-31" });
    assert_eq!(json, serde_json::json!({ "denied_actions": ["iam:Put*"], "deep": deep }));
    for (settings, part) in [
        (
            "{ share = nan }",
            "`guardrails.deny-list.settings`: has a number that JSON does not have",
        ),
        ("[1]", "`guardrails.deny-list`: "),
    ] {
        let told = read(&format!("[guardrails.deny-list]\nsettings = {settings}"), dev());
        let told = told.unwrap_err();
        assert!(told.starts_with(part), "{told}");
    }
}

#[test]
fn limits_are_the_operators_up_to_their_tops() {
    let limits = |text: &str| read(&format!("[guardrails.limits]\n{text}"), dev());
    let bounds = |text: &str| limits(text).unwrap().guardrails.bounds;
    assert_eq!(bounds(""), Bounds::default());
    let given = bounds(
        "fuel = 2_000_000_000\nwall_time_ms = 500\ntotal_time_ms = 5000\nmemory_bytes = 1048576\nlog_lines = 7",
    );
    assert_eq!(given.limits.fuel, 2_000_000_000);
    assert_eq!(given.limits.wall_time, Duration::from_millis(500));
    assert_eq!(given.total_time, Duration::from_secs(5));
    assert_eq!((given.limits.memory_bytes, given.limits.log_lines), (1 << 20, 7));
    assert_eq!(given.limits.findings, Bounds::default().limits.findings, "the rest stays");
    let given = bounds("concurrent_evaluations = 2\nwaiting_evaluations = 1").limits;
    assert_eq!((given.concurrent_evaluations, given.waiting_evaluations), (2, 1));
    for (text, part) in [
        (
            "fuel = 2_000_000_001",
            "`guardrails.limits.fuel`: is 2000000001, more than the 2000000000 that may be",
        ),
        ("wall_time_ms = 2001", "more than the 2000 that may be"),
        ("total_time_ms = 5001", "more than the 5000 that may be"),
        ("memory_bytes = 268435457", "more than the 268435456 that may be"),
        ("output_bytes = 8388609", "more than the 8388608 that may be"),
        ("component_bytes = 29360129", "more than the 29360128 that may be"),
        ("concurrent_evaluations = 1025", "more than the 1024 that may be"),
        ("host_calls = 0", "`guardrails.limits.host_calls`: is 0"),
        ("fuel = -1", "invalid value"),
        ("wall_time = 5", "wall_time"),
    ] {
        let told = limits(text).unwrap_err();
        assert!(told.contains(part), "{told}");
    }
}
