//! Verdicts of the gate: how many of which kind, and how long reaching one took. A verdict that was
//! known already costs an addition. Counted in [`crate::gate`].

use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge};

use super::instrument::{SECONDS, Shown, counters, histograms, whole_gauge};

/// Verdicts of the gate.
#[derive(Debug, Clone)]
pub struct Verdicts {
    total: IntCounterVec,
    known: [IntCounter; 2],
    judged: [IntCounter; 2],
    durations: HistogramVec,
    duration: Histogram,
    findings: IntCounterVec,
    denials: IntCounterVec,
    failures: IntCounterVec,
    suspended: IntGauge,
}

impl Default for Verdicts {
    fn default() -> Self {
        let total = counters(
            "leasehold_gate_verdicts_total",
            "Verdicts on grants, and whether they were reached now or known from before.",
            &["decision", "source"],
        );
        let durations = histograms(
            "leasehold_gate_duration_seconds",
            "How long reaching a verdict took, guardrails included.",
            &[],
            SECONDS,
        );
        let of =
            |source| ["deny", "allow"].map(|decision| total.with_label_values(&[decision, source]));
        let (known, judged) = (of("known"), of("judged"));
        let duration = durations.with_label_values::<&str>(&[]);
        let findings = counters(
            "leasehold_guardrail_findings_total",
            "Findings in verdicts, known ones included, by the guardrail or own rule that has them.",
            &["guardrail"],
        );
        let denials = counters(
            "leasehold_guardrail_denials_total",
            "Findings in verdicts that deny, by the guardrail or own rule that has them.",
            &["guardrail"],
        );
        let failures = counters(
            "leasehold_guardrail_failures_total",
            "Failures of guardrails, by kind, and what they led to.",
            &["guardrail", "kind", "led_to"],
        );
        let suspended = whole_gauge(
            "leasehold_guardrails_suspended",
            "Guardrails that are suspended: the glass was broken.",
        );
        Self { total, known, judged, durations, duration, findings, denials, failures, suspended }
    }
}

impl Verdicts {
    /// It was reached before.
    pub fn known(&self, allows: bool) {
        let [deny, allow] = &self.known;
        let one = if allows { allow } else { deny };
        one.inc();
    }

    /// It was reached now.
    pub fn judged(&self, allows: bool, took: Duration) {
        let [deny, allow] = &self.judged;
        let one = if allows { allow } else { deny };
        one.inc();
        self.duration.observe(took.as_secs_f64());
    }

    /// A finding of a guardrail, or of our own rules, is in a verdict. Their number is bounded by what is bound.
    pub fn found(&self, guardrail: &str, denies: bool) {
        self.findings.with_label_values(&[guardrail]).inc();
        if denies {
            self.denials.with_label_values(&[guardrail]).inc();
        }
    }

    /// A guardrail failed.
    pub fn failed(&self, guardrail: &str, kind: &str, led_to: &str) {
        self.failures.with_label_values(&[guardrail, kind, led_to]).inc();
    }

    /// How many guardrails are suspended now.
    pub fn suspended(&self, count: usize) {
        self.suspended.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![
            Box::new(self.total.clone()),
            Box::new(self.durations.clone()),
            Box::new(self.findings.clone()),
            Box::new(self.denials.clone()),
            Box::new(self.failures.clone()),
            Box::new(self.suspended.clone()),
        ]
    }
}
