//! Components that are loaded, by digest, so that a change of one guardrail loads no other again. It never judges, and
//! never gives out other bytes than those of the digest. What binds them is `component`; what keeps them is the store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use guardrail_host::{Host, LoadError, Plugin};

use super::shipped::shipped_by_digest;
use crate::model::PluginDigest;

/// A component for a guardrail. Whoever holds one can work with it whatever the gate lets go of meanwhile.
#[derive(Debug, Clone)]
pub enum Supplied {
    /// It is loaded.
    Loaded(Plugin),
    /// Its bytes, to be loaded.
    Bytes(Cow<'static, [u8]>),
}

/// Loaded components of one host.
pub(super) struct Plugins {
    host: Host,
    loaded: Mutex<BTreeMap<PluginDigest, Plugin>>,
}

impl Plugins {
    pub(super) fn new(host: Host) -> Self {
        Self { host, loaded: Mutex::default() }
    }

    /// The same host; of what is loaded, these alone.
    pub(super) fn beside(&self, these: &[PluginDigest]) -> Self {
        let mut loaded = self.lock().clone();
        loaded.retain(|digest, _| these.contains(digest));
        Self { host: self.host.clone(), loaded: Mutex::new(loaded) }
    }

    pub(super) const fn host(&self) -> &Host {
        &self.host
    }

    /// A component that is loaded, or ships with the broker.
    pub(super) fn supplied(&self, digest: &PluginDigest) -> Option<Supplied> {
        let shipped = || shipped_by_digest(digest).map(|(_, own)| Supplied::Bytes(own.into()));
        self.get(digest).map(Supplied::Loaded).or_else(shipped)
    }

    /// The component, loaded. Takes seconds where it must be compiled: not for a worker of a runtime.
    pub(super) fn loaded(
        &self,
        digest: &PluginDigest,
        component: &Supplied,
    ) -> Result<Plugin, Unfit> {
        match component {
            Supplied::Loaded(plugin) => {
                // It may be one that was let go of meanwhile: what works with it keeps it from now on.
                self.lock().entry(digest.clone()).or_insert_with(|| plugin.clone());
                Ok(plugin.clone())
            }
            Supplied::Bytes(bytes) => self.load(digest, bytes),
        }
    }

    pub(super) fn get(&self, digest: &PluginDigest) -> Option<Plugin> {
        self.lock().get(digest).cloned()
    }

    /// Loads a component unless it is loaded. Takes seconds where it must be compiled, and keeps nobody waiting.
    pub(super) fn load(&self, digest: &PluginDigest, component: &[u8]) -> Result<Plugin, Unfit> {
        if let Some(plugin) = self.get(digest) {
            return Ok(plugin);
        }
        let plugin = self.host.load(component)?;
        if plugin.digest() != digest.hex() {
            return Err(Unfit::OtherBytes);
        }
        self.lock().insert(digest.clone(), plugin.clone());
        Ok(plugin)
    }

    /// Lets go of all others. Whoever holds one goes on with it.
    pub(super) fn keep_only(&self, wanted: impl Fn(&PluginDigest) -> bool) {
        self.lock().retain(|digest, _| wanted(digest));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PluginDigest, Plugin>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a component is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It is no guardrail.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its digest is another.
    #[error("its bytes are not those of its digest")]
    OtherBytes,
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins").field("loaded", &self.lock().len()).finish_non_exhaustive()
    }
}
