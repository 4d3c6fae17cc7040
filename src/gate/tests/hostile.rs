//! A guest that does what no guest may costs its own request a named deny, and nobody else anything.

use std::sync::LazyLock;

use guardrail_host::{CodeCache, Host, HostConfig, Plugin};

use super::*;

const HOSTILE: &[u8] = include_bytes!("../../../plugins/fixtures/hostile/hostile.wasm");

/// One engine for all: the bad calls and the good ones share it, as they do in a server.
static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| {
    let GateConfig { cache_dir, cache_key, .. } = GateConfig::for_tests(Mode::Enforce);
    let code_cache = cache_dir.map(|directory| CodeCache { directory, mac_key: cache_key });
    let config = HostConfig { code_cache, ..HostConfig::default() };
    Host::new(config).unwrap().load(HOSTILE).unwrap()
});

fn doing(what: &str, mode: Mode) -> Result<Gate, GateError> {
    let settings = format!("{{\"does\": \"{what}\"}}");
    let guardrail = Box::new(Component::new(PLUGIN.clone(), &settings)?);
    Gate::with_guardrails(vec![Bound { guardrail, mode }], Mode::Off)
}

#[tokio::test]
async fn what_stops_a_guest_is_named_and_denies_only_where_it_enforces() {
    for (what, codes) in [
        ("loop", &["limit/fuel", "limit/time"][..]),
        ("panic", &["trap"]),
        ("undeclared-rule", &["output"]),
    ] {
        for (mode, decision) in [(Mode::Enforce, Decision::Deny), (Mode::Warn, Decision::Allow)] {
            let gate = doing(what, mode).unwrap();
            let verdict = gate.judge(grant(&gate, Some(SCOPED))).await.verdict;
            assert_eq!(verdict.decision, decision, "{what} {mode}");
            let [finding] = verdict.findings.as_slice() else { panic!("{what}: {verdict:?}") };
            assert_eq!(finding.rule, "hostile/failure");
            assert!(codes.contains(&finding.message.as_str()), "{what}: {finding:?}");
        }
    }
    let gate = doing("nothing", Mode::Enforce).unwrap();
    assert!(gate.judge(grant(&gate, Some(SCOPED))).await.vetted.is_some());
}

#[test]
fn settings_that_a_guardrail_refuses_make_no_gate() {
    let refused = doing("refuse-settings", Mode::Warn).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the settings of the guardrail `hostile` cannot be used: `/does` is refused"
    );
}
