//! The whole broker inside the test: real HTTP on loopback, real SQLite, the embedded AWS behind the
//! real SDK with faults to inject, and a clock that stands still. Restarting and losing power are
//! one call each.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use embedded_aws::faults::FaultyHttp;
use embedded_aws::{EmbeddedAws, Options};
use leasehold::app::{App, Seams};
use leasehold::aws::AwsBackend;
use leasehold::clock::{Clock as _, ManualClock};
use leasehold::config::{Config, Dev, Overrides, Seal};
use leasehold::engine::Engine;
use leasehold::gate::{Bounds, Compiler, Gate, GateConfig, Mode, Trust};
use leasehold::leases::Leases;
use leasehold::model::{Lease, LeaseId, Timestamp};
use leasehold::random::Random;
use leasehold::store::faulty::FaultyStore;
use leasehold::store::sqlite::Sqlite;
use leasehold::store::{LeaseQuery, Show, Store};
use rand::SeedableRng;
use serde_json::json;

use super::client::{Client, Reply};

/// When every test begins: a moment of 2026.
const BEGIN: Timestamp = Timestamp::from_millis(1_780_000_000_000);

/// A key of the administrator of another account; every other key is of the first one.
pub const OTHER_KEY: &str = "AKIAOTHERACCOUNT0000";
/// That account.
pub const OTHER_ACCOUNT: &str = "210987654321";

/// The root token of every test.
pub const ROOT: &str = "root-token-of-the-tests";

static WARNING: LazyLock<Arc<Gate>> = LazyLock::new(|| gate(Mode::Warn));
static ENFORCING: LazyLock<Arc<Gate>> = LazyLock::new(|| gate(Mode::Enforce));

/// A gate that warns, loaded once.
pub fn warning_gate() -> Arc<Gate> {
    Arc::clone(&WARNING)
}

fn gate(mode: Mode) -> Arc<Gate> {
    // Compiled once for all runs: a debug build of the compiler takes its time.
    let cache_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache"));
    let config = GateConfig {
        default_mode: mode,
        modes: BTreeMap::new(),
        settings: BTreeMap::new(),
        bounds: Bounds::default(),
        cache_dir,
        cache_key: [7; 32],
        compiler: Compiler::InProcess,
    };
    Arc::new(Gate::new(config).unwrap())
}

/// A broker, its AWS, and its data.
#[derive(Debug)]
pub struct TestBroker {
    pub clock: Arc<ManualClock>,
    pub aws: EmbeddedAws,
    /// Another account, which [`OTHER_KEY`] leads to.
    pub other_aws: EmbeddedAws,
    pub faults: FaultyHttp,
    dir: tempfile::TempDir,
    mode: Mode,
    trust: Trust,
    /// What unseals, where it is no development mode.
    seal: Option<Seal>,
    runtime: tokio::runtime::Runtime,
    running: Option<RunningApp>,
    /// Of all that it draws, and a number of its own at each start.
    seed: u64,
}

#[derive(Debug)]
struct RunningApp {
    url: String,
    leases: Arc<Leases>,
    engine: Arc<Engine>,
    store: Arc<FaultyStore<Sqlite>>,
    stop: tokio::sync::oneshot::Sender<Stop>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stop {
    Gracefully,
    AtOnce,
}

/// What the broker's thread hands over once it runs.
struct Parts {
    url: String,
    leases: Arc<Leases>,
    engine: Arc<Engine>,
    store: Arc<FaultyStore<Sqlite>>,
}

impl TestBroker {
    /// Guardrails warn, as in development mode.
    pub fn new() -> Self {
        Self::with_mode(Mode::Warn, Trust::default())
    }

    /// No development mode: it is not initialised, and this will unseal it.
    pub fn sealed_by(seal: Seal) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::on(dir, (Mode::Warn, Trust::default(), Some(seal)))
    }

    /// In development mode on data that is there already.
    pub fn on_data(dir: tempfile::TempDir) -> Self {
        Self::on(dir, (Mode::Warn, Trust::default(), None))
    }

    /// The same, believing signatures of these keys.
    pub fn trusting(trust: Trust) -> Self {
        Self::with_mode(Mode::Warn, trust)
    }

    /// Guardrails enforce.
    pub fn enforcing() -> Self {
        Self::with_mode(Mode::Enforce, Trust::default())
    }

    fn with_mode(mode: Mode, trust: Trust) -> Self {
        Self::on(tempfile::tempdir().unwrap(), (mode, trust, None))
    }

    fn on(dir: tempfile::TempDir, (mode, trust, seal): (Mode, Trust, Option<Seal>)) -> Self {
        super::log::keep();
        let clock = Arc::new(ManualClock::new(BEGIN));
        let time = Arc::clone(&clock);
        let now = move || UNIX_EPOCH + Duration::from_millis(time.now().as_millis().unsigned_abs());
        let now: Arc<dyn Fn() -> SystemTime + Send + Sync> = Arc::new(now);
        let seed = seed();
        let rng = |nth| rand::rngs::StdRng::seed_from_u64(seed.wrapping_add(nth));
        let aws = EmbeddedAws::open(None, Options::new(Arc::clone(&now), rng(1))).unwrap();
        let other = Options::new(now, rng(2)).account(OTHER_ACCOUNT);
        let other_aws = EmbeddedAws::open(None, other).unwrap();
        let http = aws.http_client_with([(OTHER_KEY.to_owned(), other_aws.clone())]);
        let faults = FaultyHttp::new(http);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let how = (mode, &trust, seal.as_ref());
        let running = start(dir.path(), how, &clock, &faults, seed);
        Self {
            clock,
            aws,
            other_aws,
            faults,
            dir,
            mode,
            trust,
            seal,
            runtime,
            running: Some(running),
            seed,
        }
    }

    fn app(&self) -> &RunningApp {
        self.running.as_ref().unwrap()
    }

    /// The store of the running broker, with faults to inject.
    pub fn store(&self) -> &FaultyStore<Sqlite> {
        &self.app().store
    }

    /// A caller with the root token.
    pub fn root(&self) -> Client {
        Client::new(&self.app().url, Some(ROOT))
    }

    /// A caller without a token.
    pub fn anyone(&self) -> Client {
        Client::new(&self.app().url, None)
    }

    /// Where it listens, as `host:port`.
    pub fn socket(&self) -> &str {
        self.app().url.trim_start_matches("http://")
    }

    /// The folder of the broker's state.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// An engine at `aws/` that is configured and has a narrow role `r`.
    pub fn with_role(self) -> Self {
        let root = self.root();
        root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
        self.write_role("r", super::NARROW).expect(204);
        self.faults.clear_calls();
        self
    }

    pub fn write_role(&self, name: &str, document: &str) -> Reply {
        let body = json!({ "credential_type": "iam_user", "policy_document": document });
        self.root().post(&format!("aws/roles/{name}"), &body)
    }

    /// Asks for a credential of role `r`.
    pub fn issue(&self) -> Reply {
        self.root().get("aws/creds/r")
    }

    pub fn lookup(&self, lease: &str) -> Reply {
        self.root().put("sys/leases/lookup", &json!({ "lease_id": lease }))
    }

    pub fn revoke(&self, lease: &str) -> Reply {
        self.root().put("sys/leases/revoke", &json!({ "lease_id": lease }))
    }

    /// Names of the users that AWS holds.
    pub fn users(&self) -> Vec<String> {
        self.aws.users().into_iter().map(|user| user.name).collect()
    }

    /// The row of a lease, whether a caller may see it or not.
    pub fn row(&self, lease: &str) -> Option<Lease> {
        let id: LeaseId = lease.parse().unwrap();
        self.runtime.block_on(self.store().lease(&id)).unwrap()
    }

    /// The ids of all rows that are not gone.
    pub fn unfinished(&self) -> Vec<String> {
        let query = LeaseQuery { prefix: "", after: None, limit: 10_000, show: Show::Unfinished };
        let ids = self.runtime.block_on(self.store().lease_ids(query)).unwrap();
        ids.into_iter().map(|id| id.to_string()).collect()
    }

    /// Moves the clock, and does what has become due.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.run_due();
    }

    /// Waits for something that happens on the broker's threads.
    pub fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let patience = Duration::from_secs(30);
        let limited = async { tokio::time::timeout(patience, what).await };
        self.runtime.block_on(limited).expect("it did not happen")
    }

    /// Does what is due now, to its end; what the broker itself has in hand is waited for.
    pub fn run_due(&self) {
        let app = self.app();
        self.wait(async {
            loop {
                app.leases.run_due().await.unwrap();
                let due = app.store.due_leases(self.clock.now(), 1).await.unwrap();
                if due.is_empty() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
    }

    /// Rotates what is due now.
    pub fn rotate_due(&self) {
        self.wait(self.app().engine.rotate_due()).unwrap();
    }

    /// Takes away the suspensions of guardrails whose time is over.
    pub fn end_suspensions(&self) {
        self.wait(self.app().engine.end_suspensions()).unwrap();
    }

    /// What the broker does every few seconds for its guardrails.
    pub fn look_after_guardrails(&self) {
        self.wait(self.app().engine.look_after_guardrails(1)).unwrap();
    }

    /// Loads guardrails again that could not be used.
    pub fn retry_broken_guardrails(&self) {
        self.wait(self.app().engine.retry_broken_guardrails()).unwrap();
    }

    /// Lets enough time go by for every teardown to come to its end.
    pub fn settle(&self) {
        for _ in 0..12 {
            self.advance(Duration::from_secs(310));
        }
    }

    /// An orderly stop and a start on the same data.
    pub fn restart(&mut self) {
        self.end(Stop::Gracefully);
        self.begin_again();
    }

    /// The power goes: nothing that was not durable is left. Then a start on the same data.
    pub fn lose_power(&mut self) {
        self.store().power_off();
        self.end(Stop::AtOnce);
        self.begin_again();
    }

    /// The same, and the clock says `now` when the power is back.
    pub fn lose_power_until(&mut self, now: Timestamp) {
        self.store().power_off();
        self.end(Stop::AtOnce);
        self.clock.set(now);
        self.begin_again();
    }

    /// An orderly stop, the backup in the place of the data, a start on it.
    pub fn restore(&mut self, backup: &Path) {
        self.end(Stop::Gracefully);
        leasehold::store::sqlite::backup::restore(backup, self.dir.path(), true, self.clock.now())
            .unwrap();
        self.begin_again();
    }

    /// What the timer does while a restored database waits for a word, or the broker is sealed.
    pub fn run_due_in_quarantine(&self) {
        assert_eq!(self.wait(self.app().leases.run_due()).unwrap(), 0);
    }

    /// An orderly stop and a start on the same data that believes other keys.
    pub fn trust_from_now_on(&mut self, trust: Trust) {
        self.trust = trust;
        self.restart();
    }

    /// The same data under a gate that enforces.
    pub fn enforce_from_now_on(mut self) -> Self {
        self.mode = Mode::Enforce;
        self.restart();
        self
    }

    fn end(&mut self, how: Stop) {
        if let Some(RunningApp { stop, thread, .. }) = self.running.take() {
            // A broker that is gone already can't hear it, and its panic was shown.
            let heard = stop.send(how).is_ok();
            assert!(thread.join().is_ok() && heard || std::thread::panicking(), "it died early");
        }
    }

    fn begin_again(&mut self) {
        self.seed = self.seed.wrapping_add(1);
        let how = (self.mode, &self.trust, self.seal.as_ref());
        let running = start(self.dir.path(), how, &self.clock, &self.faults, self.seed);
        // Only now: whatever the old process had under way is gone with it.
        self.faults.heal();
        self.running = Some(running);
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        self.end(Stop::AtOnce);
    }
}

/// The same at each run, and no other broker's: all tests share one log, and look for their own ids in it.
fn seed() -> u64 {
    thread_local!(static BROKERS: Cell<u64> = const { Cell::new(0) });
    let nth = BROKERS.replace(BROKERS.get() + 1);
    let mut hasher = DefaultHasher::new();
    // The harness names a test's thread after it.
    (std::thread::current().name(), nth).hash(&mut hasher);
    hasher.finish()
}

/// Whether somebody has the data folder's lock; its file is not there before the first start.
fn is_held(dir: &Path) -> bool {
    std::fs::File::open(dir.join("leasehold.lock")).is_ok_and(|lock| lock.try_lock().is_err())
}

fn start(
    dir: &Path,
    (mode, trust, seal): (Mode, &Trust, Option<&Seal>),
    clock: &Arc<ManualClock>,
    faults: &FaultyHttp,
    seed: u64,
) -> RunningApp {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    // Threads of the one that just lost its power may still hold the data for a moment. A store that was opened to find out
    // would hold it itself for a moment after it is dropped.
    while is_held(dir) {
        assert!(std::time::Instant::now() < deadline, "the data is never let go");
        std::thread::yield_now();
    }
    let flags = Overrides {
        dev: Some(Dev { root_token: Some(ROOT.to_owned()) }),
        address: Some("127.0.0.1:0".parse().unwrap()),
        data_dir: Some(dir.to_owned()),
        ..Overrides::default()
    };
    // Where the issuers of the tests listen.
    let private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let mut config =
        Config { plugins: trust.clone(), private_networks, ..Config::load(None, flags).unwrap() };
    if let Some(seal) = seal {
        config = Config { dev: None, seal: seal.clone(), ..config };
    }
    let faulty = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&faulty);
    let seams = Seams {
        clock: Arc::<ManualClock>::clone(clock),
        random: Random::seeded(seed),
        aws: Some(AwsBackend::Embedded(faults.http_client())),
        gate: Some(Arc::clone(if mode == Mode::Enforce { &ENFORCING } else { &WARNING })),
        compiler: Compiler::InProcess,
        store: Box::new(move |database| {
            let store = FaultyStore::new(database);
            *kept.lock().unwrap() = Some(Arc::clone(&store));
            store
        }),
    };
    let (ready, parts) = mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let app = App::start(&config, seams).await.unwrap();
            let url = format!("http://{}", app.address());
            let store = faulty.lock().unwrap().take().unwrap();
            let (leases, engine) = (Arc::clone(&app.leases), Arc::clone(&app.engine));
            ready.send(Parts { url, leases, engine, store }).unwrap();
            match stopped.await {
                Ok(Stop::Gracefully) => app.stop().await,
                Ok(Stop::AtOnce) | Err(_) => app.abandon().await,
            }
        });
        runtime.shutdown_background();
    });
    let parts = parts.recv().expect("the broker did not start");
    let Parts { url, leases, engine, store } = parts;
    RunningApp { url, leases, engine, store, stop, thread }
}
