//! A new key for what is sealed from now on. What older keys sealed stays as it is, and stays readable. The new keyring
//! is stored before it is used: nothing is ever sealed with a key that a crash could lose.

use tracing::info;

use super::{Custody, Result};
use crate::model::SealRecord;
use crate::seal::TermFacts;

impl Custody {
    /// Adds a key to the keyring.
    pub async fn rotate(&self) -> Result<()> {
        self.must_be_unsealed()?;
        let _turn = self.turn.lock().await;
        let (record, now) = (self.record().await?, self.parts.clock.now());
        let (keyring, wrapped_keyring) = self.parts.barrier.rotated(&self.parts.random, now)?;
        self.parts.store.save_seal(&SealRecord { wrapped_keyring, ..record }).await?;
        info!(seal.term = keyring.term(), "what is sealed from now on is sealed with a new key");
        self.parts.barrier.use_keyring(keyring);
        Ok(())
    }

    /// Of the key in use.
    pub fn term(&self) -> Result<TermFacts> {
        Ok(self.parts.barrier.term()?)
    }
}
