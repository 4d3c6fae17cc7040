//! Calls to AWS: how many, how they ended, how long they took, and how the accounts are paced. Counted
//! in [`crate::aws`], one attempt at a time; the operations are AWS's names, some thirty of them.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec};

use super::instrument::{SECONDS, Shown, counters, histograms};

/// How the accounts are paced right now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace {
    /// Accounts that AWS asked to slow down.
    pub slowed: u64,
    /// Calls a second that the slowest of them may make; `None` = all are free.
    pub slowest: Option<f64>,
}

/// Calls to AWS.
#[derive(Debug, Clone)]
pub struct AwsCalls {
    total: IntCounterVec,
    duration: HistogramVec,
}

impl Default for AwsCalls {
    fn default() -> Self {
        Self {
            total: counters(
                "leasehold_aws_calls_total",
                "Calls to AWS, each attempt, by how they ended.",
                &["operation", "outcome"],
            ),
            duration: histograms(
                "leasehold_aws_call_duration_seconds",
                "How long AWS took to answer an attempt, the wait for its turn not included.",
                &["operation"],
                SECONDS,
            ),
        }
    }
}

impl AwsCalls {
    /// An attempt was answered, or given up.
    pub fn answered(&self, operation: &'static str, outcome: &'static str, took: Duration) {
        self.total.with_label_values(&[operation, outcome]).inc();
        self.duration.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![Box::new(self.total.clone()), Box::new(self.duration.clone())]
    }
}
