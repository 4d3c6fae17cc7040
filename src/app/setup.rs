//! The steps of a start that are about one thing each: the database, the installation's id, the seal, the
//! AWS of development mode, its root token. What is made of them is in [`super::App::start`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{AppError, Seams};
use crate::audit::{Audit, AuditParts};
use crate::auth::{Auth, AuthParts, Initialiser};
use crate::aws::{Accounts, AwsBackend};
use crate::clock::Clock;
use crate::config::{Config, Dev};
use crate::engine::Engine;
use crate::gate::{Compiler, Gate, GateConfig};
use crate::http::{InFlight, Measured, ServerFacts, Wire};
use crate::leases::{LeaseParts, LeaseTiming, Leases};
use crate::metrics::Metrics;
use crate::model::{ClientToken, Network, Timestamp};
use crate::outbound::Https;
use crate::random::Random;
use crate::seal::{Barrier, KEY_CHECK_SETTING, SealStatus, key_file};
use crate::store::sqlite::{Settings, Sqlite};
use crate::store::{Store, StoreError};

/// What everything else stands on.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) database: Arc<Sqlite>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Random,
    pub(super) barrier: Arc<Barrier>,
    /// This installation's id, which its users carry.
    pub(super) broker: String,
}

/// What the wire serves.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) engine: Arc<Engine>,
    pub(super) leases: Arc<Leases>,
    pub(super) auth: Arc<Auth>,
    pub(super) audit: Arc<Audit>,
    pub(super) initialiser: Initialiser,
}

impl Base {
    /// Opens the database and the seal; gives back the AWS to use, and the gate if there is one already.
    pub(super) async fn open(
        config: &Config,
        seams: Seams,
    ) -> Result<(Self, AwsBackend, Option<Arc<Gate>>), AppError> {
        let Seams { clock, random, aws, gate, compiler: _, store } = seams;
        let timing = LeaseTiming::default();
        let settings = Settings { settling: timing.settling };
        let database = match &config.data_dir {
            Some(dir) => Sqlite::open(dir, settings)?,
            None => Sqlite::temporary_with(settings)?,
        };
        let store = store(Arc::clone(&database));
        let broker = installation_id(&*store, &random).await?;
        let barrier = Arc::new(unsealed(config, &*store, &random).await?);
        let aws = match aws {
            Some(backend) => backend,
            None => aws_backend(config, &clock)?,
        };
        Ok((Self { database, store, clock, random, barrier, broker }, aws, gate))
    }

    pub(super) fn leases(&self, accounts: &Arc<Accounts>) -> Arc<Leases> {
        Leases::new(LeaseParts {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            accounts: Arc::clone(accounts),
            broker: self.broker.clone(),
            timing: LeaseTiming::default(),
            rng: self.random.clone(),
        })
    }

    /// `private` are the networks beside the internet where issuers of logins may be asked.
    pub(super) fn auth(&self, leases: &Arc<Leases>, private: Vec<Network>) -> Arc<Auth> {
        let auth = Auth::new(AuthParts {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            barrier: Arc::clone(&self.barrier),
            random: self.random.clone(),
            leases: Arc::clone(leases),
        });
        Arc::new(auth.asking(Arc::new(Https::new(private))))
    }

    pub(super) fn audit(&self) -> Arc<Audit> {
        Arc::new(Audit::new(AuditParts {
            store: Arc::clone(&self.store),
            barrier: Arc::clone(&self.barrier),
            random: self.random.clone(),
        }))
    }

    pub(super) fn initialiser(&self, auth: &Arc<Auth>, key_file: Option<PathBuf>) -> Initialiser {
        Initialiser::new(
            Arc::clone(&self.store),
            Arc::clone(&self.barrier),
            Arc::clone(auth),
            self.random.clone(),
            key_file,
        )
    }

    pub(super) fn into_wire(self, served: Served, facts: ServerFacts) -> Wire {
        let Served { engine, leases, auth, audit, initialiser } = served;
        let version = env!("CARGO_PKG_VERSION");
        let metrics = Metrics::new(engine.counted(), version, crate::http::VERSION);
        Wire {
            measured: Measured::new(metrics.requests()),
            metrics,
            facts,
            engine,
            leases,
            auth,
            audit,
            barrier: self.barrier,
            initialiser,
            clock: self.clock,
            random: self.random,
            installation: self.broker,
            in_flight: InFlight::default(),
        }
    }

    /// What the server is; a version that did not run here before is written down.
    pub(super) async fn facts(&self, config: &Config) -> Result<ServerFacts, StoreError> {
        let first = config.listeners.first();
        let address = first.map(|first| super::url(&first.address, first.tls.is_some()));
        Ok(ServerFacts {
            sanitized: config.sanitized(),
            api_address: address.unwrap_or_default(),
            data_dir: config.data_dir.clone(),
            versions: self.versions().await?,
        })
    }

    /// The versions that ran on this database, this one included, the oldest first.
    async fn versions(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let stored = self.store.setting(VERSIONS_SETTING).await?.unwrap_or_default();
        let text = String::from_utf8_lossy(&stored).into_owned();
        let parsed = |line: &str| {
            let (version, since) = line.split_once(' ')?;
            Some((version.to_owned(), Timestamp::from_millis(since.parse().ok()?)))
        };
        let mut versions: Vec<(String, Timestamp)> = text.lines().filter_map(parsed).collect();
        if !versions.iter().any(|(version, _)| version == crate::http::VERSION) {
            let now = self.clock.now();
            versions.push((crate::http::VERSION.to_owned(), now));
            let text = format!("{text}{} {}\n", crate::http::VERSION, now.as_millis());
            self.store.put_setting(VERSIONS_SETTING, text.as_bytes()).await?;
        }
        Ok(versions)
    }

    /// The root token of development mode: the one asked for, or the one that an earlier start made.
    pub(super) async fn dev_root_token(
        &self,
        dev: &Dev,
        auth: &Auth,
        initialiser: &Initialiser,
    ) -> Result<ClientToken, AppError> {
        let made = match self.barrier.status() {
            SealStatus::Uninitialised => Some(initialiser.initialise().await?),
            SealStatus::Unsealed | SealStatus::Sealed { .. } => None,
        };
        let kept = match self.store.setting(DEV_TOKEN_SETTING).await? {
            Some(sealed) => Some(self.barrier.open_token(&sealed, DEV_TOKEN_SETTING)?),
            None => None,
        };
        let asked = dev.root_token.as_ref().map(ClientToken::new);
        let token = match (asked, kept, made) {
            (Some(asked), Some(kept), _) if asked == kept => return Ok(kept),
            (Some(asked), _, _) => auth.create_root(Some(asked)).await?,
            (None, Some(kept), _) => return Ok(kept),
            (None, None, Some(made)) => made,
            (None, None, None) => auth.create_root(None).await?,
        };
        let sealed = self.barrier.seal_token(&token, DEV_TOKEN_SETTING)?;
        self.store.put_setting(DEV_TOKEN_SETTING, &sealed).await?;
        Ok(token)
    }
}

/// Lines of a version and the moment, in milliseconds, at which it first ran on this database.
const VERSIONS_SETTING: &str = "versions";

const DEV_TOKEN_SETTING: &str = "dev/root-token";

/// The id that this installation's users carry, made at the first start.
async fn installation_id(store: &dyn Store, random: &Random) -> Result<String, StoreError> {
    store.init_settings(&[(BROKER_SETTING, random.uuid().into_bytes())]).await?;
    let stored = store.setting(BROKER_SETTING).await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&stored).into_owned())
}

const BROKER_SETTING: &str = "broker/id";

/// The barrier as the start finds it: open where the key is at hand, without a key before init.
async fn unsealed(
    config: &Config,
    store: &dyn Store,
    random: &Random,
) -> Result<Barrier, AppError> {
    let Some(path) = &config.key_file else {
        return Ok(Barrier::in_memory(random));
    };
    let barrier = Barrier::new();
    if let Some(check) = store.setting(KEY_CHECK_SETTING).await? {
        let key = key_file::read(path)?.ok_or_else(|| AppError::KeyFileMissing(path.clone()))?;
        barrier.unseal_checked(key, &check)?;
    }
    Ok(barrier)
}

/// AWS itself, or in development mode one that lives in this process.
fn aws_backend(config: &Config, clock: &Arc<dyn Clock>) -> Result<AwsBackend, AppError> {
    if config.dev.is_none() {
        return Ok(AwsBackend::Real);
    }
    let clock = Arc::clone(clock);
    let now = move || {
        let since = Duration::from_millis(u64::try_from(clock.now().as_millis()).unwrap_or(0));
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    };
    let options = embedded_aws::Options::new(Arc::new(now), StdRng::from_os_rng());
    let journal = config.data_dir.as_ref().map(|dir| dir.join("embedded-aws.jsonl"));
    let aws = embedded_aws::EmbeddedAws::open(journal, options)?;
    Ok(AwsBackend::Embedded(aws.http_client()))
}

pub(super) fn gate_config(config: &Config, barrier: &Barrier, compiler: Compiler) -> GateConfig {
    // Before init there is no key for the cache's MAC; the guardrails are then compiled at the start.
    let key = barrier.code_cache_key().ok();
    let dir = config.data_dir.as_ref().map(|dir| dir.join("code-cache"));
    GateConfig {
        default_mode: config.guardrails.mode,
        modes: config.guardrails.modes.clone(),
        settings: config.guardrails.settings.clone(),
        bounds: config.guardrails.bounds,
        cache_dir: key.and(dir),
        cache_key: key.unwrap_or_default(),
        compiler,
    }
}
