//! What a plugin's answer comes to under its guardrail, and what it may depend on: a denial that findings carry, failures,
//! the time.

use guardrail_host::report::Finding as Found;
use guardrail_host::{Plugin, Report, Severity as HostSeverity, Verdict as Answer};

use super::component::Component;
use super::seen::Sees;
use super::*;
use crate::model::{Binding, Scope};

static LEAST: LazyLock<Plugin> =
    LazyLock::new(|| HOST.load(shipped("least-privilege").unwrap()).unwrap());

fn enforcing() -> Binding {
    Binding::shipped("least-privilege", Mode::Enforce)
}

/// The rules that deny when a plugin denies with these findings.
fn denying(binding: &Binding, found: &[(&str, HostSeverity)]) -> Vec<String> {
    let gate = scripted(Mode::Off, vec![Ok(Vec::new())]);
    let subject = Subject::of_grant(&grant(&gate, Some(SCOPED)), &gate.documents);
    let finding = |(rule, severity): &(&str, HostSeverity)| Found {
        rule: (*rule).to_owned(),
        severity: *severity,
        message: "found".to_owned(),
        at: Vec::new(),
        remediation: None,
        docs_url: None,
        patch: None,
        extras: Vec::new(),
    };
    let findings = found.iter().map(finding).collect();
    let report = Report { verdict: Answer::Deny("no".to_owned()), findings };
    let component = Component::new("own".to_owned(), LEAST.clone(), binding.clone());
    let findings = component.findings(report, &subject).into_iter();
    findings.filter(|finding| finding.denies).map(|finding| finding.rule).collect()
}

#[test]
fn a_finding_that_does_not_count_takes_no_denial_with_it() {
    let (high, medium) = (("grave", HostSeverity::High), ("middling", HostSeverity::Medium));
    let grave = || "grave".to_owned();
    assert_eq!(denying(&enforcing(), &[high, medium]), ["own/grave"]);
    assert_eq!(denying(&enforcing(), &[medium]), ["own/middling"]);
    let off = Binding { rules_off: [grave()].into(), ..enforcing() };
    assert_eq!(denying(&off, &[high, medium]), ["own/middling"]);
    let lighter = |severity| Binding { severities: [(grave(), severity)].into(), ..enforcing() };
    assert_eq!(denying(&lighter(Severity::Low), &[high, medium]), ["own/middling"]);
    // Lighter than critical and still of weight: it carries the denial, and the rest need not.
    let critical = ("grave", HostSeverity::Critical);
    assert_eq!(denying(&lighter(Severity::High), &[critical, medium]), ["own/grave"]);
    // Nothing is left to carry it.
    assert_eq!(denying(&off, &[high]), [""; 0]);
    assert_eq!(denying(&lighter(Severity::Low), &[high]), [""; 0]);
    // With a threshold the severities alone decide.
    let threshold = Binding { deny_at: Some(Severity::High), ..off };
    assert_eq!(denying(&threshold, &[high, medium]), [""; 0]);
}

#[tokio::test]
async fn a_verdict_that_was_reached_through_a_failure_has_a_digest_of_its_own() {
    let other = Trouble { code: "busy".to_owned(), detail: String::new() };
    let answers = vec![Err(trouble()), Err(other), Err(trouble()), Ok(Vec::new())];
    let gate = scripted(Mode::Warn, answers);
    let digest = async || gate.judge(grant(&gate, Some(SCOPED))).await.verdict.digest.clone();
    let (fuel, busy, again, well) =
        (digest().await, digest().await, digest().await, digest().await);
    assert_ne!(fuel, well);
    assert_ne!(busy, well);
    assert_ne!(fuel, busy);
    assert_eq!(fuel, again, "the same failure gives the same verdict");
    assert_eq!(digest().await, well, "known from before");
    assert_eq!(gate.probe(&gate.set(), &grant(&gate, Some(SCOPED))).await.verdict.digest, well);
}

#[tokio::test]
async fn a_guest_that_is_not_bound_to_see_the_time_sees_none_that_its_verdict_is_kept_without() {
    let gate = scripted(Mode::Off, vec![Ok(Vec::new())]);
    let seen = |millis: i64| {
        let now = Timestamp::from_millis(millis);
        let subject =
            Subject::of_grant(&Grant { now, ..grant(&gate, Some(SCOPED)) }, &gate.documents);
        let time = |time| Sees { time, ..Sees::default() };
        [false, true].map(|sees| subject.prepared(time(sees)).grant().now_unix_ms)
    };
    assert_eq!(seen(1_700_000_039_999), [0, 1_699_999_980_000]);
    assert_eq!(seen(1_700_000_040_000), [0, 1_700_000_040_000]);
}

#[tokio::test]
async fn a_verdict_of_a_guardrail_that_sees_the_time_counts_for_its_minute_and_its_scope() {
    let judging_at = async |gate: &Gate, millis: i64| {
        let now = Timestamp::from_millis(millis);
        let judged = gate.judge(Grant { now, ..grant(gate, Some(SCOPED)) }).await;
        (judged.verdict.digest.clone(), judged.fresh.is_some())
    };
    let bound = |binding: &Binding| {
        let component = Component::new("own".to_owned(), LEAST.clone(), binding.clone());
        judging(vec![Bound::new(Box::new(component), binding, None)])
    };
    let seeing = Binding { sees_time: true, ..enforcing() };
    let gate = bound(&seeing);
    let (first, fresh) = judging_at(&gate, 60_000).await;
    assert!(fresh);
    assert_eq!(judging_at(&gate, 119_999).await, (first.clone(), false), "known from before");
    let (later, fresh) = judging_at(&gate, 120_000).await;
    assert!(fresh && later != first, "the next minute is judged");

    let elsewhere = Scope { roles: vec!["other".to_owned()], ..Scope::default() };
    for blind in [
        Binding { scope: elsewhere, ..seeing.clone() },
        Binding { mode: Mode::Off, ..seeing },
        enforcing(),
    ] {
        let gate = bound(&blind);
        let (first, _) = judging_at(&gate, 0).await;
        assert_eq!(judging_at(&gate, 9_999_999).await, (first, false));
    }
}
