//! The same numbers by the names that dashboards for Vault ask for (contract 5.4): dots in the JSON form,
//! underscores in the text form. Times are milliseconds, as Vault's are, and have a count and a sum but
//! no quantiles: for those there are the histograms of our own.

use std::collections::BTreeMap;

use prometheus::proto::{Metric, MetricFamily, MetricType};
use time::OffsetDateTime;
use time::macros::format_description;

use super::instrument::{counter, family, float, gauge, summary};
use super::{Counted, LeaseAct, Standing};

/// A family, and its name in the JSON form.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) dotted: String,
    pub(super) family: MetricFamily,
}

impl Named {
    /// With the name it has.
    pub(super) fn as_it_is(family: MetricFamily) -> Self {
        Self { dotted: family.name().to_owned(), family }
    }

    fn new(dotted: &str, kind: MetricType, metrics: Vec<Metric>) -> Self {
        // As Vault's library for metrics does it.
        let name: String = dotted
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
            .collect();
        let help = format!("Vault's `{dotted}`.");
        Self { dotted: dotted.to_owned(), family: family(&name, &help, kind, metrics) }
    }
}

/// Vault looks a week ahead, hour by hour.
const HOURS_AHEAD: i64 = 168;
const HOUR: i64 = 3_600;

pub(super) fn families(counted: &Counted, standing: &Standing) -> Vec<Named> {
    let one = |name: &str, value: f64| Named::new(name, MetricType::GAUGE, vec![gauge(&[], value)]);
    let so_far = |name: &str, value: u64| {
        Named::new(name, MetricType::COUNTER, vec![counter(&[], float(value))])
    };
    let held = standing.active_count().saturating_add(standing.ending);
    let (expired, failed) = counted.leases.expirations_so_far();
    let mut families = vec![
        // Whoever reads this is answered by a broker that is both.
        one("vault.core.unsealed", 1.0),
        one("vault.core.active", 1.0),
        one("vault.expire.num_leases", float(held)),
        // Nothing is ever given up.
        one("vault.expire.num_irrevocable_leases", 0.0),
        Named::new("vault.expire.leases.by_expiration", MetricType::GAUGE, by_hour(standing)),
        so_far("vault.expire.lease_expiration", expired),
        so_far("vault.expire.lease_expiration.error", failed),
        timed(
            "vault.expire.lease_expiration.time_in_queue",
            Times::of(counted.leases.lateness().iter()),
        ),
        timed("vault.core.handle_request", Times::of(counted.requests.by_route().iter())),
        Named::new("vault.secret.lease.creation", MetricType::COUNTER, counted.issues.created()),
    ];
    families.extend(acts(counted));
    families.extend(routes(counted));
    // A family without a line is none to the text format.
    families.retain(|named| !named.family.get_metric().is_empty());
    families
}

/// Vault's gauge of the hours in which leases end.
fn by_hour(standing: &Standing) -> Vec<Metric> {
    let horizon = standing.now.saturating_add(HOURS_AHEAD.saturating_mul(HOUR));
    let comes = |hour: i64| hour.saturating_add(HOUR) > standing.now && hour < horizon;
    let coming = standing.active.iter().filter(|(hour, _)| comes(*hour));
    let metrics = coming.map(|(hour, count)| {
        gauge(&[("namespace", "root"), ("expiring", &go_time(*hour))], float(*count))
    });
    metrics.collect()
}

/// A moment as Go prints it.
pub(super) fn go_time(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] +0000 UTC");
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
    moment.and_then(|moment| moment.format(format).ok()).unwrap_or_default()
}

fn acts(counted: &Counted) -> Vec<Named> {
    let families = counted.leases.acts();
    let of = |act: LeaseAct| {
        let lines = lines(&families);
        Times::sum(lines.filter(|line| label(line, "operation") == act.as_str()))
    };
    [
        (LeaseAct::Register, "vault.expire.register"),
        (LeaseAct::Renew, "vault.expire.renew"),
        (LeaseAct::Revoke, "vault.expire.revoke"),
        (LeaseAct::Pass, "vault.expire.revoke-common"),
    ]
    .map(|(act, name)| timed(name, of(act)))
    .into()
}

/// `vault.route.read.aws-`: the path of the mount with a dash for each slash.
fn routes(counted: &Counted) -> Vec<Named> {
    let families = counted.requests.by_mount();
    let mut by_name: BTreeMap<String, Times> = BTreeMap::new();
    for line in lines(&families) {
        let (operation, mount) = (label(line, "operation"), label(line, "mount"));
        let name = format!("vault.route.{operation}.{}", mount.replace('/', "-"));
        by_name.entry(name).or_default().add(line);
    }
    by_name.into_iter().map(|(name, times)| timed(&name, times)).collect()
}

fn lines(families: &[MetricFamily]) -> impl Iterator<Item = &Metric> {
    families.iter().flat_map(MetricFamily::get_metric)
}

fn label<'a>(line: &'a Metric, name: &str) -> &'a str {
    let pair = line.get_label().iter().find(|pair| pair.name() == name);
    pair.map_or("", |pair| pair.value())
}

/// How often, and how long together.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    count: u64,
    seconds: f64,
}

impl Times {
    fn of<'a>(families: impl Iterator<Item = &'a MetricFamily>) -> Self {
        Self::sum(families.flat_map(MetricFamily::get_metric))
    }

    fn sum<'a>(lines: impl Iterator<Item = &'a Metric>) -> Self {
        let mut all = Self::default();
        lines.for_each(|line| all.add(line));
        all
    }

    fn add(&mut self, line: &Metric) {
        let histogram = line.get_histogram();
        self.count = self.count.saturating_add(histogram.get_sample_count());
        self.seconds += histogram.get_sample_sum();
    }
}

fn timed(name: &str, times: Times) -> Named {
    let line = summary(&[], times.count, times.seconds * 1_000.0);
    Named::new(name, MetricType::SUMMARY, vec![line])
}
