//! From the start of the built binary to its first answer, and what it holds when idle
//! (`cargo bench --bench start`). It asserts nothing about time. Budgets: `docs/PERFORMANCE.md`.

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

use std::time::Duration;

use support::server::Server;

/// Starts with everything compiled.
const STARTS: usize = 9;

fn main() {
    let data = tempfile::tempdir().unwrap();
    let first = Server::start(data.path());
    println!("first start, nothing there: ready after {:?}", first.ready);
    first.ask("POST", "sys/mounts/aws", r#"{"type":"aws"}"#);
    drop(first);
    let mut ready: Vec<Duration> = (0..STARTS).map(|_| Server::start(data.path()).ready).collect();
    ready.sort();
    println!("later starts: ready after {:?} (median; budget 300ms)", ready[STARTS / 2]);
    let server = Server::start(data.path());
    std::thread::sleep(Duration::from_secs(3));
    println!("idle, engine mounted: {} MiB (budget 60 MiB)", server.resident_kib() / 1024);
}
