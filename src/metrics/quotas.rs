//! Requests that a rate-limit quota turned away, by its name: quotas are few, and named by whoever runs the broker.
//! Counted by the wire.

use prometheus::IntCounterVec;

use super::bounded::Bounded;
use super::instrument::{Shown, counters};

/// What quotas turned away.
#[derive(Debug, Clone)]
pub struct QuotaCounts {
    total: IntCounterVec,
    bounded: Bounded,
}

impl Default for QuotaCounts {
    fn default() -> Self {
        let total = counters(
            "leasehold_quota_violations_total",
            "Requests that a rate-limit quota turned away.",
            &["quota"],
        );
        Self { total, bounded: Bounded::default() }
    }
}

impl QuotaCounts {
    /// A request was turned away.
    pub fn turned_away(&self, quota: &str) {
        self.total.with_label_values(&[self.bounded.label(quota)]).inc();
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![Box::new(self.total.clone())]
    }
}
