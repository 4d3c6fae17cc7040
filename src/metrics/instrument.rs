//! Making instruments, and families of numbers that are looked up: the crate `prometheus` as the other
//! files here use it. Names, helps and labels are constants of this module; [`super::Metrics`] shows
//! them.

use prometheus::core::Collector;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType, Summary};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts};

/// Something to show.
pub(super) type Shown = Box<dyn Collector>;

/// Seconds, from a read in the cache (tens of microseconds) to the longest step of an issue (a minute).
pub(super) const SECONDS: &[f64] =
    &[0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Seconds, from one pass (three round trips) to days of back-off.
pub(super) const LONG: &[f64] =
    &[0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];

/// Counters by label values.
#[expect(clippy::expect_used, reason = "the names are constants, and a test makes them all")]
pub(super) fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("a good name")
}

/// A whole number that goes up and down.
#[expect(clippy::expect_used, reason = "the names are constants, and a test makes them all")]
pub(super) fn whole_gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::new(name, help).expect("a good name")
}

/// Histograms by label values.
#[expect(clippy::expect_used, reason = "the names are constants, and a test makes them all")]
pub(super) fn histograms(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    HistogramVec::new(options, labels).expect("a good name")
}

/// Label names and values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

fn metric(labels: Labels<'_>) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

/// A number that goes up and down.
pub(super) fn gauge(labels: Labels<'_>, value: f64) -> Metric {
    let (mut metric, mut gauge) = (metric(labels), Gauge::default());
    gauge.set_value(value);
    metric.set_gauge(gauge);
    metric
}

/// A number that goes up.
pub(super) fn counter(labels: Labels<'_>, value: f64) -> Metric {
    let (mut metric, mut counter) = (metric(labels), Counter::default());
    counter.set_value(value);
    metric.set_counter(counter);
    metric
}

/// How often, and how much together.
pub(super) fn summary(labels: Labels<'_>, count: u64, sum: f64) -> Metric {
    let (mut metric, mut summary) = (metric(labels), Summary::default());
    summary.set_sample_count(count);
    summary.set_sample_sum(sum);
    metric.set_summary(summary);
    metric
}

/// A family of these.
pub(super) fn family(
    name: &str,
    help: &str,
    kind: MetricType,
    metrics: Vec<Metric>,
) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

/// A count as the formats have it.
pub(super) fn float(count: u64) -> f64 {
    // Exact up to 2^53.
    u32::try_from(count).map_or_else(
        |_| {
            let (high, low) = (count >> 32, count & 0xffff_ffff);
            let part = |half: u64| f64::from(u32::try_from(half).unwrap_or(u32::MAX));
            part(high) * 4_294_967_296.0 + part(low)
        },
        f64::from,
    )
}
