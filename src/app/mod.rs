//! The one composition root: configuration in, a running broker out. Everything is made here and handed
//! down; no module below makes its own clock, generator, store or AWS. [`run`] is what the binary does,
//! [`App::start`] what a test does with seams of its own.

use std::fmt;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::audit::Audit;
use crate::auth::AuthError;
use crate::aws::{Accounts, AwsBackend, Documents};
use crate::clock::{Clock, SystemClock};
use crate::config::{Address, Config};
use crate::custody::{Custody, CustodyError};
use crate::engine::{Engine, EngineError, EngineParts, EngineSettings};
use crate::gate::{Compiler, Gate, GateError};
use crate::http::server::{self, Certificates, Running, ServerError};
use crate::leases::{LeaseError, Leases};
use crate::model::ClientToken;
use crate::random::Random;
use crate::seal::SealError;
use crate::store::sqlite::{OpenError, Sqlite};
use crate::store::{Store, StoreError};

mod setup;

use setup::{Base, Served, gate_config};

/// Why the broker could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What an earlier process left could not be picked up.
    #[error(transparent)]
    Leases(#[from] LeaseError),
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
    /// The seal, or what is taken up when it opens.
    #[error(transparent)]
    Custody(#[from] CustodyError),
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
    /// Where guardrails are compiled. In a process of their own only where this program is the broker: a test or a
    /// bench would start itself.
    pub compiler: Compiler,
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
            compiler: Compiler::InProcess,
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
    /// The use cases.
    pub engine: Arc<Engine>,
    root_token: Option<ClientToken>,
    database: Arc<Sqlite>,
    server: Running,
    background: Vec<JoinHandle<()>>,
    shutdown: watch::Sender<bool>,
}

/// What a start tells the one who asked for it.
#[derive(Debug, Clone)]
pub struct Started<'a> {
    /// Where it listens first.
    pub address: Address,
    /// Whether it speaks TLS there.
    pub tls: bool,
    /// The root token, in development mode only.
    pub root_token: Option<&'a ClientToken>,
}

impl Started<'_> {
    /// What clients put into `VAULT_ADDR`.
    pub fn url(&self) -> String {
        url(&self.address, self.tls)
    }
}

/// What clients put into `VAULT_ADDR` for a listener.
fn url(address: &Address, tls: bool) -> String {
    match address {
        Address::Tcp(address) if tls => format!("https://{address}"),
        Address::Tcp(address) => format!("http://{address}"),
        Address::Unix(socket) => format!("unix://{}", socket.path.display()),
    }
}

/// Runs a broker until SIGINT or SIGTERM; `announce` is called once it serves.
pub fn run(
    config: &Config,
    announce: impl FnOnce(&Started<'_>) -> std::io::Result<()>,
) -> Result<(), AppError> {
    actix_web::rt::System::new().block_on(async {
        let stop = StopSignals::heard()?;
        let app = App::start(config, seams(config)).await?;
        announce(&app.started(config))?;
        stop.come().await;
        info!("stopping: what is in flight is finished first");
        app.stop().await;
        Ok(())
    })
}

#[cfg(not(debug_assertions))]
fn seams(_: &Config) -> Seams {
    of_the_binary()
}

/// The real ones, in the broker's own binary.
fn of_the_binary() -> Seams {
    Seams { compiler: Compiler::this_program(), ..Seams::real() }
}

/// The real ones, and in a debug build the points where a test makes the process die.
#[cfg(debug_assertions)]
fn seams(config: &Config) -> Seams {
    let real = of_the_binary();
    match config.fail_points.clone() {
        None => real,
        Some(folder) => Seams {
            store: Box::new(move |store| crate::fail_points::around(&folder, store)),
            ..real
        },
    }
}

/// What goes on by itself until the broker stops.
fn in_the_background(
    parts: &Served,
    config: &Config,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let Served { engine, leases, auth: _, audit } = parts;
    let (engine, stopped) = (|| Arc::clone(engine), || stopped.clone());
    vec![
        tokio::spawn(Arc::clone(leases).run(stopped())),
        tokio::spawn(Arc::clone(leases).run_jobs(stopped())),
        tokio::spawn(engine().reconcile_on_schedule(config.reconcile_interval, stopped())),
        tokio::spawn(engine().run_rotations(stopped())),
        tokio::spawn(engine().run_guardrails(stopped())),
        tokio::spawn(engine().run(stopped())),
        tokio::spawn(Arc::clone(audit).run(stopped())),
    ]
}

/// SIGHUP: log rotation moved the audit files away, or there are new certificates.
async fn reopen_on_hangup(
    audit: Arc<Audit>,
    certificates: Certificates,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => {
            warn!(%error, "SIGHUP cannot be heard: audit files and certificates are opened anew at a restart alone");
            return;
        }
    };
    loop {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => return,
            heard = hangup.recv() => {
                if heard.is_none() {
                    return;
                }
                audit.reopen();
                certificates.reload();
            }
        }
    }
}

/// What ends the broker. Heard before anything is opened: a signal that nobody hears ends the process where it stands.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    /// What comes before there is anything to open anew has nothing to do, and must not end the process either.
    _hangup: Signal,
}

impl StopSignals {
    fn heard() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns once one came, since they were heard.
    async fn come(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl App {
    /// Puts everything together and serves.
    pub async fn start(config: &Config, seams: Seams) -> Result<Self, AppError> {
        let compiler = seams.compiler.clone();
        let (base, aws, gate) = Base::open(config, seams).await?;
        let device = base.device(config, &aws).await?;
        let accounts = Arc::new(Accounts::new(aws, Arc::clone(&base.clock)));
        let documents = Arc::new(Documents::new(Arc::clone(&accounts), Arc::clone(&base.clock)));
        let leases = base.leases(&accounts);
        let auth = base.auth(&leases, config.private_networks.clone());
        auth.open_methods().await?;
        auth.open_quotas().await?;
        let gate = match gate {
            // One gate of a test run serves many brokers, each with guardrails of its own.
            Some(gate) => Arc::new(gate.beside()),
            // What is kept compiled is under a key of the seal's: it is loaded when that is open.
            None => Arc::new(Gate::closed(gate_config(config, compiler))?),
        };
        let engine = Engine::start(EngineParts {
            store: Arc::clone(&base.store),
            clock: Arc::clone(&base.clock),
            random: base.random.clone(),
            barrier: Arc::clone(&base.barrier),
            gate,
            accounts,
            documents: Arc::clone(&documents),
            leases: Arc::clone(&leases),
            settings: EngineSettings {
                default_lease_ttl: config.default_lease_ttl,
                max_lease_ttl: config.max_lease_ttl,
                broker: base.broker.clone(),
                trust: Arc::new(config.plugins.clone()),
            },
        })
        .await?;
        leases.pick_up().await?;
        let audit = base.audit();
        let parts = Served { engine, leases, auth, audit };
        let custody = Arc::new(Custody::new(base.custody(&parts, device)));
        custody.begin().await?;
        let root_token = match &config.dev {
            Some(dev) => Some(base.dev_root_token(dev, &parts.auth, &custody).await?),
            None => None,
        };
        let database = Arc::clone(&base.database);
        let facts = base.facts(config).await?;
        let wire = base.into_wire(parts.clone(), Arc::clone(&custody), facts);
        let server = server::start(&Arc::new(wire), &config.listeners)?;
        let (shutdown, stopped) = watch::channel(false);
        let mut background = in_the_background(&parts, config, &stopped);
        background.push(tokio::spawn(custody.run(stopped.clone())));
        background.push(tokio::spawn(documents.run(stopped.clone())));
        let Served { leases, engine, auth: _, audit } = parts;
        background.push(tokio::spawn(reopen_on_hangup(audit, server.certificates(), stopped)));
        for address in server.addresses() {
            info!(%address, "leasehold serves on {address}");
        }
        Ok(Self { leases, engine, root_token, database, server, background, shutdown })
    }

    /// Where it listens first.
    pub fn address(&self) -> &Address {
        self.server.address()
    }

    /// Where all its listeners are.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.server.addresses()
    }

    fn started<'a>(&'a self, config: &Config) -> Started<'a> {
        Started {
            address: self.address().clone(),
            tls: config.listeners.first().is_some_and(|first| first.tls.is_some()),
            root_token: self.root_token.as_ref(),
        }
    }

    /// Finishes what is in flight, then stops.
    pub async fn stop(self) {
        self.leases.let_waiters_go();
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
