//! One caller's issue (with `readiness=off`, as its budget is meant) and revocation where every AWS call takes 50 ms, and the rounds of calls in each,
//! in process over the embedded AWS and real HTTP (`cargo bench --bench issue`). It asserts nothing
//! about time. Budgets: `docs/PERFORMANCE.md`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use embedded_aws::faults::{Decision, Fault, FaultyHttp, Gate};
use embedded_aws::{EmbeddedAws, Options};
use leasehold::app::{App, Seams};
use leasehold::aws::AwsBackend;
use leasehold::config::{Config, Dev, Overrides};
use rand::SeedableRng;
use serde_json::{Value, json};

/// What each AWS call takes.
const DELAY: Duration = Duration::from_millis(50);
/// Calls that come within this time of the first of a round belong to it.
const ROUND: Duration = Duration::from_millis(40);
const CYCLES: usize = 21;
const TOKEN: &str = "root";
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}]}"#;

/// When calls left for AWS.
type Departures = Arc<Mutex<Vec<Instant>>>;

fn main() {
    let data = tempfile::tempdir().unwrap();
    let options = Options::new(Arc::new(SystemTime::now), rand::rngs::StdRng::seed_from_u64(1));
    let faults = FaultyHttp::new(EmbeddedAws::open(None, options).unwrap().http_client());
    let flags = Overrides {
        dev: Some(Dev { root_token: Some(TOKEN.to_owned()) }),
        address: Some("127.0.0.1:0".parse().unwrap()),
        data_dir: Some(data.path().to_owned()),
        ..Overrides::default()
    };
    let config = Config::load(None, flags).unwrap();
    let aws = Some(AwsBackend::Embedded(faults.http_client()));
    let seams = Seams { aws, ..Seams::real() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = App::start(&config, seams).await.unwrap();
        let url = format!("http://{}/v1", app.address());
        tokio::task::spawn_blocking(move || drive(&url, &faults)).await.unwrap();
        app.stop().await;
    });
}

/// Sets up, then issues and revokes.
fn drive(url: &str, faults: &FaultyHttp) {
    ask("POST", &format!("{url}/sys/mounts/aws"), &json!({ "type": "aws" }));
    let arns =
        ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"];
    let role = json!({ "credential_type": "iam_user", "policy_document": DOCUMENT, "policy_arns": arns, "readiness": "off" });
    ask("POST", &format!("{url}/aws/roles/full"), &role);
    ask("GET", &format!("{url}/aws/creds/full"), &Value::Null);

    let departures = Departures::default();
    delay(faults, &departures);
    let (mut issues, mut revocations) = (Vec::new(), Vec::new());
    for _ in 0..CYCLES {
        let (credential, issue) =
            timed(&departures, || ask("GET", &format!("{url}/aws/creds/full"), &Value::Null));
        let body = json!({ "lease_id": credential["lease_id"], "sync": true });
        let (_, revocation) =
            timed(&departures, || ask("PUT", &format!("{url}/sys/leases/revoke"), &body));
        issues.push(issue);
        revocations.push(revocation);
    }
    report("issue iam_user, inline and two managed policies", issues, 2);
    report("revoke the same, waiting for it", revocations, 3);
}

/// From now on every call waits, and its departure is noted.
fn delay(faults: &FaultyHttp, departures: &Departures) {
    let departures = Arc::clone(departures);
    faults.on_call(Box::new(move |_| {
        departures.lock().unwrap().push(Instant::now());
        let gate = Gate::new();
        let held = gate.clone();
        tokio::spawn(async move {
            tokio::time::sleep(DELAY).await;
            held.release();
        });
        Decision::Fault(Fault::Hold(gate))
    }));
}

/// How long it took, how many calls it made, in how many rounds.
fn timed<T>(departures: &Departures, work: impl FnOnce() -> T) -> (T, (Duration, usize, usize)) {
    departures.lock().unwrap().clear();
    let started = Instant::now();
    let result = work();
    let took = started.elapsed();
    let calls = departures.lock().unwrap().clone();
    let mut rounds: Vec<Instant> = Vec::new();
    for call in &calls {
        if rounds.last().is_none_or(|first| *call - *first > ROUND) {
            rounds.push(*call);
        }
    }
    (result, (took, calls.len(), rounds.len()))
}

fn report(what: &str, mut cycles: Vec<(Duration, usize, usize)>, rounds_budget: u32) {
    cycles.sort();
    let (took, calls, rounds) = cycles[cycles.len() / 2];
    let budget = DELAY * rounds_budget + Duration::from_millis(10);
    println!(
        "{what}: median {took:.1?} (budget {budget:?}), {calls} calls in {rounds} rounds \
         (budget {rounds_budget})"
    );
}

/// Sends a request that must succeed; gives its body.
fn ask(method: &str, url: &str, body: &Value) -> Value {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("X-Vault-Token", TOKEN)
        .body(if body.is_null() { Vec::new() } else { body.to_string().into_bytes() })
        .unwrap();
    let text = ureq::run(request).unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap_or_default()
}
