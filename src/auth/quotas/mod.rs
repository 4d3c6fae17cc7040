//! Rate-limit quotas: how many requests an address may send to a part of the API in a while (contract 0.3). The most
//! exact quota that takes a path is asked, and no other. Rules are durable; what is counted is not, and is held in
//! bounded memory ([`window`]).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tracing::info;

use self::window::Windows;
use super::Auth;
use super::canonical::Canonical;
use crate::model::go_text::quote;
use crate::model::{QuotaConfig, RateQuota, Timestamp};
use crate::store::StoreError;

mod window;

pub use window::Left;

/// Where what holds for all quotas is kept.
const CONFIG_SETTING: &str = "quotas/config";

/// What is exempt until somebody says otherwise: Vault's.
const EXEMPT: [&str; 7] = [
    "sys/generate-recovery-token/attempt",
    "sys/generate-recovery-token/update",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
];

impl Default for QuotaConfig {
    fn default() -> Self {
        let exempt_paths = EXEMPT.map(str::to_owned).to_vec();
        Self { exempt_paths, audited: false, headers: false }
    }
}

/// Why a quota was not written.
#[derive(Debug, thiserror::Error)]
pub enum QuotaRefused {
    /// Not above zero, or no number.
    #[error("'rate' is invalid")]
    Rate,
    /// Nothing is mounted there.
    #[error("invalid mount path {}", quote(.0))]
    NoMount(String),
    /// Another quota has the path; holds its name.
    #[error("quota rule with similar properties exists under the name {}", quote(.0))]
    Taken(String),
    /// Quotas by login role are not offered.
    #[error(
        "quotas by `role` are not offered\nhelp: give the path of the login, e.g. `auth/approle/login`"
    )]
    Role,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewQuota {
    /// The part of the API, as sent.
    pub path: String,
    /// Requests in an interval.
    pub rate: Option<f64>,
    /// Seconds; `None` = a second.
    pub interval: Option<u64>,
    /// Seconds.
    pub block_interval: u64,
    /// A login role, which is not offered.
    pub role: String,
    /// Kept and shown.
    pub inheritable: Option<bool>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The name of the quota that counted it.
    pub quota: String,
    /// What is left of it.
    pub left: Left,
}

/// The quotas in use.
// INVARIANT: what is stored, once `Auth::open_quotas` was called; changed under `changing` only.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    rules: RwLock<Arc<Rules>>,
    changing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Rules {
    quotas: BTreeMap<String, Arc<Rule>>,
    config: QuotaConfig,
}

#[derive(Debug)]
struct Rule {
    quota: RateQuota,
    windows: Windows,
}

impl Rule {
    fn new(quota: RateQuota) -> Arc<Self> {
        Arc::new(Self { windows: Windows::of(&quota), quota })
    }

    /// How exactly it takes a path, if it does: the path itself, what begins as it does, its mount, all.
    fn takes(&self, asked: &Canonical<'_>) -> Option<(u8, usize)> {
        if self.quota.path.is_empty() {
            return Some((0, 0));
        }
        let (path, own) = (&*asked.path, &*asked.alike(&self.quota.path));
        if own.ends_with('/') {
            return path.starts_with(own).then_some((1, own.len()));
        }
        match own.strip_suffix('*') {
            Some(head) => path.starts_with(head).then_some((2, own.len())),
            None => (path.trim_end_matches('/') == own).then_some((3, own.len())),
        }
    }
}

impl Rules {
    fn is_exempt(&self, path: &str) -> bool {
        self.config.exempt_paths.iter().any(|exempt| {
            let exempt = exempt.trim_start_matches('/');
            let exempt = exempt.strip_prefix("v1/").unwrap_or(exempt);
            match exempt.strip_suffix('*') {
                Some(head) => path.starts_with(head),
                None if exempt.ends_with('/') => path.starts_with(exempt),
                None => path == exempt,
            }
        })
    }

    fn rule(&self, asked: &Canonical<'_>) -> Option<&Arc<Rule>> {
        let taking = self.quotas.values().filter_map(|rule| Some((rule.takes(asked)?, rule)));
        taking.max_by_key(|(exactness, _)| *exactness).map(|(_, rule)| rule)
    }
}

impl Quotas {
    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}

impl Auth {
    /// Reads the quotas; before anything is served.
    pub async fn open_quotas(&self) -> Result<(), StoreError> {
        let stored = self.parts.store.rate_quotas().await?;
        let quotas = stored.into_iter().map(|quota| (quota.name.clone(), Rule::new(quota)));
        let config = self.parts.store.setting(CONFIG_SETTING).await?;
        let config = match config {
            None => QuotaConfig::default(),
            Some(text) => serde_json::from_slice(&text)
                .map_err(|error| StoreError::Failed(format!("`{CONFIG_SETTING}`: {error}")))?,
        };
        self.quotas.set(Rules { quotas: quotas.collect(), config });
        Ok(())
    }

    /// Counts a request from an address; `None` where no quota takes it.
    pub fn count_request(
        &self,
        path: &str,
        remote: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<Counted> {
        let rules = self.quotas.rules();
        if rules.quotas.is_empty() || rules.is_exempt(path) {
            return None;
        }
        let rule = rules.rule(&self.canonical(path))?;
        let left = rule.windows.take(remote, now);
        Some(Counted { quota: rule.quota.name.clone(), left })
    }

    /// What holds for all quotas.
    pub fn quota_config(&self) -> QuotaConfig {
        self.quotas.rules().config.clone()
    }

    /// Writes what holds for all quotas.
    pub async fn write_quota_config(&self, config: QuotaConfig) -> Result<(), StoreError> {
        let _alone = self.quotas.changing.lock().await;
        let text = serde_json::to_vec(&config)
            .map_err(|error| StoreError::Failed(format!("`{CONFIG_SETTING}`: {error}")))?;
        self.parts.store.put_setting(CONFIG_SETTING, &text).await?;
        let quotas = self.quotas.rules().quotas.clone();
        self.quotas.set(Rules { quotas, config });
        Ok(())
    }

    /// Names of all quotas, sorted.
    pub fn quota_names(&self) -> Vec<String> {
        self.quotas.rules().quotas.keys().cloned().collect()
    }

    /// A quota.
    pub fn quota(&self, name: &str) -> Option<RateQuota> {
        self.quotas.rules().quotas.get(name).map(|rule| rule.quota.clone())
    }

    /// Writes a quota; what it had counted is forgotten. `mount_of` tells the mount of a path, e.g. `aws/`.
    pub async fn write_quota(
        &self,
        name: &str,
        new: NewQuota,
        mount_of: impl Fn(&str) -> Option<String>,
    ) -> Result<(), QuotaRefused> {
        let quota = checked(name, &new, mount_of)?;
        let _alone = self.quotas.changing.lock().await;
        let rules = self.quotas.rules();
        let path = self.canonical(&quota.path);
        let same = |rule: &&Arc<Rule>| {
            path.alike(&rule.quota.path) == path.path && rule.quota.name != name
        };
        if let Some(taken) = rules.quotas.values().find(same) {
            return Err(QuotaRefused::Taken(taken.quota.name.clone()));
        }
        self.parts.store.put_rate_quota(&quota).await?;
        let mut quotas = rules.quotas.clone();
        quotas.insert(name.to_owned(), Rule::new(quota));
        self.quotas.set(Rules { quotas, config: rules.config.clone() });
        info!("rate-limit quota {name} written");
        Ok(())
    }

    /// Removes a quota; one that is not there is removed already.
    pub async fn remove_quota(&self, name: &str) -> Result<(), StoreError> {
        let _alone = self.quotas.changing.lock().await;
        self.parts.store.remove_rate_quota(name).await?;
        let rules = self.quotas.rules();
        let mut quotas = rules.quotas.clone();
        quotas.remove(name);
        self.quotas.set(Rules { quotas, config: rules.config.clone() });
        info!("rate-limit quota {name} removed");
        Ok(())
    }
}

fn checked(
    name: &str,
    new: &NewQuota,
    mount_of: impl Fn(&str) -> Option<String>,
) -> Result<RateQuota, QuotaRefused> {
    if !new.role.is_empty() {
        return Err(QuotaRefused::Role);
    }
    let rate = new.rate.filter(|rate| rate.is_finite() && *rate > 0.0).ok_or(QuotaRefused::Rate)?;
    let path = new.path.trim_start_matches('/');
    let path = if path.is_empty() {
        String::new()
    } else {
        // A mount is named with or without its slash.
        let mount = mount_of(path).or_else(|| mount_of(&format!("{path}/")));
        let mount = mount.ok_or_else(|| QuotaRefused::NoMount(path.to_owned()))?;
        match path.strip_prefix(&mount).map(|rest| rest.trim_end_matches('/')) {
            None | Some("") => mount,
            Some(rest) => format!("{mount}{rest}"),
        }
    };
    Ok(RateQuota {
        name: name.to_owned(),
        inheritable: new.inheritable.unwrap_or(path.is_empty()),
        path,
        rate,
        interval: new.interval.unwrap_or(0).max(1),
        block_interval: new.block_interval,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(name: &str, path: &str) -> RateQuota {
        let new = NewQuota { path: path.to_owned(), rate: Some(1.0), ..NewQuota::default() };
        let mounts = ["aws/", "auth/approle/", "sys/"];
        let mount_of = |path: &str| {
            mounts.into_iter().find(|mount| path.starts_with(mount)).map(str::to_owned)
        };
        checked(name, &new, mount_of).unwrap()
    }

    #[test]
    fn the_most_exact_quota_takes_a_path() {
        let quotas = [
            ("all", ""),
            ("mount", "aws"),
            ("creds", "aws/creds/*"),
            ("prod", "aws/creds/prod-*"),
            ("one", "aws/creds/prod-db"),
            ("login", "auth/approle/login"),
        ];
        let quotas = quotas.map(|(name, path)| (name.to_owned(), Rule::new(quota(name, path))));
        let rules = Rules { quotas: quotas.into(), config: QuotaConfig::default() };
        for (path, taken) in [
            ("sys/mounts", "all"),
            ("aws/roles/", "mount"),
            ("aws/creds/x", "creds"),
            ("aws/creds/prod-x", "prod"),
            ("aws/creds/prod-db", "one"),
            ("auth/approle/login", "login"),
            ("auth/approle/role/x", "all"),
        ] {
            let found = rules.rule(&Canonical::of(path, path.len()));
            let found = found.map(|rule| rule.quota.name.as_str());
            assert_eq!(found, Some(taken), "{path}");
        }
        assert!(rules.is_exempt("sys/health") && !rules.is_exempt("sys/healthy"));
    }

    #[test]
    fn a_path_is_a_mount_and_what_is_below_it() {
        for (sent, kept) in [
            ("", ""),
            ("aws", "aws/"),
            ("/aws/", "aws/"),
            ("aws/creds/x/", "aws/creds/x"),
            ("aws/creds/*", "aws/creds/*"),
        ] {
            assert_eq!(quota("q", sent).path, kept, "{sent}");
        }
        let refused = |new: NewQuota| checked("q", &new, |_| None).unwrap_err().to_string();
        let new = || NewQuota { rate: Some(1.0), ..NewQuota::default() };
        assert_eq!(
            refused(NewQuota { path: "no/such".into(), ..new() }),
            "invalid mount path \"no/such\""
        );
        for rate in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)] {
            assert_eq!(refused(NewQuota { rate, ..new() }), "'rate' is invalid");
        }
        assert!(refused(NewQuota { role: "r".into(), ..new() }).starts_with("quotas by `role`"));
    }
}
