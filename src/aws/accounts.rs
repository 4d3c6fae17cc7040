//! Which AWS account serves which mount. A look-up costs a map access; the client behind it is built
//! at the first use and again after `config/root` was written. Binding must never do I/O and never
//! fail: `config/root` accepts anything (contract 1.1).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

use super::limiter::Limiter;
use super::sdk::{CredentialSource, SdkProvider, SdkSts, pooled_http_client};
use super::{AwsError, IamProvider, StsProvider};
use crate::clock::Clock;
use crate::model::{MountId, SecretAccessKey};

/// What `config/root` says about reaching AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// Empty = the SDK's credential chain.
    pub access_key: String,
    /// The secret half.
    pub secret_key: Option<SecretAccessKey>,
    /// Empty = the environment's, else `us-east-1`.
    pub region: String,
    /// Full URL, empty = AWS's.
    pub iam_endpoint: String,
    /// Full URL, empty = AWS's.
    pub sts_endpoint: String,
    /// Used with `sts_endpoint`.
    pub sts_region: String,
    /// Tried in order after `sts_endpoint`.
    pub sts_fallback_endpoints: Vec<String>,
    /// As many as endpoints.
    pub sts_fallback_regions: Vec<String>,
    /// Negative = the SDK's default.
    pub max_retries: i64,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            access_key: String::new(),
            secret_key: None,
            region: String::new(),
            iam_endpoint: String::new(),
            sts_endpoint: String::new(),
            sts_region: String::new(),
            sts_fallback_endpoints: Vec::new(),
            sts_fallback_regions: Vec::new(),
            max_retries: -1,
        }
    }
}

/// Who answers where an account names no endpoint of its own.
#[derive(Debug, Clone)]
pub enum AwsBackend {
    /// AWS, over HTTPS.
    Real,
    /// The embedded AWS (dev), also for mounts without `config/root`.
    Embedded(SharedHttpClient),
}

/// The accounts of all mounts.
#[derive(Debug)]
pub struct Accounts {
    backend: AwsBackend,
    clock: Arc<dyn Clock>,
    bound: RwLock<HashMap<MountId, Arc<Account>>>,
    /// Serves mounts without `config/root` where the embedded AWS answers.
    unbound: Arc<Account>,
    /// The one connection pool of the process.
    http: OnceLock<SharedHttpClient>,
    /// One pace per account, whatever number of mounts use it.
    limiters: Mutex<HashMap<String, Weak<Limiter>>>,
    generations: AtomicU64,
}

#[derive(Debug)]
struct Account {
    settings: AccountSettings,
    generation: u64,
    provider: OnceCell<Arc<SdkProvider>>,
    /// The endpoint that answered; looked for again while none does.
    sts: OnceCell<Arc<SdkSts>>,
}

impl Account {
    fn new(settings: AccountSettings, generation: u64) -> Arc<Self> {
        Arc::new(Self { settings, generation, provider: OnceCell::new(), sts: OnceCell::new() })
    }
}

impl Accounts {
    /// Without any account yet.
    pub fn new(backend: AwsBackend, clock: Arc<dyn Clock>) -> Self {
        Self {
            backend,
            clock,
            bound: RwLock::default(),
            unbound: Account::new(AccountSettings::default(), 0),
            http: OnceLock::new(),
            limiters: Mutex::default(),
            generations: AtomicU64::new(1),
        }
    }

    /// From now on the mount uses these settings.
    pub fn bind(&self, mount: &MountId, settings: AccountSettings) {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        let account = Account::new(settings, generation);
        let mut bound = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        bound.insert(mount.clone(), account);
    }

    /// The mount is gone.
    pub fn unbind(&self, mount: &MountId) {
        self.bound.write().unwrap_or_else(PoisonError::into_inner).remove(mount);
    }

    /// The provider of a mount.
    pub async fn provider(&self, mount: &MountId) -> Result<Arc<dyn IamProvider>, AwsError> {
        let account = self.account(mount)?;
        let provider = account.provider.get_or_try_init(|| self.build(&account.settings)).await?;
        let provider = Arc::clone(provider);
        Ok(provider)
    }

    /// Names the account that a mount works in: mounts with the same name share one pace.
    pub fn account_of(&self, mount: &MountId) -> String {
        let account = self.account(mount);
        let settings = account.as_ref().map(|account| &account.settings);
        settings.map_or_else(|_none| format!("none {}", mount.0), |s| named(s, &s.iam_endpoint))
    }

    /// STS for a mount. The first use looks for an endpoint that answers (contract 1.1).
    pub async fn sts(&self, mount: &MountId) -> Result<Arc<dyn StsProvider>, AwsError> {
        let account = self.account(mount)?;
        let sts = account.sts.get_or_try_init(|| self.connect(&account.settings)).await?;
        let sts = Arc::clone(sts);
        Ok(sts)
    }

    /// Changes whenever the mount's settings do: what was read with the old ones is stale.
    pub(super) fn generation(&self, mount: &MountId) -> Option<u64> {
        self.account(mount).ok().map(|account| account.generation)
    }

    fn account(&self, mount: &MountId) -> Result<Arc<Account>, AwsError> {
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner).get(mount).cloned();
        match (bound, &self.backend) {
            (Some(account), _) => Ok(account),
            (None, AwsBackend::Embedded(_)) => Ok(Arc::clone(&self.unbound)),
            (None, AwsBackend::Real) => Err(AwsError::NotConfigured(
                "no AWS account is configured for this mount\nhelp: write config/root of the mount"
                    .to_owned(),
            )),
        }
    }

    async fn build(&self, settings: &AccountSettings) -> Result<Arc<SdkProvider>, AwsError> {
        let (http, credentials) = self.way_to(settings, settings.iam_endpoint.is_empty())?;
        let limiter = self.limiter(settings, &settings.iam_endpoint);
        let clock = Arc::clone(&self.clock);
        Ok(Arc::new(SdkProvider::new(settings, http, credentials, limiter, clock).await?))
    }

    async fn connect(&self, settings: &AccountSettings) -> Result<Arc<SdkSts>, AwsError> {
        // Keys that work at an IAM of the operator's work at no embedded STS.
        let nowhere = settings.sts_endpoint.is_empty() && settings.iam_endpoint.is_empty();
        let (http, credentials) = self.way_to(settings, nowhere)?;
        let limiter = self.limiter(settings, &format!("sts {}", settings.sts_endpoint));
        let clock = Arc::clone(&self.clock);
        Ok(Arc::new(SdkSts::connect(settings, http, credentials, limiter, clock).await?))
    }

    /// Over what, and as whom; `nowhere` = no endpoint is named.
    fn way_to(
        &self,
        settings: &AccountSettings,
        nowhere: bool,
    ) -> Result<(SharedHttpClient, CredentialSource), AwsError> {
        let credentials = CredentialSource::of(settings)?;
        Ok(match &self.backend {
            AwsBackend::Embedded(embedded) if nowhere => {
                let keys = match credentials {
                    CredentialSource::Chain => CredentialSource::made_up(),
                    keys @ CredentialSource::Static(_) => keys,
                };
                (embedded.clone(), keys)
            }
            AwsBackend::Embedded(_) | AwsBackend::Real => {
                (self.http.get_or_init(pooled_http_client).clone(), credentials)
            }
        })
    }

    /// Mounts with the same key at the same endpoint are one account. (Two keys of one account are
    /// not seen as such: that would cost a call to find out.)
    fn limiter(&self, settings: &AccountSettings, endpoint: &str) -> Arc<Limiter> {
        let account = named(settings, endpoint);
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        let known = limiters.get(&account).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let fresh = Arc::new(Limiter::new());
            limiters.insert(account, Arc::downgrade(&fresh));
            fresh
        })
    }
}

/// Mounts with the same key at the same endpoint are one account.
fn named(settings: &AccountSettings, endpoint: &str) -> String {
    format!("{} {endpoint}", settings.access_key)
}
