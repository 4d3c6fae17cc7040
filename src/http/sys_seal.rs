//! `sys/seal-status`, `sys/unseal` and `sys/seal` (contract 2.3). The first two are answered without a token, sealed or
//! not; sealing is a request like others, and nothing is left to do where it is sealed. The rules are
//! [`crate::custody`]'s.

use std::sync::Arc;

use serde::Serialize;

use super::Wire;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field};
use super::pipeline::{Answered, Call};
use super::request::{Incoming, Request};
use super::seal_fields::{self, KeyError, finished};
use super::sys_health::{CLUSTER_NAME, must_be};
use crate::auth::Operation;
use crate::custody::CustodyError;
use crate::seal::SealStatus;

/// Where a broker is sealed.
const SEAL: &str = "sys/seal";

/// What `sys/unseal` takes.
const UNSEAL: &[Field] =
    &[field("key", Kind::Secret), field("reset", Kind::Bool), field("migrate", Kind::Bool)];

/// GET `sys/seal-status`.
pub(super) fn status(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["GET"])?;
    standing(wire)
}

fn standing(wire: &Wire) -> Answered {
    let standing = wire.custody.standing();
    let unsealed = matches!(standing.status, SealStatus::Unsealed);
    Answer::bare(&SealBody {
        r#type: standing.kind.as_str(),
        initialized: !matches!(standing.status, SealStatus::Uninitialised),
        sealed: !unsealed,
        t: standing.threshold,
        n: standing.shares,
        progress: standing.progress,
        nonce: &standing.nonce,
        version: super::VERSION,
        build_date: "",
        migration: false,
        recovery_seal: standing.kind.is_auto(),
        storage_type: "sqlite",
        cluster_name: unsealed.then_some(CLUSTER_NAME),
        cluster_id: unsealed.then_some(&wire.installation),
    })
}

/// PUT and POST `sys/unseal`: one share, or the end of an attempt.
pub(super) async fn unseal(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["PUT", "POST"])?;
    let mut fields = seal_fields::sent(incoming, UNSEAL)?;
    if fields.bool("migrate").unwrap_or_default() {
        return Err(CustodyError::NotOffered("migrate").into());
    }
    if fields.bool("reset").unwrap_or_default() {
        wire.custody.reset_unsealing().await?;
        return standing(wire);
    }
    let text = fields.filled_text("key").ok_or(KeyError::MissingAtUnseal)?;
    let share = seal_fields::key(&text)?;
    finished(wire, |custody| async move { custody.unseal(share).await }).await?;
    standing(wire)
}

/// A broker that is sealed need not be sealed, whoever asks; and nothing else than a write is offered there.
pub(super) fn nothing_to_seal(wire: &Wire, request: &Request) -> Result<Option<Answer>, ApiError> {
    if request.path != SEAL || request.operation == Operation::Help {
        return Ok(None);
    }
    if request.operation != Operation::Update {
        return Err(ApiError::MethodNotAllowed);
    }
    match wire.barrier.status() {
        SealStatus::Unsealed | SealStatus::Uninitialised => Ok(None),
        SealStatus::Sealed { .. } => Ok(Some(Answer::nothing())),
    }
}

/// PUT and POST `sys/step-down`: as in Vault without HA, done without doing anything.
pub(super) async fn step_down(_call: Call) -> Answered {
    Ok(Answer::nothing())
}

/// PUT and POST `sys/seal`.
pub(super) async fn seal(call: Call) -> Answered {
    call.wire.custody.seal().await?;
    Ok(Answer::nothing())
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the body has these members")]
struct SealBody<'a> {
    r#type: &'a str,
    initialized: bool,
    sealed: bool,
    t: u8,
    n: u8,
    progress: usize,
    nonce: &'a str,
    version: &'a str,
    build_date: &'a str,
    migration: bool,
    recovery_seal: bool,
    storage_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<&'a String>,
}
