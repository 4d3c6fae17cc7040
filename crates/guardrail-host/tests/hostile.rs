//! Guests that do what no guest may: each is stopped with the failure that names it, and costs nobody else anything.
//! The guest is `plugins/fixtures/hostile`; what it does is chosen by its settings.

#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

mod support;

use std::path::Path;
use std::sync::OnceLock;

use guardrail_host::{
    Evaluation, Failure, Grant, HostConfig, LimitKind, Limits, LoadError, LogLevel, Plugin,
    PreparedGrant, Verdict,
};

const COMPONENT: &str = "plugins/fixtures/hostile/hostile.wasm";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

fn plugin() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| support::load(support::host(), Path::new(COMPONENT)))
}

fn policy() -> PreparedGrant {
    PreparedGrant::new(Grant::bare(vec![support::document(POLICY)], 1_700_000_000_000))
}

fn run(plugin: &Plugin, does: &str) -> Evaluation {
    plugin.evaluate_blocking(&policy(), &format!(r#"{{"does":"{does}"}}"#))
}

/// The failure that a behaviour ends with; afterwards the same engine answers 50 good calls.
fn stopped(plugin: &Plugin, does: &str) -> (Failure, Evaluation) {
    let evaluation = run(plugin, does);
    for _ in 0..50 {
        let good = run(plugin, "nothing");
        assert_eq!(good.result.map(|report| report.verdict), Ok(Verdict::Pass), "after {does}");
    }
    let failure = evaluation.result.clone().expect_err(does);
    (failure, evaluation)
}

#[test]
fn every_hostile_guest_ends_with_its_named_failure() {
    for (does, code) in [
        ("loop", "limit/fuel"),
        ("allocate", "limit/memory"),
        ("recurse", "limit/stack"),
        ("recurse-in-memory", "limit/stack"),
        ("flood-log", "limit/host-calls"),
        ("flood-expand", "limit/fuel"),
        ("many-findings", "limit/output"),
        ("long-deny", "limit/output"),
        ("panic", "trap"),
        ("undeclared-rule", "output"),
        ("pointer-to-nowhere", "output"),
        ("document-out-of-range", "output"),
        ("fail-internal", "failure/internal"),
        ("fail-unsupported", "failure/unsupported"),
    ] {
        let (failure, _) = stopped(plugin(), does);
        assert_eq!(failure.code(), code, "{does}: {failure}");
    }
}

#[test]
fn a_guest_that_runs_too_long_is_stopped_by_time_where_fuel_is_plenty() {
    let limits = Limits { fuel: Limits::tops().fuel, ..Limits::default() };
    let host = support::host_with(limits);
    let plugin = support::load(&host, Path::new(COMPONENT));
    let (failure, _) = stopped(&plugin, "loop");
    assert_eq!(failure, Failure::Limit { kind: LimitKind::Time, limit: "250 ms".into() });
}

#[test]
fn the_text_of_a_panic_reaches_the_operator() {
    let (failure, evaluation) = stopped(plugin(), "panic");
    let Failure::Trap(text) = failure else { panic!("{failure}") };
    assert!(text.starts_with("panicked at ") && text.ends_with("boom: 1"), "{text}");
    assert_eq!(evaluation.log.len(), 1);
    assert_eq!(evaluation.log[0].level, LogLevel::Error);
}

#[test]
fn a_log_flood_is_kept_to_its_limit_and_counted() {
    let (_, evaluation) = stopped(plugin(), "flood-log");
    assert_eq!(evaluation.log.len(), 100);
    assert_eq!(evaluation.log_dropped, 9_900);
    assert_eq!(evaluation.host_calls, 10_001);
}

#[test]
fn a_long_log_line_is_cut_to_one_line() {
    let evaluation = run(plugin(), "long-log");
    assert!(evaluation.result.is_ok());
    assert!(evaluation.log[0].message.len() <= 1_024 + '…'.len_utf8());
    assert!(!evaluation.log[0].message.contains('\n'));
}

#[test]
fn too_many_findings_are_cut_and_the_report_says_so() {
    let report = run(plugin(), "some-findings").result.expect("a report");
    assert_eq!(report.findings.len(), 201);
    let last = report.findings.last().expect("a finding");
    assert_eq!(last.rule, guardrail_host::report::OUTPUT_CUT);
    assert!(last.message.contains("300"), "{}", last.message);
}

#[test]
fn a_refusal_cannot_forge_a_log_line() {
    let report = run(plugin(), "ugly-deny").result.expect("a report");
    assert_eq!(report.verdict, Verdict::Deny("no ERROR forged line [2J".into()));
}

#[test]
fn host_calls_cost_fuel() {
    let nothing = run(plugin(), "nothing");
    let lookup = run(plugin(), "lookup");
    assert_eq!(lookup.result.map(|report| report.verdict), Ok(Verdict::Pass));
    assert_eq!((nothing.host_calls, lookup.host_calls), (0, 1));
    assert!(lookup.fuel_used > nothing.fuel_used.saturating_add(2_000));
}

#[test]
fn the_same_input_uses_the_same_fuel() {
    let first = run(plugin(), "nothing");
    let second = run(plugin(), "nothing");
    assert_eq!(first, second);
    assert!(first.fuel_used > 0);
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let evaluation = plugin().evaluate_blocking(&policy(), r#"{"dose":"loop"}"#);
    let failure = evaluation.result.expect_err("unknown field");
    assert_eq!(failure.code(), "failure/settings");
    assert!(failure.to_string().contains("unknown field `dose`"), "{failure}");

    assert_eq!(plugin().check_settings("{}"), Ok(vec![]));
    let issues = plugin().check_settings(r#"{"does":"refuse-settings"}"#).expect("issues");
    assert_eq!(issues[0].pointer, "/does");
}

#[tokio::test]
async fn a_looping_guest_gives_way_to_others_on_the_same_thread() {
    let limits = Limits { fuel: Limits::tops().fuel, ..Limits::default() };
    let host = support::host_with(limits);
    let plugin = support::load(&host, Path::new(COMPONENT));
    let (endless, good) = (policy(), policy());
    let order = std::sync::Mutex::new(Vec::new());
    let note = |what| order.lock().expect("no test panicked").push(what);
    tokio::join!(
        async {
            let evaluation = plugin.evaluate(&endless, r#"{"does":"loop"}"#).await;
            assert_eq!(evaluation.result.expect_err("stopped").code(), "limit/time");
            note("endless");
        },
        async {
            let evaluation = plugin.evaluate(&good, "").await;
            assert!(evaluation.result.is_ok());
            note("good");
        },
    );
    assert_eq!(*order.lock().expect("no test panicked"), ["good", "endless"]);
}

#[tokio::test]
async fn more_evaluations_than_may_wait_are_told_busy() {
    let limits = Limits {
        fuel: Limits::tops().fuel,
        concurrent_evaluations: 1,
        waiting_evaluations: 0,
        ..Limits::default()
    };
    let host = support::host_with(limits);
    let plugin = support::load(&host, Path::new(COMPONENT));
    let grant = policy();
    let (_, second) =
        tokio::join!(plugin.evaluate(&grant, r#"{"does":"loop"}"#), plugin.evaluate(&grant, ""));
    assert_eq!(second.result, Err(Failure::Busy));
    assert!(plugin.evaluate(&grant, "").await.result.is_ok(), "the slot came back");
}

#[test]
fn a_component_that_is_none_is_refused_with_the_way_out() {
    let host = support::host();
    assert!(matches!(host.load(b"{}"), Err(LoadError::NotWasm)));
    let empty = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    assert!(matches!(host.load(&empty), Err(LoadError::NoGuardrail)));
    let module = host.load(&[0, b'a', b's', b'm', 1, 0, 0, 0]).expect_err("a core module");
    assert!(module.to_string().contains("scripts/plugins/build"), "{module}");
}

#[test]
fn a_component_that_wants_wasi_is_refused_by_name() {
    // (component (import "wasi:io/error@0.2.6" (instance))), assembled by hand.
    let mut component = vec![0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    component.extend([7, 3, 1, 0x42, 0]);
    let name = b"wasi:io/error@0.2.6";
    component.extend([10, 24, 1, 0, 19]);
    component.extend(name);
    component.extend([5, 0]);
    let refused = support::host().load(&component).expect_err("an import that is not given");
    assert!(matches!(refused, LoadError::Imports(_)), "{refused}");
    assert!(refused.to_string().contains("`wasi:io/error@0.2.6`"), "{refused}");
}

#[test]
fn a_component_that_is_too_large_is_refused_before_anything_else() {
    let limits = Limits { component_bytes: 16, ..Limits::default() };
    let host =
        guardrail_host::Host::new(HostConfig { limits, ..HostConfig::default() }).expect("a host");
    assert!(matches!(host.load(&[0; 17]), Err(LoadError::TooLarge { bytes: 17, limit: 16 })));
}
