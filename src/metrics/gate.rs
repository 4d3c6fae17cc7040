//! Verdicts of the gate: how many of which kind, and how long reaching one took. A verdict that was
//! known already costs an addition. Counted in [`crate::gate`].

use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use super::instrument::{SECONDS, Shown, counters, histograms};

/// Verdicts of the gate.
#[derive(Debug, Clone)]
pub struct Verdicts {
    total: IntCounterVec,
    known: [IntCounter; 2],
    judged: [IntCounter; 2],
    durations: HistogramVec,
    duration: Histogram,
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
        Self { total, known, judged, durations, duration }
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

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![Box::new(self.total.clone()), Box::new(self.durations.clone())]
    }
}
