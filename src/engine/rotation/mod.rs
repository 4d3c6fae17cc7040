//! Keys that are rotated, on demand and by themselves. [`change`] replaces one key and survives a crash at
//! any step; [`plan`] says when; here is the one timer, and who is at which key. The next moments come
//! from what is stored alone: this can be killed at any point. The keys themselves:
//! [`super::rotate_root`], [`super::static_roles`].

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard, watch};
use tracing::error;

use super::Engine;
use crate::model::{MountId, RoleName, Timestamp};
use crate::seal::SealStatus;
use crate::store::StoreError;

pub(super) mod change;
mod error;
pub(super) mod plan;
pub(super) mod steps;

pub use error::KeyError;

/// The longest sleep: a clock that jumped is noticed within this time.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// The shortest, where something is due that could not be done at once.
const PAUSE: Duration = Duration::from_secs(1);
/// Keys that are rotated at once.
const CONCURRENCY: usize = 4;
/// Static roles that one round takes.
const BATCH: u32 = 256;

/// A key that is rotated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// The root key of a mount.
    Root(MountId),
    /// The key of a static role.
    Static(MountId, RoleName),
}

/// Who is at which key.
#[derive(Debug, Default)]
pub(super) struct Rotations {
    turns: Mutex<HashMap<Subject, Weak<AsyncMutex<()>>>>,
    wake: Notify,
}

impl Rotations {
    /// Waits until nobody else is at the key.
    pub(super) async fn turn(&self, subject: Subject) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(&subject).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let fresh = Arc::default();
                turns.insert(subject, Arc::downgrade(&fresh));
                fresh
            })
        };
        turn.lock_owned().await
    }

    /// Something is due earlier than it was.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Engine {
    /// Rotates what is due until it is told to stop.
    pub async fn run_rotations(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        loop {
            let wait = async {
                if let Err(error) = self.rotate_due().await {
                    error!("what is to be rotated could not be read: {error}");
                }
                self.until_next_rotation().await
            };
            let wait = tokio::select! {
                // What is under way is written down: the next start goes on.
                _ = shutdown.wait_for(|stop| *stop) => return,
                wait = wait => wait,
            };
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => return,
                () = self.rotations.wake.notified() => {}
                () = steps::wait(wait) => {}
            }
        }
    }

    /// One round over everything that is due now, to its end.
    pub async fn rotate_due(&self) -> Result<(), StoreError> {
        // What a restored database knows of keys may be old: nothing is rotated before somebody said a word.
        if self.parts.barrier.status() != SealStatus::Unsealed || self.parts.leases.is_paused() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let mut work: Vec<BoxFuture<'_, Result<(), StoreError>>> = Vec::new();
        for mount in self.rotated_mounts().await? {
            if self.root_due(&mount).await?.is_some_and(|due| due <= now) {
                work.push(async move { self.tend_root(&mount).await }.boxed());
            }
        }
        for (mount, name) in self.parts.store.due_static_roles(now, BATCH).await? {
            work.push(async move { self.tend_static_role(&mount, &name).await }.boxed());
        }
        let done: Vec<_> = stream::iter(work).buffer_unordered(CONCURRENCY).collect().await;
        done.into_iter().collect()
    }

    /// Mounts whose root key is, or may be, to be rotated by itself.
    async fn rotated_mounts(&self) -> Result<BTreeSet<MountId>, StoreError> {
        let unfinished = self.parts.store.unfinished_root_rotations().await?;
        let listed = self.table.list().into_iter().map(|mount| mount.id.clone());
        Ok(unfinished.into_iter().chain(listed).collect())
    }

    async fn until_next_rotation(&self) -> Duration {
        let now = self.parts.clock.now();
        match self.next_rotation().await {
            Ok(Some(next)) => next.since(now).clamp(PAUSE, LONGEST_SLEEP),
            Ok(None) => LONGEST_SLEEP,
            Err(error) => {
                error!("when the next key is to be rotated could not be read: {error}");
                LONGEST_SLEEP
            }
        }
    }

    async fn next_rotation(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut next = self.parts.store.next_static_role().await?;
        for mount in self.rotated_mounts().await? {
            let due = self.root_due(&mount).await?;
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }
}
