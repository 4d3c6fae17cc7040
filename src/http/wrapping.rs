//! Response wrapping on the wire (contract 2.7): the envelope that a caller gets in the place of its answer,
//! and the endpoints below `sys/wrapping`. Three of them take a wrapping token, which must not be used up by
//! asking who calls: they are served before that. What is kept how long: [`crate::auth::wrapping`].

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Wire;
use super::envelope::{Answer, Shown};
use super::error::ApiError;
use super::pipeline::{Answered, Call};
use super::request::Request;
use crate::auth::wrapping::{ToWrap, Wrapped};
use crate::auth::{Operation, Question};
use crate::model::{Accessor, ClientToken, LeaseId};

/// What an answer hands out, which must end if the answer is never unwrapped.
#[derive(Debug, Clone, Default)]
pub(super) struct HandedOut {
    pub(super) lease: Option<LeaseId>,
    pub(super) accessor: Option<Accessor>,
    /// Accessor of a secret id: told beside the wrapping token, and nothing that ends.
    pub(super) secret_id: Option<Accessor>,
}

/// Wraps a rendered answer.
pub(super) async fn wrap(
    wire: &Wire,
    body: Vec<u8>,
    ttl: u64,
    path: String,
    handed_out: HandedOut,
) -> Result<Vec<u8>, ApiError> {
    let mut body = Zeroizing::new(body);
    if body.last() == Some(&b'\n') {
        body.pop();
    }
    let HandedOut { lease, accessor, secret_id } = handed_out;
    let mut wrapped = wire.auth.wrap(ToWrap { body, ttl, path, lease, accessor }).await?;
    wrapped.wrapped_accessor = wrapped.wrapped_accessor.or(secret_id);
    envelope(&wrapped)
}

/// The envelope of a wrapped answer: nothing but `wrap_info`.
fn envelope(wrapped: &Wrapped) -> Result<Vec<u8>, ApiError> {
    #[derive(Serialize)]
    struct WrapInfo<'a> {
        token: Shown<'a>,
        accessor: &'a str,
        ttl: u64,
        creation_time: String,
        creation_path: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        wrapped_accessor: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Envelope<'a> {
        request_id: &'a str,
        lease_id: &'a str,
        renewable: bool,
        lease_duration: u64,
        data: (),
        wrap_info: WrapInfo<'a>,
        warnings: (),
        auth: (),
        mount_type: &'a str,
    }
    let envelope = Envelope {
        request_id: "",
        lease_id: "",
        renewable: false,
        lease_duration: 0,
        data: (),
        wrap_info: WrapInfo {
            token: Shown(Some(&wrapped.token)),
            accessor: &wrapped.accessor.0,
            ttl: wrapped.ttl,
            creation_time: wrapped.created_at.rfc3339(),
            creation_path: &wrapped.path,
            wrapped_accessor: wrapped.wrapped_accessor.as_ref().map(|one| one.0.as_str()),
        },
        warnings: (),
        auth: (),
        mount_type: "",
    };
    let mut body = serde_json::to_vec(&envelope).map_err(|error| ApiError::unwritable(&error))?;
    body.push(b'\n');
    Ok(body)
}

/// POST and PUT `sys/wrapping/wrap`: any data back, wrapped.
pub(super) async fn echo(mut call: Call) -> Answered {
    if call.wrap_seconds.is_none() {
        return Err(ApiError::WrappingRequired);
    }
    Answer::data(&call.fields.take_rest())
}

/// What takes a wrapping token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Unwrap,
    Lookup,
    Rewrap,
}

impl Door {
    /// Which of them a request is for.
    pub(super) fn of(path: &str, operation: Operation) -> Option<Self> {
        let writes = operation == Operation::Update;
        match path {
            "sys/wrapping/unwrap" if writes => Some(Self::Unwrap),
            "sys/wrapping/rewrap" if writes => Some(Self::Rewrap),
            "sys/wrapping/lookup" if writes || operation == Operation::Read => Some(Self::Lookup),
            _ => None,
        }
    }

    /// Serves the request.
    pub(super) async fn serve(
        self,
        wire: &Wire,
        sent: Sent,
        request_id: &str,
        handed_out: &mut HandedOut,
    ) -> Result<(u16, Vec<u8>), ApiError> {
        let named =
            sent.request.data.get("token").and_then(Value::as_str).filter(|text| !text.is_empty());
        let named = named.map(ClientToken::new);
        // Whoever unwraps for another has to be somebody; the look-up needs nobody.
        if let (Some(_), false) = (&named, self == Self::Lookup) {
            authorized(wire, &sent).await?;
        }
        let token = named.or(sent.token).ok_or(ApiError::WrappingTokenEmpty)?;
        match self {
            Self::Unwrap => {
                let (body, lease, accessor) = wire.auth.unwrap(&token).await?;
                *handed_out = HandedOut { lease, accessor, secret_id: None };
                Ok((200, body.to_vec()))
            }
            Self::Rewrap => Ok((200, envelope(&wire.auth.rewrap(&token).await?)?)),
            Self::Lookup => {
                let info = wire.auth.wrapping_info(&token).await?;
                let answer = Answer::data(&json!({
                    "creation_ttl": info.ttl,
                    "creation_time": info.created_at.rfc3339(),
                    "creation_path": info.path,
                }))?;
                answer.render(request_id, super::pipeline::SYSTEM)
            }
        }
    }
}

/// What somebody at one of the doors sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) request: Request,
    /// The token in the header.
    pub(super) token: Option<ClientToken>,
    pub(super) remote: Option<IpAddr>,
}

async fn authorized(wire: &Wire, sent: &Sent) -> Result<(), ApiError> {
    let token = sent.token.as_ref().ok_or(ApiError::NoToken)?;
    let caller = wire.auth.authenticate(token, sent.remote).await?;
    let question = Question {
        path: &sent.request.path,
        operation: Operation::Update,
        creates: false,
        data: &sent.request.data,
        wrap_seconds: None,
        needs_sudo: false,
    };
    let decided = wire.auth.authorize(&caller, &question).await;
    wire.auth.finish(&caller).await?;
    Ok(decided?)
}
