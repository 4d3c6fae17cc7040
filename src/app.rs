//! The one composition root: configuration in, a running broker out. Everything is made here and handed
//! down; no module below makes its own clock, generator, store or AWS. [`run`] is what the binary does,
//! [`App::start`] what a test does with seams of its own.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::auth::{Auth, AuthError, AuthParts, InitError, Initialiser};
use crate::aws::{Accounts, AwsBackend, Documents};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Dev};
use crate::engine::{Engine, EngineError, EngineParts, EngineSettings};
use crate::gate::{Gate, GateConfig, GateError};
use crate::http::server::{self, Running, ServerError};
use crate::http::{InFlight, Wire};
use crate::leases::{LeaseParts, LeaseTiming, Leases};
use crate::model::ClientToken;
use crate::random::Random;
use crate::seal::{Barrier, KEY_CHECK_SETTING, SealError, SealStatus, key_file};
use crate::store::sqlite::{OpenError, Settings, Sqlite};
use crate::store::{Store, StoreError};

/// Why the broker could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file or the key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The root token of development mode.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Initialising development mode.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The state is there, its key is not.
    #[error("the key file `{}` is missing, and without it the stored state cannot be read\nhelp: put it back from its backup, or point [seal] key_file at it", .0.display())]
    KeyFileMissing(PathBuf),
    /// The embedded AWS.
    #[error("the embedded AWS: {0}")]
    EmbeddedAws(#[from] embedded_aws::JournalError),
    /// The listener.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The runtime, the signals or the terminal.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What a test may put in the place of the real thing.
pub struct Seams {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Random,
    /// The AWS; `None` takes the real one, or in development mode an embedded one.
    pub aws: Option<AwsBackend>,
    /// A gate that is loaded already.
    pub gate: Option<Arc<Gate>>,
    /// Wraps the store.
    pub store: Box<dyn FnOnce(Arc<Sqlite>) -> Arc<dyn Store> + Send>,
}

impl Seams {
    /// The real ones.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Random::from_os(),
            aws: None,
            gate: None,
            store: Box::new(|store| store),
        }
    }
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seams").field("aws", &self.aws).finish_non_exhaustive()
    }
}

/// A running broker.
#[derive(Debug)]
pub struct App {
    /// The life of leases.
    pub leases: Arc<Leases>,
    root_token: Option<ClientToken>,
    database: Arc<Sqlite>,
    server: Running,
    background: Vec<JoinHandle<()>>,
    shutdown: watch::Sender<bool>,
}

/// What a start tells the one who asked for it.
#[derive(Debug, Clone, Copy)]
pub struct Started<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The root token, in development mode only.
    pub root_token: Option<&'a ClientToken>,
}

impl Started<'_> {
    /// What clients put into `VAULT_ADDR`.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// Runs a broker until SIGINT or SIGTERM; `announce` is called once it serves.
pub fn run(
    config: &Config,
    announce: impl FnOnce(&Started<'_>) -> std::io::Result<()>,
) -> Result<(), AppError> {
    actix_web::rt::System::new().block_on(async {
        let app = App::start(config, Seams::real()).await?;
        announce(&app.started(config))?;
        stop_signal().await?;
        info!("stopping: what is in flight is finished first");
        app.stop().await;
        Ok(())
    })
}

async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

impl App {
    /// Puts everything together and serves.
    pub async fn start(config: &Config, seams: Seams) -> Result<Self, AppError> {
        let Seams { clock, random, aws, gate, store } = seams;
        let database = match &config.data_dir {
            Some(dir) => Sqlite::open(dir, Settings::default())?,
            None => Sqlite::temporary()?,
        };
        let store = store(Arc::clone(&database));
        let broker = installation_id(&*store, &random).await?;
        let barrier = Arc::new(unsealed(config, &*store, &random).await?);
        let backend = match aws {
            Some(backend) => backend,
            None => aws_backend(config, &clock)?,
        };
        let gate = match gate {
            Some(gate) => gate,
            None => Arc::new(Gate::new(gate_config(config, &barrier))?),
        };
        let accounts = Arc::new(Accounts::new(backend, Arc::clone(&clock)));
        let documents = Arc::new(Documents::new(Arc::clone(&accounts), Arc::clone(&clock)));
        let leases = Leases::new(LeaseParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            accounts: Arc::clone(&accounts),
            broker: broker.clone(),
            timing: LeaseTiming::default(),
            rng: random.clone(),
        });
        let auth = Arc::new(Auth::new(AuthParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            barrier: Arc::clone(&barrier),
            random: random.clone(),
            leases: Arc::clone(&leases),
        }));
        let engine = Engine::start(EngineParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            random: random.clone(),
            barrier: Arc::clone(&barrier),
            gate,
            accounts,
            documents: Arc::clone(&documents),
            leases: Arc::clone(&leases),
            settings: EngineSettings {
                default_lease_ttl: config.default_lease_ttl,
                max_lease_ttl: config.max_lease_ttl,
                broker: broker.clone(),
            },
        })
        .await?;
        let initialiser = Initialiser::new(
            Arc::clone(&store),
            Arc::clone(&barrier),
            Arc::clone(&auth),
            random.clone(),
            config.key_file.clone(),
        );
        let root_token = match &config.dev {
            Some(dev) => Some(dev_root_token(dev, &*store, &barrier, &auth, &initialiser).await?),
            None => None,
        };
        // Whatever is pending now belongs to a process that is gone.
        store.abandon_pending(clock.now()).await?;
        let wire = Wire {
            engine,
            leases: Arc::clone(&leases),
            auth,
            barrier,
            initialiser,
            clock,
            random,
            installation: broker,
            in_flight: InFlight::default(),
        };
        let server = server::start(Arc::new(wire), &config.listener)?;
        let (shutdown, stopped) = watch::channel(false);
        let background = vec![
            tokio::spawn(Arc::clone(&leases).run(stopped.clone())),
            tokio::spawn(documents.run(stopped)),
        ];
        info!(address = %server.address(), "leasehold serves on {}", server.address());
        Ok(Self { leases, root_token, database, server, background, shutdown })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn started<'a>(&'a self, config: &Config) -> Started<'a> {
        Started {
            address: self.address(),
            tls: config.listener.tls.is_some(),
            root_token: self.root_token.as_ref(),
        }
    }

    /// Finishes what is in flight, then stops.
    pub async fn stop(self) {
        self.server.stop().await;
        self.shutdown.send_replace(true);
        for task in self.background {
            if let Err(error) = task.await {
                warn!(error = %error, "a background task ended badly");
            }
        }
        self.database.close().await;
    }
}

impl App {
    /// Stops as when the power goes: nothing is finished, nothing is tidied. For crash tests.
    pub async fn abandon(self) {
        for task in &self.background {
            task.abort();
        }
        self.server.abort().await;
    }
}

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
        UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.now().as_millis()).unwrap_or(0))
    };
    let options = embedded_aws::Options::new(Arc::new(now), StdRng::from_os_rng());
    let journal = config.data_dir.as_ref().map(|dir| dir.join("embedded-aws.jsonl"));
    let aws = embedded_aws::EmbeddedAws::open(journal, options)?;
    Ok(AwsBackend::Embedded(aws.http_client()))
}

fn gate_config(config: &Config, barrier: &Barrier) -> GateConfig {
    // Before init there is no key for the cache's MAC; the guardrails are then compiled at the start.
    let key = barrier.code_cache_key().ok();
    let dir = config.data_dir.as_ref().map(|dir| dir.join("code-cache"));
    GateConfig {
        default_mode: config.guardrails.mode,
        modes: config.guardrails.modes.clone(),
        cache_dir: key.and(dir),
        cache_key: key.unwrap_or_default(),
    }
}

/// The root token of development mode: the one asked for, or the one that an earlier start made.
async fn dev_root_token(
    dev: &Dev,
    store: &dyn Store,
    barrier: &Barrier,
    auth: &Auth,
    initialiser: &Initialiser,
) -> Result<ClientToken, AppError> {
    let made = match barrier.status() {
        SealStatus::Uninitialised => Some(initialiser.initialise().await?),
        SealStatus::Unsealed | SealStatus::Sealed { .. } => None,
    };
    let kept = match store.setting(DEV_TOKEN_SETTING).await? {
        Some(sealed) => Some(barrier.open_token(&sealed, DEV_TOKEN_SETTING)?),
        None => None,
    };
    let asked = dev.root_token.as_ref().map(ClientToken::new);
    let token = match (asked, kept) {
        (Some(asked), Some(kept)) if asked == kept => kept,
        (Some(asked), _) => auth.create_root(Some(asked)).await?,
        (None, Some(kept)) => kept,
        (None, None) => match made {
            Some(made) => made,
            None => auth.create_root(None).await?,
        },
    };
    store.put_setting(DEV_TOKEN_SETTING, &barrier.seal_token(&token, DEV_TOKEN_SETTING)?).await?;
    Ok(token)
}

const DEV_TOKEN_SETTING: &str = "dev/root-token";
