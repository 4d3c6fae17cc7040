//! What is answered before the tables of [`crate::http::routes`] are looked at, as OpenAPI operations: the four paths of
//! `routes::open`, and the doors of wrapping. A test holds this list against the code that serves them.

use super::schemas::Reply;
use crate::http::fields::{Field, Kind, field};

/// One operation.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) path: &'static str,
    pub(super) method: &'static str,
    pub(super) id: &'static str,
    pub(super) help: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) replies: &'static [Reply],
    /// Whether it needs no token.
    pub(super) open: bool,
}

const INIT: &[Field] = &[
    field("secret_shares", Kind::Int),
    field("secret_threshold", Kind::Int),
    field("stored_shares", Kind::Int),
    field("pgp_keys", Kind::List),
    field("recovery_shares", Kind::Int),
    field("recovery_threshold", Kind::Int),
    field("recovery_pgp_keys", Kind::List),
    field("root_token_pgp_key", Kind::Text),
];

const HEALTH: &[Field] = &[
    field("standbyok", Kind::Bool),
    field("perfstandbyok", Kind::Bool),
    field("activecode", Kind::Int),
    field("sealedcode", Kind::Int),
    field("uninitcode", Kind::Int),
];

const WRAPPING: &[Field] = &[field("token", Kind::Secret)];

/// All of them.
#[rustfmt::skip]
pub(super) const OUTSIDE: &[Outside] = &[
    Outside { path: "sys/health", method: "get", id: "read-health-status", help: "How the broker is; the status is the message.", fields: HEALTH, replies: &[Reply::Health], open: true },
    Outside { path: "sys/seal-status", method: "get", id: "seal-status", help: "Whether it is sealed.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/leader", method: "get", id: "leader-status", help: "Who leads: nobody, there is one broker.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/init", method: "get", id: "read-initialization-status", help: "Whether it is initialised.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/init", method: "post", id: "initialize", help: "Initialises it, once.", fields: INIT, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/wrapping/lookup", method: "get", id: "read-wrapping-properties2", help: "Shows what a wrapping token holds, not its content.", fields: &[], replies: &[Reply::Data], open: true },
    Outside { path: "sys/wrapping/lookup", method: "post", id: "read-wrapping-properties", help: "Shows what a wrapping token holds, not its content.", fields: WRAPPING, replies: &[Reply::Data], open: true },
    Outside { path: "sys/wrapping/rewrap", method: "post", id: "rewrap", help: "Moves what is wrapped under a new token.", fields: WRAPPING, replies: &[Reply::Data], open: false },
    Outside { path: "sys/wrapping/unwrap", method: "post", id: "unwrap", help: "Gives what is wrapped, once.", fields: WRAPPING, replies: &[Reply::Data, Reply::Nothing], open: false },
];
