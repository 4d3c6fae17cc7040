//! What is answered before the tables of [`crate::http::routes`] are looked at, as OpenAPI operations: the paths of
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

const UNSEAL: &[Field] =
    &[field("key", Kind::Secret), field("reset", Kind::Bool), field("migrate", Kind::Bool)];

const REKEY: &[Field] = &[
    field("secret_shares", Kind::Int),
    field("secret_threshold", Kind::Int),
    field("require_verification", Kind::Bool),
    field("backup", Kind::Bool),
    field("pgp_keys", Kind::List),
];

const SHARE: &[Field] = &[field("key", Kind::Secret), field("nonce", Kind::Text)];

const GENERATE: &[Field] = &[field("otp", Kind::Secret), field("pgp_key", Kind::Text)];

const WRAPPING: &[Field] = &[field("token", Kind::Secret)];

/// All of them.
#[rustfmt::skip]
pub(super) const OUTSIDE: &[Outside] = &[
    Outside { path: "sys/health", method: "get", id: "read-health-status", help: "How the broker is; the status is the message.", fields: HEALTH, replies: &[Reply::Health], open: true },
    Outside { path: "sys/seal-status", method: "get", id: "seal-status", help: "Whether it is sealed.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/leader", method: "get", id: "leader-status", help: "Who leads: nobody, there is one broker.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/init", method: "get", id: "read-initialization-status", help: "Whether it is initialised.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/init", method: "post", id: "initialize", help: "Initialises it, once.", fields: INIT, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/unseal", method: "post", id: "unseal", help: "Gives a share of the key that unseals.", fields: UNSEAL, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey/init", method: "get", id: "rekey-read-progress", help: "How a rekey of the key that unseals stands.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey/init", method: "post", id: "rekey-initialize", help: "Begins a rekey of the key that unseals.", fields: REKEY, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey/init", method: "delete", id: "rekey-cancel", help: "Gives a rekey of the key that unseals up.", fields: &[], replies: &[Reply::Nothing], open: true },
    Outside { path: "sys/rekey/update", method: "post", id: "rekey-update", help: "Gives an old share.", fields: SHARE, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey/verify", method: "get", id: "rekey-verification-read-progress", help: "How the giving back of new shares stands.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey/verify", method: "post", id: "rekey-verification-update", help: "Gives a new share back.", fields: SHARE, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey/verify", method: "delete", id: "rekey-verification-cancel", help: "Begins the giving back anew.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey-recovery-key/init", method: "get", id: "rekey-recovery-key-read-progress", help: "How a rekey of the recovery key stands.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey-recovery-key/init", method: "post", id: "rekey-recovery-key-initialize", help: "Begins a rekey of the recovery key.", fields: REKEY, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey-recovery-key/init", method: "delete", id: "rekey-recovery-key-cancel", help: "Gives a rekey of the recovery key up.", fields: &[], replies: &[Reply::Nothing], open: true },
    Outside { path: "sys/rekey-recovery-key/update", method: "post", id: "rekey-recovery-key-update", help: "Gives an old share.", fields: SHARE, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey-recovery-key/verify", method: "get", id: "rekey-recovery-key-verification-read-progress", help: "How the giving back of new shares stands.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey-recovery-key/verify", method: "post", id: "rekey-recovery-key-verification-update", help: "Gives a new share back.", fields: SHARE, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/rekey-recovery-key/verify", method: "delete", id: "rekey-recovery-key-verification-cancel", help: "Begins the giving back anew.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/generate-root/attempt", method: "get", id: "root-token-generation-read-progress", help: "How the generation of a root token stands.", fields: &[], replies: &[Reply::Bare], open: true },
    Outside { path: "sys/generate-root/attempt", method: "post", id: "root-token-generation-initialize", help: "Begins the generation of a root token.", fields: GENERATE, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/generate-root/attempt", method: "delete", id: "root-token-generation-cancel", help: "Gives the generation of a root token up.", fields: &[], replies: &[Reply::Nothing], open: true },
    Outside { path: "sys/generate-root/update", method: "post", id: "root-token-generation-update", help: "Gives a share.", fields: SHARE, replies: &[Reply::Bare], open: true },
    Outside { path: "sys/wrapping/lookup", method: "get", id: "read-wrapping-properties2", help: "Shows what a wrapping token holds, not its content.", fields: &[], replies: &[Reply::Data], open: true },
    Outside { path: "sys/wrapping/lookup", method: "post", id: "read-wrapping-properties", help: "Shows what a wrapping token holds, not its content.", fields: WRAPPING, replies: &[Reply::Data], open: true },
    Outside { path: "sys/wrapping/rewrap", method: "post", id: "rewrap", help: "Moves what is wrapped under a new token.", fields: WRAPPING, replies: &[Reply::Data], open: false },
    Outside { path: "sys/wrapping/unwrap", method: "post", id: "unwrap", help: "Gives what is wrapped, once.", fields: WRAPPING, replies: &[Reply::Data, Reply::Nothing], open: false },
];
