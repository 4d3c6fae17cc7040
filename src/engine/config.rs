//! `config/root` and `config/lease` of a mount (contract 1.1, 1.2). A write is a merge, nothing is
//! probed at AWS, and the secret key leaves here only sealed or towards [`crate::aws`]. The
//! merge and its checks are in [`super::config_merge`].

use super::config_merge::{check, merged};
use super::{Engine, EngineError, NotServing};
use crate::aws::AccountSettings;
use crate::model::{AccountBinding, LeaseConfig, Mount, MountId, SecretAccessKey, duration};
use crate::seal::SealError;
use crate::store::StoreError;

/// A write of `config/root`; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootConfigChange {
    /// Access key id.
    pub access_key: Option<String>,
    /// Secret key; empty clears it.
    pub secret_key: Option<SecretAccessKey>,
    /// Region.
    pub region: Option<String>,
    /// Full URL.
    pub iam_endpoint: Option<String>,
    /// Full URL.
    pub sts_endpoint: Option<String>,
    /// Used with `sts_endpoint`.
    pub sts_region: Option<String>,
    /// Tried after `sts_endpoint`.
    pub sts_fallback_endpoints: Option<Vec<String>>,
    /// As many as endpoints.
    pub sts_fallback_regions: Option<Vec<String>>,
    /// Negative = the SDK's default.
    pub max_retries: Option<i64>,
    /// Back to the default where it is not sent.
    pub username_template: Option<String>,
    /// Role for identity-token federation.
    pub role_arn: Option<String>,
    /// Enterprise.
    pub identity_token_audience: Option<String>,
    /// Seconds.
    pub identity_token_ttl: Option<u64>,
    /// Enterprise.
    pub rotation_schedule: Option<String>,
    /// Seconds.
    pub rotation_window: Option<u64>,
    /// Seconds.
    pub rotation_period: Option<u64>,
    /// Whether scheduled rotation is off.
    pub disable_automated_rotation: Option<bool>,
}

/// Why a configuration was not written or read. The texts are the contract's (1.1, 1.2).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// As many regions as endpoints.
    #[error("fallback endpoints and fallback regions must be the same length")]
    FallbackLengths,
    /// Two ways to authenticate.
    #[error("only one of 'access_key' or 'identity_token_audience' can be set")]
    AudienceAndKey,
    /// An audience alone.
    #[error("missing required 'role_arn' when 'identity_token_audience' is set")]
    AudienceWithoutRole,
    /// As Vault's Community edition says.
    #[error("plugin workload identity not supported in Vault community edition")]
    FederationNotOffered,
    /// Two ways to schedule.
    #[error(
        "mutually exclusive fields rotation_schedule and rotation_period were both specified; only one of them can be provided"
    )]
    ScheduleAndPeriod,
    /// A window needs a schedule.
    #[error("rotation_window does not apply to period")]
    WindowWithPeriod,
    /// A window needs a schedule.
    #[error("cannot use rotation_window without rotation_schedule")]
    WindowWithoutSchedule,
    /// Not a cron expression.
    #[error("failed to parse provided rotation_schedule: {0}")]
    BadSchedule(String),
    /// Shorter than AWS takes to spread a key.
    #[error("rotation_period is too short: it must be at least 60 seconds")]
    PeriodTooShort,
    /// Automatic rotation of nothing.
    #[error(
        "there is no root key to rotate\nhelp: write `access_key` and `secret_key` too, or leave out `rotation_schedule` and `rotation_period`"
    )]
    NothingToRotate,
    /// `config/lease` without one of its two.
    #[error("'{0}' is a required parameter")]
    Missing(&'static str),
    /// `lease` or `lease_max` cannot be read.
    #[error("Invalid {field}: {cause}")]
    BadDuration {
        /// Which.
        field: &'static str,
        /// Go's sentence.
        cause: String,
    },
    /// The mount does not serve.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The secret key cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Writes `config/root`: what is not sent stays, save the template of user names.
    pub async fn write_root_config(
        &self,
        mount: &Mount,
        change: RootConfigChange,
    ) -> Result<(), ConfigError> {
        let serving = self.table.serve(mount).await?;
        self.bind_account(&serving.mount.id, change).await
    }

    /// Writes the account of a mount that is there, or still needed; what waits for keys is tried again.
    pub(super) async fn bind_account(
        &self,
        id: &MountId,
        change: RootConfigChange,
    ) -> Result<(), ConfigError> {
        let _alone = self.config_changes.lock().await;
        let stored = self
            .parts
            .store
            .account_binding(id)
            .await?
            .unwrap_or(AccountBinding { max_retries: -1, ..AccountBinding::default() });
        let secret_key = change.secret_key.clone();
        let mut binding = merged(stored.clone(), change);
        if let Some(secret_key) = secret_key {
            binding.sealed_secret_key = self.sealed(id, &secret_key)?;
        }
        check(&binding)?;
        if rotates_anew(&stored, &binding) {
            binding.rotation_since = Some(self.parts.clock.now());
        }
        let settings = self.account_settings(id, &binding)?;
        self.parts.store.put_account_binding(id, &binding).await?;
        self.parts.accounts.bind(id, settings);
        self.parts.leases.retry_with_new_keys(id);
        self.rotations.wake();
        Ok(())
    }

    /// `config/root` as it was written; the secret key is sealed in it.
    pub async fn read_root_config(
        &self,
        mount: &Mount,
    ) -> Result<Option<AccountBinding>, ConfigError> {
        Ok(self.parts.store.account_binding(&mount.id).await?)
    }

    /// Writes `config/lease`; both must be sent.
    pub async fn write_lease_config(
        &self,
        mount: &Mount,
        lease: Option<String>,
        lease_max: Option<String>,
    ) -> Result<(), ConfigError> {
        let serving = self.table.serve(mount).await?;
        let lease = required("lease", lease)?;
        let lease_max = required("lease_max", lease_max)?;
        let config = LeaseConfig {
            lease: read_duration("lease", &lease)?,
            lease_max: read_duration("lease_max", &lease_max)?,
        };
        self.parts.store.put_lease_config(&serving.mount.id, config).await?;
        Ok(())
    }

    /// `config/lease` as it was written.
    pub async fn read_lease_config(
        &self,
        mount: &Mount,
    ) -> Result<Option<LeaseConfig>, ConfigError> {
        Ok(self.parts.store.lease_config(&mount.id).await?)
    }

    /// Binds the account of a mount as the store has it, at start.
    pub(super) async fn bind_stored_account(&self, mount: &Mount) -> Result<(), EngineError> {
        let Some(binding) = self.parts.store.account_binding(&mount.id).await? else {
            return Ok(());
        };
        let settings = self
            .account_settings(&mount.id, &binding)
            .map_err(|source| EngineError::Seal { mount: mount.path.to_string(), source })?;
        self.parts.accounts.bind(&mount.id, settings);
        Ok(())
    }

    pub(super) fn account_settings(
        &self,
        mount: &MountId,
        binding: &AccountBinding,
    ) -> Result<AccountSettings, SealError> {
        let open = |sealed| self.parts.barrier.open_secret_key(sealed, &seal_context(mount));
        Ok(AccountSettings {
            access_key: binding.access_key.clone(),
            secret_key: binding.sealed_secret_key.as_deref().map(open).transpose()?,
            region: binding.region.clone(),
            iam_endpoint: binding.iam_endpoint.clone(),
            sts_endpoint: binding.sts_endpoint.clone(),
            sts_region: binding.sts_region.clone(),
            sts_fallback_endpoints: binding.sts_fallback_endpoints.clone(),
            sts_fallback_regions: binding.sts_fallback_regions.clone(),
            max_retries: binding.max_retries,
        })
    }

    pub(super) fn sealed(
        &self,
        mount: &MountId,
        secret_key: &SecretAccessKey,
    ) -> Result<Option<Vec<u8>>, SealError> {
        if secret_key.is_empty() {
            return Ok(None);
        }
        self.parts.barrier.seal_secret_key(secret_key, &seal_context(mount)).map(Some)
    }
}

/// Whether automatic rotation counts from now.
fn rotates_anew(before: &AccountBinding, after: &AccountBinding) -> bool {
    let of = |binding: &AccountBinding| {
        let times = (binding.rotation_schedule.clone(), binding.rotation_period);
        (binding.access_key.clone(), times, binding.disable_automated_rotation)
    };
    of(before) != of(after)
}

/// What a sealed secret key is bound to: it opens nowhere else.
pub(super) fn seal_context(mount: &MountId) -> String {
    format!("config/root secret_key {}", mount.0)
}

fn required(field: &'static str, sent: Option<String>) -> Result<String, ConfigError> {
    sent.filter(|text| !text.is_empty()).ok_or(ConfigError::Missing(field))
}

fn read_duration(field: &'static str, text: &str) -> Result<i64, ConfigError> {
    duration::parse_seconds(text).map_err(|cause| ConfigError::BadDuration { field, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_configuration_needs_both_and_reads_go() {
        assert_eq!(
            required("lease", None).unwrap_err().to_string(),
            "'lease' is a required parameter"
        );
        assert_eq!(
            required("lease_max", Some(String::new())).unwrap_err().to_string(),
            "'lease_max' is a required parameter"
        );
        assert_eq!(
            read_duration("lease", "abc").unwrap_err().to_string(),
            "Invalid lease: time: invalid duration \"abc\""
        );
        assert_eq!(read_duration("lease_max", "-1h").unwrap(), -3600);
        assert_eq!(read_duration("lease", "3600").unwrap(), 3600);
    }
}
