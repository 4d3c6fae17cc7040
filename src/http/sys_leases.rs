//! `sys/leases` and its old names (contract 2.2): look up, list, renew and revoke. Only shapes live
//! here; renewals are [`crate::engine::leases`]', the end of a lease is [`crate::leases`]'.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::lease_view::LeaseFacts;
use super::pipeline::{Answered, Call};
use crate::engine::leases::LeaseView;
use crate::leases::LeaseError;
use crate::model::{LeaseId, Timestamp};

/// What a look-up takes.
pub(super) const LOOKUP: &[Field] = &[field("lease_id", Kind::Text)];

/// What a renewal takes.
pub(super) const RENEW: &[Field] =
    &[field("lease_id", Kind::Any), field("increment", Kind::Seconds)];

/// What revoking one takes.
pub(super) const REVOKE: &[Field] = &[field("lease_id", Kind::Text), field("sync", Kind::Bool)];

/// What revoking many takes.
pub(super) const REVOKE_PREFIX: &[Field] = &[field("sync", Kind::Bool)];

/// POST and PUT `leases/lookup`.
pub(super) async fn lookup(mut call: Call) -> Answered {
    let text = call.fields.filled_text("lease_id").ok_or(ApiError::LeaseIdMissing)?;
    let id: LeaseId = text.parse().map_err(|_invalid| ApiError::InvalidLease)?;
    let found = call.wire.engine.lookup_lease(&id).await?;
    Answer::data(&LookupData::new(&found.ok_or(ApiError::InvalidLease)?))
}

/// LIST `leases/lookup/:prefix`: the next level of the path.
pub(super) async fn list(call: Call) -> Answered {
    let keys = call.wire.leases.list(&call.captured).await?;
    Ok(Answer::keys(keys))
}

/// POST and PUT `leases/renew[/:id]`.
pub(super) async fn renew(mut call: Call) -> Answered {
    let text = match call.fields.any("lease_id") {
        None | Some(Value::Null) => call.captured.clone(),
        Some(Value::String(text)) if text.is_empty() => call.captured.clone(),
        Some(Value::String(text)) => text,
        Some(_) => return Err(ApiError::LeaseIdNotText),
    };
    if text.is_empty() {
        return Err(ApiError::LeaseIdMissing);
    }
    let id: LeaseId = text.parse().map_err(|_invalid| ApiError::LeaseNotFound)?;
    let increment = call.fields.seconds("increment").map(Duration::from_secs);
    let renewed = call.wire.engine.renew_lease(&id, increment).await?;
    Ok(Answer::renewed(renewed.id.to_string(), renewed.ttl_seconds, renewed.warnings))
}

/// POST and PUT `leases/revoke[/:id]`; an unknown lease is revoked already.
pub(super) async fn revoke(mut call: Call) -> Answered {
    let in_body = call.fields.filled_text("lease_id");
    let text = in_body.or_else(|| (!call.captured.is_empty()).then(|| call.captured.clone()));
    let text = text.ok_or(ApiError::LeaseIdMissing)?;
    let waits = waits(&mut call.fields);
    let Ok(id) = text.parse::<LeaseId>() else {
        return Ok(done(waits));
    };
    if waits {
        call.wire.leases.revoke(&id).await?;
    } else {
        call.wire.leases.revoke_later(&id).await?;
    }
    Ok(done(waits))
}

/// POST and PUT `leases/revoke-prefix/:prefix`.
pub(super) async fn revoke_prefix(mut call: Call) -> Answered {
    let waits = waits(&mut call.fields);
    match (scope(&call).await?, waits) {
        (Scope::One(id), true) => call.wire.leases.revoke(&id).await?,
        (Scope::One(id), false) => call.wire.leases.revoke_later(&id).await?,
        (Scope::Prefix(prefix), true) => call.wire.leases.revoke_prefix(&prefix).await?,
        (Scope::Prefix(prefix), false) => call.wire.leases.revoke_prefix_later(&prefix).await?,
    }
    Ok(done(waits))
}

/// POST and PUT `leases/revoke-force/:prefix`: out of sight at once, removed as soon as AWS lets us.
pub(super) async fn revoke_force(call: Call) -> Answered {
    let prefix = match scope(&call).await? {
        Scope::One(id) => id.to_string(),
        Scope::Prefix(prefix) => prefix,
    };
    call.wire.leases.force(&prefix).await?;
    Ok(Answer::nothing())
}

/// Whether the caller waits for the end; without a word it does.
fn waits(fields: &mut Fields) -> bool {
    fields.bool("sync").unwrap_or(true)
}

fn done(waited: bool) -> Answer {
    if waited { Answer::nothing() } else { Answer::accepted() }
}

/// What a prefix stands for.
enum Scope {
    One(LeaseId),
    Prefix(String),
}

/// A prefix that is a lease's id means that lease; any other is whole parts of a path, so that
/// `aws/creds/a` does not reach the leases of `aws/creds/ab`.
async fn scope(call: &Call) -> Result<Scope, LeaseError> {
    let text = &call.captured;
    if let Ok(id) = text.parse::<LeaseId>()
        && call.wire.leases.get(&id).await?.is_some()
    {
        return Ok(Scope::One(id));
    }
    Ok(Scope::Prefix(if text.ends_with('/') { text.clone() } else { format!("{text}/") }))
}

#[derive(Serialize)]
struct LookupData<'a> {
    id: &'a str,
    issue_time: String,
    expire_time: Option<String>,
    last_renewal: Option<String>,
    renewable: bool,
    ttl: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke_error: Option<&'a str>,
    #[serde(flatten)]
    facts: LeaseFacts<'a>,
}

impl<'a> LookupData<'a> {
    fn new(lease: &'a LeaseView) -> Self {
        Self {
            id: lease.id.as_str(),
            issue_time: lease.issue_time.rfc3339(),
            expire_time: lease.expire_time.map(Timestamp::rfc3339),
            last_renewal: lease.last_renewal.map(Timestamp::rfc3339),
            renewable: lease.renewable,
            ttl: lease.ttl_seconds,
            revoke_error: lease.revoke_error.as_deref(),
            facts: LeaseFacts::new(&lease.lease),
        }
    }
}
