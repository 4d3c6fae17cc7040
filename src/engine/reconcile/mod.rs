//! Compares AWS with the store, account by account and both ways: users that are ours and have no lease, leases
//! whose user is not there. It only finds out; what is to be done about it somebody decides ([`act`]). Must
//! never conclude anything from half a list, nor take a user for an orphan whose lease is under way.
//!
//! [`scope`] is where it looks, [`compare`] the pure rules, [`schedule`] when it runs by itself.

pub mod act;
mod compare;
mod report;
mod schedule;
pub(super) mod scope;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::{Mutex, MutexGuard};

use super::Engine;
use crate::aws::{AwsError, IamProvider, Ownership};
use crate::leases::LeaseError;
use crate::model::{MountId, MountPath, Timestamp, UserName, UserRow};
use crate::store::StoreError;
use compare::{Held, Seen};
pub use report::{
    AccountReport, AnothersUser, FoundOrphan, MissingUser, NotLooked, OverdueLease,
    ReconcileReport, Totals,
};
use scope::Scope;

/// Rows read at once.
const PAGE: u32 = 2_000;
/// Users asked about at once. Few: whoever waits for a credential goes first anyway, but a pass should
/// not be what makes AWS complain.
const AT_ONCE: usize = 4;
/// Leases without a user in the list that are asked about one by one: IAM's quota of users in an account
/// (IAM quotas, 5,000). More can only be the rows of another account.
const MOST_SUSPECTS: usize = 5_000;

/// What the passes of an engine share.
#[derive(Debug, Default)]
pub(super) struct Passes {
    /// Held while one is under way.
    alone: Mutex<()>,
    /// Whether that one was begun by the schedule.
    by_itself: AtomicBool,
    /// When the next one is due by itself, in milliseconds; 0 = never.
    next_run: AtomicI64,
}

impl Passes {
    /// The right to compare. One that somebody asks for waits for one that began by itself.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, ReconcileError> {
        match self.alone.try_lock() {
            Ok(turn) => Ok(turn),
            Err(_) if self.by_itself.load(Ordering::SeqCst) => Ok(self.alone.lock().await),
            Err(_) => Err(ReconcileError::UnderWay),
        }
    }
}

/// What to compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReconcileRequest {
    /// Only the account of this mount.
    pub mount: Option<String>,
    /// Keep nothing of what is found.
    pub dry_run: bool,
}

/// Why a pass or an action did not come to its end. Texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// One at a time.
    #[error(
        "a comparison is under way already\nhelp: read sys/leases/reconcile a little later for what it found"
    )]
    UnderWay,
    /// Nothing is mounted there.
    #[error("there is no mount at `{0}`")]
    NoMount(String),
    /// No orphan has that name or id.
    #[error(
        "there is no orphan `{0}`\nhelp: sys/leases/orphans lists them; POST sys/leases/reconcile looks again"
    )]
    NoOrphan(String),
    /// Several users of that name, in several accounts.
    #[error("several orphans are called `{0}`\nhelp: name one by its id")]
    Ambiguous(String),
    /// Not one of the three.
    #[error("`action` must be `adopt`, `remove` or `ignore`, not `{0}`")]
    BadAction(String),
    /// An action lacks how long.
    #[error("`{field}` is missing or no {kind}\nhelp: e.g. {field}={example}")]
    BadTime {
        /// The field.
        field: &'static str,
        /// What it must be.
        kind: &'static str,
        /// How it may look.
        example: &'static str,
    },
    /// Its lease tag is missing or broken.
    #[error(
        "user `{0}` has no lease tag that can be read, so that its removal could not be proven to be ours to do\nhelp: remove it by hand, or ignore it"
    )]
    NoTag(UserName),
    /// AWS shows it otherwise now.
    #[error("user `{0}` is not there any more, or does not carry our tags any more")]
    NotOurs(UserName),
    /// Nothing to adopt.
    #[error("user `{0}` has no access key, so that there is nothing to keep\nhelp: remove it")]
    NoKey(UserName),
    /// It has a lease after all.
    #[error("user `{user}` has a lease: `{lease}`\nhelp: revoke that lease")]
    HasLease {
        /// The user.
        user: UserName,
        /// The lease.
        lease: String,
    },
    /// Its lease ended, and cannot begin again.
    #[error("user `{user}` belongs to the ended lease `{lease}`\nhelp: remove it")]
    LeaseEnded {
        /// The user.
        user: UserName,
        /// The lease.
        lease: String,
    },
    /// The first pass over it failed; it goes on.
    #[error(transparent)]
    Revoke(#[from] crate::leases::RevokeError),
    /// AWS did not answer as hoped.
    #[error("{}", .0.for_caller())]
    Aws(#[from] AwsError),
    /// The row could not be written.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Compares now. An account that could not be read to its end has an error in the report and no
    /// findings; what was known of it stays.
    pub async fn reconcile(
        &self,
        request: ReconcileRequest,
    ) -> Result<ReconcileReport, ReconcileError> {
        let _alone = self.passes.turn().await?;
        let started = self.parts.clock.now();
        let mut scopes = self.scopes().await?;
        if let Some(path) = &request.mount {
            let mount = self.mount(path).ok_or_else(|| ReconcileError::NoMount(path.clone()))?;
            scopes.retain(|scope| scope.mounts.iter().any(|(id, _)| *id == mount.id));
        }
        let mut report = ReconcileReport::begun(started, request.dry_run, request.mount.clone());
        // Two keys of one account are two scopes: a user is told once.
        let mut told = HashSet::new();
        for scope in &scopes {
            let account = match self.compare_account(scope, started).await {
                Ok(account) => account.without(&mut told),
                Err(error) => AccountReport::failed(scope.paths(), &error),
            };
            report.accounts.push(account);
        }
        self.keep(&scopes, &mut report).await?;
        report.log();
        Ok(report)
    }

    /// The last comparison of all accounts.
    pub async fn last_reconcile(&self) -> Result<Option<ReconcileReport>, StoreError> {
        let kept = self.parts.store.setting(ReconcileReport::SETTING).await?;
        Ok(kept.and_then(|value| serde_json::from_slice(&value).ok()))
    }

    /// Counts, and keeps what was found unless it is a dry run.
    async fn keep(
        &self,
        scopes: &[Scope],
        report: &mut ReconcileReport,
    ) -> Result<(), ReconcileError> {
        let known = self.parts.store.orphans().await?;
        report.end(&known, self.parts.clock.now());
        if report.dry_run {
            return Ok(());
        }
        for (scope, account) in scopes.iter().zip(&report.accounts) {
            if account.is_complete() {
                let mounts: Vec<MountId> = scope.mounts.iter().map(|(id, _)| id.clone()).collect();
                self.parts.store.put_orphans(&mounts, &account.found).await?;
            }
        }
        if report.mount.is_none() {
            let value = serde_json::to_vec(&report)
                .map_err(|error| StoreError::Failed(format!("cannot be stored: {error}")))?;
            self.parts.store.put_setting(ReconcileReport::SETTING, &value).await?;
        }
        Ok(())
    }

    async fn compare_account(
        &self,
        scope: &Scope,
        started: Timestamp,
    ) -> Result<AccountReport, ReconcileError> {
        let Some((mount, _)) = scope.mounts.first() else {
            return Ok(AccountReport::of(scope.paths()));
        };
        let discovery = self.parts.accounts.discovery(mount).await?;
        let provider = self.parts.accounts.provider(mount).await?;
        let listed = discovery.users_under("/").await?;
        // A row that ended a moment ago may still have its user in the list: IAM is eventually consistent.
        let since = earlier(started, self.parts.leases.settling());
        let names: HashSet<&UserName> = listed.iter().map(|user| &user.name).collect();
        // A user that a row knows by name is not asked about: that would be a call for each lease.
        let mut known = HashSet::new();
        self.each_row(since, |row| {
            if names.contains(&row.user) {
                known.insert(row.user);
            }
        })
        .await?;
        let candidates =
            listed.iter().filter(|user| scope.is_candidate(user) && !known.contains(&user.name));
        let candidates = candidates.map(|user| (user.id.clone(), user.name.clone())).collect();
        let owned = owners(&provider, candidates).await?;
        // Those that went meanwhile are left out.
        let owned: BTreeMap<String, Ownership> =
            owned.into_iter().filter_map(|(id, owner)| Some((id, owner?))).collect();
        // Only now: a row that was unfinished at any time since `since` is there still, as it is or ended, and
        // one that began meanwhile is there too. So this is what was before the list and what came after.
        let mut held = Held::of(&owned, &names, scope);
        self.each_row(since, |row| held.take(row)).await?;
        let seen = Seen { listed: &listed, owned: &owned, held: &held, scope };
        let mut account = seen.compared(started, self.parts.leases.settling());
        self.look_for_missing(provider, &held, started, &mut account).await?;
        if self.parts.leases.is_paused() {
            account.overdue = held.overdue(started);
        }
        Ok(account)
    }

    /// Every row that has or had a user at `since` or later.
    async fn each_row(
        &self,
        since: Timestamp,
        mut take: impl FnMut(UserRow) + Send,
    ) -> Result<(), StoreError> {
        let mut after = 0;
        while let Some((rows, last)) = self.parts.store.user_rows(since, after, PAGE).await? {
            rows.into_iter().for_each(&mut take);
            after = last;
        }
        Ok(())
    }

    /// Active leases without a user in the list are asked about one by one: the list may be older.
    async fn look_for_missing(
        &self,
        provider: Arc<dyn IamProvider>,
        held: &Held<'_>,
        started: Timestamp,
        account: &mut AccountReport,
    ) -> Result<(), ReconcileError> {
        let settling = self.parts.leases.settling();
        let old = held.absent.values().filter(|row| row.issued_at.after(settling) <= started);
        let old = old.map(|row| (row.clone(), row.user.clone())).collect();
        let found = owners(&provider, old).await?;
        for (row, owner) in found {
            let broker = &self.parts.settings.broker;
            if let Some(detail) = compare::missing(&row, owner.as_ref(), broker) {
                account.missing.push(MissingUser {
                    lease: row.lease.to_string(),
                    user: row.user.to_string(),
                    detail: detail.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Whose users are, by name, a few at a time; `None` where there is none.
async fn owners<K: Send + 'static>(
    provider: &Arc<dyn IamProvider>,
    users: Vec<(K, UserName)>,
) -> Result<Vec<(K, Option<Ownership>)>, AwsError> {
    let provider = Arc::clone(provider);
    let asked = users.into_iter().map(move |(key, user)| {
        let provider = Arc::clone(&provider);
        async move { Ok((key, provider.ownership(&user).await?)) }
    });
    stream::iter(asked).buffered(AT_ONCE).try_collect().await
}

fn earlier(moment: Timestamp, by: std::time::Duration) -> Timestamp {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(moment.as_millis().saturating_sub(by))
}

/// Paths of mounts, for people.
fn shown(paths: &[(MountId, MountPath)]) -> Vec<String> {
    paths.iter().map(|(_, path)| path.to_string()).collect()
}

#[cfg(test)]
mod tests;
