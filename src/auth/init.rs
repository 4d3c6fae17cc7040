//! Making an installation out of an empty one (contract 2.3): the key file, the proof of the right key,
//! the root token. It happens once. A crash half way leaves at most a key file, which the next try uses.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;
use tracing::info;

use super::{Auth, AuthError};
use crate::model::ClientToken;
use crate::random::Random;
use crate::seal::{Barrier, KEY_CHECK_SETTING, MasterKey, SealError, SealStatus, key_file};
use crate::store::{Store, StoreError};

/// Why an installation was not initialised.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// It is one already.
    #[error("the installation is already initialised")]
    AlreadyInitialised,
    /// There is no place for a key.
    #[error("no key file is configured")]
    NoKeyFile,
    /// The key cannot be made, written or used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The root token cannot be made.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Initialises, once.
#[derive(Debug)]
pub struct Initialiser {
    store: Arc<dyn Store>,
    barrier: Arc<Barrier>,
    auth: Arc<Auth>,
    random: Random,
    key_file: Option<PathBuf>,
    one_at_a_time: Mutex<()>,
}

impl Initialiser {
    /// `key_file` is where the key will lie; `None` where there never is one (development mode).
    pub fn new(
        store: Arc<dyn Store>,
        barrier: Arc<Barrier>,
        auth: Arc<Auth>,
        random: Random,
        key_file: Option<PathBuf>,
    ) -> Self {
        Self { store, barrier, auth, random, key_file, one_at_a_time: Mutex::new(()) }
    }

    /// Makes the key and the root token, which is given this once.
    pub async fn initialise(&self) -> Result<ClientToken, InitError> {
        let _alone = self.one_at_a_time.lock().await;
        match self.barrier.status() {
            SealStatus::Uninitialised => {}
            SealStatus::Sealed { .. } | SealStatus::Unsealed => {
                return Err(InitError::AlreadyInitialised);
            }
        }
        let path = self.key_file.as_ref().ok_or(InitError::NoKeyFile)?;
        let key = if let Some(left_over) = key_file::read(path)? {
            left_over
        } else {
            let fresh = MasterKey::generate(&self.random);
            key_file::create(path, &fresh)?;
            fresh
        };
        let made = self.make(key).await;
        if made.is_err() {
            self.barrier.lock("initialising failed; a restart can try again");
        }
        made
    }

    /// The root token comes before the check that makes the installation one: whoever fails between
    /// the two can begin again, and nobody ends up without a token.
    async fn make(&self, key: MasterKey) -> Result<ClientToken, InitError> {
        self.barrier.unseal(key)?;
        let root_token = self.auth.create_root(None).await?;
        let check = self.barrier.key_check()?;
        if !self.store.init_settings(&[(KEY_CHECK_SETTING, check)]).await? {
            return Err(InitError::AlreadyInitialised);
        }
        info!("the installation is initialised");
        Ok(root_token)
    }
}
