//! The use cases against a real store, the real gate, real leases, and the embedded AWS behind the
//! real SDK. The bench that holds them is in [`support`].

mod guardrails;
mod issue;
mod mounts;
mod readiness;
mod reconcile;
mod roles;
mod rotation;
mod support;
