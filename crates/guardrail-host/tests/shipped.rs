//! The component of `plugins/least-privilege` as it is committed: what it asks for, what it says of itself, that its
//! compiled code is kept safely and that many threads may use it. Its vectors run in `crates/guardrail-kit/tests`.

#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use guardrail_host::{Grant, Host, HostConfig, PreparedGrant, Severity};
use serde_json::Value;

const COMPONENT: &str = "plugins/least-privilege/least-privilege.wasm";
/// Compiles faster than the other.
const SMALLER: &str = "plugins/fixtures/hostile/hostile.wasm";

#[test]
fn the_component_asks_for_nothing_but_the_log() {
    let plugin = support::load(support::host(), Path::new(COMPONENT));
    assert_eq!(
        plugin.imports(),
        ["leasehold:guardrail/types@1.0.0", "leasehold:guardrail/log@1.0.0"]
    );
    assert_eq!(plugin.manifest().name, "least-privilege");
    assert_eq!(plugin.manifest().rules.len(), 13);
    assert_eq!(plugin.manifest().rule("full-admin").expect("a rule").severity, Severity::Critical);
    let schema: Value = serde_json::from_str(plugin.settings_schema()).expect("JSON");
    assert_eq!(schema["type"], "object");
}

#[test]
fn settings_that_name_no_rule_are_an_issue_with_its_place() {
    let plugin = support::load(support::host(), Path::new(COMPONENT));
    let issues = plugin.check_settings(r#"{"rules_off":["full-admn"]}"#).expect("an answer");
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].pointer, "/rules_off/0");
    assert_eq!(issues[0].message, "there is no rule `full-admn`");
}

#[test]
fn a_damaged_cache_file_is_compiled_again_and_replaced() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guardrail-damaged");
    std::fs::create_dir_all(&directory).expect("a folder");
    let cache = guardrail_host::CodeCache { directory: directory.clone(), mac_key: [1; 32] };
    let config = HostConfig { code_cache: Some(cache), ..HostConfig::default() };
    let host = Host::new(config).expect("a host");
    let first = support::load(&host, Path::new(SMALLER));
    let file = std::fs::read_dir(&directory)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains(first.digest()))
        .expect("compiled code was kept");
    let good = std::fs::read(&file).expect("readable");
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&file, &damaged).expect("writable");

    let again = support::load(&host, Path::new(SMALLER));

    assert_eq!(again.manifest(), first.manifest());
    let replaced = std::fs::read(&file).expect("readable");
    assert_ne!(replaced, damaged);
    assert!(!std::fs::read_dir(&directory).expect("the folder").any(|entry| {
        entry.expect("an entry").path().extension().is_some_and(|extension| extension == "tmp")
    }));
}

#[test]
fn one_grant_serves_plugins_on_many_threads() {
    let plugin = support::load(support::host(), Path::new(COMPONENT));
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let grant = PreparedGrant::new(Grant::bare(vec![Arc::clone(&support::document(text))], 0));
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..8).map(|_| scope.spawn(|| plugin.evaluate_blocking(&grant, ""))).collect();
        let mut evaluations = runs.into_iter().map(|run| run.join().expect("no panic"));
        let first = evaluations.next().expect("one");
        assert!(first.result.is_ok());
        assert!(evaluations.all(|other| other == first), "the same input gave another answer");
    });
}
