//! Credentials over HTTP: GET, POST and PUT `<mount>/creds/:name` and `<mount>/sts/:name` (contract
//! 1.5). Only shapes live here; what may be issued is decided in [`crate::engine::issue`].

use std::sync::Arc;

use super::aws_roles::name;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::engine::assume::SessionWishes;
use crate::engine::issue::{CredsEndpoint, IssueError, IssueRequest};
use crate::model::MfaCode;

/// What may be asked for; all of it concerns STS types, and an IAM user is issued as its role says.
pub(super) const FIELDS: &[Field] = &[
    path_field("name"),
    field("ttl", Kind::Seconds),
    field("role_arn", Kind::Text),
    field("role_session_name", Kind::Text),
    field("mfa_code", Kind::Secret),
];

/// `creds/:name`.
pub(super) async fn issue(call: Call) -> Answered {
    issue_by(call, CredsEndpoint::Creds).await
}

/// `sts/:name`.
pub(super) async fn issue_sts(call: Call) -> Answered {
    issue_by(call, CredsEndpoint::Sts).await
}

async fn issue_by(mut call: Call, endpoint: CredsEndpoint) -> Answered {
    let wishes = wishes(&mut call.fields);
    let caller = call.caller()?;
    if caller.is_last_use() {
        // The token ends with this answer, and would take the lease along at once.
        return Err(ApiError::LastUse);
    }
    let mount = Arc::clone(call.mount()?);
    let (role, wrapped) = (name(&call)?, call.wrap_seconds.is_some());
    let request = IssueRequest { mount, endpoint, role, wishes, wrapped, request_key: None };
    let engine = &call.wire.engine;
    let Some(key) = &call.idempotency_key else {
        return Answer::issued(&engine.issue(caller, request).await?);
    };
    let key = key.parse().map_err(IssueError::BadKey)?;
    let issued = engine.issue_once(caller, request, &key).await?;
    Answer::issued(&issued)
}

/// An empty text counts as not sent: Terraform always sends `role_arn=`.
fn wishes(fields: &mut Fields) -> SessionWishes {
    SessionWishes {
        ttl: fields.seconds("ttl"),
        role_arn: fields.filled_text("role_arn"),
        role_session_name: fields.filled_text("role_session_name"),
        mfa_code: fields.filled_text("mfa_code").map(MfaCode::new),
    }
}
