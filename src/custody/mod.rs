//! The keys of the installation, and who holds them: made at init, wrapped by what unseals, in memory only while the
//! broker is unsealed. Everything here takes turns, and each change is one durable row before it counts. Must never
//! show a key but those that it hands out once, nor serve anybody before all that is sealed is taken up.
//!
//! | file | holds |
//! |---|---|
//! | `init` | an installation out of an empty one |
//! | `unseal` | shares one by one, what unseals by itself, sealing |
//! | `device` | what unseals: shares, a key file, a key of AWS KMS |
//! | `rekey` | new shares in the place of the old |
//! | `generate_root` | a new root token, by those who hold shares |
//! | `rotate` | a new key for what is sealed from now on |
//! | `shares`, `progress` | how many shares there are; those that were given so far |

mod device;
mod error;
mod generate_root;
mod init;
mod progress;
mod rekey;
mod rotate;
mod shares;
mod unseal;

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

pub use device::{Device, DeviceParts, MadeWith};
pub use error::CustodyError;
pub use generate_root::{RootGenerated, RootGeneration};
pub use init::{Initialised, NewSeal};
pub use rekey::{RekeyStatus, RekeyWish, Rekeyed, Target, VerifyStatus};
pub use shares::Shares;

use crate::audit::Audit;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::leases::Leases;
use crate::model::{SealKind, SealRecord};
use crate::random::Random;
use crate::seal::{Barrier, SealStatus};
use crate::store::Store;
use generate_root::Generation;
use progress::Progress;
use rekey::Rekeying;

type Result<T> = std::result::Result<T, CustodyError>;

/// What custody works with.
#[derive(Debug)]
pub struct CustodyParts {
    /// Where the wrapped keys are kept.
    pub store: Arc<dyn Store>,
    /// What the keys open.
    pub barrier: Arc<Barrier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes keys and nonces.
    pub random: Random,
    /// Makes root tokens.
    pub auth: Arc<Auth>,
    /// Has secrets in memory while the broker is unsealed.
    pub engine: Arc<Engine>,
    /// Works in AWS while the broker is unsealed.
    pub leases: Arc<Leases>,
    /// Writes while the broker is unsealed.
    pub audit: Arc<Audit>,
    /// What unseals.
    pub device: Device,
}

/// Holds the keys.
#[derive(Debug)]
pub struct Custody {
    parts: CustodyParts,
    /// What is under way; held while anything changes.
    turn: Mutex<Turn>,
    /// What is shown without waiting for a turn.
    shown: RwLock<Shown>,
}

/// What is under way. In memory alone: a restart forgets it.
#[derive(Debug, Default)]
struct Turn {
    unsealing: Option<Progress>,
    rekeying: Option<Rekeying>,
    recovering: Option<Rekeying>,
    generating: Option<Generation>,
    /// Whether somebody sealed it: then it does not unseal by itself before a restart.
    by_hand: bool,
}

#[derive(Debug, Default)]
struct Shown {
    /// Of the stored seal.
    shares: Option<Shares>,
    given: usize,
    nonce: String,
}

/// How the seal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What unseals.
    pub kind: SealKind,
    /// Whether there is a key.
    pub status: SealStatus,
    /// How many shares unseal, and how many there are; of the recovery key where a machine unseals. 0 where there
    /// are none.
    pub threshold: u8,
    /// The same.
    pub shares: u8,
    /// How many were given so far.
    pub progress: usize,
    /// Of the attempt that is under way; empty where none is.
    pub nonce: String,
}

impl Custody {
    /// Nothing is opened before [`Custody::begin`].
    pub fn new(parts: CustodyParts) -> Self {
        Self { parts, turn: Mutex::default(), shown: RwLock::default() }
    }

    /// What unseals.
    pub fn kind(&self) -> SealKind {
        self.parts.device.kind()
    }

    /// How the seal stands.
    pub fn standing(&self) -> Standing {
        let status = self.parts.barrier.status();
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let shares = shown.shares;
        Standing {
            kind: self.kind(),
            threshold: shares.map_or(0, Shares::threshold),
            shares: shares.map_or(0, Shares::shares),
            progress: shown.given,
            nonce: shown.nonce.clone(),
            status,
        }
    }

    /// The stored seal, of an installation that was initialised.
    async fn record(&self) -> Result<SealRecord> {
        let stored = self.parts.store.seal().await?;
        stored.ok_or(CustodyError::NotInitialised)
    }

    fn must_be_unsealed(&self) -> Result<()> {
        match self.parts.barrier.status() {
            SealStatus::Unsealed => Ok(()),
            SealStatus::Sealed { .. } | SealStatus::Uninitialised => Err(CustodyError::Sealed),
        }
    }

    /// Shows what of the stored seal anybody may see.
    fn show(&self, record: &SealRecord) {
        let shares = match (record.kind.is_auto(), &record.recovery) {
            (false, _) => Shares::stored(record.shares, record.threshold),
            (true, Some(recovery)) => Shares::stored(recovery.shares, recovery.threshold),
            (true, None) => None,
        };
        self.shown.write().unwrap_or_else(PoisonError::into_inner).shares = shares;
    }

    fn show_progress(&self, progress: Option<&Progress>) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        shown.given = progress.map_or(0, Progress::given);
        shown.nonce = progress.map_or_else(String::new, |progress| progress.nonce().to_owned());
    }
}
