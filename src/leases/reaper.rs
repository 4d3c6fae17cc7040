//! The one timer: works on whatever is due, then sleeps until something will be, or until it is woken.
//! Ends tokens whose time is over, and deletes old rows once a day. Must never hold state that the
//! rows do not: it can be killed at any point.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::step::Because;
use super::work::{Claim, Slot, Work};
use super::{LeaseError, Leases};
use crate::model::{MountId, Timestamp};

/// The longest sleep: a clock that jumped, or a token that was made without telling us, is noticed
/// within this time; an idle look costs some 30 µs.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// The wait after a failure of the store, and while what is due is in other hands.
const PAUSE: Duration = Duration::from_secs(1);
/// Rows read at once by [`Leases::run_due`], and tokens ended at once.
const BATCH: u32 = 256;
/// How long a shutdown waits for passes under way; their rows say where to go on.
const FAREWELL: Duration = Duration::from_secs(10);
/// Between two purges.
const DAY: Duration = Duration::from_hours(24);

impl Leases {
    /// One round over everything that is due now, to its end. Gives the number of leases worked on.
    pub async fn run_due(&self) -> Result<u32, LeaseError> {
        if self.is_paused() {
            return Ok(0);
        }
        let now = self.clock.now();
        self.notice_set_back(now).await?;
        self.end_tokens(now).await?;
        self.drive_jobs().await?;
        let mut worked = HashSet::new();
        loop {
            let known = u32::try_from(worked.len()).unwrap_or(u32::MAX);
            let mut batch = Vec::new();
            for due in self.store.due_leases(now, BATCH.saturating_add(known)).await? {
                if worked.insert(due.id.clone())
                    && let Claim::Mine(work) = self.claims.claim(&due.id)
                {
                    batch.push((work, due.holder_ended));
                }
            }
            if batch.is_empty() {
                self.drive_jobs().await?;
                return Ok(known);
            }
            let mut results = stream::iter(batch)
                .map(|(work, holder_ended)| async move {
                    let outcome = self.step(work.id(), Because::Due { holder_ended }).await?;
                    work.settle(outcome);
                    Ok::<_, LeaseError>(())
                })
                .buffer_unordered(self.timing.concurrency);
            while let Some(result) = results.next().await {
                result?;
            }
        }
    }

    /// Works until it is told to stop.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut passes = JoinSet::new();
        let mut purged_at = None;
        loop {
            let wait = match self.start_due(&mut passes).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!("the reaper could not read what is due: {error}");
                    PAUSE
                }
            };
            // Last: it may take a while, and what fails here holds nothing up.
            self.purge(&mut purged_at).await;
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                () = self.wake.notified() => {}
                Some(_) = passes.join_next(), if !passes.is_empty() => {}
                () = sleep(wait) => {}
            }
        }
        let rest = async { while passes.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, rest).await.is_err() {
            tracing::warn!("teardowns were cut short by the shutdown and go on at the next start");
        }
    }

    /// Starts passes over what is due, in each account as many as may be under way there; says how long
    /// to sleep.
    async fn start_due(self: &Arc<Self>, passes: &mut JoinSet<()>) -> Result<Duration, LeaseError> {
        while passes.try_join_next().is_some() {}
        if self.is_paused() {
            return Ok(LONGEST_SLEEP);
        }
        let now = self.clock.now();
        // Whatever becomes due while we look wakes us again.
        self.planned.store(i64::MAX, Ordering::SeqCst);
        self.notice_set_back(now).await?;
        self.end_tokens(now).await?;
        let mut busy = Vec::new();
        while self.start_page(passes, now, &mut busy).await? {}
        let next = self.store.next_due().await?.unwrap_or(now.after(LONGEST_SLEEP));
        let awake = next.min(now.after(LONGEST_SLEEP));
        self.planned.store(awake.as_millis(), Ordering::SeqCst);
        Ok(if next <= now { PAUSE } else { next.since(now).min(LONGEST_SLEEP) })
    }

    /// Starts passes over one page of what is due beside the mounts whose accounts are `busy`, and adds to
    /// those; tells whether another look may find more. Each such look begins a pass or finds an account
    /// busy, and an account begins no more passes than it has slots: there is a last look.
    async fn start_page(
        self: &Arc<Self>,
        passes: &mut JoinSet<()>,
        now: Timestamp,
        busy: &mut Vec<MountId>,
    ) -> Result<bool, LeaseError> {
        // Those under way are still due: ask for enough to find others behind them.
        let limit = self.timing.concurrency.saturating_add(self.claims.count());
        let rows = u32::try_from(limit).unwrap_or(u32::MAX);
        let page = self.store.due_beside(now, rows, busy).await?;
        let is_full = page.len() >= limit;
        let mut moved = false;
        for due in page {
            if busy.contains(&due.mount) {
                continue;
            }
            let account = self.accounts.account_of(&due.mount);
            let account = account.unwrap_or_else(|| format!("none {}", due.mount.0));
            let Some(slot) = self.slots.take(&account) else {
                busy.push(due.mount);
                moved = true;
                continue;
            };
            if let Claim::Mine(work) = self.claims.claim(&due.id) {
                passes.spawn(Arc::clone(self).reap_in_background(work, due.holder_ended, slot));
                moved = true;
            }
        }
        Ok(is_full && moved)
    }

    async fn reap_in_background(self: Arc<Self>, work: Work, holder_ended: bool, _slot: Slot) {
        match self.step(work.id(), Because::Due { holder_ended }).await {
            Ok(outcome) => work.settle(outcome),
            Err(error) => {
                let id = work.id();
                tracing::error!(lease.id = %id, "lease {id} could not be changed: {error}");
                // The lease stays claimed meanwhile, or it would be due again at once.
                sleep(PAUSE).await;
            }
        }
    }

    /// Ends the tokens whose time is over; their leases are due then.
    async fn end_tokens(&self, now: Timestamp) -> Result<(), LeaseError> {
        loop {
            let mut ended: u64 = 0;
            for digest in self.store.expired_tokens(now, BATCH).await? {
                let tree = self.store.end_token_tree(&digest, now).await?;
                ended = ended.saturating_add(tree);
            }
            if ended == 0 {
                return Ok(());
            }
            tracing::info!(tokens = ended, "{ended} tokens ended since their time was over");
        }
    }

    /// Once a day, also where it fails: nothing depends on it.
    async fn purge(&self, purged_at: &mut Option<Timestamp>) {
        let now = self.clock.now();
        if self.is_paused() || purged_at.is_some_and(|at| now.since(at) < DAY) {
            return;
        }
        *purged_at = Some(now);
        self.purge_now(now).await;
    }

    async fn purge_now(&self, now: Timestamp) {
        let age = i64::try_from(self.timing.purge_after.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(now.as_millis().saturating_sub(age));
        match self.store.purge(before).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "{rows} rows of what ended long ago were deleted"),
            Err(error) => tracing::error!("what ended long ago could not be deleted: {error}"),
        }
        if let Err(error) = self.store.purge_jobs(before).await {
            tracing::error!("jobs that ended long ago could not be deleted: {error}");
        }
    }

    /// Deletes what ended long ago, in the background; false where that is going on already.
    pub fn tidy(self: &Arc<Self>) -> bool {
        if self.tidying.swap(true, Ordering::SeqCst) {
            return false;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            this.purge_now(this.clock.now()).await;
            this.tidying.store(false, Ordering::SeqCst);
        });
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "the reaper's timer")]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
