//! What runs in the compiling process: takes its own rights away first, then reads a component, compiles it and
//! writes the code. Never runs a guest, opens no file, and goes on with nothing that the limits did not allow.
//! `side` is the other end of the pipes.

use std::io::{self, Read, Write};

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

use super::order::Order;
use crate::cache::compatibility;
use crate::engine::compiling_engine;
use crate::limits::Limits;

/// The code is on standard output, whole.
pub(super) const EXIT_COMPILED: u8 = 0;
/// The compiler refused the component; its words are on standard error.
pub(super) const EXIT_REFUSED: u8 = 3;
/// The system refused memory.
pub(super) const EXIT_MEMORY: u8 = 4;
/// The process could not be limited, or not read or write. Also what a wrong command line gives.
const EXIT_FAILED: u8 = 5;
/// Below everything that answers requests.
const NICE: i32 = 10;

/// What stopped a compiling process.
struct Stopped(u8, String);

/// Compiles the component on `input` as `order` says, and gives the process's exit code. Limits this whole process
/// for good, first of all.
pub fn run(
    order: &str,
    input: &mut dyn Read,
    output: &mut dyn Write,
    problems: &mut dyn Write,
) -> u8 {
    match compile(order, input, output) {
        Ok(()) => EXIT_COMPILED,
        Err(Stopped(code, why)) => {
            // Whoever started this process sees the code in any case.
            drop(writeln!(problems, "{why}"));
            code
        }
    }
}

fn compile(order: &str, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Stopped> {
    let order: Order = order.parse().map_err(|why: &str| Stopped(EXIT_FAILED, why.to_owned()))?;
    confine(&order).map_err(|error| {
        Stopped(EXIT_FAILED, format!("this process cannot be limited: {error}"))
    })?;
    let mut component = Vec::new();
    let most = u64::try_from(Limits::tops().component_bytes).unwrap_or(u64::MAX);
    input.take(most).read_to_end(&mut component).map_err(|error| failed(&error))?;
    let engine = compiling_engine(order.meters).map_err(|error| stopped(&error))?;
    let code = engine.precompile_component(&component).map_err(|error| stopped(&error))?;
    output
        .write_all(compatibility(&engine).as_bytes())
        .and_then(|()| output.write_all(&code))
        .and_then(|()| output.flush())
        .map_err(|error| failed(&error))
}

/// Lowers this process's limits, for good.
fn confine(order: &Order) -> Result<(), Errno> {
    lower(Resource::Core, 0, 0)?;
    // It writes to pipes alone.
    lower(Resource::Fsize, 0, 0)?;
    // At the first it is told, at the second it is killed; told apart from what the system kills for want of memory.
    lower(Resource::Cpu, order.cpu_seconds, order.cpu_seconds.saturating_add(1))?;
    // All private memory that can be written to, whoever allocates it; addresses that are only reserved do not count.
    lower(Resource::Data, order.memory_bytes, order.memory_bytes)?;
    nice(NICE).map(drop)
}

fn lower(resource: Resource, current: u64, maximum: u64) -> Result<(), Errno> {
    let allowed = getrlimit(resource).maximum;
    let at_most = |limit: u64| Some(allowed.map_or(limit, |allowed| allowed.min(limit)));
    setrlimit(resource, Rlimit { current: at_most(current), maximum: at_most(maximum) })
}

fn failed(error: &io::Error) -> Stopped {
    let code = if error.kind() == io::ErrorKind::OutOfMemory { EXIT_MEMORY } else { EXIT_FAILED };
    Stopped(code, error.to_string())
}

fn stopped(error: &wasmtime::Error) -> Stopped {
    let no_memory = error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::OutOfMemory)
            || cause.downcast_ref::<Errno>() == Some(&Errno::NOMEM)
            || cause.is::<wasmtime::OutOfMemory>()
    });
    Stopped(if no_memory { EXIT_MEMORY } else { EXIT_REFUSED }, super::one_line(error))
}
