//! Work beside the leases as it stands, looked up when somebody asks: the last comparison, the quarantine,
//! jobs, overdue rotations, the last backup. What each means and which to alert on: `docs/METRICS.md`.

use prometheus::proto::{MetricFamily, MetricType};

use super::RotatedKey;
use super::instrument::{family, float, gauge};

/// The last comparison of AWS with the leases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// When it ended, in seconds since 1970.
    pub finished: i64,
    /// Users without a lease.
    pub orphans: u64,
    /// Policies without a lease.
    pub orphan_policies: u64,
    /// Leases without their user.
    pub missing: u64,
    /// Leases whose user could not be looked for.
    pub not_looked: u64,
    /// Accounts that could not be read to the end.
    pub failed: u64,
}

/// Jobs that revoke many leases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Running, and still marking their leases.
    pub marking: u64,
    /// Running, and all their leases are marked.
    pub running: u64,
    /// Paused.
    pub paused: u64,
    /// Done, and not yet forgotten.
    pub done: u64,
    /// Marked leases of those that are not done that are still to be removed.
    pub left: u64,
}

/// Work as it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// `None` before the first.
    pub compared: Option<Compared>,
    /// Whether a restored database waits for a word.
    pub quarantined: bool,
    /// Jobs.
    pub jobs: Jobs,
    /// Root keys that should have been rotated by now.
    pub overdue_root: u64,
    /// Keys of static roles that should have been rotated by now.
    pub overdue_static: u64,
    /// When the last backup was taken, in seconds since 1970; `None` where none is known of.
    pub last_backup: Option<i64>,
}

pub(super) fn families(work: &Work, now: i64) -> Vec<MetricFamily> {
    let one = |name: &str, help: &str, value: f64| {
        family(name, help, MetricType::GAUGE, vec![gauge(&[], value)])
    };
    let mut families = vec![
        one(
            "leasehold_quarantined",
            "1 while a restored database waits for a word, and nothing is issued or torn down.",
            if work.quarantined { 1.0 } else { 0.0 },
        ),
        labelled(
            "leasehold_revocation_jobs",
            "Jobs that revoke many leases, by state.",
            "state",
            &[
                ("marking", work.jobs.marking),
                ("running", work.jobs.running),
                ("paused", work.jobs.paused),
                ("done", work.jobs.done),
            ],
        ),
        one(
            "leasehold_revocation_job_leases_left",
            "Marked leases of unfinished jobs that are still to be removed.",
            float(work.jobs.left),
        ),
        labelled(
            "leasehold_rotations_overdue",
            "Keys that should have been rotated by now.",
            "key",
            &[
                (RotatedKey::Root.as_str(), work.overdue_root),
                (RotatedKey::Static.as_str(), work.overdue_static),
            ],
        ),
    ];
    families.extend(work.compared.iter().flat_map(|last| compared(last, now)));
    if let Some(taken) = work.last_backup {
        families.push(one(
            "leasehold_last_backup_timestamp_seconds",
            "When the last backup was taken; absent where none is known of.",
            seconds(taken),
        ));
        families.push(one(
            "leasehold_last_backup_age_seconds",
            "How long ago that was.",
            seconds(now.saturating_sub(taken).max(0)),
        ));
    }
    families
}

fn compared(last: &Compared, now: i64) -> [MetricFamily; 3] {
    let one = |name: &str, help: &str, value: i64| {
        family(name, help, MetricType::GAUGE, vec![gauge(&[], seconds(value))])
    };
    [
        one(
            "leasehold_reconcile_timestamp_seconds",
            "When AWS was last compared with all leases; absent before the first time.",
            last.finished,
        ),
        one(
            "leasehold_reconcile_age_seconds",
            "How long ago that was.",
            now.saturating_sub(last.finished).max(0),
        ),
        labelled(
            "leasehold_reconcile_found",
            "What that came to, ignored orphans left out.",
            "kind",
            &[
                ("orphans", last.orphans),
                ("orphan_policies", last.orphan_policies),
                ("missing", last.missing),
                ("not_looked", last.not_looked),
                ("failed_accounts", last.failed),
            ],
        ),
    ]
}

fn labelled(name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> MetricFamily {
    let lines = values.iter().map(|(value, count)| gauge(&[(label, value)], float(*count)));
    family(name, help, MetricType::GAUGE, lines.collect())
}

fn seconds(count: i64) -> f64 {
    float(u64::try_from(count).unwrap_or(0))
}
