//! Ten thousand leases revoked at once while AWS throttles, and credentials issued meanwhile
//! (`cargo bench --bench storm`). AWS is the embedded one behind a token bucket. `LEASES` and `RATE` (calls a
//! second that AWS takes) can be set. It fails when a user is left or a caller got an error; it asserts
//! nothing about time. Budgets: `docs/PERFORMANCE.md`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use embedded_aws::faults::{Decision, Fault, FaultyHttp};
use embedded_aws::{EmbeddedAws, Options};
use leasehold::app::{App, Seams};
use leasehold::aws::AwsBackend;
use leasehold::clock::{Clock as _, SystemClock};
use leasehold::config::{Config, Dev, Overrides};
use leasehold::model::{
    Accessor, Beside, CredentialType, Lease, LeaseId, LeaseState, Mount, Origin,
};
use leasehold::random::Random;
use leasehold::store::Store as _;
use leasehold::store::sqlite::{Settings, Sqlite};
use rand::SeedableRng as _;
use support::http::Connection;
use support::server::TOKEN;

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}]}"#;

/// What AWS was asked, and what it refused.
#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    throttled: AtomicU64,
}

fn main() {
    let (leases, rate) = (from_environment("LEASES", 10_000), from_environment("RATE", 500));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(storm(leases, rate));
}

fn from_environment(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

async fn storm(leases: u32, rate: u32) {
    let data = tempfile::tempdir().unwrap();
    let rng = rand::rngs::StdRng::seed_from_u64(1);
    // A storm of this size is that of several accounts; here one holds all of it.
    let options = Options::new(Arc::new(SystemTime::now), rng).user_quota(100_000);
    let aws = EmbeddedAws::open(None, options).unwrap();
    let faults = FaultyHttp::new(aws.http_client());
    let app = start(data.path(), &faults).await;
    let role = format!(
        r#"{{"credential_type":"iam_user","policy_document":{}}}"#,
        serde_json::to_string(DOCUMENT).unwrap()
    );
    ask(&app, "POST", "sys/mounts/aws", r#"{"type":"aws"}"#).await;
    ask(&app, "POST", "aws/roles/reader", &role).await;
    app.stop().await;
    fill(data.path(), &aws, leases).await;

    let app = start(data.path(), &faults).await;
    let counts = throttle(&faults, f64::from(rate));
    let began = Instant::now();
    let revoking = tokio::spawn(ask(&app, "PUT", "sys/leases/revoke-prefix/aws/creds/storm", ""));
    let mut issued: Vec<Duration> = Vec::new();
    while !revoking.is_finished() {
        let asked = Instant::now();
        ask(&app, "GET", "aws/creds/reader", "").await;
        issued.push(asked.elapsed());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    revoking.await.unwrap();
    let took = began.elapsed();
    let stormed = aws.users().iter().filter(|user| user.name.starts_with("storm-")).count();
    assert_eq!(stormed, 0, "users are left");
    let (calls, throttled) =
        (counts.calls.load(Ordering::Relaxed), counts.throttled.load(Ordering::Relaxed));
    let taken = (calls - throttled) * 1000 / u64::try_from(took.as_millis()).unwrap().max(1);
    println!(
        "{leases} leases revoked in {took:.1?} under {rate} calls a second: {taken} taken a second, \
         {throttled} of {calls} calls throttled, no user left, no error to a caller"
    );
    issued.sort();
    println!(
        "{} credentials issued meanwhile: median {:.0?}, slowest {:.0?}",
        issued.len(),
        issued[issued.len() / 2],
        issued[issued.len() - 1]
    );
    app.stop().await;
}

async fn start(data: &Path, faults: &FaultyHttp) -> App {
    let flags = Overrides {
        dev: Some(Dev { root_token: Some(TOKEN.to_owned()) }),
        address: Some("127.0.0.1:0".parse().unwrap()),
        data_dir: Some(data.to_owned()),
        log_level: Some("warn".to_owned()),
        ..Overrides::default()
    };
    let aws = Some(AwsBackend::Embedded(faults.http_client()));
    App::start(&Config::load(None, flags).unwrap(), Seams { aws, ..Seams::real() }).await.unwrap()
}

/// One request, whose answer must be a good one.
fn ask(
    app: &App,
    method: &'static str,
    path: &'static str,
    body: &str,
) -> impl Future<Output = ()> + use<> {
    let address = app.address().tcp().unwrap();
    let body = body.to_owned();
    async move {
        let send = move || Connection::open(address).unwrap().send(method, path, &body);
        let reply = tokio::task::spawn_blocking(send).await.unwrap();
        assert!(matches!(reply.status, 200 | 204), "{method} {path}: {}", reply.body);
    }
}

/// Users, and rows as issuing writes them.
async fn fill(data: &Path, aws: &EmbeddedAws, count: u32) {
    let store = Sqlite::open(data, Settings::default()).unwrap();
    let mount = store.mounts().await.unwrap().remove(0);
    let broker = String::from_utf8(store.setting("broker/id").await.unwrap().unwrap()).unwrap();
    let random = Random::seeded(1);
    let mut rows = Vec::new();
    for number in 0..count {
        let lease = lease(&mount, &random, number);
        let user = lease.user.as_ref().unwrap().as_str();
        let tag = lease.id.tag();
        let tags = [("leasehold:broker", broker.as_str()), ("leasehold:lease", tag.as_str())];
        aws.create_user(user, "/", &tags).unwrap();
        let policy = [("UserName", user), ("PolicyName", "p"), ("PolicyDocument", DOCUMENT)];
        aws.call("PutUserPolicy", &policy).unwrap();
        aws.call("CreateAccessKey", &[("UserName", user)]).unwrap();
        let access_key = aws.user(user).unwrap().keys[0].access_key_id.parse().unwrap();
        let expires_at = lease.issued_at.after(Duration::from_hours(24));
        rows.push(Lease { state: LeaseState::Active { access_key, expires_at }, ..lease });
    }
    futures_util::future::join_all(rows.iter().map(|row| store.begin_lease(row)))
        .await
        .into_iter()
        .collect::<Result<(), _>>()
        .unwrap();
    store.close().await;
}

fn lease(mount: &Mount, random: &Random, number: u32) -> Lease {
    let role = "storm".parse().unwrap();
    Lease {
        id: LeaseId::new(&mount.path, "creds", &role, &random.base62(24).parse().unwrap()),
        mount: mount.id.clone(),
        role,
        role_version: 1,
        credential_type: CredentialType::IamUser,
        holder: Accessor("accessor-of-the-storm".to_owned()),
        user: Some(format!("storm-{number}").parse().unwrap()),
        // Old enough for an absent user to be taken for gone.
        issued_at: leasehold::model::Timestamp::from_millis(
            SystemClock.now().as_millis() - 600_000,
        ),
        role_ttl: None,
        role_max_ttl: None,
        last_renewal: None,
        verdict: random.hex(32),
        origin: Origin::default(),
        account: None,
        user_id: None,
        beside: Beside::default(),
        request_key: None,
        proven_at: None,
        forced: false,
        state: LeaseState::Pending,
        revision: 1,
    }
}

/// A bucket of one second's calls, as AWS throttles.
fn throttle(faults: &FaultyHttp, rate: f64) -> Arc<Counts> {
    let counts = Arc::new(Counts::default());
    let (told, bucket) = (Arc::clone(&counts), Mutex::new((rate, Instant::now())));
    faults.on_call(Box::new(move |_| {
        told.calls.fetch_add(1, Ordering::Relaxed);
        let mut bucket = bucket.lock().unwrap();
        let now = Instant::now();
        let gained = now.duration_since(bucket.1).as_secs_f64() * rate;
        *bucket = ((bucket.0 + gained).min(rate), now);
        if bucket.0 < 1.0 {
            told.throttled.fetch_add(1, Ordering::Relaxed);
            return Decision::Fault(Fault::Throttle);
        }
        bucket.0 -= 1.0;
        Decision::Pass
    }));
    counts
}
