//! From a component to native code: from the cache, in this process, or in a limited process of its own. A component
//! is a stranger's until it is compiled, and a compiler's time and memory grow with it: a server never compiles in
//! its own process. `side` starts and watches that process, `child` is what runs in it, `order` what it is told.

mod child;
mod order;
mod side;

use std::io;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use wasmtime::component::Component;

use crate::cache;
use crate::engine::Shared;
use order::Order;

pub use child::run as run_compiler;

/// The subcommand that a program has to have to be a compiler: it hands its one argument to [`run_compiler`].
pub const COMPILE_SUBCOMMAND: &str = "compile-guardrail";

/// What compiles components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiler {
    /// This process, without limits: for components of one's own, on one's own machine.
    #[default]
    InProcess,
    /// A process of its own for each component, limited in processor time and memory, one at a time.
    SideProcess {
        /// A program with the subcommand [`COMPILE_SUBCOMMAND`], of the same build as this one.
        program: PathBuf,
    },
}

impl Compiler {
    /// The program that is running, in a process of its own. For programs with the subcommand
    /// [`COMPILE_SUBCOMMAND`] alone.
    pub fn this_program() -> Self {
        // Stays the same program when its file is replaced by a newer one.
        Self::SideProcess { program: PathBuf::from("/proc/self/exe") }
    }
}

/// Why a component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler refused it, in its own words on one line.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error(
        "compiling it took more than {} s of processor time\nhelp: make it smaller, or leave out what it does not use", .limit.as_secs()
    )]
    TooLong {
        /// What was allowed.
        limit: Duration,
    },
    /// It took too much memory.
    #[error(
        "compiling it took more than {} MiB of memory\nhelp: make it smaller, or split its largest functions", .limit_bytes >> 20
    )]
    TooMuchMemory {
        /// What was allowed, in bytes.
        limit_bytes: u64,
    },
    /// The compiler ended in a way that says nothing about the component's limits.
    #[error("the compiler crashed on it: {0}")]
    Crashed(String),
    /// There is no compiler.
    #[error(
        "the compiler does not start: {0}\nhelp: the server starts itself from /proc/self/exe: /proc has to be there, and it has to be allowed to start a process"
    )]
    Start(#[source] io::Error),
    /// The program that compiles is not of the same build.
    #[error("the compiler is of another build than this program\nhelp: restart this program")]
    OtherBuild,
}

impl CompileError {
    fn refused(error: &wasmtime::Error) -> Self {
        Self::Refused(one_line(error))
    }
}

/// The compiled component, from the cache where it is there.
pub(crate) fn compile(
    shared: &Shared,
    component: &[u8],
    digest: &str,
) -> Result<Component, CompileError> {
    let cached =
        shared.code_cache.get().and_then(|cache| cache::read(cache, &shared.engine, digest));
    if let Some(component) = cached {
        return Ok(component);
    }
    match &shared.compiler {
        Compiler::InProcess => {
            let compiled = Component::from_binary(&shared.engine, component)
                .map_err(|error| CompileError::refused(&error))?;
            match shared.code_cache.get().is_some().then(|| compiled.serialize()) {
                Some(Ok(code)) => keep(shared, digest, &code),
                Some(Err(error)) => {
                    tracing::warn!(
                        error = one_line(&error),
                        "compiled guardrail cannot be kept, and is compiled again at the next start"
                    );
                }
                None => {}
            }
            Ok(compiled)
        }
        Compiler::SideProcess { program } => {
            // One at a time: their memory would add up.
            let turn = shared.compiling.lock().unwrap_or_else(PoisonError::into_inner);
            let order = Order::new(&shared.limits, shared.meters);
            let code = side::compile(program, &order, component, &shared.engine)?;
            drop(turn);
            // Nothing is kept that this host does not load.
            let compiled = cache::deserialize(&shared.engine, &code)
                .map_err(|error| CompileError::refused(&error))?;
            keep(shared, digest, &code);
            Ok(compiled)
        }
    }
}

fn keep(shared: &Shared, digest: &str, code: &[u8]) {
    if let Some(cache) = shared.code_cache.get() {
        cache::write(cache, &shared.engine, digest, code);
    }
}

/// The whole chain on one line; wasmtime's causes can be many lines long.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    crate::report::one_line(&format!("{error:#}"), 1_024)
}
