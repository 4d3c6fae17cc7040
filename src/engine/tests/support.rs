//! A whole broker without its wire: everything that [`Engine`] works with, and handles on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use embedded_aws::faults::FaultyHttp;
use embedded_aws::{EmbeddedAws, Options};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::auth::{Auth, AuthParts, Caller};
use crate::aws::documents::Documents;
use crate::aws::{Accounts, AwsBackend};
use crate::clock::{Clock, ManualClock};
use crate::engine::assume::SessionWishes;
use crate::engine::config::RootConfigChange;
use crate::engine::issue::{CredsEndpoint, IssueError, IssueRequest, Issued};
use crate::engine::mounts::NewMount;
use crate::engine::roles::{RoleChange, RoleError};
use crate::engine::{Engine, EngineParts, EngineSettings};
use crate::gate::{Bounds, Gate, GateConfig, Mode};
use crate::leases::{LeaseParts, LeaseTiming, Leases};
use crate::model::{Lease, LeaseId, Mount, RoleName, Timestamp};
use crate::random::Random;
use crate::seal::Barrier;
use crate::store::sqlite::Sqlite;
use crate::store::{LeaseQuery, Show, Store};

/// Grants one action on one resource: no guardrail minds.
pub(super) const NARROW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/file"}]}"#;
/// Grants a whole service on everything: `least-privilege` minds.
pub(super) const WIDE: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

/// The parts that outlive a restart of the engine.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) store: Arc<Sqlite>,
    pub(super) aws: EmbeddedAws,
    pub(super) faults: FaultyHttp,
    pub(super) clock: Arc<ManualClock>,
    barrier: Arc<Barrier>,
    random: Random,
}

/// A running engine.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) engine: Arc<Engine>,
    pub(super) world: World,
    pub(super) root: Caller,
}

/// Compiling a guardrail takes seconds in a debug build: one gate per mode serves all tests of a
/// process, and the code is kept for the next one.
fn gate_in(mode: Mode) -> Arc<Gate> {
    static GATES: Mutex<BTreeMap<Mode, Arc<Gate>>> = Mutex::new(BTreeMap::new());
    let mut gates = GATES.lock().unwrap();
    let shared = gates.entry(mode).or_insert_with(|| {
        let config = GateConfig {
            default_mode: mode,
            modes: BTreeMap::new(),
            settings: BTreeMap::new(),
            bounds: Bounds::default(),
            cache_dir: Some(std::env::temp_dir().join("leasehold-test-guardrails")),
            cache_key: [0; 32],
            compiler: crate::gate::Compiler::InProcess,
        };
        Arc::new(Gate::new(config).unwrap())
    });
    Arc::clone(shared)
}

impl World {
    pub(super) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let told = Arc::clone(&clock);
        let time = move || {
            let millis = u64::try_from(told.now().as_millis()).unwrap();
            UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap()
        };
        let options = Options::new(Arc::new(time), StdRng::seed_from_u64(7));
        let aws = EmbeddedAws::open(None, options).unwrap();
        let random = Random::seeded(1);
        Self {
            store: Sqlite::temporary().unwrap(),
            faults: FaultyHttp::new(aws.http_client()),
            aws,
            clock,
            barrier: Arc::new(Barrier::in_memory(&random)),
            random,
        }
    }

    pub(super) async fn start(&self, mode: Mode) -> Bench {
        let store: Arc<dyn Store> = Arc::<Sqlite>::clone(&self.store);
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let backend = AwsBackend::Embedded(self.faults.http_client());
        let accounts = Arc::new(Accounts::new(backend, Arc::clone(&clock)));
        let leases = Leases::new(LeaseParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            accounts: Arc::clone(&accounts),
            broker: "test-broker".into(),
            timing: LeaseTiming::default(),
            rng: self.random.clone(),
        });
        let auth = Auth::new(AuthParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            barrier: Arc::clone(&self.barrier),
            random: self.random.clone(),
            leases: Arc::clone(&leases),
        });
        let engine = Engine::start(EngineParts {
            store,
            clock: Arc::clone(&clock),
            random: self.random.clone(),
            barrier: Arc::clone(&self.barrier),
            gate: gate_in(mode),
            documents: Arc::new(Documents::new(Arc::clone(&accounts), clock)),
            accounts,
            leases,
            settings: EngineSettings::new("test-broker".into()),
        });
        let token = auth.create_root(None).await.unwrap();
        Bench {
            engine: engine.await.unwrap(),
            world: self.clone(),
            root: auth.authenticate(&token, None).await.unwrap(),
        }
    }

    /// The names of the users in AWS.
    pub(super) fn users(&self) -> Vec<String> {
        self.aws.users().into_iter().map(|user| user.name).collect()
    }

    /// Every lease that is not yet gone, hidden ones too.
    pub(super) async fn unfinished(&self) -> Vec<Lease> {
        let query = LeaseQuery { prefix: "", after: None, limit: 100, show: Show::Unfinished };
        let mut leases = Vec::new();
        for id in self.store.lease_ids(query).await.unwrap() {
            leases.push(self.store.lease(&id).await.unwrap().unwrap());
        }
        leases
    }
}

impl Bench {
    /// An engine at `aws/` whose account repeats no call.
    pub(super) async fn with_mount(mode: Mode) -> Self {
        let bench = World::new().start(mode).await;
        bench.enable("aws").await;
        let change = RootConfigChange { max_retries: Some(0), ..RootConfigChange::default() };
        bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
        bench
    }

    pub(super) async fn enable(&self, path: &str) {
        self.engine.enable_mount(path, new_aws()).await.unwrap();
    }

    pub(super) fn mount(&self) -> Arc<Mount> {
        self.engine.mount("aws").unwrap()
    }

    pub(super) async fn write(
        &self,
        name: &str,
        change: RoleChange,
    ) -> Result<Vec<String>, RoleError> {
        let written = self.engine.write_role(&self.root, &self.mount(), &role(name), change).await;
        written.map(|written| written.warnings)
    }

    pub(super) async fn issue(&self, name: &str) -> Result<Issued, IssueError> {
        let request = IssueRequest {
            mount: self.mount(),
            endpoint: CredsEndpoint::Creds,
            role: role(name),
            wishes: SessionWishes::default(),
            wrapped: false,
            request_key: None,
        };
        self.engine.issue(&self.root, request).await
    }

    pub(super) async fn is_visible(&self, id: &LeaseId) -> bool {
        self.engine.lookup_lease(id).await.unwrap().is_some()
    }

    /// Lets every teardown come to its end.
    pub(super) async fn settle(&self) {
        for _round in 0..4 {
            self.engine.leases().run_due().await.unwrap();
            self.world.clock.advance(Duration::from_secs(301));
        }
    }
}

pub(super) fn new_aws() -> NewMount {
    NewMount { kind: Some("aws".into()), ..NewMount::default() }
}

pub(super) fn role(name: &str) -> RoleName {
    name.parse().unwrap()
}

/// A role with this document.
pub(super) fn iam_user(document: &str) -> RoleChange {
    RoleChange {
        credential_type: Some("iam_user".into()),
        policy_document: Some(document.into()),
        ..RoleChange::default()
    }
}
