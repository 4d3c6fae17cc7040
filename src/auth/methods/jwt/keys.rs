//! The keys that mounts believe, kept for a while: fetched by one at a time, again when they are old or a token names one
//! that is not among them, and never oftener than a fixed pace, whatever strangers send. Never decides about a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use super::fetch::fetch;
use crate::auth::jose::KeySet;
use crate::model::{AuthMountId, KeySource, Timestamp};
use crate::outbound::Outbound;

/// How long keys count without a look: so long a key that its issuer withdrew is still believed. GitHub, GitLab and
/// Kubernetes publish a new key long before they sign with it.
const FRESH: Duration = Duration::from_mins(10);
/// How long they count where the issuer does not answer.
const USABLE: Duration = Duration::from_hours(1);
/// Between two tries, successful or not: tokens with made-up key ids cost the issuer no more than that.
const PACE: Duration = Duration::from_secs(30);

/// Keys, and whose they are.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) keys: KeySet,
    /// What the discovery document says `iss` is.
    pub(super) name: Option<String>,
}

/// The keys of all mounts.
#[derive(Debug, Default)]
pub(in crate::auth::methods) struct IssuerKeys {
    held: Mutex<HashMap<AuthMountId, Arc<Held>>>,
}

#[derive(Debug)]
struct Held {
    source: KeySource,
    state: Mutex<State>,
    /// Who has it fetches; the others wait and take what came.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    issuer: Option<(Arc<Issuer>, Timestamp)>,
    tried_at: Option<Timestamp>,
}

/// The keys could not be had; why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoKeys;

impl IssuerKeys {
    /// Keys to look at a token with.
    pub(super) async fn current(
        &self,
        mount: &AuthMountId,
        source: &KeySource,
        outbound: &dyn Outbound,
        now: Timestamp,
    ) -> Result<Arc<Issuer>, NoKeys> {
        let held = self.held(mount, source);
        if let Some(issuer) = held.within(FRESH, now) {
            return Ok(issuer);
        }
        let _alone = held.fetching.lock().await;
        if let Some(issuer) = held.within(FRESH, now) {
            return Ok(issuer);
        }
        held.try_again(outbound, now).await;
        held.within(USABLE, now).ok_or(NoKeys)
    }

    /// Keys that are newer than `than`, in which a token's key was not; the same ones where it is too early to ask.
    pub(super) async fn newer(
        &self,
        mount: &AuthMountId,
        source: &KeySource,
        than: &Arc<Issuer>,
        outbound: &dyn Outbound,
        now: Timestamp,
    ) -> Arc<Issuer> {
        let held = self.held(mount, source);
        let _alone = held.fetching.lock().await;
        let is_newer = |issuer: &Arc<Issuer>| !Arc::ptr_eq(issuer, than);
        if let Some(issuer) = held.within(FRESH, now).filter(is_newer) {
            return issuer;
        }
        held.try_again(outbound, now).await;
        held.within(USABLE, now).unwrap_or_else(|| Arc::clone(than))
    }

    /// Takes keys that were just fetched, to see whether they come.
    pub(super) fn put(
        &self,
        mount: &AuthMountId,
        source: &KeySource,
        issuer: Issuer,
        now: Timestamp,
    ) {
        let held = self.held(mount, source);
        *held.state() = State { issuer: Some((Arc::new(issuer), now)), tried_at: Some(now) };
    }

    /// Forgets a mount that is gone.
    pub(in crate::auth::methods) fn forget(&self, mount: &AuthMountId) {
        self.all().remove(mount);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<AuthMountId, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held for a mount; what came from another source counts for nothing.
    fn held(&self, mount: &AuthMountId, source: &KeySource) -> Arc<Held> {
        let mut all = self.all();
        match all.get(mount) {
            Some(held) if held.source == *source => Arc::clone(held),
            Some(_) | None => {
                let held = Arc::new(Held {
                    source: source.clone(),
                    state: Mutex::default(),
                    fetching: tokio::sync::Mutex::default(),
                });
                all.insert(mount.clone(), Arc::clone(&held));
                held
            }
        }
    }
}

impl Held {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its keys, if they are not older than that; static ones never are.
    fn within(&self, age: Duration, now: Timestamp) -> Option<Arc<Issuer>> {
        let is_static = matches!(self.source, KeySource::Static { .. });
        let state = self.state();
        let (issuer, since) = state.issuer.as_ref()?;
        (is_static || now < since.after(age)).then(|| Arc::clone(issuer))
    }

    /// Fetches, unless the last try is too near.
    async fn try_again(&self, outbound: &dyn Outbound, now: Timestamp) {
        if self.state().tried_at.is_some_and(|tried| now < tried.after(PACE)) {
            return;
        }
        self.state().tried_at = Some(now);
        match fetch(&self.source, outbound).await {
            Ok(issuer) => {
                info!("{} keys of an issuer of logins fetched", issuer.keys.len());
                self.state().issuer = Some((Arc::new(issuer), now));
            }
            Err(why) => warn!("the keys of an issuer of logins cannot be fetched: {why}"),
        }
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
