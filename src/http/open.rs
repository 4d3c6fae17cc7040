//! What the HTTP layer answers itself, on one page: without a token, sealed or not, with rules of its own. Everything else
//! goes the way of [`super::pipeline`] to a route of [`super::routes`].

use std::future::ready;
use std::sync::Arc;

use super::request::Incoming;
use super::routes::Pending;
use super::{Wire, sys_generate_root, sys_health, sys_init, sys_rekey, sys_seal};
use crate::custody::Target;

type OpenHandler = for<'a> fn(&'a Arc<Wire>, &'a Incoming) -> Pending<'a>;

/// What answers at this path.
pub(super) fn open(path: &str) -> Option<OpenHandler> {
    match path {
        "sys/health" => Some(|wire, incoming| Box::pin(ready(sys_health::health(wire, incoming)))),
        "sys/seal-status" => {
            Some(|wire, incoming| Box::pin(ready(sys_seal::status(wire, incoming))))
        }
        "sys/unseal" => Some(|wire, incoming| Box::pin(sys_seal::unseal(wire, incoming))),
        "sys/leader" => Some(|_wire, incoming| Box::pin(ready(sys_health::leader(incoming)))),
        "sys/init" => Some(|wire, incoming| Box::pin(sys_init::init(wire, incoming))),
        "sys/generate-root/attempt" => {
            Some(|wire, incoming| Box::pin(sys_generate_root::attempt(wire, incoming)))
        }
        "sys/generate-root/update" => {
            Some(|wire, incoming| Box::pin(sys_generate_root::update(wire, incoming)))
        }
        _ => open_rekey(path),
    }
}

/// Of a rekey: by shares, without a token.
fn open_rekey(path: &str) -> Option<OpenHandler> {
    match path {
        "sys/rekey/init" => Some(|w, i| Box::pin(sys_rekey::init(w, i, Target::Barrier))),
        "sys/rekey/update" => Some(|w, i| Box::pin(sys_rekey::update(w, i, Target::Barrier))),
        "sys/rekey/verify" => Some(|w, i| Box::pin(sys_rekey::verify(w, i, Target::Barrier))),
        "sys/rekey-recovery-key/init" => {
            Some(|w, i| Box::pin(sys_rekey::init(w, i, Target::Recovery)))
        }
        "sys/rekey-recovery-key/update" => {
            Some(|w, i| Box::pin(sys_rekey::update(w, i, Target::Recovery)))
        }
        "sys/rekey-recovery-key/verify" => {
            Some(|w, i| Box::pin(sys_rekey::verify(w, i, Target::Recovery)))
        }
        _ => None,
    }
}

/// What [`open`] knows.
pub(super) const OPEN: [&str; 13] = [
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
    "sys/leader",
    "sys/init",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/rekey/init",
    "sys/rekey/update",
    "sys/rekey/verify",
    "sys/rekey-recovery-key/init",
    "sys/rekey-recovery-key/update",
    "sys/rekey-recovery-key/verify",
];
