//! What the guests take of the gate's time and memory: compile, load, instantiate, judge on fresh instances, one
//! guardrail and five, one thread and two, what each meter costs, and what a live instance holds. Part of the bench
//! `gate`; the host is used as the gate uses it.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::future::join_all;
use guardrail_host::{
    CodeCache, Compiler, Grant, Host, HostConfig, Limits, Meters, Plugin, PreparedGrant,
};

use super::{ROUNDS, TIME, document, report, runtime, timed};

const SHIPPED: &[u8] = include_bytes!("../../plugins/least-privilege/least-privilege.wasm");
const LOOPING: &[u8] = include_bytes!("../../plugins/fixtures/hostile/hostile.wasm");
/// A policy of so many statements, and what one fresh evaluation of the guardrail in Rust may take.
const SIZES: [(u64, &str); 2] = [(7, " (budget 100µs)"), (22, " (budget 200µs)")];
/// Instances that are alive at the same time when memory is measured.
const ALIVE: u32 = 50;

/// Prints everything.
pub(super) fn measure() {
    println!("-- guests");
    compile_and_load();
    let plugin = load(HostConfig::default(), SHIPPED);
    let called = (0..ROUNDS).map(|_| timed(|| plugin.check_settings("{}").unwrap())).collect();
    report(
        "a fresh instance and its smallest call",
        called,
        " (instantiate and drop: 10µs in the lab)",
    );
    for (statements, budget) in SIZES {
        let length = document(statements).len();
        fresh(&plugin, statements, &format!("{length} bytes"), budget);
        for guardrails in [1, 5] {
            for threads in [1, 2] {
                let rate = rate(&plugin, statements, guardrails, threads);
                println!(
                    "{length} bytes, {guardrails} guardrail(s), {threads} thread(s): {rate:.0} grants/s"
                );
            }
        }
    }
    meters();
    memory();
    println!("-- the whole gate");
}

fn load(config: HostConfig, component: &[u8]) -> Plugin {
    Host::new(config).unwrap().load(component).unwrap()
}

fn grant(statements: u64) -> PreparedGrant {
    let parsed = iam_policy::Document::parse(&document(statements)).unwrap();
    PreparedGrant::new(Grant::bare(vec![Arc::new(parsed)], 1))
}

/// Compiling in this process and in one of its own, and loading what was compiled before.
fn compile_and_load() {
    let program = env!("CARGO_BIN_EXE_leasehold").into();
    for (place, compiler) in [
        ("this process", Compiler::InProcess),
        ("a process of its own", Compiler::SideProcess { program }),
    ] {
        let host = Host::new(HostConfig { compiler, ..HostConfig::default() }).unwrap();
        let times = (0..10).map(|_| timed(|| host.load(SHIPPED).unwrap())).collect();
        report(&format!("compile {} bytes in {place}, describe", SHIPPED.len()), times, "");
    }
    let directory = tempfile::tempdir().unwrap();
    let code_cache = Some(CodeCache { directory: directory.path().to_owned(), mac_key: [1; 32] });
    let host = Host::new(HostConfig { code_cache, ..HostConfig::default() }).unwrap();
    drop(host.load(SHIPPED).unwrap());
    let times = (0..200).map(|_| timed(|| host.load(SHIPPED).unwrap())).collect();
    report("load it compiled, describe", times, "");
}

/// One grant, a fresh instance each time: giving way to others, and keeping the thread.
fn fresh(plugin: &Plugin, statements: u64, what: &str, budget: &str) {
    let read = (0..ROUNDS).map(|_| timed(|| grant(statements))).collect();
    report(&format!("{what}, read and annotate"), read, "");
    let (grant, runtime) = (grant(statements), runtime());
    let yielding = (0..ROUNDS)
        .map(|_| timed(|| runtime.block_on(plugin.evaluate(&grant, "{}")).result.unwrap()))
        .collect();
    report(&format!("{what}, judged on a fresh instance"), yielding, budget);
    let blocking = (0..ROUNDS)
        .map(|_| timed(|| plugin.evaluate_blocking(&grant, "{}").result.unwrap()))
        .collect();
    report(&format!("{what}, the same keeping its thread"), blocking, "");
    let one = plugin.evaluate_blocking(&grant, "{}");
    println!(
        "{what}: {} units of fuel, {} KiB of linear memory",
        one.fuel_used,
        one.memory_bytes >> 10
    );
}

/// Grants a second, each judged by so many guardrails at once.
fn rate(plugin: &Plugin, statements: u64, guardrails: usize, threads: u32) -> f64 {
    let judged = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (runtime, grant) = (runtime(), grant(statements));
                while started.elapsed() < TIME {
                    let all = (0..guardrails).map(|_| plugin.evaluate(&grant, "{}"));
                    black_box(runtime.block_on(join_all(all)));
                    judged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let judged = u32::try_from(judged.load(Ordering::Relaxed)).unwrap();
    f64::from(judged) / started.elapsed().as_secs_f64()
}

/// The same grant under each choice of meters.
fn meters() {
    let grant = grant(22);
    for meters in [Meters::None, Meters::Time, Meters::Fuel, Meters::FuelAndTime] {
        let plugin = load(HostConfig { meters, ..HostConfig::default() }, SHIPPED);
        let times = (0..ROUNDS)
            .map(|_| timed(|| plugin.evaluate_blocking(&grant, "{}").result.unwrap()))
            .collect();
        report(&format!("{} bytes, meters {meters:?}", document(22).len()), times, "");
    }
}

/// What so many guests that are in the middle of a call hold, and what is left when they are gone.
fn memory() {
    // The highest limits: all are still running when the last has begun.
    let plugin = load(HostConfig { limits: Limits::tops(), ..HostConfig::default() }, LOOPING);
    let grant = grant(7);
    let before = resident_kib();
    runtime().block_on(async {
        let alive = (0..ALIVE).map(|_| plugin.evaluate(&grant, r#"{"does":"loop"}"#));
        let mut alive = pin!(join_all(alive));
        // Each runs until its first tick.
        assert!(futures_util::poll!(&mut alive).is_pending());
        let held = resident_kib().saturating_sub(before) / u64::from(ALIVE);
        println!("{ALIVE} live instances of a guest in Rust: {held} KiB each");
    });
    println!("after them: {} KiB more than before", resident_kib().saturating_sub(before));
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
