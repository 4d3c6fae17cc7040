//! What belongs to handing a credential out: whether its key was seen to work and how long that took,
//! where documents were put, which requests were sent again. Counted in [`crate::engine`]; every label
//! value is a constant there.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec};

use super::instrument::{SECONDS, Shown, counters, histograms};

/// Every way in which readiness can end: the role's mode, and what came of it.
const READINESS: [[&str; 2]; 5] = [
    ["wait", "proven"],
    ["wait", "unproven"],
    ["async", "proven"],
    ["async", "unproven"],
    ["off", "not_asked"],
];

/// What became of a request that named itself and was not the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// It got the answer of the first.
    Replayed,
    /// The answer is not kept any more: it was told which lease there is.
    TooLate,
    /// Its key is another request's.
    Mismatch,
}

impl Repeated {
    const ALL: [Self; 3] = [Self::Replayed, Self::TooLate, Self::Mismatch];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::TooLate => "too_late",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Handing out.
#[derive(Debug, Clone)]
pub struct Deliveries {
    readiness: IntCounterVec,
    waited: HistogramVec,
    placed: IntCounterVec,
    repeated: IntCounterVec,
}

impl Default for Deliveries {
    fn default() -> Self {
        let made = Self {
            readiness: counters(
                "leasehold_readiness_total",
                "Fresh keys, by the readiness of their role and whether they were seen to work.",
                &["mode", "outcome"],
            ),
            waited: histograms(
                "leasehold_readiness_wait_seconds",
                "How long a fresh key was looked at.",
                &["mode"],
                SECONDS,
            ),
            placed: counters(
                "leasehold_placements_total",
                "Users that were given their document, by where it was put.",
                &["placement"],
            ),
            repeated: counters(
                "leasehold_idempotency_total",
                "Requests whose Idempotency-Key was used before, by what they got.",
                &["outcome"],
            ),
        };
        // They stand there before the first: a rate has something to begin with.
        for values in &READINESS {
            made.readiness.with_label_values(values);
        }
        for placement in ["inline", "managed"] {
            made.placed.with_label_values(&[placement]);
        }
        for repeated in Repeated::ALL {
            made.repeated.with_label_values(&[repeated.as_str()]);
        }
        made
    }
}

impl Deliveries {
    /// A key was looked at for so long, by a role of that mode, and seen to work or not.
    pub fn looked(&self, mode: &'static str, proven: bool, waited: Duration) {
        let outcome = if proven { "proven" } else { "unproven" };
        self.readiness.with_label_values(&[mode, outcome]).inc();
        self.waited.with_label_values(&[mode]).observe(waited.as_secs_f64());
    }

    /// Nobody looks at a key: the role says so.
    pub fn not_looked(&self) {
        self.readiness.with_label_values(&["off", "not_asked"]).inc();
    }

    /// A user got its document, in a policy of that placement.
    pub fn placed(&self, placement: &'static str) {
        self.placed.with_label_values(&[placement]).inc();
    }

    /// A request was not the first of its key.
    pub fn repeated(&self, how: Repeated) {
        self.repeated.with_label_values(&[how.as_str()]).inc();
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![
            Box::new(self.readiness.clone()),
            Box::new(self.waited.clone()),
            Box::new(self.placed.clone()),
            Box::new(self.repeated.clone()),
        ]
    }
}
