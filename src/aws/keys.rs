//! A user's own access keys, for what rotates them: the root key of a mount and static roles. No call
//! here gives anybody a right: a new key can do what its user could do before. Whose keys may be
//! touched is decided in [`crate::engine::rotation`]; what is created beside its user passes the gate
//! and [`super::IamProvider`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{Accounts, AwsError, NewAccessKey};
use crate::model::{AccessKeyId, MountId, Timestamp, UserName};

/// A user as `GetUser` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUser {
    /// Its name.
    pub name: UserName,
    /// Its immutable id, e.g. `AIDA…`.
    pub id: String,
    /// The account that it is in, 12 digits, from its ARN; `None` where that does not say it.
    pub account: Option<String>,
}

/// An access key as `ListAccessKeys` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// Its id.
    pub id: AccessKeyId,
    /// When AWS made it, to the second.
    pub created_at: Timestamp,
}

/// What IAM does with the keys of users that are there already.
#[async_trait]
pub trait KeyProvider: std::fmt::Debug + Send + Sync + 'static {
    /// `GetUser` without a name: who signs.
    async fn own_user(&self) -> Result<HeldUser, AwsError>;
    /// `GetUser`.
    async fn user(&self, name: &UserName) -> Result<HeldUser, AwsError>;
    /// `ListAccessKeys`, all pages, the oldest first.
    async fn access_keys(&self, user: &UserName) -> Result<Vec<HeldKey>, AwsError>;
    /// `CreateAccessKey` for a user that somebody else made; never repeated where AWS may have acted.
    async fn replacement_key(&self, user: &UserName) -> Result<NewAccessKey, AwsError>;
    /// `UpdateAccessKey` to inactive; fine when it is gone.
    async fn disable_key(&self, user: &UserName, key: &AccessKeyId) -> Result<(), AwsError>;
    /// `DeleteAccessKey`; fine when it is gone.
    async fn delete_key(&self, user: &UserName, key: &AccessKeyId) -> Result<(), AwsError>;
}

impl Accounts {
    /// The keys of users in the account of a mount, signed as `config/root` says.
    pub async fn keys(&self, mount: &MountId) -> Result<Arc<dyn KeyProvider>, AwsError> {
        let provider = self.sdk_provider(mount).await?;
        Ok(provider)
    }

    /// The same, where these keys are of `needed`, the account that a user was found in: in another account a user
    /// that is not there says nothing.
    pub async fn keys_in(
        &self,
        mount: &MountId,
        needed: Option<&str>,
    ) -> Result<Arc<dyn KeyProvider>, AwsError> {
        let (provider, access) = self.sdk_access(mount).await?;
        let Some(needed) = needed else {
            return Ok(provider);
        };
        let has = match self.own_account(&access).await? {
            Some(has) if has == needed => return Ok(provider),
            Some(has) => format!("the keys of its mount are of account `{has}`"),
            None => "AWS does not say which account the keys of its mount are of".to_owned(),
        };
        Err(AwsError::NotConfigured(format!(
            "the user is in account `{needed}`, and {has}\nhelp: write keys of its account to \
             config/root of the mount; where it was disabled, to sys/leases/accounts/{}",
            mount.0
        )))
    }

    /// The same, signed with `key` instead.
    pub async fn keys_as(
        &self,
        mount: &MountId,
        key: &NewAccessKey,
    ) -> Result<Arc<dyn KeyProvider>, AwsError> {
        let provider = self.build(&self.settings_with(mount, key)?, &Arc::default()).await?;
        Ok(provider)
    }

    /// Whether a key works: `GetCallerIdentity` signed with it, once, at the first of the mount's STS
    /// endpoints that takes it.
    pub async fn prove_key(&self, mount: &MountId, key: &NewAccessKey) -> Result<(), AwsError> {
        let settings = self.settings_with(mount, key)?;
        let (http, credentials, limiter) = self.way_to_sts(&settings)?;
        super::sdk::prove(&settings, http, credentials, limiter, self.clock()).await
    }
}
