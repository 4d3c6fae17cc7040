use guardrail_host::{Failure, Severity, Verdict};
use serde_json::json;

use super::*;

fn expected(rule: &str, severity: &str, pointer: &str) -> ExpectedFinding {
    let form = json!({"rule": rule, "severity": severity, "document": 0, "pointer": pointer});
    serde_json::from_value(form).unwrap()
}

fn found(rule: &str, severity: Severity, pointer: &str) -> Finding {
    Finding {
        rule: rule.into(),
        severity,
        message: format!("{rule} is here"),
        at: vec![Location { document: 0, pointer: pointer.into() }],
        remediation: None,
        docs_url: None,
        patch: None,
        extras: Vec::new(),
    }
}

fn told(expected: &[ExpectedFinding], actual: Vec<Finding>) -> Vec<String> {
    let report = Report { verdict: Verdict::Warn, findings: actual };
    findings(expected, &report).iter().map(ToString::to_string).collect()
}

fn evaluation(result: Result<Report, Failure>) -> Evaluation {
    Evaluation {
        result,
        fuel_used: 500,
        memory_bytes: 0,
        log: Vec::new(),
        log_dropped: 0,
        host_calls: 0,
    }
}

#[test]
fn another_severity_or_place_of_a_rule_is_one_difference() {
    let differences = told(
        &[expected("a", "high", "/0"), expected("b", "low", "/1"), expected("c", "low", "/2")],
        vec![found("a", Severity::Low, "/0"), found("b", Severity::Low, "/9")],
    );
    assert_eq!(
        differences,
        [
            "finding: expected high a at document 0 `/0`, got low a at document 0 `/0`",
            "finding: expected low b at document 0 `/1`, got low b at document 0 `/9`",
            "finding: expected low c at document 0 `/2`, got none of this rule",
        ]
    );
}

#[test]
fn findings_that_nobody_expected_and_another_order_are_differences() {
    let (a, b) = (expected("a", "low", "/0"), expected("b", "low", "/1"));
    let both = || vec![found("a", Severity::Low, "/0"), found("b", Severity::Low, "/1")];
    assert_eq!(told(&[a.clone(), b.clone()], both()), Vec::<String>::new());
    assert_eq!(
        told(std::slice::from_ref(&a), both()),
        ["finding: expected none here, got low b at document 0 `/1`: b is here"]
    );
    let order = told(&[b, a], both());
    assert_eq!(order.len(), 1);
    assert!(order[0].starts_with("order: expected low b at document 0 `/1`, then low a"));
}

#[test]
fn the_sentence_of_a_finding_counts_where_it_is_written() {
    let mut a = expected("a", "low", "/0");
    a.message = Some("a was there".into());
    assert_eq!(
        told(&[a], vec![found("a", Severity::Low, "/0")]),
        ["message: expected a was there, got a is here"]
    );
}

#[test]
fn a_failure_is_no_verdict_unless_it_is_expected() {
    let failed = evaluation(Err(Failure::Unsupported("no roles".into())));
    let expect = |verdict: &str| -> Expect {
        serde_json::from_value(json!({"verdict": verdict, "fuel_max": 499})).unwrap()
    };
    let told = |verdict: &str| {
        all(&expect(verdict), &failed).iter().map(|one| one.what).collect::<Vec<_>>()
    };
    assert_eq!(told("any"), ["verdict", "fuel"]);
    assert_eq!(told("failure/unsupported"), ["fuel"]);
    assert_eq!(told("trap"), ["verdict", "fuel"]);
}
