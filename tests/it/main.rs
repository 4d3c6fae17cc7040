//! The integration tests: one binary, since linking is what costs. `support` has the broker in a
//! process of the test's own and the real binary; every other module is a part of the behaviour.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::similar_names,
    clippy::duration_suboptimal_units,
    unreachable_pub,
    reason = "a failed unwrap fails the test; tests name the seconds of the wire, read what tests/run \
              set, wait for real processes, and say what they skip"
)]

mod accounts;
mod acl;
mod approle;
mod architecture;
mod audit;
mod audit_guardrails;
mod backup;
mod canary;
mod cli;
mod cli_differences;
mod clients;
mod clock;
mod crash;
mod docs;
mod doctor;
mod fail_points;
mod faults;
mod gate;
mod guardrail_compiler;
mod guardrail_config;
mod guardrails;
mod guardrails_in_force;
mod http;
mod idempotency;
mod identity;
mod jobs;
mod jwt;
mod kill;
mod kubernetes;
mod leases;
mod legacy;
mod limits;
mod listeners;
mod login_clients;
mod metrics;
mod metrics_work;
mod openapi;
mod pages;
mod placement;
mod plugins;
mod plugins_readme;
mod quotas;
mod readiness;
mod readme;
mod reconcile;
mod reconcile_policies;
mod rekey;
mod revoke_cli;
mod rotation;
mod seal;
mod seal_process;
mod session_revocation;
mod shipped_guardrails;
mod slow_guests;
mod soak;
mod static_roles;
mod sts;
mod support;
mod terraform;
mod token_kinds;
mod tokens;
mod ttl;
mod userpass;
mod vault_cli;
mod walkthrough;
mod who;
mod wrapping;
