//! Caps on the live leases of an AWS account: `sys/leases/limits/:account`, over all mounts that work in it. While
//! there is none, no issue asks whose keys it signs with. Counting and refusing is the store's:
//! [`crate::store::LimitStore`]; what a mount or a role allows is in [`super::limits`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::issue::IssueError;
use super::limits::{LimitsChange, LimitsError, merged};
use crate::aws::{Access, is_account};
use crate::model::LeaseLimits;
use crate::store::StoreError;

impl Engine {
    /// Writes the caps of an account. Leases that live already stay, also where they are more.
    pub async fn write_account_limits(
        &self,
        account: &str,
        change: LimitsChange,
    ) -> Result<(), LimitsError> {
        if !is_account(account) {
            return Err(LimitsError::NotAnAccount(account.to_owned()));
        }
        let _in_turn = self.config_changes.lock().await;
        let stored = self.account_limits_of(account).await?.unwrap_or_default();
        let limits = merged(change, stored)?;
        Ok(self.parts.store.put_account_limits(account, limits).await?)
    }

    /// Removes the caps of an account, if there are any.
    pub async fn remove_account_limits(&self, account: &str) -> Result<(), LimitsError> {
        let _in_turn = self.config_changes.lock().await;
        Ok(self.parts.store.remove_account_limits(account).await?)
    }

    /// The caps of all accounts that have some, by the accounts' ids.
    pub async fn account_limits(&self) -> Result<Arc<BTreeMap<String, LeaseLimits>>, LimitsError> {
        Ok(self.parts.store.account_limits().await?)
    }

    /// The caps of an account; `None` where none were written.
    pub(super) async fn account_limits_of(
        &self,
        account: &str,
    ) -> Result<Option<LeaseLimits>, StoreError> {
        Ok(self.parts.store.account_limits().await?.get(account).copied())
    }

    /// The account that the keys of a mount belong to: as far as that is known, and asked for only where some
    /// account has a cap. `None` where the endpoint does not say it as AWS does: it is no account of AWS then.
    pub(super) async fn account_of_keys(
        &self,
        access: &Access,
    ) -> Result<Option<String>, IssueError> {
        let known = self.parts.accounts.known_account(access);
        if known.is_some() || !self.caps_an_account().await? {
            return Ok(known);
        }
        self.parts.accounts.own_account(access).await.map_err(IssueError::AccountUnknown)
    }

    /// Whether any account has a cap.
    pub(super) async fn caps_an_account(&self) -> Result<bool, StoreError> {
        let limits = self.parts.store.account_limits().await?;
        Ok(limits.values().any(|limits| !limits.is_unlimited()))
    }
}
