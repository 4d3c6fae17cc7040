//! The life of leases: how often and how long each step of it takes, what teardown passes came to, and
//! how long a credential outlived its lease. Counted in [`crate::leases`].

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{HistogramVec, IntCounter, IntCounterVec, core::Collector};

use super::instrument::{LONG, SECONDS, Shown, counters, histograms};

/// Steps in the life of a lease, by Vault's names for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseAct {
    /// The row is active: the credential may be handed out.
    Register,
    /// Its end was moved.
    Renew,
    /// Somebody asked for its end and waited for the first pass.
    Revoke,
    /// One pass of a teardown, whoever wanted it.
    Pass,
}

impl LeaseAct {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
            Self::Pass => "pass",
        }
    }
}

/// What happens to leases.
#[derive(Debug, Clone)]
pub struct LeaseEvents {
    acts: HistogramVec,
    passes: IntCounterVec,
    containment: HistogramVec,
    removal: HistogramVec,
    expired: IntCounterVec,
    lateness: HistogramVec,
    cuts: IntCounterVec,
}

impl Default for LeaseEvents {
    fn default() -> Self {
        let cuts = counters(
            "leasehold_session_revocations_total",
            "Sessions of roles that were to be cut off before their end, by the means.",
            &["by", "outcome"],
        );
        for by in ["tag", "older"] {
            for outcome in ["cut", "failed"] {
                cuts.with_label_values(&[by, outcome]);
            }
        }
        Self {
            cuts,
            acts: histograms(
                "leasehold_lease_operation_duration_seconds",
                "How long the steps in the life of a lease take.",
                &["operation"],
                SECONDS,
            ),
            passes: counters(
                "leasehold_teardown_passes_total",
                "Passes over an ended lease's user, and what came of them.",
                &["outcome"],
            ),
            containment: histograms(
                "leasehold_containment_seconds",
                "From the end of a lease until its credential was known not to work.",
                &[],
                LONG,
            ),
            removal: histograms(
                "leasehold_removal_seconds",
                "From the end of a lease until its user was gone.",
                &[],
                LONG,
            ),
            expired: counters(
                "leasehold_lease_expirations_total",
                "Leases that ended by themselves, and failed passes over those.",
                &["event"],
            ),
            lateness: histograms(
                "leasehold_lease_expiration_lateness_seconds",
                "From the moment in which a lease should have ended until its end began.",
                &[],
                LONG,
            ),
        }
    }
}

impl LeaseEvents {
    /// A step took so long.
    pub fn took(&self, act: LeaseAct, took: Duration) {
        self.acts.with_label_values(&[act.as_str()]).observe(took.as_secs_f64());
    }

    /// A pass came to `outcome`: `removed`, `absent`, or a class of failure.
    pub fn passed(&self, outcome: &'static str) {
        self.passes.with_label_values(&[outcome]).inc();
    }

    /// The credential of a lease that ended `after` ago does not work any more.
    pub fn contained(&self, after: Duration) {
        self.containment.with_label_values::<&str>(&[]).observe(after.as_secs_f64());
    }

    /// The user of a lease that ended `after` ago is gone.
    pub fn removed(&self, after: Duration) {
        self.removal.with_label_values::<&str>(&[]).observe(after.as_secs_f64());
    }

    /// A lease's time was over, `late` ago.
    pub fn expired(&self, late: Duration) {
        self.expirations("begun").inc();
        self.lateness.with_label_values::<&str>(&[]).observe(late.as_secs_f64());
    }

    /// A pass over a lease whose time was over failed.
    pub fn expiration_failed(&self) {
        self.expirations("failed").inc();
    }

    /// A session was cut off by that means, or could not be, which is tried again.
    pub fn cut_off(&self, by: &'static str, done: bool) {
        let outcome = if done { "cut" } else { "failed" };
        self.cuts.with_label_values(&[by, outcome]).inc();
    }

    fn expirations(&self, event: &str) -> IntCounter {
        self.expired.with_label_values(&[event])
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![
            Box::new(self.acts.clone()),
            Box::new(self.passes.clone()),
            Box::new(self.containment.clone()),
            Box::new(self.removal.clone()),
            Box::new(self.expired.clone()),
            Box::new(self.lateness.clone()),
            Box::new(self.cuts.clone()),
        ]
    }

    /// Expirations begun and passes that failed, for Vault's `expire.lease_expiration`.
    pub(super) fn expirations_so_far(&self) -> (u64, u64) {
        (self.expirations("begun").get(), self.expirations("failed").get())
    }

    /// The steps, for Vault's `expire.…`.
    pub(super) fn acts(&self) -> Vec<MetricFamily> {
        self.acts.collect()
    }

    /// For Vault's `expire.lease_expiration.time_in_queue`.
    pub(super) fn lateness(&self) -> Vec<MetricFamily> {
        self.lateness.collect()
    }
}
