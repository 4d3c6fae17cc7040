//! Compares AWS with the store, account by account and both ways: users and policies that are ours and have no lease,
//! leases whose user is not there. It only finds out; what is to be done about it somebody decides ([`act`]). Must
//! never conclude anything from half a list, nor take something for an orphan whose lease is under way.
//!
//! [`scope`] is where it looks, [`compare`] the pure rules for users, [`policies`] those for policies, [`missing`] the
//! other way round, [`schedule`] when it runs by itself.

pub mod act;
mod compare;
mod error;
mod found;
pub mod known;
mod missing;
mod policies;
mod remove_policy;
mod report;
mod schedule;
pub(super) mod scope;

use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::{Mutex, MutexGuard};

use super::Engine;
use crate::aws::{Access, AwsError, Ownership};
use crate::metrics::Compared;
use crate::model::{MountId, MountPath, Timestamp, UserName, UserRow};
use crate::store::StoreError;
use compare::{Held, Seen};
pub use error::{Orphaned, ReconcileError};
pub use found::{AnothersUser, FoundOrphan, FoundPolicy, NotLooked, OverdueLease, UnseenUser};
pub use report::{AccountReport, ReconcileReport, Totals};
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
    /// What the last one of all accounts came to.
    last: std::sync::Mutex<Option<Compared>>,
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

    fn remember(&self, report: &ReconcileReport) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.counted());
    }

    /// What the last one of all accounts came to, for the metrics.
    pub(super) fn last(&self) -> Option<Compared> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// What an earlier process kept, for the metrics.
    pub(super) async fn remember_last_comparison(&self) -> Result<(), StoreError> {
        if let Some(last) = self.last_reconcile().await? {
            self.passes.remember(&last);
        }
        Ok(())
    }

    /// Counts, and keeps what was found unless it is a dry run.
    async fn keep(
        &self,
        scopes: &[Scope],
        report: &mut ReconcileReport,
    ) -> Result<(), ReconcileError> {
        let known = self.known_orphans().await?;
        report.end(&known, self.parts.clock.now());
        if report.dry_run {
            return Ok(());
        }
        for (scope, account) in scopes.iter().zip(&report.accounts) {
            let mounts: Vec<MountId> = scope.mounts.iter().map(|(id, _)| id.clone()).collect();
            if account.error.is_none() {
                self.parts.store.put_orphans(&mounts, &account.found).await?;
            }
            if account.is_complete() {
                self.parts.store.put_orphan_policies(&mounts, &account.found_policies).await?;
            }
        }
        if report.mount.is_none() {
            let value = serde_json::to_vec(&report)
                .map_err(|error| StoreError::Failed(format!("cannot be stored: {error}")))?;
            self.parts.store.put_setting(ReconcileReport::SETTING, &value).await?;
            self.passes.remember(report);
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
        let (discovery, access) = self.parts.accounts.look_around(mount).await?;
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
        let asked = candidates.map(|user| (user.id.clone(), user.name.clone()));
        let owned = self.user_owners(&access, asked.collect()).await?;
        // Those that went meanwhile are left out.
        let owned: BTreeMap<String, Ownership> =
            owned.into_iter().filter_map(|(id, owner)| Some((id, owner?))).collect();
        // Only now: a row that was unfinished at any time since `since` is there still, as it is or ended, and
        // one that began meanwhile is there too. So this is what was before the list and what came after.
        let mut held = Held::of(&owned, &names, scope);
        self.each_row(since, |row| held.take(row)).await?;
        let seen = Seen { listed: &listed, owned: &owned, held: &held, scope };
        let mut account = seen.compared(started, self.parts.leases.settling());
        self.look_for_missing(&access, &held, started, &mut account).await?;
        if self.parts.leases.is_paused() {
            account.overdue = held.overdue(started);
        }
        // Users are told all the same where nothing can be said about policies.
        match self.compare_policies(discovery.as_ref(), &access, scope, started).await {
            Ok(policies) => account.take_policies(policies),
            Err(error) => account.without_policies(&error),
        }
        Ok(account)
    }

    /// Whose users are.
    async fn user_owners<K: Send>(
        &self,
        access: &Access,
        users: Vec<(K, UserName)>,
    ) -> Result<Vec<(K, Option<Ownership>)>, AwsError> {
        owners(
            users
                .into_iter()
                .map(async |(key, user)| Ok((key, access.provider.ownership(&user).await?))),
        )
        .await
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
}

/// Whose things are, a few at a time; `None` where there is no such thing.
async fn owners<K, Asked>(
    asked: impl Iterator<Item = Asked>,
) -> Result<Vec<(K, Option<Ownership>)>, AwsError>
where
    Asked: Future<Output = Result<(K, Option<Ownership>), AwsError>>,
{
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
