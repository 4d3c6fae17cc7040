//! What is counted and timed, and how it is shown. Each set of instruments belongs to the module that
//! uses it and is made there; [`Metrics`] shows them all, as Prometheus text and as Vault's JSON. Must
//! never hold a secret, nor a label whose values a caller can choose without end: `bounded` caps those.
//!
//! The instruments are the `prometheus` crate's: an addition is an atomic one. Its neighbour
//! `prometheus-client` forces `_total` on counters and knows no summaries, so it could not say Vault's
//! names ([`vault`]), and neither can be read back for the JSON form; `metrics` with its exporter brings
//! a registry of its own under one global name, where a test has several brokers.

mod aws;
mod bounded;
mod delivery;
mod gate;
mod instrument;
mod issues;
mod json;
mod leases;
mod own;
mod quotas;
mod requests;
mod rotations;
mod vault;
mod work;

use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};

pub use aws::{AwsCalls, Pace};
pub use delivery::{Deliveries, Repeated};
pub use gate::Verdicts;
pub use issues::Issues;
pub use leases::{LeaseAct, LeaseEvents};
pub use quotas::QuotaCounts;
pub use requests::{RequestLine, Requests};
pub use rotations::{RotatedKey, RotationEvents};
pub use work::{Compared, Jobs, Work};

/// What is wrong with what was counted.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The library refused to show it.
    #[error("the metrics cannot be shown: {0}")]
    Unshowable(#[from] prometheus::Error),
}

/// The sets of instruments of one broker; copies count together.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Of the wire.
    pub requests: Requests,
    /// Of the engine.
    pub issues: Issues,
    /// Of handing out.
    pub deliveries: Deliveries,
    /// Of rotated keys.
    pub rotations: RotationEvents,
    /// Of the leases.
    pub leases: LeaseEvents,
    /// Of the AWS client.
    pub aws: AwsCalls,
    /// Of the gate.
    pub verdicts: Verdicts,
}

/// What is not counted but looked up when somebody asks.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Seconds since 1970.
    pub now: i64,
    /// Leases that are not handed out yet.
    pub pending: u64,
    /// Active leases by the hour, in seconds since 1970, in which they end.
    pub active: Vec<(i64, u64)>,
    /// Leases that ended, and of which something may still be in AWS.
    pub ending: u64,
    /// Of these: the credential may still work.
    pub uncontained: u64,
    /// How long the oldest of those is being revoked, in seconds; 0 where there is none.
    pub oldest_uncontained_seconds: f64,
    /// Teardowns that failed so often that somebody should look.
    pub stuck: u64,
    /// Removed leases that are looked after once or twice more.
    pub settling: u64,
    /// Writes to the store since the start.
    pub store_writes: u64,
    /// Transactions that held them.
    pub store_commits: u64,
    /// How the accounts are paced.
    pub pace: Pace,
    /// Work beside the leases.
    pub work: Work,
}

impl Standing {
    /// All active leases.
    fn active_count(&self) -> u64 {
        self.active.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

/// Shows everything.
#[derive(Debug)]
pub struct Metrics {
    counted: Counted,
    quotas: QuotaCounts,
    registry: Registry,
    version: &'static str,
    api_version: &'static str,
}

impl Metrics {
    /// Over these instruments. `version` is the broker's own, `api_version` what it tells clients.
    pub fn new(counted: Counted, version: &'static str, api_version: &'static str) -> Self {
        let (registry, quotas) = (Registry::new(), QuotaCounts::default());
        for collector in [
            counted.requests.collectors(),
            counted.issues.collectors(),
            counted.deliveries.collectors(),
            counted.rotations.collectors(),
            counted.leases.collectors(),
            counted.aws.collectors(),
            counted.verdicts.collectors(),
            quotas.collectors(),
        ]
        .into_iter()
        .flatten()
        {
            // Refused only where two have one name, which the test below would see.
            if let Err(error) = registry.register(collector) {
                tracing::error!("a metric is not shown: {error}");
            }
        }
        Self { counted, quotas, registry, version, api_version }
    }

    /// What requests are counted with.
    pub fn requests(&self) -> &Requests {
        &self.counted.requests
    }

    /// What requests that were turned away are counted with.
    pub fn quotas(&self) -> &QuotaCounts {
        &self.quotas
    }

    /// In Prometheus' text format, version 0.0.4.
    pub fn text(&self, standing: &Standing) -> Result<String, MetricsError> {
        let mut families = self.own(standing);
        families.extend(self.vault(standing).into_iter().map(|named| named.family));
        Ok(TextEncoder::new().encode_to_string(&families)?)
    }

    /// As Vault's JSON has it.
    pub fn json(&self, standing: &Standing) -> serde_json::Value {
        let own = self.own(standing).into_iter();
        let mut named: Vec<_> = own.map(vault::Named::as_it_is).collect();
        named.extend(self.vault(standing));
        json::of(standing.now, &named)
    }

    fn own(&self, standing: &Standing) -> Vec<MetricFamily> {
        let mut families = self.registry.gather();
        families.extend(own::families(standing, self.version, self.api_version));
        families.extend(work::families(&standing.work, standing.now));
        families
    }

    fn vault(&self, standing: &Standing) -> Vec<vault::Named> {
        vault::families(&self.counted, standing)
    }
}

#[cfg(test)]
mod tests;
