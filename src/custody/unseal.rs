//! Opening the seal: at the start where a machine unseals, else share by share; and closing it. Nobody is served before
//! guardrails, accounts, audit devices and leases are taken up, and all of them are let go of when it closes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::device::MadeWith;
use super::progress::{Given, Progress, key_of};
use super::{Custody, CustodyError, Device, Result, Turn};
use crate::model::{KeyShare, SealKind, SealRecord};
use crate::seal::{
    KEY_CHECK_SETTING, Keyring, MasterKey, SealError, SealStatus, is_key_of_old, keyring,
};
use crate::store::{Store, StoreError};

/// Between two tries of a machine to unseal. 5 s: what Vault waits.
const RETRY: Duration = Duration::from_secs(5);

impl Custody {
    /// What the installation was made with.
    pub async fn made_with(store: &dyn Store) -> std::result::Result<MadeWith, StoreError> {
        if let Some(record) = store.seal().await? {
            return Ok(MadeWith::Kind(record.kind));
        }
        let of_old = store.setting(KEY_CHECK_SETTING).await?.is_some();
        Ok(if of_old { MadeWith::KeyOfOld } else { MadeWith::Nothing })
    }

    /// At the start: finds out how the seal stands, and unseals where a machine does that. A key file that is missing or
    /// wrong is an error; a key of AWS KMS that cannot be reached is tried again by [`Custody::run`].
    pub async fn begin(&self) -> Result<()> {
        let mut turn = self.turn.lock().await;
        let record = match self.parts.store.seal().await? {
            Some(record) => record,
            None => match self.parts.store.setting(KEY_CHECK_SETTING).await? {
                Some(check) => self.move_from_old(&check).await?,
                None => return Ok(()),
            },
        };
        self.show(&record);
        self.parts.barrier.lock("it waits to be unsealed");
        match self.unseal_by_itself(&record, &mut turn).await {
            Err(CustodyError::Kms(error)) => {
                error!("the broker stays sealed until AWS KMS can be reached: {error}");
                Ok(())
            }
            Ok(false) => {
                info!("the broker is sealed until {} shares were given", record.threshold);
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Tries to unseal while AWS KMS cannot be reached, until it is told to stop.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        if self.kind() != SealKind::AwsKms {
            return;
        }
        while tokio::time::timeout(RETRY, shutdown.wait_for(|stop| *stop)).await.is_err() {
            let mut turn = self.turn.lock().await;
            let waits = matches!(self.parts.barrier.status(), SealStatus::Sealed { .. });
            if turn.by_hand || !waits {
                continue;
            }
            let tried = async {
                let record = self.record().await?;
                self.unseal_by_itself(&record, &mut turn).await
            };
            if let Err(error) = tried.await {
                error!("the broker is still sealed: {error}");
            }
        }
    }

    async fn unseal_by_itself(&self, record: &SealRecord, turn: &mut Turn) -> Result<bool> {
        match self.parts.device.open_by_itself(record).await? {
            None => Ok(false),
            Some(root) => {
                self.open(root, record, turn).await?;
                Ok(true)
            }
        }
    }

    /// An installation of a release without keyrings: its one key becomes the first of a keyring, so that everything
    /// that it sealed stays readable, and the key file what unseals. One row makes the change.
    async fn move_from_old(&self, check: &[u8]) -> Result<SealRecord> {
        let (random, key) = (&self.parts.random, self.parts.device.key_of_file()?);
        if !is_key_of_old(&key, check) {
            return Err(SealError::WrongKey.into());
        }
        let root = MasterKey::generate(random);
        let keyring = Keyring::beginning_with(key.clone(), self.parts.clock.now());
        let record = SealRecord {
            kind: SealKind::Static,
            shares: 1,
            threshold: 1,
            wrapped_root: Device::wrap_by_file(&key, &root, random)?,
            wrapped_keyring: keyring.wrapped(&root, random)?,
            recovery: None,
        };
        self.parts.store.init_seal(&record).await?;
        info!("the key of this installation is the first of a keyring now");
        self.record().await
    }

    /// Takes a share of the key, and unseals with the last one that is needed.
    pub async fn unseal(&self, share: KeyShare) -> Result<()> {
        let mut turn = self.turn.lock().await;
        match self.parts.barrier.status() {
            SealStatus::Unsealed => return Ok(()),
            SealStatus::Uninitialised => return Err(CustodyError::NotInitialised),
            SealStatus::Sealed { .. } => {}
        }
        let record = self.record().await?;
        let threshold = match (record.kind.is_auto(), &record.recovery) {
            (false, _) => record.threshold,
            (true, Some(recovery)) => recovery.threshold,
            (true, None) => return Err(CustodyError::NoRecoveryKey),
        };
        let mut progress =
            turn.unsealing.take().unwrap_or_else(|| Progress::new(&self.parts.random));
        let given = progress.give(share, threshold);
        if let Given::Enough(shares) = given {
            self.show_progress(None);
            return self.unseal_with(&shares, &record, &mut turn).await;
        }
        self.show_progress(Some(&progress));
        turn.unsealing = Some(progress);
        Ok(())
    }

    async fn unseal_with(
        &self,
        shares: &[KeyShare],
        record: &SealRecord,
        turn: &mut Turn,
    ) -> Result<()> {
        let key = key_of(shares).map_err(|error| {
            if let CustodyError::NoKey(why) = error {
                return CustodyError::UnsealsNothing(why);
            }
            error
        })?;
        let root = match self.parts.device.open_by_itself(record).await? {
            // The shares say that it may be done, the device does it.
            Some(root) => {
                must_be_recovery_key(&key, &root, record)?;
                root
            }
            None => keyring::unwrap_root(&key, &record.wrapped_root).map_err(|_other_key| {
                CustodyError::WrongKey(
                    "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage",
                )
            })?,
        };
        self.open(root, record, turn).await
    }

    /// Opens the barrier with the root key, and serves once everything is taken up.
    async fn open(&self, root: MasterKey, record: &SealRecord, turn: &mut Turn) -> Result<()> {
        let keyring = Keyring::unwrap(&root, &record.wrapped_keyring)?;
        self.parts.barrier.open_with(root, keyring);
        self.take_up().await?;
        self.serve(turn);
        Ok(())
    }

    /// Takes up everything that a sealed broker does not have; where that fails it is sealed.
    pub(super) async fn take_up(&self) -> Result<()> {
        let taken_up = async {
            self.parts.engine.take_up().await?;
            self.parts.audit.open().await?;
            Ok::<_, CustodyError>(())
        };
        if let Err(error) = taken_up.await {
            self.parts.engine.let_go();
            self.parts.barrier.lock("what is to be served could not be taken up");
            return Err(error);
        }
        Ok(())
    }

    /// From now on requests are served and leases are worked on.
    pub(super) fn serve(&self, turn: &mut Turn) {
        self.parts.leases.unseal();
        self.parts.barrier.serve();
        turn.by_hand = false;
        turn.unsealing = None;
        self.show_progress(None);
        info!(seal.kind = self.kind().as_str(), "the broker is unsealed");
    }

    /// Gives up the shares that were given so far.
    pub async fn reset_unsealing(&self) -> Result<()> {
        let mut turn = self.turn.lock().await;
        if self.parts.barrier.status() == SealStatus::Unsealed {
            return Err(CustodyError::Unsealed);
        }
        turn.unsealing = None;
        self.show_progress(None);
        Ok(())
    }

    /// Closes it: every key is forgotten, nobody is served, and nothing is done in AWS. Leases stay as they are.
    pub async fn seal(&self) -> Result<()> {
        let mut turn = self.turn.lock().await;
        if self.parts.barrier.status() != SealStatus::Unsealed {
            return Ok(());
        }
        *turn = Turn { by_hand: true, ..Turn::default() };
        self.parts.leases.seal();
        self.parts.barrier.lock("an operator sealed it");
        self.parts.engine.let_go();
        if let Err(problem) = self.parts.audit.close().await {
            warn!("how far the audit chains have come could not be written down: {problem}");
        }
        warn!(
            "the broker is sealed: nothing is issued and nothing is torn down until it is unsealed"
        );
        Ok(())
    }
}

/// Whether the shares made the recovery key.
pub(super) fn must_be_recovery_key(
    key: &MasterKey,
    root: &MasterKey,
    record: &SealRecord,
) -> Result<()> {
    let recovery = record.recovery.as_ref().ok_or(CustodyError::NoRecoveryKey)?;
    let right = keyring::unwrap_recovery(root, &recovery.wrapped_key)?;
    if right.to_share() == key.to_share() {
        return Ok(());
    }
    Err(CustodyError::WrongKey("recovery key verification failed"))
}
