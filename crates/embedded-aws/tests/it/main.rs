//! The embedded AWS as the real SDK clients see it. Each row of the comparison in ADR 0001 is a test
//! here: what must be right, and what must be refused. Start at `support`; the rows are in the other
//! files by area.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a failed unwrap, or sum, fails the test"
)]

mod delete_user;
mod faults;
mod groups;
mod identity;
mod journal;
mod keys;
mod kms;
mod lists;
mod policies;
mod simulate;
mod support;
mod temporary;
mod text;
mod users;
