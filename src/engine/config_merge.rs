//! `config/root` after a write, and what Vault refuses of it (contract 1.1). Pure: nothing is probed
//! at AWS, and of the secret key only its being there counts. Writing it is [`super::config`]'s.

use super::config::{ConfigError, RootConfigChange};
use super::cron::Schedule;
use super::username;
use crate::model::AccountBinding;

/// What a static role must have too (contract 1.13).
pub(super) const SHORTEST_PERIOD: u64 = 60;

/// What is stored with what was sent on top; the template of user names goes back to the default.
pub(super) fn merged(stored: AccountBinding, sent: RootConfigChange) -> AccountBinding {
    let template = sent.username_template.filter(|template| !template.is_empty());
    AccountBinding {
        access_key: sent.access_key.unwrap_or(stored.access_key),
        sealed_secret_key: stored.sealed_secret_key,
        region: sent.region.unwrap_or(stored.region),
        iam_endpoint: sent.iam_endpoint.unwrap_or(stored.iam_endpoint),
        sts_endpoint: sent.sts_endpoint.unwrap_or(stored.sts_endpoint),
        sts_region: sent.sts_region.unwrap_or(stored.sts_region),
        sts_fallback_endpoints: sent
            .sts_fallback_endpoints
            .unwrap_or(stored.sts_fallback_endpoints),
        sts_fallback_regions: sent.sts_fallback_regions.unwrap_or(stored.sts_fallback_regions),
        max_retries: sent.max_retries.unwrap_or(stored.max_retries),
        username_template: template.unwrap_or_else(|| username::DEFAULT_TEMPLATE.to_owned()),
        role_arn: sent.role_arn.unwrap_or(stored.role_arn),
        identity_token_audience: sent
            .identity_token_audience
            .unwrap_or(stored.identity_token_audience),
        identity_token_ttl: sent.identity_token_ttl.unwrap_or(stored.identity_token_ttl),
        rotation_schedule: sent.rotation_schedule.unwrap_or(stored.rotation_schedule),
        rotation_window: sent.rotation_window.unwrap_or(stored.rotation_window),
        rotation_period: sent.rotation_period.unwrap_or(stored.rotation_period),
        disable_automated_rotation: sent
            .disable_automated_rotation
            .unwrap_or(stored.disable_automated_rotation),
        rotation_since: stored.rotation_since,
    }
}

/// What Vault refuses at the write, in its order (contract 1.1), and automatic rotation without a key.
pub(super) fn check(binding: &AccountBinding) -> Result<(), ConfigError> {
    if binding.sts_fallback_endpoints.len() != binding.sts_fallback_regions.len() {
        return Err(ConfigError::FallbackLengths);
    }
    if !binding.identity_token_audience.is_empty() {
        if !binding.access_key.is_empty() {
            return Err(ConfigError::AudienceAndKey);
        }
        if binding.role_arn.is_empty() {
            return Err(ConfigError::AudienceWithoutRole);
        }
        return Err(ConfigError::FederationNotOffered);
    }
    check_rotation(binding)
}

fn check_rotation(binding: &AccountBinding) -> Result<(), ConfigError> {
    let scheduled = !binding.rotation_schedule.is_empty();
    let periodic = binding.rotation_period > 0;
    let windowed = binding.rotation_window > 0;
    if scheduled && periodic {
        return Err(ConfigError::ScheduleAndPeriod);
    }
    if windowed && periodic {
        return Err(ConfigError::WindowWithPeriod);
    }
    if windowed && !scheduled {
        return Err(ConfigError::WindowWithoutSchedule);
    }
    if scheduled {
        Schedule::parse(&binding.rotation_schedule).map_err(ConfigError::BadSchedule)?;
    }
    if periodic && binding.rotation_period < SHORTEST_PERIOD {
        return Err(ConfigError::PeriodTooShort);
    }
    let automatic = (scheduled || periodic) && !binding.disable_automated_rotation;
    if automatic && (binding.access_key.is_empty() || binding.sealed_secret_key.is_none()) {
        return Err(ConfigError::NothingToRotate);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(change: RootConfigChange) -> String {
        check(&merged(AccountBinding::default(), change)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_sent_stays_save_the_template() {
        let stored = AccountBinding {
            access_key: "AKIA1".into(),
            sealed_secret_key: Some(vec![1]),
            region: "us-east-1".into(),
            max_retries: 3,
            username_template: "custom".into(),
            ..AccountBinding::default()
        };
        let change = RootConfigChange { region: Some("eu-west-1".into()), ..Default::default() };
        let after = merged(stored.clone(), change);
        assert_eq!(
            after,
            AccountBinding {
                region: "eu-west-1".into(),
                username_template: username::DEFAULT_TEMPLATE.into(),
                ..stored
            }
        );
    }

    #[test]
    fn what_is_sent_empty_is_cleared() {
        let stored = AccountBinding {
            region: "us-east-1".into(),
            sts_fallback_regions: vec!["x".into()],
            max_retries: 3,
            ..AccountBinding::default()
        };
        let change = RootConfigChange {
            region: Some(String::new()),
            sts_fallback_regions: Some(vec![]),
            max_retries: Some(0),
            ..Default::default()
        };
        let after = merged(stored, change);
        assert_eq!((after.region.as_str(), after.max_retries), ("", 0));
        assert!(after.sts_fallback_regions.is_empty());
    }

    #[test]
    fn federation_is_refused_with_the_contracts_texts() {
        let audience = |access_key: &str, role: &str| RootConfigChange {
            identity_token_audience: Some("aud".into()),
            access_key: Some(access_key.into()),
            role_arn: Some(role.into()),
            ..Default::default()
        };
        assert_eq!(
            told(audience("AKIA1", "")),
            "only one of 'access_key' or 'identity_token_audience' can be set"
        );
        assert_eq!(
            told(audience("", "")),
            "missing required 'role_arn' when 'identity_token_audience' is set"
        );
        assert_eq!(
            told(audience("", "arn:aws:iam::1:role/x")),
            "plugin workload identity not supported in Vault community edition"
        );
    }

    #[test]
    fn rotation_is_refused_with_the_contracts_texts() {
        let rotation = |schedule: &str, window, period| RootConfigChange {
            rotation_schedule: Some(schedule.into()),
            rotation_window: Some(window),
            rotation_period: Some(period),
            ..Default::default()
        };
        assert!(told(rotation("0 3 * * 0", 0, 60)).starts_with("mutually exclusive fields"));
        assert_eq!(told(rotation("", 60, 60)), "rotation_window does not apply to period");
        assert_eq!(
            told(rotation("", 60, 0)),
            "cannot use rotation_window without rotation_schedule"
        );
        assert!(
            told(rotation("never", 0, 0)).starts_with("failed to parse provided rotation_schedule")
        );
        assert!(told(rotation("", 0, 59)).starts_with("rotation_period is too short"));
        let off = RootConfigChange {
            disable_automated_rotation: Some(true),
            ..rotation("0 3 * * 0", 60, 0)
        };
        assert!(check(&merged(AccountBinding::default(), off)).is_ok());
        assert!(told(rotation("0 3 * * 0", 60, 0)).starts_with("there is no root key to rotate"));
        let keys = AccountBinding {
            access_key: "AKIA1".into(),
            sealed_secret_key: Some(vec![1]),
            ..AccountBinding::default()
        };
        assert!(check(&merged(keys.clone(), rotation("0 3 * * 0", 60, 0))).is_ok());
        assert!(check(&merged(keys, rotation("", 0, 60))).is_ok());
    }

    #[test]
    fn fallback_lists_have_one_length() {
        let change =
            RootConfigChange { sts_fallback_regions: Some(vec!["x".into()]), ..Default::default() };
        assert_eq!(told(change), "fallback endpoints and fallback regions must be the same length");
    }
}
