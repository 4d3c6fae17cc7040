//! The one wasmtime engine, how it is set up, and the [`Host`] around it.
//! No WASI, no threads, no shared memory, no 64-bit memory: a guest gets the contract's imports and nothing else.
//! Loading is in [`crate::load`], one call in [`crate::evaluate`], the figures in [`crate::limits`].

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::compile::Compiler;
use crate::limits::{LimitTooHigh, Limits};
use crate::state::State;
use crate::tick::Ticker;
use crate::turns::Turns;

/// Room on a fiber's stack beside the guest's frames, for host functions.
const HOST_STACK_BYTES: usize = 1 << 20;
/// Instances beside those of evaluations: for plugins that describe themselves and for the check of settings.
const SPARE_INSTANCES: u32 = 8;
/// Best of five settings measured together with `pagemap_scan` (guardrails study, 6.3).
const MEMORY_KEEP_RESIDENT_BYTES: usize = 8 << 20;
/// As above.
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// Where compiled code is kept between starts.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeCache {
    /// The folder; made when it is missing.
    pub directory: PathBuf,
    /// Key of the MAC on each file. Compiled code runs as the host does: whoever has this key can run code here.
    pub mac_key: [u8; 32],
}

impl fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeCache")
            .field("directory", &self.directory)
            .field("mac_key", &"[redacted]")
            .finish()
    }
}

/// What a guest's work is measured with. Anything but [`Meters::FuelAndTime`] is for finding out what the meters cost,
/// with guests that are known: without fuel the same input may end differently on a slower machine, without time a
/// guest that calls nothing is stopped by its fuel alone, and with neither by nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Meters {
    /// Fuel as the contract, time as the net under it.
    #[default]
    FuelAndTime,
    /// Time alone.
    Time,
    /// Fuel alone.
    Fuel,
    /// Nothing.
    None,
}

impl Meters {
    pub(crate) fn fuel(self) -> bool {
        matches!(self, Self::FuelAndTime | Self::Fuel)
    }

    pub(crate) fn time(self) -> bool {
        matches!(self, Self::FuelAndTime | Self::Time)
    }
}

/// How a host is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostConfig {
    /// What guests may use.
    pub limits: Limits,
    /// Where compiled code is kept; `None` = every start compiles.
    pub code_cache: Option<CodeCache>,
    /// What compiles.
    pub compiler: Compiler,
    /// What a guest's work is measured with.
    pub meters: Meters,
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A limit is above its hard top.
    #[error(transparent)]
    Limits(#[from] LimitTooHigh),
    /// wasmtime does not run on this machine, or not with these limits.
    #[error("the WebAssembly engine does not start")]
    Engine(#[source] wasmtime::Error),
    /// The tick thread did not start.
    #[error("the guardrail tick thread does not start")]
    Tick(#[source] std::io::Error),
}

/// Runs guardrails. Cheap to clone: clones share the engine, the slots and the tick.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) limits: Limits,
    pub(crate) code_cache: OnceLock<CodeCache>,
    pub(crate) compiler: Compiler,
    /// Held while a side process compiles.
    pub(crate) compiling: Mutex<()>,
    pub(crate) meters: Meters,
    pub(crate) turns: Turns,
    pub(crate) ticker: Ticker,
}

impl Host {
    /// Starts the engine and its tick, if no limit is above its hard top.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let HostConfig { limits, code_cache, compiler, meters } = config;
        let limits = limits.checked()?;
        let engine = start_engine(&limits, meters).map_err(HostError::Engine)?;
        let linker = crate::imports::linker(&engine).map_err(HostError::Engine)?;
        let ticker = Ticker::start(&engine).map_err(HostError::Tick)?;
        Ok(Self(Arc::new(Shared {
            engine,
            linker,
            limits,
            code_cache: code_cache.map(OnceLock::from).unwrap_or_default(),
            compiler,
            compiling: Mutex::new(()),
            meters,
            turns: Turns::new(&limits),
            ticker,
        })))
    }

    /// Keeps compiled guardrails there from now on; without effect where they are kept somewhere already.
    pub fn keep_code(&self, cache: CodeCache) {
        self.0.code_cache.get_or_init(|| cache);
    }

    /// What guests may use.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Names the engine's version, for verdicts: same version and same input, same answer.
    pub fn engine_version() -> &'static str {
        concat!("guardrail-host ", env!("CARGO_PKG_VERSION"), ", wasmtime 48")
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

/// With the pooling allocator where its address space can be had, else (a small VM, `ulimit -v`) without.
fn start_engine(limits: &Limits, meters: Meters) -> wasmtime::Result<Engine> {
    let mut config = base_config(limits, meters);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(refused) => {
            let engine = Engine::new(&base_config(limits, meters))?;
            tracing::warn!(
                error = format!("{refused:#}"),
                "no address space for pooled guardrail instances: each evaluation allocates its own"
            );
            Ok(engine)
        }
    }
}

/// An engine that compiles for hosts with these meters and never runs anything: it needs no pool.
pub(crate) fn compiling_engine(meters: Meters) -> wasmtime::Result<Engine> {
    Engine::new(&base_config(&Limits::default(), meters))
}

fn base_config(limits: &Limits, meters: Meters) -> Config {
    let mut config = Config::new();
    // One after the other: a guardrail has few functions, and the threads of a pool would keep for good
    // the memory that compiling took.
    config.parallel_compilation(false);
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .consume_fuel(meters.fuel())
        .epoch_interruption(meters.time())
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.stack_bytes.saturating_add(HOST_STACK_BYTES))
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // One answer for one input on every machine: NaN bits are the one thing that differs.
        .cranelift_nan_canonicalization(true);
    config
}

/// Room for as many instances as there are turns, each with all that a component may have: where there is less, one
/// guest could take it from another. It is of addresses; only what was used takes memory.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let slots = limits.concurrent_evaluations.max(1).saturating_add(SPARE_INSTANCES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(limits.core_instances))
        .total_memories(slots.saturating_mul(limits.memories))
        .total_tables(slots.saturating_mul(limits.tables))
        .total_stacks(slots)
        // Hardly any guest has a second memory, so this many are enough to keep at hand.
        .max_unused_warm_slots(slots)
        .max_core_instances_per_component(limits.core_instances)
        .max_memories_per_component(limits.memories)
        .max_tables_per_component(limits.tables)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_starts_with_the_default_limits() {
        let host = Host::new(HostConfig::default()).unwrap();
        assert_eq!(host.limits(), &Limits::default());
        assert_eq!(host.0.turns.free(), 64);
    }

    #[test]
    fn a_host_without_the_address_space_for_a_pool_starts_without_one() {
        // 240 000 memories of 4 GiB with their guards are more than 47 bits of addresses hold.
        let limits = Limits { concurrent_evaluations: 60_000, ..Limits::default() };
        assert!(
            Engine::new(
                base_config(&limits, Meters::FuelAndTime)
                    .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(&limits)))
            )
            .is_err()
        );
        assert!(start_engine(&limits, Meters::FuelAndTime).is_ok());
    }

    #[test]
    fn a_host_does_not_start_above_the_hard_tops() {
        let limits = Limits { fuel: u64::MAX, ..Limits::default() };
        let refused = Host::new(HostConfig { limits, ..HostConfig::default() }).unwrap_err();
        assert!(refused.to_string().starts_with("the limit `fuel` is "), "{refused}");
        let tops = HostConfig { limits: Limits::tops(), ..HostConfig::default() };
        assert!(Host::new(tops).is_ok());
    }

    #[test]
    fn a_cache_key_is_not_printed() {
        let cache = CodeCache { directory: "/x".into(), mac_key: [7; 32] };
        assert_eq!(format!("{cache:?}"), r#"CodeCache { directory: "/x", mac_key: "[redacted]" }"#);
    }
}
