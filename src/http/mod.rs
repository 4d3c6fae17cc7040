//! The wire: Vault's HTTP API, and the only code that knows actix. actix gets one catch-all; from there
//! a request goes through [`path`], [`request`] and [`pipeline`] to a handler of [`routes`], and comes
//! back through [`envelope`] or [`error`]. No rule of the domain lives here.

use std::sync::Arc;

use crate::audit::Audit;
use crate::auth::Auth;
use crate::clock::Clock;
use crate::custody::Custody;
use crate::engine::Engine;
use crate::leases::Leases;
use crate::metrics::Metrics;
use crate::random::Random;
use crate::seal::Barrier;

mod approle;
mod audited;
mod auth_token;
mod auth_token_roles;
mod aws_creds;
mod aws_limits;
mod aws_roles;
mod aws_settings;
mod aws_static;
mod coerce;
pub mod envelope;
pub mod error;
pub mod fields;
mod found;
mod help;
mod identity;
mod identity_groups;
mod in_flight;
mod inject;
mod jwt;
mod kubernetes;
mod lease_view;
mod measured;
mod mount_shape;
mod open;
mod openapi;
pub mod path;
mod pattern;
pub mod pipeline;
mod reply;
pub mod request;
mod request_log;
pub mod routes;
mod seal_fields;
pub mod server;
mod sys_account_limits;
mod sys_audit;
mod sys_auth;
mod sys_catalog;
mod sys_doctor;
mod sys_generate_root;
mod sys_guardrails;
mod sys_health;
mod sys_init;
mod sys_jobs;
mod sys_lease_accounts;
mod sys_lease_query;
mod sys_leases;
mod sys_metrics;
mod sys_mounts;
mod sys_plugins;
mod sys_policies;
mod sys_quotas;
mod sys_reconcile;
mod sys_rekey;
mod sys_remount;
mod sys_rotate;
mod sys_seal;
mod sys_state;
mod token_params;
mod token_view;
mod ui;
mod userpass;
mod wrapping;

pub use in_flight::InFlight;
pub use measured::Measured;
pub use sys_state::ServerFacts;

/// What we answer where clients look for a version: they gate features by Vault's, so ours is metadata
/// behind it.
pub const VERSION: &str = concat!("1.21.0+leasehold.", env!("CARGO_PKG_VERSION"));

/// What handlers work with.
#[derive(Debug)]
pub struct Wire {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// Revoking and listing leases needs no more than this.
    pub leases: Arc<Leases>,
    /// Tokens.
    pub auth: Arc<Auth>,
    /// What is asked and answered is written down here first.
    pub audit: Arc<Audit>,
    /// Whether anything can be served.
    pub barrier: Arc<Barrier>,
    /// Holds the keys: init, unseal, seal.
    pub custody: Arc<Custody>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Request ids.
    pub random: Random,
    /// This installation's id, shown as `cluster_id`.
    pub installation: String,
    /// What was counted.
    pub metrics: Metrics,
    /// What requests are counted with.
    pub measured: Measured,
    /// What the server is.
    pub facts: ServerFacts,
    /// What must be finished even when its caller has gone.
    pub in_flight: InFlight,
}
