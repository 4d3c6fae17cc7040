//! Issues: how many of which type under which mount, how they ended, how long they took; and Vault's
//! count of leases by mount and lifetime. Counted in [`crate::engine`]. Roles and callers are no labels:
//! there is no end to them.

use std::time::Duration;

use prometheus::proto::Metric;
use prometheus::{HistogramVec, IntCounterVec, core::Collector};

use super::bounded::Bounded;
use super::instrument::{SECONDS, Shown, counters, histograms};

/// Issues of credentials.
#[derive(Debug, Clone)]
pub struct Issues {
    total: IntCounterVec,
    duration: HistogramVec,
    created: IntCounterVec,
    mounts: Bounded,
}

impl Default for Issues {
    fn default() -> Self {
        Self {
            total: counters(
                "leasehold_issues_total",
                "Requests for a credential from a role that exists, by how they ended.",
                &["type", "mount", "outcome"],
            ),
            duration: histograms(
                "leasehold_issue_duration_seconds",
                "How long it took until a credential was handed out.",
                &["type"],
                SECONDS,
            ),
            created: counters(
                "vault_secret_lease_creation",
                "Leases by mount and lifetime.",
                &["namespace", "secret_engine", "mount_point", "creation_ttl"],
            ),
            mounts: Bounded::default(),
        }
    }
}

impl Issues {
    /// A credential was handed out under the mount at `mount`, for `ttl`.
    pub fn issued(&self, kind: &str, mount: &str, ttl: Duration, took: Duration) {
        let mount = self.mounts.label(mount);
        self.total.with_label_values(&[kind, mount, "issued"]).inc();
        self.duration.with_label_values(&[kind]).observe(took.as_secs_f64());
        self.created.with_label_values(&["root", "aws", mount, lifetime(ttl)]).inc();
    }

    /// None was handed out.
    pub fn failed(&self, kind: &str, mount: &str, outcome: &'static str) {
        self.total.with_label_values(&[kind, self.mounts.label(mount), outcome]).inc();
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![Box::new(self.total.clone()), Box::new(self.duration.clone())]
    }

    /// For Vault's `secret.lease.creation`.
    pub(super) fn created(&self) -> Vec<Metric> {
        self.created.collect().into_iter().flat_map(|mut family| family.take_metric()).collect()
    }
}

/// Vault's classes of lifetimes: each the shortest that holds the lease.
fn lifetime(ttl: Duration) -> &'static str {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let classes = [
        (MINUTE, "1m"),
        (10 * MINUTE, "10m"),
        (20 * MINUTE, "20m"),
        (HOUR, "1h"),
        (2 * HOUR, "2h"),
        (DAY, "1d"),
        (2 * DAY, "2d"),
        (7 * DAY, "7d"),
        (30 * DAY, "30d"),
    ];
    let holds = |(most, _): &&(u64, &str)| ttl <= Duration::from_secs(*most);
    classes.iter().find(holds).map_or("+Inf", |(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_in_the_shortest_class_that_holds_it() {
        let cases = [(60, "1m"), (61, "10m"), (3_600, "1h"), (3_601, "2h"), (2_764_800, "+Inf")];
        for (seconds, class) in cases {
            assert_eq!(lifetime(Duration::from_secs(seconds)), class);
        }
    }
}
