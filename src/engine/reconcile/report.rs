//! What a comparison came to, as it is kept, told and logged. Plain data; times are RFC 3339.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::ReconcileError;
use super::found::{AnothersUser, FoundOrphan, FoundPolicy, NotLooked, OverdueLease, UnseenUser};
use super::known::KnownOrphans;
use super::policies::PolicyFindings;
use crate::metrics::Compared;
use crate::model::{Orphan, OrphanPolicy, Timestamp};

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileReport {
    /// When it began.
    pub started: String,
    /// When it ended.
    pub finished: String,
    /// In milliseconds, for the schedule.
    pub finished_millis: i64,
    /// Whether nothing of it was kept.
    pub dry_run: bool,
    /// The one mount whose account was looked at, where it was only one.
    pub mount: Option<String>,
    /// Over all accounts.
    pub totals: Totals,
    /// Account by account.
    pub accounts: Vec<AccountReport>,
}

/// Sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Users without a lease, ignored ones left out.
    pub orphans: usize,
    /// Policies without a lease, ignored ones left out.
    #[serde(default)]
    pub orphan_policies: usize,
    /// Orphans of either kind that are ignored for now.
    pub ignored: usize,
    /// Leases without their user.
    pub missing: usize,
    /// Leases whose user could not be looked for.
    #[serde(default)]
    pub not_looked: usize,
    /// Accounts that could not be read to the end.
    pub failed: usize,
}

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountReport {
    /// The mounts that work in it.
    pub mounts: Vec<String>,
    /// Why nothing could be concluded; everything below is empty then.
    pub error: Option<NotLooked>,
    /// Users in the account.
    pub users: usize,
    /// Users whose tags were read.
    pub candidates: usize,
    /// Users with a lease.
    pub with_lease: usize,
    /// Candidates that are nobody's of ours.
    pub foreign: usize,
    /// Ours, and too young to tell.
    pub too_young: usize,
    /// Ours, without a lease.
    pub orphans: Vec<FoundOrphan>,
    /// Active leases whose user is not there.
    pub missing: Vec<UnseenUser>,
    /// Active leases that the account's keys say nothing about.
    #[serde(default)]
    pub not_looked: Vec<UnseenUser>,
    /// Policies under this installation's path.
    #[serde(default)]
    pub policies: usize,
    /// Those of them that no lease names.
    #[serde(default)]
    pub orphan_policies: Vec<FoundPolicy>,
    /// Why nothing could be concluded about policies.
    #[serde(default)]
    pub policies_error: Option<NotLooked>,
    /// Users of another installation.
    pub of_another_broker: Vec<AnothersUser>,
    /// In quarantine: active leases that would end at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdue: Vec<OverdueLease>,
    /// The orphans as rows.
    #[serde(skip)]
    pub(super) found: Vec<Orphan>,
    /// The policies as rows.
    #[serde(skip)]
    pub(super) found_policies: Vec<OrphanPolicy>,
}

impl AccountReport {
    pub(super) fn of(mounts: Vec<String>) -> Self {
        Self { mounts, ..Self::default() }
    }

    pub(super) fn failed(mounts: Vec<String>, error: &ReconcileError) -> Self {
        let message = told(error);
        tracing::warn!(mount.path = %mounts.join(" "), error = %error, "AWS could not be compared with the leases: {message}");
        Self { error: Some(NotLooked { message }), ..Self::of(mounts) }
    }

    pub(super) fn without_policies(&mut self, error: &ReconcileError) {
        let message = told(error);
        tracing::warn!(mount.path = %self.mounts.join(" "), error = %error, "policies in AWS could not be compared with the leases: {message}");
        self.policies_error = Some(NotLooked { message });
    }

    pub(super) fn take_policies(&mut self, found: PolicyFindings) {
        self.policies = found.listed;
        self.orphan_policies = found.orphans.iter().map(FoundPolicy::new).collect();
        self.found_policies = found.orphans;
    }

    /// Whether everything was read to its end.
    pub(super) fn is_complete(&self) -> bool {
        self.error.is_none() && self.policies_error.is_none()
    }

    pub(super) fn take_orphan(&mut self, orphan: Orphan) {
        self.orphans.push(FoundOrphan::new(&orphan));
        self.found.push(orphan);
    }

    /// Leaves out the orphans that another scope of the same account told.
    pub(super) fn without(mut self, told: &mut HashSet<String>) -> Self {
        self.found.retain(|orphan| told.insert(orphan.user_id.clone()));
        self.orphans = self.found.iter().map(FoundOrphan::new).collect();
        self.found_policies.retain(|orphan| told.insert(orphan.policy_id.clone()));
        self.orphan_policies = self.found_policies.iter().map(FoundPolicy::new).collect();
        self
    }

    /// Writes down which of the orphans are ignored.
    fn note_ignored(&mut self, known: &KnownOrphans) {
        for orphan in &mut self.orphans {
            let until = known.ignored_until(&orphan.user_id);
            orphan.ignored_until = until.map(Timestamp::rfc3339);
        }
        for orphan in &mut self.orphan_policies {
            let until = known.ignored_until(&orphan.policy_id);
            orphan.ignored_until = until.map(Timestamp::rfc3339);
        }
    }
}

/// What the store said is for the log.
fn told(error: &ReconcileError) -> String {
    let is_own = matches!(error, ReconcileError::Store(_) | ReconcileError::Lease(_));
    if is_own { "internal error".to_owned() } else { error.to_string() }
}

impl ReconcileReport {
    /// The setting that holds the last one.
    pub(super) const SETTING: &'static str = "reconcile/last";

    pub(super) fn begun(started: Timestamp, dry_run: bool, mount: Option<String>) -> Self {
        Self {
            started: started.rfc3339(),
            finished: String::new(),
            finished_millis: 0,
            dry_run,
            mount,
            totals: Totals::default(),
            accounts: Vec::new(),
        }
    }

    /// Counts, with what is known to be ignored.
    pub(super) fn end(&mut self, known: &KnownOrphans, now: Timestamp) {
        self.finished = now.rfc3339();
        self.finished_millis = now.as_millis();
        self.accounts.iter_mut().for_each(|account| account.note_ignored(known));
        let is_ignored = |id: &str| known.ignored_until(id).is_some_and(|until| until > now);
        let mut totals = Totals::default();
        for account in &self.accounts {
            let users = account.orphans.iter();
            let quiet_users = users.filter(|one| is_ignored(&one.user_id)).count();
            let policies = account.orphan_policies.iter();
            let quiet_policies = policies.filter(|one| is_ignored(&one.policy_id)).count();
            let failed = usize::from(!account.is_complete());
            totals = Totals {
                orphans: sum(totals.orphans, account.orphans.len().saturating_sub(quiet_users)),
                orphan_policies: sum(
                    totals.orphan_policies,
                    account.orphan_policies.len().saturating_sub(quiet_policies),
                ),
                ignored: sum(totals.ignored, sum(quiet_users, quiet_policies)),
                missing: sum(totals.missing, account.missing.len()),
                not_looked: sum(totals.not_looked, account.not_looked.len()),
                failed: sum(totals.failed, failed),
            };
        }
        self.totals = totals;
    }

    /// The sums, for the metrics.
    pub(super) fn counted(&self) -> Compared {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let Totals { orphans, orphan_policies, ignored: _, missing, not_looked, failed } =
            self.totals;
        Compared {
            finished: Timestamp::from_millis(self.finished_millis).as_seconds(),
            orphans: count(orphans),
            orphan_policies: count(orphan_policies),
            missing: count(missing),
            not_looked: count(not_looked),
            failed: count(failed),
        }
    }

    /// One line for whoever watches, and one for each that somebody has to decide about.
    pub(super) fn log(&self) {
        let Totals { orphans, orphan_policies, missing, not_looked, failed, .. } = self.totals;
        if orphans == 0 && orphan_policies == 0 && missing == 0 {
            tracing::info!(
                orphans,
                orphan_policies,
                missing,
                not_looked,
                failed,
                "AWS compared with the leases"
            );
        } else {
            tracing::warn!(
                orphans,
                orphan_policies,
                missing,
                not_looked,
                failed,
                "AWS compared with the leases: {orphans} users and {orphan_policies} policies of ours without a lease, {missing} leases without their user"
            );
        }
        for account in &self.accounts {
            for orphan in &account.orphans {
                tracing::warn!(aws.user = %orphan.user, "user {} is ours and has no lease", orphan.user);
            }
            for orphan in &account.orphan_policies {
                tracing::warn!(aws.policy = %orphan.arn, "policy {} is ours and has no lease", orphan.arn);
            }
            for lease in &account.missing {
                tracing::warn!(lease.id = %lease.lease, aws.user = %lease.user, "lease {} is active: {}", lease.lease, lease.detail);
            }
            for lease in &account.not_looked {
                tracing::warn!(lease.id = %lease.lease, aws.user = %lease.user, "lease {} was not looked for: {}", lease.lease, lease.detail);
            }
        }
    }
}

fn sum(one: usize, other: usize) -> usize {
    one.saturating_add(other)
}
