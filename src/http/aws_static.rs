//! `<mount>/static-roles`, `<mount>/static-creds`, and rotation on demand (contract 1.3, 1.13). Only shapes live
//! here. The rules are in [`crate::engine::static_roles`] and [`crate::engine::rotate_root`].

use serde::Serialize;

use super::aws_roles::name;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::engine::rotate_root::RootStatus;
use crate::engine::static_roles::{CrossAccount, StaticRoleChange};
use crate::model::{AccessKeyId, KeyStep, StaticRole, Timestamp};

/// What a static role takes.
pub(super) const FIELDS: &[Field] = &[
    path_field("name"),
    field("username", Kind::Text),
    field("rotation_period", Kind::Seconds),
    field("assume_role_arn", Kind::Text),
    field("assume_role_session_name", Kind::Text),
    field("external_id", Kind::Text),
    field("rotation_schedule", Kind::Text),
    field("rotation_window", Kind::Seconds),
    field("overlap", Kind::Seconds),
    field("replace_foreign_keys", Kind::Bool),
];

/// What `static-creds` and rotation take: nothing but the name.
pub(super) const NAME: &[Field] = &[path_field("name")];

/// POST and PUT `config/rotate-root`.
pub(super) async fn rotate_root(call: Call) -> Answered {
    let new = call.wire.engine.rotate_root(call.mount()?).await?;
    rotated(&new)
}

/// GET `config/rotation-status`.
pub(super) async fn rotation_status(call: Call) -> Answered {
    let status = call.wire.engine.root_status(call.mount()?).await;
    let status = status.map_err(|error| ApiError::Internal(error.to_string()))?;
    Answer::data(&StatusView::new(&status.ok_or(ApiError::NotFound)?))
}

/// LIST `static-roles`.
pub(super) async fn list(call: Call) -> Answered {
    let names = call.wire.engine.list_static_roles(call.mount()?).await?;
    Ok(Answer::keys(names.into_iter().map(String::from).collect()))
}

/// GET `static-roles/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let stored = call.wire.engine.read_static_role(call.mount()?, &name(&call)?).await?;
    Answer::data(&RoleView::new(&stored.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `static-roles/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let name = name(&call)?;
    let fields = &mut call.fields;
    let elsewhere = ["assume_role_arn", "assume_role_session_name", "external_id"];
    let change = StaticRoleChange {
        username: fields.text("username"),
        rotation_period: fields.seconds("rotation_period"),
        rotation_schedule: fields.text("rotation_schedule"),
        rotation_window: fields.seconds("rotation_window"),
        overlap: fields.seconds("overlap"),
        replace_foreign_keys: fields.bool("replace_foreign_keys"),
        cross_account: match elsewhere.into_iter().find_map(|field| fields.text(field)) {
            Some(_) => CrossAccount::Sent,
            None => CrossAccount::NotSent,
        },
    };
    let written = call.wire.engine.write_static_role(call.mount()?, &name, change).await?;
    let mut answer = Answer::data(&RoleView::new(&written.role))?;
    for warning in written.warnings {
        answer.warn(warning);
    }
    Ok(answer)
}

/// DELETE `static-roles/:name`; a missing one is fine.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.engine.delete_static_role(call.mount()?, &name(&call)?).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `static-roles/:name/rotate`.
pub(super) async fn rotate(call: Call) -> Answered {
    let new = call.wire.engine.rotate_static_role(call.mount()?, &name(&call)?).await?;
    rotated(&new)
}

/// GET `static-creds/:name`.
pub(super) async fn credentials(call: Call) -> Answered {
    let found = call.wire.engine.static_credentials(call.mount()?, &name(&call)?).await?;
    Answer::static_credentials(&found.ok_or(ApiError::NotFound)?)
}

fn rotated(new: &AccessKeyId) -> Answered {
    #[derive(Serialize)]
    struct View<'a> {
        access_key: &'a str,
    }
    Answer::data(&View { access_key: new.as_str() })
}

/// The members of contract 1.13, and ours where they say something.
#[derive(Serialize)]
struct RoleView<'a> {
    name: &'a str,
    id: &'a str,
    username: &'a str,
    rotation_period: u64,
    assume_role_arn: &'static str,
    assume_role_session_name: &'static str,
    external_id: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    rotation_schedule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_window: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace_foreign_keys: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<String>,
}

impl<'a> RoleView<'a> {
    fn new(role: &'a StaticRole) -> Self {
        let set = |seconds: u64| (seconds > 0).then_some(seconds);
        let failed = role.progress.last_error.as_deref();
        Self {
            name: role.name.as_str(),
            id: &role.user_id,
            username: role.user.as_str(),
            rotation_period: role.times.period,
            assume_role_arn: "",
            assume_role_session_name: "",
            external_id: "",
            rotation_schedule: &role.times.schedule,
            rotation_window: set(role.times.window),
            overlap: set(role.overlap),
            replace_foreign_keys: role.replace_foreign_keys.then_some(true),
            last_error: failed,
            next_attempt: failed.and(role.due_at).map(Timestamp::rfc3339),
        }
    }
}

/// How the rotation of a root key stands; Leasehold's own.
#[derive(Serialize)]
struct StatusView<'a> {
    access_key: &'a str,
    last_rotation: Option<String>,
    next_rotation: Option<String>,
    attempts: u32,
    next_attempt: Option<String>,
    last_error: Option<&'a str>,
    under_way: Option<&'static str>,
}

impl<'a> StatusView<'a> {
    fn new(status: &'a RootStatus) -> Self {
        let shown = |moment: Option<Timestamp>| moment.map(Timestamp::rfc3339);
        let under_way = status.change.as_ref().map(|change| match change.step {
            KeyStep::Creating => "looking for a key that may have been made",
            KeyStep::Created(_) => "proving the new key",
            KeyStep::Retiring { .. } => "removing the old key",
        });
        Self {
            access_key: &status.access_key,
            last_rotation: shown(status.progress.rotated_at),
            next_rotation: shown(status.next),
            attempts: status.progress.attempts,
            next_attempt: shown(status.progress.retry_at),
            last_error: status.progress.last_error.as_deref(),
            under_way,
        }
    }
}
