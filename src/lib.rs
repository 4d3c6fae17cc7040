//! Leasehold hands out AWS credentials over HashiCorp Vault's HTTP API, judges what a role would grant
//! before anything is created, and keeps every credential as a lease until it is provably gone.
//!
//! The map, top to bottom; a module may use those below it, never those above
//! (`tests/it/architecture.rs` holds that):
//!
//! - [`cli`], [`app`], [`config`], [`telemetry`]: arguments → configuration → [`app::App`], the one
//!   composition root.
//! - [`http`]: the wire. The only code that knows actix.
//! - [`auth`]: token → [`auth::Caller`]. [`engine`]: the use cases.
//! - [`gate`]: document → schema → guardrails → [`gate::VettedGrant`]. [`leases`]: the life of a
//!   lease and its teardown. [`aws`]: IAM and STS. [`store`]: SQLite. [`seal`]: encryption at rest.
//!   [`outbound`]: what is asked of others than AWS.
//! - [`model`], [`clock`], [`random`], [`metrics`]: the vocabulary, the time, chance, what is counted.
//!   Used by all, use nobody.
//! - `fail_points`, in debug builds only: where a test makes the process die.

pub mod app;
pub mod audit;
pub mod auth;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
#[cfg(debug_assertions)]
pub mod fail_points;
pub mod gate;
pub mod http;
pub mod leases;
pub mod metrics;
pub mod model;
pub mod outbound;
pub mod random;
pub mod seal;
pub mod store;
pub mod system;
pub mod telemetry;

/// For everything that links this crate, tests and benchmarks too: what is measured is what runs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
