//! The accounts of mounts that were disabled while a teardown still goes on under them: an operator can look at them, and
//! give them keys that work. Nothing else of such a mount can be changed, and it is forgotten when its last
//! lease is gone. Live mounts have `config/root` ([`super::config`]).

use std::collections::BTreeSet;

use super::Engine;
use super::config::{ConfigError, RootConfigChange};
use crate::model::{AccountBinding, LeaseFilter, Mount, MountState, Stage};
use crate::store::{Position, StoreError};

/// Rows looked at for what a mount's leases need.
const LOOKED_AT: u32 = 1_000;

/// A disabled mount that is still needed.
#[derive(Debug)]
pub struct RemovedMount {
    /// As it was.
    pub mount: Mount,
    /// Its keys and endpoints; the secret key is sealed.
    pub binding: Option<AccountBinding>,
    /// How many of its leases are not gone, at most a thousand.
    pub unfinished: usize,
    /// The accounts that their users, and those of its static roles, are in, as far as that is known.
    pub accounts: BTreeSet<String>,
}

impl Engine {
    /// The disabled mounts that are still needed.
    pub async fn removed_mounts(&self) -> Result<Vec<Mount>, StoreError> {
        let mounts = self.parts.store.mounts().await?.into_iter();
        Ok(mounts.filter(|mount| mount.state == MountState::Removed).collect())
    }

    /// One of them, by its id.
    pub async fn removed_mount(&self, id: &str) -> Result<Option<RemovedMount>, StoreError> {
        let found = self.removed_mounts().await?.into_iter().find(|mount| mount.id.0 == id);
        let Some(mount) = found else {
            return Ok(None);
        };
        let filter = LeaseFilter {
            mount: Some(mount.id.clone()),
            stage: Some(Stage::Unfinished),
            ..LeaseFilter::default()
        };
        let leases = self.query_leases(&filter, Position::default(), LOOKED_AT).await?.items;
        let binding = self.parts.store.account_binding(&mount.id).await?;
        let unfinished = leases.len();
        let keys = self.parts.store.static_roles(&mount.id).await?;
        let of_keys = keys.into_iter().filter_map(|role| role.account);
        let accounts = leases.into_iter().filter_map(|lease| lease.account).chain(of_keys);
        let accounts = accounts.collect();
        Ok(Some(RemovedMount { mount, binding, unfinished, accounts }))
    }

    /// Gives one of them other keys, by the rules of `config/root`; false where there is none.
    pub async fn write_removed_account(
        &self,
        id: &str,
        change: RootConfigChange,
    ) -> Result<bool, ConfigError> {
        let found = self.removed_mounts().await?.into_iter().find(|mount| mount.id.0 == id);
        let Some(mount) = found else {
            return Ok(false);
        };
        self.bind_account(&mount.id, change).await?;
        Ok(true)
    }
}
