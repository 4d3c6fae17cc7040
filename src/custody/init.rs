//! Making an installation out of an empty one (contract 2.3): keys, shares, the root token. It happens once. The one
//! row that makes it an installation is written last, so that whoever fails before can begin again.

use tracing::info;

use super::{Custody, CustodyError, Result, Shares, Turn};
use crate::model::{ClientToken, KeyShare, RecoveryRecord, SealRecord};
use crate::seal::{Keyring, MasterKey, SealStatus};

/// What an installation is to be made with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewSeal {
    /// Of the key that unseals; `None` where a machine does.
    pub shares: Option<Shares>,
    /// Of the recovery key; `None` for none.
    pub recovery: Option<Shares>,
}

/// What is shown once.
#[derive(Debug)]
pub struct Initialised {
    /// Shares of the key that unseals; none where a machine does.
    pub keys: Vec<KeyShare>,
    /// Shares of the recovery key.
    pub recovery_keys: Vec<KeyShare>,
    /// A token that may do everything.
    pub root_token: ClientToken,
}

impl Custody {
    /// Makes the keys and the root token. Where people unseal it is sealed then, else it serves.
    pub async fn initialise(&self, new: NewSeal) -> Result<Initialised> {
        let mut turn = self.turn.lock().await;
        match self.parts.barrier.status() {
            SealStatus::Uninitialised => {}
            SealStatus::Sealed { .. } | SealStatus::Unsealed => {
                return Err(CustodyError::AlreadyInitialised);
            }
        }
        let kind = self.kind();
        match (kind.is_auto(), new.shares, new.recovery) {
            (true, None, _) | (false, Some(_), None) => {}
            (true, Some(_), _) => {
                let names = "secret_shares,secret_threshold".to_owned();
                return Err(CustodyError::NotApplicable(names, kind.as_str()));
            }
            (false, _, Some(_)) => {
                let names = "recovery_shares,recovery_threshold".to_owned();
                return Err(CustodyError::NotApplicable(names, kind.as_str()));
            }
            (false, None, None) => {
                return Err(CustodyError::Shares("seal", "shares must be at least one"));
            }
        }
        let made = self.make(new, &mut turn).await;
        if made.is_err() {
            self.parts.engine.let_go();
            self.parts.barrier.forget();
        }
        made
    }

    async fn make(&self, new: NewSeal, turn: &mut Turn) -> Result<Initialised> {
        let (random, barrier) = (&self.parts.random, &self.parts.barrier);
        let root = MasterKey::generate(random);
        let share_key = MasterKey::generate(random);
        let keyring = Keyring::generate(random, self.parts.clock.now());
        let wrapped_root = self.parts.device.wrap_first(&root, &share_key, random).await?;
        let wrapped_keyring = keyring.wrapped(&root, random)?;
        barrier.open_with(root, keyring);
        let (recovery, recovery_keys) = match new.recovery {
            None => (None, Vec::new()),
            Some(shares) => {
                let (record, keys) = self.new_recovery(shares)?;
                (Some(record), keys)
            }
        };
        // A token that nobody knows of, should it not come to the row: nothing digests to it any more.
        let root_token = self.parts.auth.create_root(None).await?;
        let record = SealRecord {
            kind: self.kind(),
            shares: new.shares.map_or(1, Shares::shares),
            threshold: new.shares.map_or(1, Shares::threshold),
            wrapped_root,
            wrapped_keyring,
            recovery,
        };
        if record.kind.is_auto() {
            self.take_up().await?;
        }
        if !self.parts.store.init_seal(&record).await? {
            return Err(CustodyError::AlreadyInitialised);
        }
        info!(seal.kind = record.kind.as_str(), "the installation is initialised");
        self.show(&record);
        let keys = if let Some(shares) = new.shares {
            barrier.lock("it was initialised and waits for its shares");
            shares.split(&share_key, random)
        } else {
            self.serve(turn);
            Vec::new()
        };
        Ok(Initialised { keys, recovery_keys, root_token })
    }

    /// A recovery key, as it is stored and in shares.
    pub(super) fn new_recovery(&self, shares: Shares) -> Result<(RecoveryRecord, Vec<KeyShare>)> {
        let key = MasterKey::generate(&self.parts.random);
        let record = RecoveryRecord {
            shares: shares.shares(),
            threshold: shares.threshold(),
            wrapped_key: self.parts.barrier.wrapped_recovery(&key)?,
        };
        Ok((record, shares.split(&key, &self.parts.random)))
    }
}
