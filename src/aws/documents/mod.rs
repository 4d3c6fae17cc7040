//! The documents behind the ARNs and groups of a role, so that the gate judges a whole grant. Kept
//! per mount: read again when over five minutes old, refreshed each minute while in use. Must never
//! answer with what was read through other settings of the mount, nor keep a failure.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::watch;

use super::{Accounts, AwsError, DocumentSource, HeldDocument};
use crate::clock::Clock;
use crate::model::{GroupName, MountId, PolicyArn, Timestamp};

/// Older than this, an issue reads again before it is judged (design, section 8).
const STALE: Duration = Duration::from_mins(5);
/// How old a document gets while it is in use (design, section 8).
const REFRESH: Duration = Duration::from_mins(1);
/// Not asked for this long: no longer in use. Twice [`STALE`], so that a role issued from every few
/// minutes is never read on the way of a request.
const FORGET: Duration = Duration::from_mins(10);
/// Refreshes under way at once: background work leaves room for others.
const REFRESHING: usize = 4;

/// What came of reading one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Which document. Where a group itself cannot be read, its policy is `*`.
    pub source: DocumentSource,
    /// Its text, or why there is none.
    pub result: Result<HeldDocument, AwsError>,
}

/// The documents that mounts use.
#[derive(Debug)]
pub struct Documents {
    accounts: Arc<Accounts>,
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    mount: MountId,
    name: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Managed(PolicyArn),
    Group(GroupName),
}

#[derive(Debug)]
struct Slot {
    held: Mutex<Option<Held>>,
    used_at: Mutex<Timestamp>,
    /// Whoever comes while somebody reads waits for that answer instead of asking too.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Held {
    content: Content,
    read_at: Timestamp,
    generation: Option<u64>,
}

#[derive(Debug, Clone)]
enum Content {
    Managed(HeldDocument),
    Group(Arc<(Vec<HeldDocument>, Vec<PolicyArn>)>),
}

impl Documents {
    /// Nothing read yet.
    pub fn new(accounts: Arc<Accounts>, clock: Arc<dyn Clock>) -> Self {
        Self { accounts, clock, slots: Mutex::default() }
    }

    /// The documents of these policies, then those of these groups and what is attached to them; all
    /// read at once where they must be.
    pub async fn fetch(
        &self,
        mount: &MountId,
        arns: &[PolicyArn],
        groups: &[GroupName],
    ) -> Vec<Fetched> {
        let managed = join_all(arns.iter().map(|arn| self.fetch_managed(mount, arn.clone())));
        let grouped = join_all(groups.iter().map(|group| self.fetch_group(mount, group)));
        let (mut all, grouped) = join(managed, grouped).await;
        all.extend(grouped.into_iter().flatten());
        all
    }

    async fn fetch_managed(&self, mount: &MountId, arn: PolicyArn) -> Fetched {
        let source = DocumentSource::Managed(arn.clone());
        let result = match self.content(mount, Name::Managed(arn)).await {
            Ok(Content::Managed(document)) => Ok(document),
            Ok(Content::Group(_)) => Err(AwsError::NotConfigured(format!("`{source}` is a group"))),
            Err(error) => Err(error),
        };
        Fetched { source, result }
    }

    async fn fetch_group(&self, mount: &MountId, group: &GroupName) -> Vec<Fetched> {
        let group = group.clone();
        match self.content(mount, Name::Group(group.clone())).await {
            Ok(Content::Group(read)) => {
                let (documents, arns) = read.as_ref();
                let inline = documents.iter().map(|document| Fetched {
                    source: document.source.clone(),
                    result: Ok(document.clone()),
                });
                let mut all: Vec<Fetched> = inline.collect();
                let attached = arns.iter().map(|arn| self.fetch_managed(mount, arn.clone()));
                all.extend(join_all(attached).await);
                all
            }
            Ok(Content::Managed(document)) => {
                vec![Fetched { source: document.source.clone(), result: Ok(document) }]
            }
            Err(error) => {
                let source = DocumentSource::Group { group, policy: "*".to_owned() };
                vec![Fetched { source, result: Err(error) }]
            }
        }
    }

    async fn content(&self, mount: &MountId, name: Name) -> Result<Content, AwsError> {
        let key = Key { mount: mount.clone(), name };
        let slot = self.slot(&key);
        if let Some(content) = self.fresh(&key, &slot, STALE) {
            return Ok(content);
        }
        let _reading = slot.reading.lock().await;
        if let Some(content) = self.fresh(&key, &slot, STALE) {
            return Ok(content);
        }
        self.read(&key, &slot).await
    }

    fn slot(&self, key: &Key) -> Arc<Slot> {
        let now = self.clock.now();
        let mut slots = lock(&self.slots);
        let slot = slots.entry(key.clone()).or_insert_with(|| {
            Arc::new(Slot {
                held: Mutex::new(None),
                used_at: Mutex::new(now),
                reading: tokio::sync::Mutex::new(()),
            })
        });
        *lock(&slot.used_at) = now;
        Arc::clone(slot)
    }

    fn fresh(&self, key: &Key, slot: &Slot, age: Duration) -> Option<Content> {
        let now = self.clock.now();
        let generation = self.accounts.generation(&key.mount);
        let held = lock(&slot.held);
        let held = held.as_ref()?;
        // Read in what is now the future: the clock was set back, and nobody knows how old it is.
        let is_fresh = held.read_at <= now && now.since(held.read_at) <= age;
        (is_fresh && held.generation == generation).then(|| held.content.clone())
    }

    async fn read(&self, key: &Key, slot: &Slot) -> Result<Content, AwsError> {
        let generation = self.accounts.generation(&key.mount);
        let read_at = self.clock.now();
        let provider = self.accounts.provider(&key.mount).await?;
        let content = match &key.name {
            Name::Managed(arn) => Content::Managed(provider.managed_policy(arn).await?),
            Name::Group(group) => Content::Group(Arc::new(provider.group_policies(group).await?)),
        };
        *lock(&slot.held) = Some(Held { content: content.clone(), read_at, generation });
        Ok(content)
    }

    /// One round of the background's: forgets what is no longer used, reads again what is over a
    /// minute old. A failure leaves the old copy to its age.
    pub async fn refresh(&self) {
        if self.accounts.is_let_go() {
            return;
        }
        let now = self.clock.now();
        let due: Vec<(Key, Arc<Slot>)> = {
            let mut slots = lock(&self.slots);
            slots.retain(|_, slot| now.since(*lock(&slot.used_at)) <= FORGET);
            slots.iter().map(|(key, slot)| (key.clone(), Arc::clone(slot))).collect()
        };
        let stale = due.into_iter().filter(|(key, slot)| self.fresh(key, slot, REFRESH).is_none());
        stream::iter(stale)
            .for_each_concurrent(REFRESHING, |(key, slot)| async move {
                if let Err(error) = self.read(&key, &slot).await {
                    tracing::warn!(error = %error, "a document could not be refreshed: {error}");
                }
            })
            .await;
    }

    /// Refreshes each minute until told to stop.
    #[expect(clippy::disallowed_methods, reason = "the timer of the background refresh")]
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(REFRESH) => {}
                _ = shutdown.wait_for(|stop| *stop) => return,
            }
            self.refresh().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
