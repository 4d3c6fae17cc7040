//! What a comparison came to, as it is kept, told and logged. Plain data; times are RFC 3339.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::ReconcileError;
use crate::model::{Orphan, Timestamp};

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
    /// Orphans, ignored ones left out.
    pub orphans: usize,
    /// Orphans that are ignored for now.
    pub ignored: usize,
    /// Leases without their user.
    pub missing: usize,
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
    pub missing: Vec<MissingUser>,
    /// Users of another installation.
    pub of_another_broker: Vec<AnothersUser>,
    /// In quarantine: active leases that would end at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdue: Vec<OverdueLease>,
    /// The orphans as rows.
    #[serde(skip)]
    pub(super) found: Vec<Orphan>,
}

/// Why an account was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotLooked {
    /// What AWS or the store said.
    pub message: String,
}

/// An orphan as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundOrphan {
    /// AWS's id.
    pub user_id: String,
    /// Its name.
    pub user: String,
    /// Its path.
    pub path: String,
    /// The lease that its tag names.
    pub lease_tag: Option<String>,
    /// When AWS made it.
    pub created: String,
    /// Until when nobody is to be told.
    pub ignored_until: Option<String>,
}

/// A lease without its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingUser {
    /// The lease.
    pub lease: String,
    /// The name of its user.
    pub user: String,
    /// What is there instead.
    pub detail: String,
}

/// A user of another installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnothersUser {
    /// Its name.
    pub user: String,
    /// That installation's id.
    pub broker: String,
}

/// A lease that would end as soon as the quarantine does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverdueLease {
    /// The lease.
    pub lease: String,
    /// When it ended by its row.
    pub ended: String,
}

impl FoundOrphan {
    /// As it is told.
    pub fn new(orphan: &Orphan) -> Self {
        Self {
            user_id: orphan.user_id.clone(),
            user: orphan.user.to_string(),
            path: orphan.path.clone(),
            lease_tag: orphan.lease.as_ref().map(ToString::to_string),
            created: orphan.created_at.rfc3339(),
            ignored_until: orphan.ignored_until.map(Timestamp::rfc3339),
        }
    }
}

impl AccountReport {
    pub(super) fn of(mounts: Vec<String>) -> Self {
        Self { mounts, ..Self::default() }
    }

    pub(super) fn failed(mounts: Vec<String>, error: &ReconcileError) -> Self {
        // What the store said is for the log.
        let is_own = matches!(error, ReconcileError::Store(_) | ReconcileError::Lease(_));
        let message = if is_own { "internal error".to_owned() } else { error.to_string() };
        tracing::warn!(mount.path = %mounts.join(" "), error = %error, "AWS could not be compared with the leases: {message}");
        Self { error: Some(NotLooked { message }), ..Self::of(mounts) }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn take_orphan(&mut self, orphan: Orphan) {
        self.orphans.push(FoundOrphan::new(&orphan));
        self.found.push(orphan);
    }

    /// Leaves out the orphans that another scope of the same account told.
    pub(super) fn without(mut self, told: &mut HashSet<String>) -> Self {
        self.found.retain(|orphan| told.insert(orphan.user_id.clone()));
        let ids: HashSet<&String> = self.found.iter().map(|orphan| &orphan.user_id).collect();
        self.orphans.retain(|orphan| ids.contains(&orphan.user_id));
        self
    }

    /// Writes down which of the orphans are ignored.
    pub(super) fn note_ignored(&mut self, known: &[Orphan]) {
        for orphan in &mut self.orphans {
            let row = known.iter().find(|known| known.user_id == orphan.user_id);
            orphan.ignored_until = row.and_then(|row| row.ignored_until).map(Timestamp::rfc3339);
        }
    }
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
    pub(super) fn end(&mut self, known: &[Orphan], now: Timestamp) {
        self.finished = now.rfc3339();
        self.finished_millis = now.as_millis();
        self.accounts.iter_mut().for_each(|account| account.note_ignored(known));
        let ignored: HashSet<&str> = known
            .iter()
            .filter(|orphan| orphan.is_ignored(now))
            .map(|orphan| orphan.user_id.as_str())
            .collect();
        let mut totals = Totals::default();
        for account in &self.accounts {
            let quiet = account
                .orphans
                .iter()
                .filter(|orphan| ignored.contains(orphan.user_id.as_str()))
                .count();
            totals.ignored = totals.ignored.saturating_add(quiet);
            let loud = account.orphans.len().saturating_sub(quiet);
            totals.orphans = totals.orphans.saturating_add(loud);
            totals.missing = totals.missing.saturating_add(account.missing.len());
            totals.failed = totals.failed.saturating_add(usize::from(!account.is_complete()));
        }
        self.totals = totals;
    }

    /// One line for whoever watches, and one for each that somebody has to decide about.
    pub(super) fn log(&self) {
        let Totals { orphans, missing, failed, .. } = self.totals;
        if orphans == 0 && missing == 0 {
            tracing::info!(orphans, missing, failed, "AWS compared with the leases");
            return;
        }
        tracing::warn!(
            orphans,
            missing,
            failed,
            "AWS compared with the leases: {orphans} users of ours without a lease, {missing} leases without their user"
        );
        for account in &self.accounts {
            for orphan in &account.orphans {
                tracing::warn!(aws.user = %orphan.user, "user {} is ours and has no lease", orphan.user);
            }
            for lease in &account.missing {
                tracing::warn!(lease.id = %lease.lease, aws.user = %lease.user, "lease {} is active: {}", lease.lease, lease.detail);
            }
        }
    }
}
