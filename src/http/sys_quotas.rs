//! Rate-limit quotas on the wire: `sys/quotas/rate-limit`, `sys/quotas/config`, and the check that each request goes
//! through before anything else (contract 0.3). What is counted: [`crate::auth::quotas`].

use serde_json::{Value, json};

use super::Wire;
use super::audited::Audited;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use super::request::{Incoming, Request};
use crate::auth::AuthError;
use crate::auth::quotas::{Left, NewQuota};
use crate::model::{QuotaConfig, go_text};

/// What writing a quota takes.
pub(super) const QUOTA: &[Field] = &[
    path_field("name"),
    field("type", Kind::Text),
    field("path", Kind::Text),
    field("role", Kind::Text),
    field("rate", Kind::Any),
    field("interval", Kind::Seconds),
    field("block_interval", Kind::Seconds),
    field("inheritable", Kind::Bool),
];

/// What holds for all of them.
pub(super) const CONFIG: &[Field] = &[
    field("rate_limit_exempt_paths", Kind::List),
    field("enable_rate_limit_audit_logging", Kind::Bool),
    field("enable_rate_limit_response_headers", Kind::Bool),
];

/// Counts a request before it is looked at; what its answer tells of the quota, where it is to.
pub(super) async fn admit(
    wire: &Wire,
    incoming: &Incoming,
    path: &str,
    request_id: &str,
) -> Result<Option<Left>, (ApiError, Option<Left>)> {
    let now = wire.clock.now();
    let Some(counted) = wire.auth.count_request(path, incoming.remote, now) else {
        return Ok(None);
    };
    let config = wire.auth.quota_config();
    let told = config.headers.then_some(counted.left);
    if counted.left.allowed {
        return Ok(told);
    }
    wire.metrics.quotas().turned_away(&counted.quota);
    let mut error = ApiError::RateLimited(path.to_owned());
    if config.audited
        && let Ok(request) = Request::read(incoming, path.to_owned())
    {
        let token = incoming.headers.token.as_ref();
        let audited = Audited::begin(wire, &request, token, None, None, request_id);
        error = audited.refused(error).await;
    }
    Err((error, told))
}

/// LIST `sys/quotas/rate-limit`.
pub(super) async fn list(call: Call) -> Answered {
    Ok(Answer::keys(call.wire.auth.quota_names()))
}

/// GET `sys/quotas/rate-limit/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let quota = call.wire.auth.quota(&call.captured).ok_or(ApiError::NotFound)?;
    Answer::data(&json!({
        "block_interval": quota.block_interval,
        "inheritable": quota.inheritable,
        "interval": quota.interval,
        "name": quota.name,
        "path": quota.path,
        "rate": go_text::number(quota.rate),
        "role": "",
        "type": "rate-limit",
    }))
}

/// POST and PUT `sys/quotas/rate-limit/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let fields = &mut call.fields;
    let new = NewQuota {
        path: fields.text("path").unwrap_or_default(),
        rate: fields.any("rate").as_ref().and_then(number),
        interval: fields.seconds("interval"),
        block_interval: fields.seconds("block_interval").unwrap_or(0),
        role: fields.text("role").unwrap_or_default(),
        inheritable: fields.bool("inheritable"),
    };
    let wire = &call.wire;
    wire.auth.write_quota(&call.captured, new, |path| mount_of(wire, path)).await?;
    Ok(Answer::nothing())
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The mount that a path is below, with its slash.
fn mount_of(wire: &Wire, path: &str) -> Option<String> {
    for own in ["sys/", "auth/token/", "identity/"] {
        if path.starts_with(own) {
            return Some(own.to_owned());
        }
    }
    if let Some(rest) = path.strip_prefix("auth/") {
        return wire.auth.auth_route(rest).map(|(mount, _)| format!("auth/{}", mount.path));
    }
    wire.engine.route(path).map(|(mount, _)| mount.path.to_string())
}

/// DELETE `sys/quotas/rate-limit/:name`.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.auth.remove_quota(&call.captured).await.map_err(AuthError::from)?;
    Ok(Answer::nothing())
}

/// GET `sys/quotas/config`.
pub(super) async fn read_config(call: Call) -> Answered {
    let config = call.wire.auth.quota_config();
    Answer::data(&json!({
        "enable_rate_limit_audit_logging": config.audited,
        "enable_rate_limit_response_headers": config.headers,
        "rate_limit_exempt_paths": config.exempt_paths,
    }))
}

/// POST and PUT `sys/quotas/config`: what is not sent is off, as in Vault.
pub(super) async fn write_config(mut call: Call) -> Answered {
    let fields = &mut call.fields;
    let config = QuotaConfig {
        exempt_paths: fields.list("rate_limit_exempt_paths").unwrap_or_default(),
        audited: fields.bool("enable_rate_limit_audit_logging").unwrap_or_default(),
        headers: fields.bool("enable_rate_limit_response_headers").unwrap_or_default(),
    };
    call.wire.auth.write_quota_config(config).await.map_err(AuthError::from)?;
    Ok(Answer::nothing())
}
