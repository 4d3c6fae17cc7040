//! The whole gate on documents of 2 KiB and 6 KiB with the shipped guardrails enforcing: texts never seen
//! before, the same texts again, and how many a second on one thread and on two; then, in `gate/guests.rs`, what of
//! that is the guests' (`cargo bench --bench gate`). It asserts nothing about time: two shared cores are no place
//! for that. Budgets: `docs/PERFORMANCE.md`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use leasehold::gate::{Bounds, Compiler, Gate, GateConfig, Mode};
use leasehold::model::Timestamp;

/// Documents judged one by one; the first tenth warms up.
const ROUNDS: u64 = 2_000;
/// How long each number of threads judges.
const TIME: Duration = Duration::from_secs(3);

/// Numbers that make each document a new one.
static NEXT: AtomicU64 = AtomicU64::new(1);

#[path = "gate/guests.rs"]
mod guests;

fn main() {
    guests::measure();
    let started = Instant::now();
    let gate = Gate::new(GateConfig {
        default_mode: Mode::Enforce,
        modes: BTreeMap::new(),
        settings: BTreeMap::new(),
        bounds: Bounds::default(),
        cache_dir: None,
        cache_key: [0; 32],
        compiler: Compiler::InProcess,
    })
    .unwrap();
    println!("gate ready, guardrails compiled: {:.0?}", started.elapsed());
    for (statements, budget) in [(7, ""), (22, " (budget p50 300µs)")] {
        let length = document(statements).len();
        one_by_one(&gate, statements, length, budget);
        let budget = if budget.is_empty() { "" } else { " (budget on two: 5000)" };
        for threads in [1, 2] {
            let rate = rate(&gate, statements, threads);
            println!("{length} bytes, {threads} thread(s): {rate:.0} documents/s{budget}");
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn one_by_one(gate: &Gate, statements: u64, length: usize, budget: &str) {
    let runtime = runtime();
    let judge = |text: &str| runtime.block_on(gate.judge_bare(text, Timestamp::from_millis(1)));
    let found = judge(&document(statements)).findings.len();
    let (mut fresh, mut again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let text = document(statements);
        fresh.push(timed(|| judge(&text)));
        again.push(timed(|| judge(&text)));
    }
    report(&format!("{length} bytes, {found} findings, never seen before"), fresh, budget);
    report(&format!("{length} bytes, the same again"), again, "");
}

/// Documents a second, each never seen before.
fn rate(gate: &Gate, statements: u64, threads: u32) -> f64 {
    let judged = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = runtime();
                while started.elapsed() < TIME {
                    let text = document(statements);
                    drop(runtime.block_on(gate.judge_bare(&text, Timestamp::from_millis(1))));
                    judged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let judged = u32::try_from(judged.load(Ordering::Relaxed)).unwrap();
    f64::from(judged) / started.elapsed().as_secs_f64()
}

/// Statements scoped for the most part; no two documents have the same text.
fn document(statements: u64) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut text = String::from(r#"{"Version":"2012-10-17","Statement":["#);
    for index in 0..statements {
        let resource = match index % 3 {
            0 => "*",
            _ => "arn:aws:s3:::amzn-s3-demo-bucket/team/*",
        };
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"Sid":"S{number}x{index}","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","dynamodb:Query","sqs:SendMessage"],"Resource":["{resource}","arn:aws:sqs:eu-west-1:111122223333:queue-{index}"],"Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"a{index}"}}}}}}"#
        )
        .unwrap();
    }
    text.push_str("]}");
    text
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    let done = work();
    let took = started.elapsed();
    drop(done);
    took
}

fn report(what: &str, mut times: Vec<Duration>, budget: &str) {
    times.drain(..times.len() / 10);
    times.sort();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what}: p50 {p50:.0?}, p99 {p99:.0?}{budget}");
}
