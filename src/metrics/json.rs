//! The JSON form, shaped as Vault's: gauges, counters, samples. Where Vault tells of the last ten seconds
//! we tell of everything since the start; what would need those seconds (rates, extremes, deviations) is
//! left out rather than made up.

use prometheus::proto::{Metric, MetricFamily, MetricType};
use serde_json::{Map, Value, json};

use super::instrument::float;
use super::vault::{Named, go_time};

pub(super) fn of(now: i64, families: &[Named]) -> Value {
    let (mut gauges, mut counters, mut samples) = (Vec::new(), Vec::new(), Vec::new());
    for Named { dotted, family } in families {
        for line in MetricFamily::get_metric(family) {
            let labels = labels(line);
            match family.get_field_type() {
                MetricType::GAUGE | MetricType::UNTYPED => {
                    let value = line.get_gauge().get_value();
                    gauges.push(json!({"Name": dotted, "Value": value, "Labels": labels}));
                }
                MetricType::COUNTER => {
                    let count = line.get_counter().get_value();
                    counters.push(sample(dotted, count, count, &labels));
                }
                MetricType::SUMMARY => {
                    let own = line.get_summary();
                    let count = float(own.sample_count());
                    samples.push(sample(dotted, count, own.sample_sum(), &labels));
                }
                MetricType::HISTOGRAM => {
                    let own = line.get_histogram();
                    let count = float(own.get_sample_count());
                    samples.push(sample(dotted, count, own.get_sample_sum(), &labels));
                }
            }
        }
    }
    json!({
        "Timestamp": go_time(now),
        "Gauges": gauges,
        "Points": [],
        "Counters": counters,
        "Samples": samples,
    })
}

fn sample(name: &str, count: f64, sum: f64, labels: &Value) -> Value {
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    // Without a point: Go's reader takes no `3.0` for a count.
    let count: Option<serde_json::Number> = count.to_string().parse().ok();
    json!({"Name": name, "Count": count, "Sum": sum, "Mean": mean, "Labels": labels})
}

fn labels(line: &Metric) -> Value {
    let pairs = line.get_label().iter();
    let labels: Map<String, Value> =
        pairs.map(|pair| (pair.name().to_owned(), pair.value().into())).collect();
    Value::Object(labels)
}
