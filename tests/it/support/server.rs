//! The real binary as it runs in production: a configuration file, a key file that unseals it, an AWS
//! account over HTTP. It can be killed at any moment and started again on the same data. Its first
//! start is done once for all tests, and copied.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leasehold::app::{App, Seams};
use leasehold::clock::{Clock as _, ManualClock};
use leasehold::config::{Config, Overrides};
use leasehold::model::Timestamp;
use leasehold::store::sqlite::{Settings, Sqlite};
use leasehold::store::{LeaseQuery, Show, Store as _};
use serde_json::{Value, json};

use super::aws_server::AwsServer;
use super::broker::warning_gate;
use super::client::{Client, Reply};
use super::process::{Process, binary};

/// A server and its data.
#[derive(Debug)]
pub struct Server {
    folder: tempfile::TempDir,
    token: String,
    process: Mutex<Option<Process>>,
    url: Mutex<String>,
    /// What it logged, all its processes together.
    logged: Mutex<String>,
}

/// The data of an initialised server, and its root token.
static TEMPLATE: LazyLock<(tempfile::TempDir, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path());
    let process = Process::start(&["server", "--config", &config_of(folder.path())]);
    let made = Client::new(&process.url, None).put("sys/init", &json!({})).expect(200);
    let token = made.json["root_token"].as_str().unwrap().to_owned();
    process.stop();
    // The first start that has its key keeps what it compiled.
    Process::start(&["server", "--config", &config_of(folder.path())]).stop();
    (folder, token)
});

fn config_of(folder: &Path) -> String {
    folder.join("leasehold.toml").to_str().unwrap().to_owned()
}

fn configure(folder: &Path) {
    let data = folder.join("data");
    let lines = format!(
        "data_dir = \"{0}\"\n[listener]\naddress = \"127.0.0.1:0\"\n[seal]\nkey_file = \"{0}/seal.key\"\n",
        data.display()
    );
    std::fs::write(folder.join("leasehold.toml"), lines).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

impl Server {
    /// Started, with an engine at `aws/` on that account and a role `r` of IAM users.
    pub fn start(aws: &AwsServer) -> Self {
        let (template, token) = &*TEMPLATE;
        let folder = tempfile::tempdir().unwrap();
        copy(&template.path().join("data"), &folder.path().join("data"));
        configure(folder.path());
        let server = Self {
            folder,
            token: token.clone(),
            process: Mutex::default(),
            url: Mutex::default(),
            logged: Mutex::default(),
        };
        server.begin();
        server.add_engine("aws", aws);
        server
    }

    /// An engine there on that account, with a role `r` of IAM users.
    pub fn add_engine(&self, mount: &str, aws: &AwsServer) {
        let root = self.root();
        root.post(&format!("sys/mounts/{mount}"), &json!({ "type": "aws" })).expect(204);
        let binding = json!({
            "access_key": "AKIABROKERBROKER0000", "secret_key": "secret-of-the-broker", "iam_endpoint": aws.url,
            "sts_endpoint": aws.url, "region": "us-east-1", "sts_region": "us-east-1",
        });
        root.post(&format!("{mount}/config/root"), &binding).expect(204);
        let role = json!({ "credential_type": "iam_user", "policy_document": super::NARROW });
        root.post(&format!("{mount}/roles/r"), &role).expect(204);
    }

    /// More lines of its configuration, from the next start on.
    pub fn configure(&self, lines: &str) {
        let path = config_of(self.folder.path());
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, before + lines).unwrap();
    }

    pub fn write_role(&self, name: &str, role: &Value) {
        self.root().post(&format!("aws/roles/{name}"), role).expect(204);
    }

    /// Starts the binary on the data.
    pub fn begin(&self) {
        let mut command = binary();
        command.env("LEASEHOLD_FAIL_POINTS", self.points());
        self.begin_as(command);
    }

    /// The same by a command of the test's.
    pub fn begin_as(&self, command: std::process::Command) {
        let mut held = self.process.lock().unwrap();
        let config = config_of(self.folder.path());
        let process = Process::start_as(command, &["server", "--config", &config]);
        self.url.lock().unwrap().clone_from(&process.url);
        *held = Some(process);
    }

    /// A caller with the root token, at where the server listens now.
    pub fn root(&self) -> Client {
        Client::new(&self.url.lock().unwrap(), Some(&self.token))
    }

    /// Sends to where the server listens now; what came back whole, if it did.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Reply, String> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.root().try_raw(method, path, &bytes)
    }

    pub fn with_process<T>(&self, act: impl FnOnce(&mut Process) -> T) -> T {
        act(self.process.lock().unwrap().as_mut().unwrap())
    }

    /// `kill -9`. Nothing is started again.
    pub fn kill(&self) {
        if let Some(process) = self.process.lock().unwrap().take() {
            self.logged.lock().unwrap().push_str(&process.log());
            process.kill();
        }
    }

    /// `kill -9`, and a start on the same data.
    pub fn kill_and_begin(&self) {
        self.kill();
        self.begin();
    }

    /// An orderly stop.
    pub fn stop(&self) {
        if let Some(process) = self.process.lock().unwrap().take() {
            self.logged.lock().unwrap().push_str(&process.log());
            process.stop();
        }
    }

    /// What it logged so far, those that were killed too.
    pub fn log(&self) -> String {
        let before = self.logged.lock().unwrap().clone();
        let now = self.process.lock().unwrap().as_ref().map(Process::log).unwrap_or_default();
        before + &now
    }

    /// The folder of its state.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn points(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// From now on the process dies at the `nth` write's edge, counted from 1; 0 counts only.
    pub fn die_at(&self, nth: usize) {
        drop(std::fs::remove_file(self.points().join("passed")));
        std::fs::write(self.points().join("die-at"), nth.to_string()).unwrap();
    }

    /// It dies nowhere any more; gives the points that it passed.
    pub fn die_nowhere(&self) -> Vec<String> {
        drop(std::fs::remove_file(self.points().join("die-at")));
        let passed = std::fs::read_to_string(self.points().join("passed")).unwrap_or_default();
        passed.lines().map(str::to_owned).collect()
    }

    /// Revokes a lease, however often it takes; a revocation that fails goes on in the background.
    pub fn revoke(&self, lease: &str) {
        let body = json!({ "lease_id": lease });
        let reply = self.ask("PUT", "sys/leases/revoke", &body).unwrap();
        assert!(matches!(reply.status, 204 | 400), "{lease}: {} {}", reply.status, reply.text);
    }

    /// Revokes every lease that the server knows, its own bookkeeping being asked and not the callers'.
    /// One that died while its user was deleted answers 400 until it is old enough to be believed.
    pub fn revoke_all(&self) {
        let reply = self.ask("PUT", "sys/leases/revoke-prefix/aws", &json!({})).unwrap();
        assert!(matches!(reply.status, 204 | 400), "{} {}", reply.status, reply.text);
    }

    /// Stops it, and goes on in this process under a clock that is hours ahead: the leases that are then
    /// still open, and how they stand. There must be none.
    pub fn rows_left_in_the_end(&self) -> Vec<String> {
        self.stop();
        let config = PathBuf::from(config_of(self.folder.path()));
        let config = Config::load(Some(&config), Overrides::default()).unwrap();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap());
        let clock = Arc::new(ManualClock::new(now));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (kept, database) = std::sync::mpsc::channel();
        runtime.block_on(async {
            let seams = Seams {
                clock: Arc::<ManualClock>::clone(&clock),
                gate: Some(warning_gate()),
                store: Box::new(move |store| {
                    kept.send(Arc::clone(&store)).unwrap();
                    store
                }),
                ..Seams::real()
            };
            let app = App::start(&config, seams).await.unwrap();
            let store = database.recv().unwrap();
            for _ in 0..20 {
                clock.advance(Duration::from_secs(910));
                // The broker's own timer works too, and what that has in hand is no work of `run_due`'s: it is
                // due until it is done, and the next moment must not come before.
                loop {
                    app.leases.run_due().await.unwrap();
                    if store.due_leases(clock.now(), 1).await.unwrap().is_empty() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            app.stop().await;
        });
        self.unfinished()
    }

    /// The leases that are not gone, and how they stand; the server must not run.
    pub fn unfinished(&self) -> Vec<String> {
        let store = Sqlite::open(&self.data(), Settings::default()).unwrap();
        let query =
            LeaseQuery { prefix: "", after: None, limit: 1_000_000, show: Show::Unfinished };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut rows = Vec::new();
            for id in store.lease_ids(query).await.unwrap() {
                let row = store.lease(&id).await.unwrap();
                rows.push(format!("{id}: {:?}", row.map(|row| row.state)));
            }
            store.close().await;
            rows
        })
    }
}
