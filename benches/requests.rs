//! CPU and rate of the reads that clients make most, over real HTTP against the built binary
//! (`cargo bench --bench requests`). It asserts nothing about time; the client shares the cores, so
//! the CPU of the server's process is the steadier figure. Rates under a real load generator and the
//! budgets: `docs/PERFORMANCE.md`.

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

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::server::Server;

/// Connections at once.
const CONNECTIONS: usize = 16;
/// How long each request is repeated.
const TIME: Duration = Duration::from_secs(4);
const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}]}"#;

fn main() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.ask("POST", "sys/mounts/aws", r#"{"type":"aws"}"#);
    let role = json!({ "credential_type": "iam_user", "policy_document": DOCUMENT });
    server.ask("POST", "aws/roles/reader", &role.to_string());
    let issued: Value = serde_json::from_str(&server.ask("GET", "aws/creds/reader", "")).unwrap();
    let lease = json!({ "lease_id": issued["lease_id"] }).to_string();

    measure(&server, "role read", 40, ("GET", "aws/roles/reader", ""));
    measure(&server, "token lookup-self", 30, ("GET", "auth/token/lookup-self", ""));
    measure(&server, "lease lookup", 30, ("PUT", "sys/leases/lookup", &lease));
    println!(
        "ready after {:.0?}, {} MiB resident after all that",
        server.ready,
        server.resident_kib() / 1024
    );
}

/// Repeats a request on all connections, and prints what it took.
fn measure(server: &Server, what: &str, budget_us: u32, request: (&str, &str, &str)) {
    let (method, path, body) = request;
    let (over, count) = (AtomicBool::new(false), AtomicU32::new(0));
    let (started, cpu) = (Instant::now(), cpu_of(server));
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = server.connect();
                while !over.load(Ordering::Relaxed) {
                    let reply = connection.send(method, path, body);
                    assert_eq!(reply.status, 200, "{}", reply.body);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(TIME);
        over.store(true, Ordering::Relaxed);
    });
    let (took, cpu) = (started.elapsed(), cpu_of(server).saturating_sub(cpu));
    let count = f64::from(count.load(Ordering::Relaxed));
    let (rate, each) = (count / took.as_secs_f64(), cpu.as_secs_f64() * 1e6 / count);
    println!("{what}: {each:.1} µs CPU each (budget {budget_us} µs), {rate:.0}/s");
}

/// CPU time of all threads of the server so far, to the scheduler's tick of 10 ms.
fn cpu_of(server: &Server) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.process.id())).unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    let ticks: u64 = fields.skip(11).take(2).map(|text| text.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
