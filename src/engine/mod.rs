//! The use cases: what mounts, account bindings, roles, credentials and leases are for. One file per
//! job; none of them knows the wire or an AWS type, and none creates anything that
//! [`crate::gate`] did not allow. Start at [`issue`]; rules without I/O are in [`ttl`],
//! [`role_check`] and [`username`].

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::aws::Accounts;
use crate::aws::documents::Documents;
use crate::clock::Clock;
use crate::gate::{Gate, Trust};
use crate::leases::Leases;
use crate::metrics::{Counted, Deliveries, Issues, Pace, Requests, RotationEvents};
use crate::model::{MountState, Quarantine};
use crate::random::Random;
use crate::seal::{Barrier, SealError};
use crate::store::{Store, StoreError};

pub mod account_limits;
mod answers;
pub mod assume;
pub mod config;
mod config_merge;
mod cron;
pub mod delivery;
mod disable;
pub mod doctor;
mod grant;
pub mod guardrails;
pub mod idempotency;
pub mod issue;
mod issue_error;
pub mod lease_query;
pub mod leases;
pub mod legacy_role;
pub mod limits;
mod mount_table;
pub mod mounts;
mod new_lease;
mod placement;
pub mod plugins;
pub mod quarantine;
pub mod readiness;
pub mod reconcile;
pub mod remount;
pub mod removed_mounts;
mod role_check;
pub mod role_limits;
mod role_merge;
pub mod roles;
pub mod rotate_root;
pub mod rotation;
mod session_grant;
mod session_revocation;
pub mod static_roles;
mod time_left;
pub mod ttl;
pub mod ttl_told;
mod tuning;
pub mod username;
mod work;

pub use mount_table::NotServing;

/// What the server's configuration says about leases.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// How long a lease lasts where nothing else says.
    pub default_lease_ttl: Duration,
    /// How long a lease can last at most where the mount does not say.
    pub max_lease_ttl: Duration,
    /// This installation's id, which its users carry as a tag.
    pub broker: String,
    /// Whose signature on a plugin is believed.
    pub trust: Arc<Trust>,
}

impl EngineSettings {
    /// Vault's own TTLs: 768 h both (contract 1.6).
    pub fn new(broker: String) -> Self {
        let ttl = Duration::from_hours(768);
        Self { default_lease_ttl: ttl, max_lease_ttl: ttl, broker, trust: Arc::default() }
    }
}

/// What the engine works with.
#[derive(Debug)]
pub struct EngineParts {
    /// Everything durable.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and names.
    pub random: Random,
    /// Seals secret keys.
    pub barrier: Arc<Barrier>,
    /// Judges grants.
    pub gate: Arc<Gate>,
    /// Which AWS account serves which mount.
    pub accounts: Arc<Accounts>,
    /// Documents that AWS holds.
    pub documents: Arc<Documents>,
    /// The life of leases.
    pub leases: Arc<Leases>,
    /// From the configuration.
    pub settings: EngineSettings,
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was bound cannot be loaded.
    #[error("the guardrails cannot be loaded: {0}")]
    Guardrails(#[from] guardrails::GuardrailError),
    /// A secret key cannot be opened.
    #[error("the secret key of the mount at `{mount}` cannot be opened: {source}")]
    Seal {
        /// Where the mount is or was.
        mount: String,
        /// Why.
        source: SealError,
    },
}

/// The use cases.
#[derive(Debug)]
pub struct Engine {
    parts: EngineParts,
    table: mount_table::MountTable,
    /// Held while the mount table changes, so that conflicts are seen.
    mount_changes: Mutex<()>,
    /// Held while `config/root` is read, merged and written.
    config_changes: Mutex<()>,
    /// Of requests that may be sent again.
    answers: answers::Answers,
    issues: Issues,
    deliveries: Deliveries,
    /// Set while a restored database waits for a word.
    quarantine: RwLock<Option<Quarantine>>,
    passes: reconcile::Passes,
    /// Who is rotating which key.
    rotations: rotation::Rotations,
    rotated: RotationEvents,
    plugins: plugins::Plugins,
    guardrails: guardrails::Guardrails,
}

impl Engine {
    /// Loads the mounts and binds their accounts; those of disabled mounts too, since leases under
    /// them may still have to be torn down.
    pub async fn start(parts: EngineParts) -> Result<Arc<Self>, EngineError> {
        let engine = Self {
            parts,
            table: mount_table::MountTable::default(),
            mount_changes: Mutex::new(()),
            config_changes: Mutex::new(()),
            answers: answers::Answers::default(),
            issues: Issues::default(),
            deliveries: Deliveries::default(),
            quarantine: RwLock::default(),
            passes: reconcile::Passes::default(),
            rotations: rotation::Rotations::default(),
            rotated: RotationEvents::default(),
            plugins: plugins::Plugins::default(),
            guardrails: guardrails::Guardrails::default(),
        };
        engine.load_guardrails().await?;
        engine.enter_quarantine().await?;
        engine.remember_last_comparison().await?;
        for mount in engine.parts.store.mounts().await? {
            engine.bind_stored_account(&mount).await?;
            match mount.state {
                MountState::Active | MountState::Tainted => engine.table.put(mount),
                MountState::Removed => {}
            }
        }
        Ok(Arc::new(engine))
    }

    /// What is counted here and below.
    pub fn counted(&self) -> Counted {
        Counted {
            requests: Requests::default(),
            issues: self.issues.clone(),
            deliveries: self.deliveries.clone(),
            rotations: self.rotated.clone(),
            leases: self.parts.leases.events().clone(),
            aws: self.parts.accounts.calls().clone(),
            verdicts: self.parts.gate.counted().clone(),
        }
    }

    /// How the AWS accounts are paced right now.
    pub fn pace(&self) -> Pace {
        self.parts.accounts.pace()
    }

    /// The leases, for what needs no rule of the engine: revoking and listing.
    pub fn leases(&self) -> &Arc<Leases> {
        &self.parts.leases
    }
}

#[cfg(test)]
mod tests;
