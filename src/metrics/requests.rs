//! Requests by route, operation and status, and how long they took; Vault's times by mount and
//! operation. A route's instruments are made once and kept by the wire as a [`RequestLine`], so that a
//! request costs atomic additions and one look-up of its mount.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, core::Collector};

use super::bounded::Bounded;
use super::instrument::{SECONDS, Shown, counters, histograms};

/// The statuses that the broker answers with; any other counts as `other`.
const STATUSES: [(u16, &str); 15] = [
    (200, "200"),
    (202, "202"),
    (204, "204"),
    (307, "307"),
    (400, "400"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (409, "409"),
    (412, "412"),
    (413, "413"),
    (429, "429"),
    (500, "500"),
    (502, "502"),
    (503, "503"),
];

/// Requests.
#[derive(Debug, Clone)]
pub struct Requests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: IntCounterVec,
    duration: HistogramVec,
    by_mount: HistogramVec,
    /// The same, found without making a label.
    mounts: RwLock<HashMap<Box<str>, HashMap<&'static str, Histogram>>>,
    bounded: Bounded,
}

/// The instruments of one route and operation.
#[derive(Debug)]
pub struct RequestLine {
    total: IntCounterVec,
    route: String,
    operation: &'static str,
    statuses: [OnceLock<IntCounter>; STATUSES.len() + 1],
    duration: Histogram,
}

impl RequestLine {
    /// A request was answered.
    pub fn answered(&self, status: u16, took: Duration) {
        let known = STATUSES.iter().position(|(number, _)| *number == status);
        let label = known.and_then(|at| STATUSES.get(at)).map_or("other", |(_, label)| *label);
        if let Some(slot) = self.statuses.get(known.unwrap_or(STATUSES.len())) {
            slot.get_or_init(|| {
                self.total.with_label_values(&[self.route.as_str(), self.operation, label])
            })
            .inc();
        }
        self.duration.observe(took.as_secs_f64());
    }
}

impl Default for Requests {
    fn default() -> Self {
        let total = counters(
            "leasehold_http_requests_total",
            "Requests by the pattern of their route, operation and status.",
            &["route", "operation", "status"],
        );
        let duration = histograms(
            "leasehold_http_request_duration_seconds",
            "How long requests took, from the first check to the finished answer.",
            &["route"],
            SECONDS,
        );
        // Shown by Vault's names only.
        let by_mount = histograms(
            "leasehold_mount_request_duration_seconds",
            "How long requests to engines took.",
            &["operation", "mount"],
            &[1.0],
        );
        let (mounts, bounded) = (RwLock::default(), Bounded::default());
        Self(Arc::new(Inner { total, duration, by_mount, mounts, bounded }))
    }
}

impl Requests {
    /// The instruments of a route, by its pattern, and an operation.
    pub fn line(&self, route: String, operation: &'static str) -> RequestLine {
        RequestLine {
            total: self.0.total.clone(),
            duration: self.0.duration.with_label_values(&[route.as_str()]),
            route,
            operation,
            statuses: std::array::from_fn(|_| OnceLock::new()),
        }
    }

    /// A request to an engine was answered.
    pub fn of_mount(&self, mount: &str, operation: &'static str, took: Duration) {
        let seconds = took.as_secs_f64();
        let known = self.0.mounts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = known.get(mount).and_then(|own| own.get(operation)) {
            histogram.observe(seconds);
            return;
        }
        drop(known);
        let label = self.0.bounded.label(mount);
        let histogram = self.0.by_mount.with_label_values(&[operation, label]);
        histogram.observe(seconds);
        if label == mount {
            let mut known = self.0.mounts.write().unwrap_or_else(PoisonError::into_inner);
            known.entry(mount.into()).or_default().insert(operation, histogram);
        }
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![Box::new(self.0.total.clone()), Box::new(self.0.duration.clone())]
    }

    /// By route, for Vault's `core.handle_request`.
    pub(super) fn by_route(&self) -> Vec<MetricFamily> {
        self.0.duration.collect()
    }

    /// By operation and mount, for Vault's `route.…`.
    pub(super) fn by_mount(&self) -> Vec<MetricFamily> {
        self.0.by_mount.collect()
    }
}
