//! Our own numbers that are looked up when somebody asks: leases as they stand, the store, the pace of
//! the accounts, the build. What they mean and which to alert on: `docs/METRICS.md`.

use prometheus::proto::{MetricFamily, MetricType};

use super::Standing;
use super::instrument::{counter, family, float, gauge};

pub(super) fn families(standing: &Standing, version: &str, api_version: &str) -> Vec<MetricFamily> {
    let one = |name: &str, help: &str, value: f64| {
        family(name, help, MetricType::GAUGE, vec![gauge(&[], value)])
    };
    let so_far = |name: &str, help: &str, value: u64| {
        family(name, help, MetricType::COUNTER, vec![counter(&[], float(value))])
    };
    let build = gauge(&[("version", version), ("api_version", api_version)], 1.0);
    let mut families = vec![
        family(
            "leasehold_build_info",
            "What runs: its version, and the one that it tells clients.",
            MetricType::GAUGE,
            vec![build],
        ),
        by_state(standing),
        one(
            "leasehold_leases_uncontained",
            "Ended leases whose credential may still work.",
            float(standing.uncontained),
        ),
        one(
            "leasehold_oldest_uncontained_seconds",
            "How long the oldest of those is ending, 0 where there is none.",
            standing.oldest_uncontained_seconds,
        ),
        one(
            "leasehold_leases_stuck",
            "Teardowns that failed at least six times in a row; they go on.",
            float(standing.stuck),
        ),
        one(
            "leasehold_aws_slowed_accounts",
            "Accounts whose calls are paced since AWS asked to slow down.",
            float(standing.pace.slowed),
        ),
        so_far(
            "leasehold_store_writes_total",
            "Writes that were committed or refused.",
            standing.store_writes,
        ),
        so_far(
            "leasehold_store_commits_total",
            "Transactions that held them: writes by commits is how many share a wait for the disk.",
            standing.store_commits,
        ),
    ];
    if let Some(slowest) = standing.pace.slowest {
        families.push(one(
            "leasehold_aws_rate_limit",
            "Calls a second that the slowest paced account may make; absent while all are free.",
            slowest,
        ));
    }
    families
}

fn by_state(standing: &Standing) -> MetricFamily {
    let states = [
        ("pending", standing.pending),
        ("active", standing.active_count()),
        ("ending", standing.ending),
        ("settling", standing.settling),
    ];
    let metrics = states.map(|(state, count)| gauge(&[("state", state)], float(count)));
    family(
        "leasehold_leases",
        "Leases by where they are in their life.",
        MetricType::GAUGE,
        metrics.to_vec(),
    )
}
