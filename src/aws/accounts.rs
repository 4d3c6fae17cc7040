//! Which AWS account serves which mount. A look-up costs a map access; the client behind it is built
//! at the first use and again after `config/root` was written. Binding must never do I/O and never
//! fail: `config/root` accepts anything (contract 1.1).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

use super::limiter::Limiter;
use super::sdk::{CredentialSource, Paces, SdkProbe, SdkProvider, SdkSts, pooled_http_client};
use super::{AwsError, IamProvider, KeyProbe, NewAccessKey, StsEndpoint, StsProvider};
use crate::clock::Clock;
use crate::metrics::{AwsCalls, Pace};
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
    pub(super) bound: RwLock<HashMap<MountId, Arc<Account>>>,
    pub(super) sealed: AtomicBool,
    /// Serves mounts without `config/root` where the embedded AWS answers.
    unbound: Arc<Account>,
    /// The one connection pool of the process.
    http: OnceLock<SharedHttpClient>,
    /// One pace per account, whatever number of mounts use it.
    limiters: Mutex<HashMap<String, Weak<Limiter>>>,
    generations: AtomicU64,
    calls: AwsCalls,
}

/// Who still signs with the settings that a mount had before.
#[derive(Debug)]
pub struct Outgoing {
    iam: Option<Weak<SdkProvider>>,
    sts: Option<Weak<SdkSts>>,
}

impl Outgoing {
    /// Whether nobody does any more.
    pub fn is_idle(&self) -> bool {
        let iam = self.iam.as_ref().is_none_or(|client| client.strong_count() == 0);
        iam && self.sts.as_ref().is_none_or(|client| client.strong_count() == 0)
    }
}

#[derive(Debug)]
pub(super) struct Account {
    settings: AccountSettings,
    generation: u64,
    provider: OnceCell<Arc<SdkProvider>>,
    /// The endpoint that answered; looked for again while none does.
    sts: OnceCell<Arc<SdkSts>>,
    /// Whose the keys are, once AWS said so. Says something about static keys only: the chain's may change.
    owner: Arc<OnceLock<String>>,
    probe: OnceCell<Arc<SdkProbe>>,
}

impl Account {
    fn new(settings: AccountSettings, generation: u64) -> Arc<Self> {
        Arc::new(Self {
            settings,
            generation,
            provider: OnceCell::new(),
            sts: OnceCell::new(),
            owner: Arc::default(),
            probe: OnceCell::new(),
        })
    }
}

/// IAM in the account that a mount is bound to now, and which account that is: of the same keys, also where
/// `config/root` is written meanwhile.
#[derive(Debug, Clone)]
pub struct Access {
    /// IAM there.
    pub provider: Arc<dyn IamProvider>,
    account: Arc<Account>,
}

impl Accounts {
    /// Without any account yet.
    pub fn new(backend: AwsBackend, clock: Arc<dyn Clock>) -> Self {
        Self {
            backend,
            clock,
            bound: RwLock::default(),
            sealed: AtomicBool::new(false),
            unbound: Account::new(AccountSettings::default(), 0),
            http: OnceLock::new(),
            limiters: Mutex::default(),
            generations: AtomicU64::new(1),
            calls: AwsCalls::default(),
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
        Ok(self.access(mount).await?.provider)
    }

    /// The provider of a mount, and what is known of whose its keys are.
    pub async fn access(&self, mount: &MountId) -> Result<Access, AwsError> {
        Ok(self.sdk_access(mount).await?.1)
    }

    /// The same client twice: as what it is, and as what most may know of it.
    pub(super) async fn sdk_access(
        &self,
        mount: &MountId,
    ) -> Result<(Arc<SdkProvider>, Access), AwsError> {
        let account = self.account(mount)?;
        let provider = self.provider_of(&account).await?;
        Ok((Arc::clone(&provider), Access { provider, account }))
    }

    /// The account that the keys belong to, where that is known without asking.
    pub fn known_account(&self, access: &Access) -> Option<String> {
        let known = access.account.owner.get().filter(|_| self.is_fixed(&access.account));
        known.cloned()
    }

    /// The account that the keys belong to; AWS is asked where that is not known. `None` where the endpoint
    /// does not say it as AWS does.
    pub async fn own_account(&self, access: &Access) -> Result<Option<String>, AwsError> {
        if let Some(known) = self.known_account(access) {
            return Ok(Some(known));
        }
        let account = &access.account;
        let is_new = !account.sts.initialized();
        let sts = account.sts.get_or_try_init(|| self.connect(&account.settings)).await?;
        // What said who the keys are a moment ago need not be asked again; static keys never change their account.
        let told = if is_new || self.is_fixed(account) {
            sts.account().map(str::to_owned)
        } else {
            sts.ask_account().await?
        };
        if let Some(told) = &told {
            account.owner.get_or_init(|| told.clone());
        }
        Ok(told)
    }

    /// Whether the keys cannot become those of another account while they are bound.
    fn is_fixed(&self, account: &Account) -> bool {
        !account.settings.access_key.is_empty() || matches!(self.backend, AwsBackend::Embedded(_))
    }

    pub(super) async fn sdk_provider(&self, mount: &MountId) -> Result<Arc<SdkProvider>, AwsError> {
        self.provider_of(&*self.account(mount)?).await
    }

    async fn provider_of(&self, account: &Account) -> Result<Arc<SdkProvider>, AwsError> {
        let build = || self.build(&account.settings, &account.owner);
        Ok(Arc::clone(account.provider.get_or_try_init(build).await?))
    }

    /// Who works with the present settings of a mount; asked for before they change.
    pub fn outgoing(&self, mount: &MountId) -> Outgoing {
        let account = self.account(mount).ok();
        let account = account.as_deref();
        Outgoing {
            iam: account.and_then(|there| there.provider.get()).map(Arc::downgrade),
            sts: account.and_then(|there| there.sts.get()).map(Arc::downgrade),
        }
    }

    /// The settings of a mount with another key.
    pub(super) fn settings_with(
        &self,
        mount: &MountId,
        key: &NewAccessKey,
    ) -> Result<AccountSettings, AwsError> {
        Ok(AccountSettings {
            access_key: key.id.as_str().to_owned(),
            secret_key: Some(key.secret.clone()),
            ..self.account(mount)?.settings.clone()
        })
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The same text for mounts that are known to share an account and its pace: the same key at the same
    /// endpoint. Holds the id of a key, and no secret. `None` for a mount without an account.
    pub fn account_of(&self, mount: &MountId) -> Option<String> {
        let account = self.account(mount).ok()?;
        Some(named(&account.settings, &account.settings.iam_endpoint))
    }

    /// STS for a mount. The first use looks for an endpoint that answers (contract 1.1).
    pub async fn sts(&self, mount: &MountId) -> Result<Arc<dyn StsProvider>, AwsError> {
        let account = self.account(mount)?;
        let sts = account.sts.get_or_try_init(|| self.connect(&account.settings)).await?;
        let sts = Arc::clone(sts);
        Ok(sts)
    }

    /// What looks whether keys of the mount's users work.
    pub async fn key_probe(&self, mount: &MountId) -> Result<Arc<dyn KeyProbe>, AwsError> {
        let account = self.account(mount)?;
        let settings = &account.settings;
        let probe = account.probe.get_or_try_init(|| async {
            let nowhere = settings.sts_endpoint.is_empty() && settings.iam_endpoint.is_empty();
            let (http, _broker) = self.way_to(settings, nowhere)?;
            let paces = Paces { sts: self.sts_limiter(settings), iam: self.iam_limiter(settings) };
            let clock = Arc::clone(&self.clock);
            Ok::<_, AwsError>(Arc::new(SdkProbe::new(settings, http, paces, clock).await?))
        });
        let probe = Arc::clone(probe.await?);
        Ok(probe)
    }

    /// What the calls of all accounts are counted with.
    pub fn calls(&self) -> &AwsCalls {
        &self.calls
    }

    /// How they are paced right now.
    pub fn pace(&self) -> Pace {
        let limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let paced = limiters.values().filter_map(Weak::upgrade).filter_map(|one| one.rate());
        paced.fold(Pace::default(), |pace, rate| Pace {
            slowed: pace.slowed.saturating_add(1),
            slowest: Some(pace.slowest.map_or(rate, |slowest| slowest.min(rate))),
        })
    }

    /// Asks every STS endpoint that is configured for a mount, in their order, who the broker is; each once, all at
    /// the same time. Which one the mount uses is not changed by it.
    pub async fn sts_endpoints(&self, mount: &MountId) -> Result<Vec<StsEndpoint>, AwsError> {
        let account = self.account(mount)?;
        let (http, credentials, limiter) = self.way_to_sts(&account.settings)?;
        let clock = Arc::clone(&self.clock);
        SdkSts::ask_each(&account.settings, http, credentials, limiter, clock).await
    }

    /// Changes whenever the mount's settings do: what was read with the old ones is stale.
    pub(super) fn generation(&self, mount: &MountId) -> Option<u64> {
        self.account(mount).ok().map(|account| account.generation)
    }

    fn account(&self, mount: &MountId) -> Result<Arc<Account>, AwsError> {
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner).get(mount).cloned();
        match (bound, &self.backend) {
            (Some(account), _) => Ok(account),
            (None, _) if self.is_let_go() => Err(super::sealing::let_go()),
            (None, AwsBackend::Embedded(_)) => Ok(Arc::clone(&self.unbound)),
            (None, AwsBackend::Real) => Err(AwsError::NotConfigured(
                "no AWS account is configured for this mount\nhelp: write config/root of the mount"
                    .to_owned(),
            )),
        }
    }

    /// A client; what it learns of whose the keys are goes into `owner`.
    pub(super) async fn build(
        &self,
        settings: &AccountSettings,
        owner: &Arc<OnceLock<String>>,
    ) -> Result<Arc<SdkProvider>, AwsError> {
        let (http, credentials) = self.way_to(settings, settings.iam_endpoint.is_empty())?;
        let limiter = self.iam_limiter(settings);
        let clock = Arc::clone(&self.clock);
        Ok(Arc::new(
            SdkProvider::new(settings, http, credentials, limiter, clock, Arc::clone(owner))
                .await?,
        ))
    }

    async fn connect(&self, settings: &AccountSettings) -> Result<Arc<SdkSts>, AwsError> {
        let (http, credentials, limiter) = self.way_to_sts(settings)?;
        let clock = Arc::clone(&self.clock);
        Ok(Arc::new(SdkSts::connect(settings, http, credentials, limiter, clock).await?))
    }

    pub(super) fn way_to_sts(
        &self,
        settings: &AccountSettings,
    ) -> Result<(SharedHttpClient, CredentialSource, Arc<Limiter>), AwsError> {
        // Keys that work at an IAM of the operator's work at no embedded STS.
        let nowhere = settings.sts_endpoint.is_empty() && settings.iam_endpoint.is_empty();
        let (http, credentials) = self.way_to(settings, nowhere)?;
        Ok((http, credentials, self.sts_limiter(settings)))
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

    fn iam_limiter(&self, settings: &AccountSettings) -> Arc<Limiter> {
        self.limiter(settings, &settings.iam_endpoint)
    }

    fn sts_limiter(&self, settings: &AccountSettings) -> Arc<Limiter> {
        self.limiter(settings, &format!("sts {}", settings.sts_endpoint))
    }

    /// Mounts with the same key at the same endpoint are one account. (Two keys of one account are
    /// not seen as such: that would cost a call to find out.)
    fn limiter(&self, settings: &AccountSettings, endpoint: &str) -> Arc<Limiter> {
        let account = named(settings, endpoint);
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        let known = limiters.get(&account).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let fresh = Arc::new(Limiter::new(self.calls.clone()));
            limiters.insert(account, Arc::downgrade(&fresh));
            fresh
        })
    }
}

/// Mounts with the same key at the same endpoint are one account.
fn named(settings: &AccountSettings, endpoint: &str) -> String {
    format!("{} {endpoint}", settings.access_key)
}
