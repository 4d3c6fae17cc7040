//! `sys/generate-root/attempt` and `update` (contract 2.3): a root token by shares, without a token. It is shown under
//! the one-time password of whoever began, which is told to them alone. The rules are [`crate::custody`]'s.

use std::sync::Arc;

use serde::Serialize;

use super::Wire;
use super::envelope::Answer;
use super::fields::{Field, Kind, field};
use super::pipeline::Answered;
use super::request::Incoming;
use super::seal_fields::{self, KeyError, finished};
use super::sys_health::must_be;
use crate::custody::{CustodyError, RootGenerated, RootGeneration};

const ATTEMPT: &[Field] = &[field("otp", Kind::Secret), field("pgp_key", Kind::Text)];
const UPDATE: &[Field] = &[field("key", Kind::Secret), field("nonce", Kind::Text)];

/// How it stands, its beginning, its end.
pub(super) async fn attempt(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["GET", "PUT", "POST", "DELETE"])?;
    match incoming.method.as_str() {
        "GET" => shown(&wire.custody.root_generation().await?, "", ""),
        "DELETE" => {
            wire.custody.cancel_root_generation().await?;
            Ok(Answer::nothing())
        }
        _ => {
            let mut fields = seal_fields::sent(incoming, ATTEMPT)?;
            if fields.filled_text("pgp_key").is_some() {
                return Err(CustodyError::NotOffered("pgp_key").into());
            }
            let password = fields.filled_text("otp");
            let (begun, made_up) = wire.custody.begin_root_generation(password).await?;
            shown(&begun, "", made_up.as_deref().map_or("", String::as_str))
        }
    }
}

/// One share.
pub(super) async fn update(wire: &Arc<Wire>, incoming: &Incoming) -> Answered {
    must_be(incoming, &["PUT", "POST"])?;
    let mut fields = seal_fields::sent(incoming, UPDATE)?;
    let text = fields.filled_text("key").ok_or(KeyError::Missing)?;
    let (share, nonce) = (seal_fields::key(&text)?, fields.text("nonce").unwrap_or_default());
    let generated =
        finished(wire, move |custody| async move { custody.generate_root(&nonce, share).await });
    match generated.await? {
        RootGenerated::More(standing) => shown(&standing, "", ""),
        RootGenerated::Done(ended, token) => shown(&ended, &token, ""),
    }
}

fn shown(standing: &RootGeneration, token: &str, otp: &str) -> Answered {
    #[derive(Serialize)]
    struct Body<'a> {
        nonce: &'a str,
        started: bool,
        progress: usize,
        required: u8,
        complete: bool,
        encoded_token: &'a str,
        encoded_root_token: &'a str,
        pgp_fingerprint: &'a str,
        otp: &'a str,
        otp_length: usize,
    }
    Answer::bare(&Body {
        nonce: &standing.nonce,
        started: standing.started,
        progress: standing.progress,
        required: standing.required,
        complete: !token.is_empty(),
        encoded_token: token,
        encoded_root_token: token,
        pgp_fingerprint: "",
        otp,
        otp_length: standing.otp_length,
    })
}
