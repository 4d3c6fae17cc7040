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

mod acl;
mod architecture;
mod canary;
mod cli;
mod clients;
mod crash;
mod docs;
mod gate;
mod http;
mod jobs;
mod leases;
mod readme;
mod sts;
mod support;
mod tokens;
mod walkthrough;
