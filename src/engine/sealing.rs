//! What the engine has in memory only while the broker is unsealed: the guardrails, which are kept compiled under a key
//! of the seal's, the keys of the AWS accounts, answers that may be asked for again. Who unseals is
//! [`crate::custody`]'s.

use std::sync::Arc;

use super::{Engine, EngineError};
use crate::gate::GateError;

impl Engine {
    /// Loads the guardrails and binds the accounts of all mounts; those of disabled mounts too, since leases under
    /// them may still have to be torn down. The barrier must be open.
    pub async fn take_up(&self) -> Result<(), EngineError> {
        self.open_gate().await?;
        self.load_guardrails().await?;
        self.parts.accounts.take_up();
        for mount in self.parts.store.mounts().await? {
            self.bind_stored_account(&mount).await?;
        }
        self.rotations.wake();
        Ok(())
    }

    async fn open_gate(&self) -> Result<(), EngineError> {
        let key = self.parts.barrier.code_cache_key().map_err(EngineError::Key)?;
        let gate = Arc::clone(&self.parts.gate);
        match tokio::task::spawn_blocking(move || gate.open(key)).await {
            Ok(opened) => Ok(opened?),
            Err(lost) => Err(EngineError::Lost(lost.to_string())),
        }
    }

    /// Forgets every secret that it has in memory.
    pub fn let_go(&self) {
        self.parts.accounts.let_go();
        self.answers.clear();
    }
}

impl From<GateError> for EngineError {
    fn from(error: GateError) -> Self {
        Self::Gate(Box::new(error))
    }
}
