//! `sys/rekey/init`, `update` and `verify`, and the same below `sys/rekey-recovery-key` (contract 2.3): without a token,
//! since shares say who may. New shares are shown once. The rules are [`crate::custody`]'s.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::Wire;
use super::envelope::Answer;
use super::fields::{Field, Kind, field};
use super::pipeline::Answered;
use super::request::Incoming;
use super::seal_fields::{self, KeyError, finished};
use super::sys_health::must_be;
use crate::custody::{CustodyError, RekeyStatus, RekeyWish, Rekeyed, Target, VerifyStatus};
use crate::model::KeyShare;
use crate::seal::shamir::as_texts;

/// What begins one.
const INIT: &[Field] = &[
    field("secret_shares", Kind::Int),
    field("secret_threshold", Kind::Int),
    field("require_verification", Kind::Bool),
    field("backup", Kind::Bool),
    field("pgp_keys", Kind::Any),
];

/// What goes on with it.
const UPDATE: &[Field] = &[field("key", Kind::Secret), field("nonce", Kind::Text)];

/// How it stands, its beginning, its end.
pub(super) async fn init(wire: &Arc<Wire>, incoming: &Incoming, target: Target) -> Answered {
    must_be(incoming, &["GET", "PUT", "POST", "DELETE"])?;
    match incoming.method.as_str() {
        "GET" => shown(&wire.custody.rekey_status(target).await?),
        "DELETE" => {
            wire.custody.cancel_rekey(target).await?;
            Ok(Answer::nothing())
        }
        _ => {
            let wish = wished(incoming, target)?;
            shown(&wire.custody.begin_rekey(target, wish).await?)
        }
    }
}

fn wished(incoming: &Incoming, target: Target) -> Result<RekeyWish, super::error::ApiError> {
    let mut fields = seal_fields::sent(incoming, INIT)?;
    if fields.bool("backup").unwrap_or_default() {
        return Err(CustodyError::NotOffered("backup").into());
    }
    let for_whom = fields.any("pgp_keys").unwrap_or_default();
    if !(for_whom.is_null() || for_whom == json!([]) || for_whom == "") {
        return Err(CustodyError::NotOffered("pgp_keys").into());
    }
    let what = match target {
        Target::Barrier => "rekey seal",
        Target::Recovery => "rekey recovery",
    };
    let mut number = |name| fields.int(name).unwrap_or_default();
    let (shares, threshold) = (number("secret_shares"), number("secret_threshold"));
    if threshold > shares {
        return Err(CustodyError::ThresholdAboveShares.into());
    }
    let shares = seal_fields::shares(what, shares, threshold)?;
    Ok(RekeyWish { shares, verify: fields.bool("require_verification").unwrap_or_default() })
}

/// One old share.
pub(super) async fn update(wire: &Arc<Wire>, incoming: &Incoming, target: Target) -> Answered {
    must_be(incoming, &["PUT", "POST"])?;
    let (share, nonce) = given(incoming)?;
    let rekeyed =
        finished(wire, move |custody| async move { custody.rekey(target, &nonce, share).await });
    match rekeyed.await? {
        Rekeyed::More(status) => shown(&status),
        Rekeyed::Done { nonce, keys, verification_nonce } => {
            handed_out(&nonce, &keys, verification_nonce.as_deref())
        }
    }
}

/// New shares: written here and nowhere else.
fn handed_out(nonce: &str, new: &[KeyShare], verification_nonce: Option<&str>) -> Answered {
    #[derive(Serialize)]
    struct Body<'a> {
        nonce: &'a str,
        complete: bool,
        keys: Vec<String>,
        keys_base64: Vec<String>,
        pgp_fingerprints: (),
        backup: bool,
        verification_required: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        verification_nonce: Option<&'a str>,
    }
    let (keys, keys_base64) = as_texts(new);
    Answer::bare(&Body {
        nonce,
        complete: true,
        keys,
        keys_base64,
        pgp_fingerprints: (),
        backup: false,
        verification_required: verification_nonce.is_some(),
        verification_nonce,
    })
}

/// One new share, given back; or how that stands, or once more from the beginning.
pub(super) async fn verify(wire: &Arc<Wire>, incoming: &Incoming, target: Target) -> Answered {
    must_be(incoming, &["GET", "PUT", "POST", "DELETE"])?;
    match incoming.method.as_str() {
        "GET" => verification(&wire.custody.verify_status(target).await?),
        "DELETE" => verification(&wire.custody.restart_verification(target).await?),
        _ => {
            let (share, nonce) = given(incoming)?;
            let verified = finished(wire, move |custody| async move {
                custody.verify_rekey(target, &nonce, share).await
            });
            let status = verified.await?;
            if status.complete {
                return Answer::bare(&json!({"nonce": status.nonce, "complete": true}));
            }
            verification(&status)
        }
    }
}

fn given(incoming: &Incoming) -> Result<(KeyShare, String), super::error::ApiError> {
    let mut fields = seal_fields::sent(incoming, UPDATE)?;
    let text = fields.filled_text("key").ok_or(KeyError::Missing)?;
    Ok((seal_fields::key(&text)?, fields.text("nonce").unwrap_or_default()))
}

fn shown(status: &RekeyStatus) -> Answered {
    #[derive(Serialize)]
    struct Body<'a> {
        nonce: &'a str,
        started: bool,
        t: u8,
        n: u8,
        progress: usize,
        required: u8,
        pgp_fingerprints: (),
        backup: bool,
        verification_required: bool,
        #[serde(skip_serializing_if = "str::is_empty")]
        verification_nonce: &'a str,
    }
    Answer::bare(&Body {
        nonce: &status.nonce,
        started: status.started,
        t: status.threshold,
        n: status.shares,
        progress: status.progress,
        required: status.required,
        pgp_fingerprints: (),
        backup: false,
        verification_required: status.verify,
        verification_nonce: &status.verification_nonce,
    })
}

fn verification(status: &VerifyStatus) -> Answered {
    Answer::bare(&json!({
        "nonce": status.nonce, "started": true, "t": status.threshold, "n": status.shares,
        "progress": status.progress,
    }))
}
