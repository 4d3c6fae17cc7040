//! A guest that does what no guest may costs its own request a named deny, and nobody else anything.

use guardrail_host::Plugin;

use super::component::Component;
use super::*;
use crate::model::Binding;

const HOSTILE: &[u8] = include_bytes!("../../../plugins/fixtures/hostile/hostile.wasm");

static PLUGIN: LazyLock<Plugin> = LazyLock::new(|| HOST.load(HOSTILE).unwrap());

fn binding(what: &str, mode: Mode) -> Binding {
    let settings = format!("{{\"does\": \"{what}\"}}");
    Binding { settings, ..Binding::shipped("hostile", mode) }
}

fn doing(what: &str, mode: Mode) -> Gate {
    let binding = binding(what, mode);
    let component = Component::new("hostile".to_owned(), PLUGIN.clone(), binding.clone());
    judging(vec![Bound::bound(Box::new(component), &binding, None)])
}

#[tokio::test]
async fn what_stops_a_guest_is_named_and_denies_only_where_it_enforces() {
    for (what, codes) in [
        ("loop", &["limit/fuel", "limit/time"][..]),
        ("panic", &["trap"]),
        ("undeclared-rule", &["output"]),
    ] {
        for (mode, decision) in [(Mode::Enforce, Decision::Deny), (Mode::Warn, Decision::Allow)] {
            let gate = doing(what, mode);
            let verdict = gate.judge(grant(&gate, Some(SCOPED))).await.verdict;
            assert_eq!(verdict.decision, decision, "{what} {mode}");
            let [finding] = verdict.findings.as_slice() else { panic!("{what}: {verdict:?}") };
            assert_eq!(finding.rule, "hostile/failure");
            assert!(codes.contains(&finding.message.as_str()), "{what}: {finding:?}");
        }
    }
    let gate = doing("nothing", Mode::Enforce);
    assert!(gate.judge(grant(&gate, Some(SCOPED))).await.vetted.is_some());
}

#[test]
fn settings_that_a_guardrail_refuses_are_told_with_their_place() {
    let issues = binding::issues(&PLUGIN, &binding("refuse-settings", Mode::Warn)).unwrap();
    let told: Vec<_> = issues.iter().map(|i| (i.pointer.as_str(), i.message.as_str())).collect();
    assert_eq!(told, [("/settings/does", "is refused")]);
}
