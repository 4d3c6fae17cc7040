//! What was asked of the broker and what it answered, written down before it is (contract 2.5): with devices enabled, a
//! request that none of them can take is refused. It knows requests by their [`Facts`] and answers by their bytes, and
//! neither the wire nor the engine.
//!
//! | file | holds |
//! |---|---|
//! | [`entry`] | what an entry says, in Vault's format |
//! | `hashed` | texts as digests |
//! | `options`, `device`, `sink`, `tail` | what a device was asked to be, its thread, where it writes, what is there already |
//! | [`chain`], [`verify`] | entries that hang together, and whether they still do |

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Mutex, watch};
use tracing::{error, info};

pub mod chain;
mod device;
pub mod entry;
mod hashed;
mod options;
mod sink;
mod tail;
pub mod verify;

pub use entry::{AtMount, Facts, Header, Trail};
pub use options::OptionError;

use device::Device;
use options::Options;
use sink::Sink;

use crate::model::{AuditDevice, AuditKind, ChainHead};
use crate::random::Random;
use crate::seal::{Barrier, SealError};
use crate::store::{Store, StoreError};

/// Between two writes of how far the chains have come: what an end that is cut off can hide at most.
const ANCHORED_EVERY: Duration = Duration::from_secs(1);

/// No device took an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no audit device could write the entry")]
pub struct Unwritten;

/// Why a device is not as it was asked for. Texts are the contract's where it has them.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is one.
    #[error("path already in use")]
    PathInUse,
    /// Not a path that a device can have.
    #[error(
        "`{0}` is no name for an audit device\nhelp: use letters, digits, - and _, with / between parts"
    )]
    BadPath(String),
    /// Not a kind.
    #[error("unknown backend type: {}", crate::model::go_text::quote(.0))]
    UnknownKind(String),
    /// Options.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// It cannot be written to.
    #[error("sanity check failed; unable to open {}: {why}", crate::model::go_text::quote(.place))]
    Unusable {
        /// Where it would write.
        place: String,
        /// What the system says.
        why: String,
    },
    /// There is none.
    #[error("unknown audit backend {}", crate::model::go_text::quote(.0))]
    Unknown(String),
    /// Nothing to make a digest of.
    #[error("the \"input\" parameter is empty")]
    NoInput,
    /// Its thread did not start.
    #[error("the audit device's thread does not start: {0}")]
    Thread(#[source] std::io::Error),
    /// The key is not there.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A device that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// `file`, `syslog` or `socket`.
    pub kind: String,
    /// Free text.
    pub description: String,
    /// What it needs.
    pub options: BTreeMap<String, String>,
    /// Without effect.
    pub local: bool,
}

/// What it works with.
#[derive(Debug, Clone)]
pub struct AuditParts {
    /// Where devices are kept.
    pub store: Arc<dyn Store>,
    /// Makes their keys.
    pub barrier: Arc<Barrier>,
    /// Makes their ids.
    pub random: Random,
}

/// The devices.
#[derive(Debug)]
pub struct Audit {
    parts: AuditParts,
    devices: RwLock<Arc<[Arc<Device>]>>,
    changes: Mutex<()>,
}

impl Audit {
    /// Without devices, before [`Audit::open`].
    pub fn new(parts: AuditParts) -> Self {
        Self { parts, devices: RwLock::new(Arc::new([])), changes: Mutex::new(()) }
    }

    /// Takes up the devices that are stored. One that cannot be written to is there all the same: until it can, it
    /// takes no entry.
    pub async fn open(&self) -> Result<(), AuditError> {
        let _alone = self.changes.lock().await;
        let mut devices = Vec::new();
        for (stored, head) in self.parts.store.audit_devices().await? {
            let options = Options::read(stored.kind, &stored.options)?;
            devices.push(self.started(stored, options, head)?);
        }
        self.set(devices);
        Ok(())
    }

    /// Lets go of the devices and their keys: the broker is sealed. What they wrote last is written down before, as far
    /// as that can be: a store that fails keeps no key in memory.
    pub async fn close(&self) -> Result<(), AuditError> {
        let _alone = self.changes.lock().await;
        let anchored = self.anchor(&mut BTreeMap::new()).await;
        self.set(Vec::new());
        Ok(anchored?)
    }

    fn started(
        &self,
        stored: AuditDevice,
        options: Options,
        head: Option<ChainHead>,
    ) -> Result<Arc<Device>, AuditError> {
        let key = self.parts.barrier.audit_key(&stored.id)?;
        let device = Device::start(stored, options, key, head).map_err(AuditError::Thread)?;
        Ok(Arc::new(device))
    }

    fn all(&self) -> Arc<[Arc<Device>]> {
        Arc::clone(&self.devices.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, devices: Vec<Arc<Device>>) {
        *self.devices.write().unwrap_or_else(PoisonError::into_inner) = devices.into();
    }

    fn named(&self, path: &str) -> Result<Arc<Device>, AuditError> {
        let all = self.all();
        let found = all.iter().find(|device| device.stored.path == path);
        found.cloned().ok_or_else(|| AuditError::Unknown(path.to_owned()))
    }

    /// Begins the trail of a request; `None` without devices, and nobody then asks for the facts.
    pub fn begin<'a>(&self, facts: impl FnOnce() -> Facts<'a>) -> Option<Trail> {
        let devices = self.all();
        (!devices.is_empty()).then(|| Trail::begin(&devices, &facts()))
    }

    /// The devices, by path.
    pub fn list(&self) -> Vec<AuditDevice> {
        self.all().iter().map(|device| device.stored.clone()).collect()
    }

    /// Adds a device that can be written to.
    pub async fn enable(&self, path: &str, new: NewDevice) -> Result<(), AuditError> {
        let path = checked(path)?;
        let kind = AuditKind::from_wire(&new.kind);
        let kind = kind.ok_or(AuditError::UnknownKind(new.kind))?;
        let _alone = self.changes.lock().await;
        let all = self.all();
        let taken = |there: &str| there.starts_with(&path) || path.starts_with(there);
        if all.iter().any(|device| taken(&device.stored.path)) {
            return Err(AuditError::PathInUse);
        }
        let options = Options::read(kind, &new.options)?;
        let others: Vec<_> = all.iter().filter_map(|device| device.options.file()).collect();
        let (mut sink, own) = (Sink::new(&options), options.file());
        let opened = tokio::task::spawn_blocking(move || {
            sink.open()?;
            // Two chains in one file would be none.
            let same =
                |path: &std::path::PathBuf| own.as_ref().is_some_and(|own| same_file(own, path));
            if others.iter().any(same) {
                return Err(std::io::Error::other("another audit device writes to it"));
            }
            Ok(())
        });
        let why = match opened.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            let names = ["file_path", "path", "address", "socket_path"];
            let place = names.iter().find_map(|name| new.options.get(*name));
            return Err(AuditError::Unusable { place: place.cloned().unwrap_or_default(), why });
        }
        let stored = AuditDevice {
            id: self.parts.random.uuid(),
            path,
            kind,
            description: new.description,
            options: new.options,
            local: new.local,
        };
        match self.parts.store.put_audit_device(&stored).await {
            Err(StoreError::Conflict) => return Err(AuditError::PathInUse),
            done => done?,
        }
        info!(audit.device = stored.path, "audit device `{}` enabled", stored.path);
        let device = self.started(stored, options, None)?;
        let mut devices: Vec<_> = all.iter().cloned().chain([device]).collect();
        devices.sort_by(|one, other| one.stored.path.cmp(&other.stored.path));
        self.set(devices);
        Ok(())
    }

    /// Takes a device away; fine when there is none.
    pub async fn disable(&self, path: &str) -> Result<(), AuditError> {
        let path = with_slash(path);
        let _alone = self.changes.lock().await;
        self.parts.store.remove_audit_device(&path).await?;
        let all = self.all();
        let left: Vec<_> =
            all.iter().filter(|device| device.stored.path != path).cloned().collect();
        if left.len() < all.len() {
            info!(audit.device = path, "audit device `{path}` disabled");
            self.set(left);
        }
        Ok(())
    }

    /// How a device shows a text.
    pub fn digest(&self, path: &str, input: &str) -> Result<String, AuditError> {
        let device = self.named(&with_slash(path))?;
        if input.is_empty() {
            return Err(AuditError::NoInput);
        }
        Ok(device.key.digest(input))
    }

    /// The last entry of a device.
    pub async fn head(&self, path: &str) -> Result<Option<ChainHead>, AuditError> {
        Ok(self.named(&with_slash(path))?.head().await)
    }

    /// Files are opened anew: somebody moved them away.
    pub fn reopen(&self) {
        for device in self.all().iter() {
            device.reopen();
        }
        info!("audit files are opened anew");
    }

    /// Writes down how far the chains have come, until it is told to stop, and once more then.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut known = BTreeMap::new();
        loop {
            let stop = tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => true,
                () = pause() => false,
            };
            if let Err(error) = self.anchor(&mut known).await {
                error!(%error, "how far the audit chains have come could not be written down");
            }
            if stop {
                return;
            }
        }
    }

    async fn anchor(&self, known: &mut BTreeMap<String, ChainHead>) -> Result<(), StoreError> {
        let devices = self.all();
        if devices.is_empty() {
            return Ok(());
        }
        let heads = devices
            .iter()
            .map(|device| async { Some((device.stored.id.clone(), device.head().await?)) });
        let heads: Vec<_> = join_all(heads).await.into_iter().flatten().collect();
        let news: Vec<_> =
            heads.into_iter().filter(|(id, head)| known.get(id) != Some(head)).collect();
        if news.is_empty() {
            return Ok(());
        }
        self.parts.store.put_chain_heads(news.clone()).await?;
        known.extend(news);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "between two writes of how far the chains are")]
async fn pause() {
    tokio::time::sleep(ANCHORED_EVERY).await;
}

fn same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    let real = |path: &std::path::Path| std::fs::canonicalize(path).ok();
    real(one).is_some() && real(one) == real(other)
}

fn with_slash(path: &str) -> String {
    format!("{}/", path.trim_end_matches('/'))
}

fn checked(path: &str) -> Result<String, AuditError> {
    let path = with_slash(path);
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let parts = path.trim_end_matches('/').split('/');
    let good = path.chars().all(letters) && parts.into_iter().all(|part| !part.is_empty());
    if good { Ok(path) } else { Err(AuditError::BadPath(path)) }
}

#[cfg(test)]
mod tests;
