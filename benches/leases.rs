//! What a thousand and a million live leases cost: bytes on disk, memory, time to ready, one expiry
//! (`cargo bench --bench leases`; it needs some 500 MB of disk). It asserts nothing about time.
//! Budgets: `docs/PERFORMANCE.md`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use leasehold::app::{App, Seams};
use leasehold::clock::{Clock as _, ManualClock, SystemClock};
use leasehold::config::{Config, Dev, Overrides};
use leasehold::model::{
    Accessor, Beside, CredentialType, Lease, LeaseId, LeaseState, Mount, Origin,
};
use leasehold::random::Random;
use leasehold::store::Store as _;
use leasehold::store::sqlite::{Settings, Sqlite};
use serde_json::json;
use support::http::Connection;
use support::server::{Server, TOKEN};

const COUNTS: [u32; 2] = [1_000, 1_000_000];
const EXPIRIES: usize = 21;
/// Lease time of the role whose leases expire.
const TTL: Duration = Duration::from_mins(15);
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}]}"#;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut resident = Vec::new();
    for count in COUNTS {
        let data = tempfile::tempdir().unwrap();
        set_up(data.path());
        let empty = on_disk(data.path());
        let started = Instant::now();
        runtime.block_on(fill(data.path(), count));
        let (took, bytes) = (started.elapsed(), on_disk(data.path()) - empty);
        println!(
            "{count} leases: written in {took:.1?}, {} bytes on disk each",
            bytes / u64::from(count)
        );

        let server = Server::start(data.path());
        std::thread::sleep(Duration::from_secs(3));
        resident.push(server.resident_kib());
        println!(
            "{count} leases: ready after {:.0?} (budget 2s), {} MiB resident (budget 200 MB)",
            server.ready,
            server.resident_kib() / 1024
        );
        drop(server);
        let each = runtime.block_on(expire(data.path()));
        println!("{count} leases: one expiry takes {each:.2?} (budget: the same with all counts)");
    }
    let more = resident[1].saturating_sub(resident[0]) * 1024;
    let each = more / u64::from(COUNTS[1] - COUNTS[0]);
    println!("memory that a live lease adds: {each} bytes (budget 100)");
}

/// An engine with a role, in a fresh data directory.
fn set_up(data: &Path) {
    let server = Server::start(data);
    server.ask("POST", "sys/mounts/aws", r#"{"type":"aws"}"#);
    let role = json!({
        "credential_type": "iam_user", "policy_document": DOCUMENT, "ttl": TTL.as_secs()
    });
    server.ask("POST", "aws/roles/reader", &role.to_string());
}

/// Bytes of all files.
fn on_disk(data: &Path) -> u64 {
    let files = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    files.filter(std::fs::Metadata::is_file).map(|file| file.len()).sum()
}

/// Writes rows as issuing writes them, through the store, many at once.
async fn fill(data: &Path, count: u32) {
    let store = Sqlite::open(data, Settings::default()).unwrap();
    let mount = store.mounts().await.unwrap().remove(0);
    let random = Random::seeded(u64::from(count));
    let (store_ref, mount, random) = (&store, &mount, &random);
    stream::iter(0..count)
        .map(|number| async move {
            let lease = lease(mount, random, number);
            store_ref.begin_lease(&lease).await.unwrap();
        })
        .buffer_unordered(512)
        .collect::<()>()
        .await;
    store.close().await;
}

/// One of a hundred applications' leases, good for a year.
fn lease(mount: &Mount, random: &Random, number: u32) -> Lease {
    let role = format!("application-{}", number % 100).parse().unwrap();
    let issued_at = SystemClock.now();
    let name = format!("vault-token-{role}-{}-{}", issued_at.as_millis() / 1000, random.base62(20));
    Lease {
        id: LeaseId::new(&mount.path, "creds", &role, &random.base62(24).parse().unwrap()),
        mount: mount.id.clone(),
        role,
        role_version: 1,
        credential_type: CredentialType::IamUser,
        holder: Accessor(format!("accessor-of-application-{}", number % 100)),
        user: Some(name.parse().unwrap()),
        issued_at,
        role_ttl: None,
        role_max_ttl: None,
        last_renewal: None,
        verdict: random.hex(32),
        origin: Origin { caller: "token-ci".to_owned(), ..Origin::default() },
        account: None,
        user_id: None,
        beside: Beside::default(),
        request_key: None,
        proven_at: None,
        forced: false,
        state: LeaseState::Active {
            access_key: format!("AKIA{}", random.base62(16).to_uppercase()).parse().unwrap(),
            expires_at: issued_at.after(Duration::from_hours(24 * 365)),
        },
        revision: 1,
    }
}

/// The median time that the whole work on one expired lease takes, AWS embedded.
async fn expire(data: &Path) -> Duration {
    let flags = Overrides {
        dev: Some(Dev { root_token: Some(TOKEN.to_owned()) }),
        address: Some("127.0.0.1:0".parse().unwrap()),
        data_dir: Some(data.to_owned()),
        log_level: Some("warn".to_owned()),
        ..Overrides::default()
    };
    let config = Config::load(None, flags).unwrap();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let seams = Seams { clock: Arc::<ManualClock>::clone(&clock), ..Seams::real() };
    let app = App::start(&config, seams).await.unwrap();
    let address = app.address().tcp().unwrap();
    let mut times = Vec::new();
    for _ in 0..EXPIRIES {
        let issue = move || Connection::open(address).unwrap().send("GET", "aws/creds/reader", "");
        let reply = tokio::task::spawn_blocking(issue).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        clock.advance(TTL);
        let started = Instant::now();
        // Later looks at the leases before it are due too.
        let worked = app.leases.run_due().await.unwrap();
        times.push(started.elapsed() / worked.max(1));
    }
    app.stop().await;
    times.sort();
    times[times.len() / 2]
}
