//! New shares in the place of the old, for those who hold enough of the old: of the key that unseals, or of the recovery
//! key where a machine does. The old ones are good until the row of the new is written, at once or after the new ones
//! were given back. A rekey that is cut short changes nothing.

use tracing::warn;

use super::progress::{Given, Progress, key_of};
use super::unseal::must_be_recovery_key;
use super::{Custody, CustodyError, Result, Shares, Turn};
use crate::model::{KeyShare, RecoveryRecord, SealRecord};
use crate::seal::{MasterKey, keyring};

/// Shares of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Of the key that unseals.
    Barrier,
    /// Of the recovery key.
    Recovery,
}

impl Target {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Barrier => "barrier",
            Self::Recovery => "recovery",
        }
    }
}

/// What the new shares are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RekeyWish {
    /// How many.
    pub shares: Shares,
    /// Whether they must be given back before they count.
    pub verify: bool,
}

/// A rekey that is under way.
#[derive(Debug)]
pub(super) struct Rekeying {
    wish: RekeyWish,
    given: Progress,
    /// New shares that are handed out and are to be given back.
    handed_out: Option<HandedOut>,
}

#[derive(Debug)]
struct HandedOut {
    key: MasterKey,
    given: Progress,
}

/// How a rekey stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RekeyStatus {
    /// Of the attempt; empty where there is none.
    pub nonce: String,
    /// Whether there is one.
    pub started: bool,
    /// Of the new shares; 0 where there are none.
    pub threshold: u8,
    /// The same.
    pub shares: u8,
    /// How many old ones were given.
    pub progress: usize,
    /// How many old ones are needed.
    pub required: u8,
    /// Whether the new ones must be given back before they count.
    pub verify: bool,
    /// Of their giving back; empty before.
    pub verification_nonce: String,
}

/// How the giving back of new shares stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyStatus {
    /// Of the attempt.
    pub nonce: String,
    /// Of the new shares.
    pub threshold: u8,
    /// The same.
    pub shares: u8,
    /// How many were given back.
    pub progress: usize,
    /// Whether that is all, and they count.
    pub complete: bool,
}

/// What a share came to.
#[derive(Debug)]
pub enum Rekeyed {
    /// More are needed.
    More(RekeyStatus),
    /// The new shares, shown once.
    Done {
        /// Of the attempt.
        nonce: String,
        /// The shares.
        keys: Vec<KeyShare>,
        /// Of their giving back, where they do not count before that.
        verification_nonce: Option<String>,
    },
}

impl Custody {
    /// How a rekey stands.
    pub async fn rekey_status(&self, target: Target) -> Result<RekeyStatus> {
        self.must_be_unsealed()?;
        let mut turn = self.turn.lock().await;
        let required = self.required(target).await?;
        Ok(status(turn.rekey(target).as_ref(), required))
    }

    /// Begins one.
    pub async fn begin_rekey(&self, target: Target, wish: RekeyWish) -> Result<RekeyStatus> {
        self.must_be_unsealed()?;
        let mut turn = self.turn.lock().await;
        let required = self.required(target).await?;
        let slot = turn.rekey(target);
        if slot.is_some() {
            return Err(CustodyError::RekeyInProgress);
        }
        let given = Progress::new(&self.parts.random);
        let begun = slot.insert(Rekeying { wish, given, handed_out: None });
        let how = if wish.verify { "with" } else { "without" };
        warn!(
            seal.shares = target.as_str(),
            "a rekey was begun {how} verification: its shares count {}",
            if wish.verify { "once they were given back" } else { "at once, lost or not" }
        );
        Ok(status(Some(begun), required))
    }

    /// Gives one up. What it handed out does not count then.
    pub async fn cancel_rekey(&self, target: Target) -> Result<()> {
        self.must_be_unsealed()?;
        *self.turn.lock().await.rekey(target) = None;
        Ok(())
    }

    /// Takes an old share; with the last one that is needed the new ones are handed out.
    pub async fn rekey(&self, target: Target, nonce: &str, share: KeyShare) -> Result<Rekeyed> {
        self.must_be_unsealed()?;
        let mut turn = self.turn.lock().await;
        let required = self.required(target).await?;
        let idle = CustodyError::NoRekey(target.as_str());
        let rekeying = turn.rekey(target).as_mut().ok_or(idle)?;
        if let Some(handed_out) = &rekeying.handed_out {
            return Err(CustodyError::VerificationNeeded(handed_out.given.nonce().to_owned()));
        }
        let own = rekeying.given.nonce().to_owned();
        if nonce != own {
            return Err(CustodyError::Nonce("rekey", own));
        }
        let shares = match rekeying.given.give(share, required) {
            Given::Again => return Err(CustodyError::GivenTwice),
            Given::More => return Ok(Rekeyed::More(status(Some(rekeying), required))),
            Given::Enough(shares) => shares,
        };
        self.must_hold(target, &shares).await?;
        let key = MasterKey::generate(&self.parts.random);
        let keys = rekeying.wish.shares.split(&key, &self.parts.random);
        if rekeying.wish.verify {
            let given = Progress::new(&self.parts.random);
            let verification_nonce = Some(given.nonce().to_owned());
            rekeying.handed_out = Some(HandedOut { key, given });
            return Ok(Rekeyed::Done { nonce: own, keys, verification_nonce });
        }
        let wish = rekeying.wish;
        self.commit(target, wish, &key).await?;
        *turn.rekey(target) = None;
        Ok(Rekeyed::Done { nonce: own, keys, verification_nonce: None })
    }

    /// How the giving back of new shares stands.
    pub async fn verify_status(&self, target: Target) -> Result<VerifyStatus> {
        self.must_be_unsealed()?;
        let mut turn = self.turn.lock().await;
        let rekeying = turn.rekey(target).as_mut().ok_or(CustodyError::NoRekeyToVerify)?;
        let (wish, handed_out) = verifying(rekeying).ok_or(CustodyError::NoVerification)?;
        Ok(verify_status(wish, &handed_out.given, false))
    }

    /// Forgets which of the new shares were given back.
    pub async fn restart_verification(&self, target: Target) -> Result<VerifyStatus> {
        self.must_be_unsealed()?;
        let mut turn = self.turn.lock().await;
        let rekeying = turn.rekey(target).as_mut();
        let (wish, handed_out) =
            rekeying.and_then(verifying).ok_or(CustodyError::NoVerification)?;
        handed_out.given = Progress::new(&self.parts.random);
        Ok(verify_status(wish, &handed_out.given, false))
    }

    /// Takes a new share back; with the last one that is needed the new ones count, and the old do not.
    pub async fn verify_rekey(
        &self,
        target: Target,
        nonce: &str,
        share: KeyShare,
    ) -> Result<VerifyStatus> {
        self.must_be_unsealed()?;
        let mut turn = self.turn.lock().await;
        let rekeying = turn.rekey(target).as_mut();
        let (wish, handed_out) =
            rekeying.and_then(verifying).ok_or(CustodyError::NoVerification)?;
        let own = handed_out.given.nonce().to_owned();
        if nonce != own {
            return Err(CustodyError::Nonce("rekey verification", own));
        }
        let shares = match handed_out.given.give(share, wish.shares.threshold()) {
            Given::Again => return Err(CustodyError::GivenTwice),
            Given::More => return Ok(verify_status(wish, &handed_out.given, false)),
            Given::Enough(shares) => shares,
        };
        if key_of(&shares)?.to_share() != handed_out.key.to_share() {
            return Err(CustodyError::WrongKey("rekey verification failed"));
        }
        let (status, key) = (verify_status(wish, &handed_out.given, true), handed_out.key.clone());
        self.commit(target, wish, &key).await?;
        *turn.rekey(target) = None;
        Ok(status)
    }

    /// How many old shares it takes, where there are any.
    async fn required(&self, target: Target) -> Result<u8> {
        let record = self.record().await?;
        match (target, record.kind.is_auto()) {
            (Target::Barrier, false) => Ok(record.threshold),
            (Target::Barrier, true) => Err(CustodyError::NothingToRekey),
            (Target::Recovery, false) => Err(CustodyError::NoRecovery),
            (Target::Recovery, true) => {
                let recovery = record.recovery.ok_or(CustodyError::NoRecoveryKey)?;
                Ok(recovery.threshold)
            }
        }
    }

    /// Whether these shares make the key that is to be replaced.
    async fn must_hold(&self, target: Target, shares: &[KeyShare]) -> Result<()> {
        let (record, key) = (self.record().await?, key_of(shares)?);
        match target {
            Target::Barrier => must_unseal(&key, &record),
            Target::Recovery => {
                must_be_recovery_key(&key, &self.parts.barrier.root_key()?, &record)
            }
        }
    }

    /// From now on the new key is the one.
    async fn commit(&self, target: Target, wish: RekeyWish, key: &MasterKey) -> Result<()> {
        let (shares, threshold) = (wish.shares.shares(), wish.shares.threshold());
        let record = self.record().await?;
        let record = match target {
            Target::Barrier => {
                let wrapped_root = self.parts.barrier.rewrapped_root(key)?;
                SealRecord { shares, threshold, wrapped_root, ..record }
            }
            Target::Recovery => {
                let wrapped_key = self.parts.barrier.wrapped_recovery(key)?;
                let recovery = Some(RecoveryRecord { shares, threshold, wrapped_key });
                SealRecord { recovery, ..record }
            }
        };
        self.parts.store.save_seal(&record).await?;
        self.show(&record);
        warn!(seal.shares = target.as_str(), "the shares were replaced; the old ones open nothing");
        Ok(())
    }
}

/// Whether the shares made the key that unseals.
pub(super) fn must_unseal(key: &MasterKey, record: &SealRecord) -> Result<()> {
    match keyring::unwrap_root(key, &record.wrapped_root) {
        Ok(_root) => Ok(()),
        Err(_other_key) => Err(CustodyError::WrongKey("root key verification failed")),
    }
}

impl Turn {
    fn rekey(&mut self, target: Target) -> &mut Option<Rekeying> {
        match target {
            Target::Barrier => &mut self.rekeying,
            Target::Recovery => &mut self.recovering,
        }
    }
}

fn verifying(rekeying: &mut Rekeying) -> Option<(RekeyWish, &mut HandedOut)> {
    let wish = rekeying.wish;
    rekeying.handed_out.as_mut().map(|handed_out| (wish, handed_out))
}

fn status(rekeying: Option<&Rekeying>, required: u8) -> RekeyStatus {
    let Some(rekeying) = rekeying else {
        return RekeyStatus { required, ..RekeyStatus::default() };
    };
    let handed_out = rekeying.handed_out.as_ref();
    RekeyStatus {
        nonce: rekeying.given.nonce().to_owned(),
        started: true,
        threshold: rekeying.wish.shares.threshold(),
        shares: rekeying.wish.shares.shares(),
        progress: rekeying.given.given(),
        required,
        verify: rekeying.wish.verify,
        verification_nonce: handed_out.map_or_else(String::new, |one| one.given.nonce().to_owned()),
    }
}

fn verify_status(wish: RekeyWish, given: &Progress, complete: bool) -> VerifyStatus {
    VerifyStatus {
        nonce: given.nonce().to_owned(),
        threshold: wish.shares.threshold(),
        shares: wish.shares.shares(),
        progress: given.given(),
        complete,
    }
}
