//! Caps on live leases: `config/limits` of a mount, and what an issue must stay under. Counting and
//! refusing is the store's, in the transaction that begins the lease: [`crate::store::LimitStore`]. Those of
//! an AWS account are in [`super::account_limits`].

use super::role_limits::{Refusal, cap};
use super::{Engine, NotServing};
use crate::model::{LeaseCaps, LeaseLimits, Mount, Role};
use crate::store::StoreError;

/// A write of the caps of a mount or an AWS account; `None` = not sent, and kept as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsChange {
    /// Leases that live at once; 0 = no cap.
    pub max_leases: Option<i64>,
    /// The same of one caller.
    pub max_leases_per_caller: Option<i64>,
}

/// Why caps were not written or read.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    /// A cap below zero.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A cap of something else than an account.
    #[error("`{0}` is not the id of an AWS account, which has 12 digits")]
    NotAnAccount(String),
    /// The mount does not serve.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Writes `config/limits`. Leases that live already stay, also where they are more.
    pub async fn write_limits(
        &self,
        mount: &Mount,
        change: LimitsChange,
    ) -> Result<(), LimitsError> {
        let serving = self.table.serve(mount).await?;
        let _in_turn = self.config_changes.lock().await;
        let mount = &serving.mount.id;
        let stored = self.parts.store.lease_limits(mount).await?.unwrap_or_default();
        let limits = merged(change, stored)?;
        Ok(self.parts.store.put_lease_limits(mount, limits).await?)
    }

    /// `config/limits`; `None` when it was never written.
    pub async fn read_limits(&self, mount: &Mount) -> Result<Option<LeaseLimits>, LimitsError> {
        Ok(self.parts.store.lease_limits(&mount.id).await?)
    }

    /// What a new lease of `role` in `account` must stay under.
    pub(super) async fn caps(
        &self,
        mount: &Mount,
        role: &Role,
        account: Option<&str>,
    ) -> Result<LeaseCaps, StoreError> {
        let mount = self.parts.store.lease_limits(&mount.id).await?.unwrap_or_default();
        let account = match account {
            Some(account) => self.account_limits_of(account).await?.unwrap_or_default(),
            None => LeaseLimits::default(),
        };
        Ok(LeaseCaps { role: role.limits, mount, account })
    }
}

/// What was sent over what is stored.
pub(super) fn merged(change: LimitsChange, stored: LeaseLimits) -> Result<LeaseLimits, Refusal> {
    let merged = |field, sent: Option<i64>, stored| sent.map_or(Ok(stored), |it| cap(field, it));
    Ok(LeaseLimits {
        max_leases: merged("max_leases", change.max_leases, stored.max_leases)?,
        max_leases_per_caller: merged(
            "max_leases_per_caller",
            change.max_leases_per_caller,
            stored.max_leases_per_caller,
        )?,
    })
}
