//! [`IamProvider`] and [`crate::aws::StsProvider`] over the AWS SDK: the only code that knows it. Each operation is one
//! function in `sdk/`, and passes `sdk/call.rs`, which paces, repeats and classifies. Must never send
//! what the gate did not judge, nor repeat a creation that may have happened.

mod call;
mod client;
mod discovery;
mod issue;
mod keys;
mod kms;
mod placement;
mod policies;
mod probe;
mod rare;
mod session_deny;
mod sts;
mod teardown;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use aws_sdk_iam::config::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::accounts::AccountSettings;
use super::limiter::Limiter;
use super::{
    AwsError, Belongings, CreatedUser, HeldDocument, IamProvider, NewAccessKey, NewUser, Ownership,
    RareBelongings,
};
use crate::clock::Clock;
use crate::model::{AccessKeyId, GroupName, PolicyArn, SecretAccessKey, Timestamp, UserName};

use call::Line;
pub(super) use client::pooled_http_client;
pub(super) use keys::prove;
pub use kms::Kms;
pub(super) use probe::{Paces, SdkProbe};
pub(super) use sts::SdkSts;

/// The made-up key that the broker signs with where the embedded AWS answers and `config/root` names
/// none.
pub const EMBEDDED_ACCESS_KEY: &str = "AKIALEASEHOLDEMBEDDED";

/// IAM in one account, through the SDK.
pub struct SdkProvider {
    client: aws_sdk_iam::Client,
    line: Line,
    /// Whose the keys are, once AWS said so.
    own_account: Arc<OnceLock<String>>,
}

impl std::fmt::Debug for SdkProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SdkProvider").finish_non_exhaustive()
    }
}

impl SdkProvider {
    /// Builds the client. Only the credential chain's set-up may read files; nothing is probed.
    pub(super) async fn new(
        settings: &AccountSettings,
        http: SharedHttpClient,
        credentials: CredentialSource,
        limiter: Arc<Limiter>,
        clock: Arc<dyn Clock>,
        own_account: Arc<OnceLock<String>>,
    ) -> Result<Self, AwsError> {
        Ok(Self {
            client: client::iam(settings, http, credentials).await?,
            line: Line::new(limiter, clock, attempts(settings.max_retries)),
            own_account,
        })
    }
}

/// Where the broker's own credentials come from.
#[derive(Debug, Clone)]
pub(super) enum CredentialSource {
    /// These keys.
    Static(Credentials),
    /// Environment, profile files, container or instance role (contract 1.1).
    Chain,
}

impl CredentialSource {
    /// Static keys win; one half alone is a mistake, as in Vault.
    pub(super) fn of(settings: &AccountSettings) -> Result<Self, AwsError> {
        let secret = settings.secret_key.as_ref().filter(|secret| !secret.is_empty());
        match (settings.access_key.as_str(), secret) {
            ("", None) => Ok(Self::Chain),
            (key, Some(secret)) if !key.is_empty() => Ok(Self::keys(key, secret)),
            (_, _) => Err(AwsError::NotConfigured(
                "config/root holds one of `access_key` and `secret_key`\nhelp: write both, or \
                 neither to use the broker's own AWS credentials"
                    .to_owned(),
            )),
        }
    }

    /// What the embedded AWS takes for its administrator.
    pub(super) fn made_up() -> Self {
        Self::keys(EMBEDDED_ACCESS_KEY, &SecretAccessKey::new("made-up"))
    }

    fn keys(id: &str, secret: &SecretAccessKey) -> Self {
        Self::Static(Credentials::new(id, secret.expose(), None, None, "config/root"))
    }
}

/// Negative = the SDK's default of three attempts (aws-smithy-types `retry.rs`); else so many more
/// than the first, within reason.
fn attempts(max_retries: i64) -> u32 {
    match u32::try_from(max_retries) {
        Ok(retries) => retries.min(20).saturating_add(1),
        Err(_) if max_retries > 0 => 21,
        Err(_) => 3,
    }
}

#[async_trait]
impl IamProvider for SdkProvider {
    async fn create_user(&self, user: &NewUser) -> Result<CreatedUser, AwsError> {
        self.send_create_user(user).await
    }
    async fn put_user_policy(&self, user: &NewUser) -> Result<(), AwsError> {
        self.send_put_user_policy(user).await
    }
    async fn attach_user_policy(&self, user: &NewUser, arn: &PolicyArn) -> Result<(), AwsError> {
        self.send_attach_user_policy(user, arn).await
    }
    async fn add_user_to_group(&self, user: &NewUser, group: &GroupName) -> Result<(), AwsError> {
        self.send_add_user_to_group(user, group).await
    }
    async fn create_access_key(&self, user: &NewUser) -> Result<NewAccessKey, AwsError> {
        self.send_create_access_key(user).await
    }
    async fn ownership(&self, user: &UserName) -> Result<Option<Ownership>, AwsError> {
        self.read_ownership(user).await
    }
    async fn deactivate_access_key(
        &self,
        user: &UserName,
        key: &AccessKeyId,
    ) -> Result<(), AwsError> {
        self.send_deactivate(user, key).await
    }
    async fn deny_everything(&self, user: &UserName) -> Result<(), AwsError> {
        self.send_deny_everything(user).await
    }
    async fn belongings(&self, user: &UserName) -> Result<Option<Belongings>, AwsError> {
        self.read_belongings(user).await
    }
    async fn remove_belongings(&self, user: &UserName, what: &Belongings) -> Result<(), AwsError> {
        self.send_removals(user, what).await
    }
    async fn rare_belongings(&self, user: &UserName) -> Result<RareBelongings, AwsError> {
        self.read_rare_belongings(user).await
    }
    async fn remove_rare_belongings(
        &self,
        user: &UserName,
        what: &RareBelongings,
    ) -> Result<(), AwsError> {
        self.send_rare_removals(user, what).await
    }
    async fn delete_user(&self, user: &UserName) -> Result<(), AwsError> {
        self.send_delete_user(user).await
    }
    async fn managed_policy(&self, arn: &PolicyArn) -> Result<HeldDocument, AwsError> {
        self.read_managed_policy(arn).await
    }
    async fn group_policies(
        &self,
        group: &GroupName,
    ) -> Result<(Vec<HeldDocument>, Vec<PolicyArn>), AwsError> {
        self.read_group_policies(group).await
    }
    async fn last_success(&self) -> Option<Timestamp> {
        self.line.last_success()
    }
}

#[cfg(test)]
mod tests;
