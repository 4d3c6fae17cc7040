//! `sys/remount` and its status (contract 2.1). Vault moves a mount in the background and lets clients poll;
//! here it is done when the reply goes out, and the status says so. What may be moved where is decided in
//! [`crate::engine::remount`]; only shapes live here.

use serde::Serialize;
use serde_json::Value;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::engine::remount::RemountError;
use crate::model::MountMove;

/// What a move takes.
pub(super) const FIELDS: &[Field] = &[field("from", Kind::Any), field("to", Kind::Any)];

/// POST and PUT `remount`.
pub(super) async fn begin(mut call: Call) -> Answered {
    let (from, to) = (path(&mut call.fields, "from")?, path(&mut call.fields, "to")?);
    let made = call.wire.engine.remount(&from, &to).await?;
    let mut answer = Answer::data(&Queued { migration_id: &made.id })?;
    // Stock clients show this, and poll.
    answer.warn(
        "Mount move has been queued. Progress will be reported in Vault's server log, tagged with \
         the returned migration_id"
            .to_owned(),
    );
    Ok(answer)
}

/// GET `remount/status/:migration_id`.
pub(super) async fn status(call: Call) -> Answered {
    let made = call.wire.engine.remount_status(&call.captured).await.map_err(RemountError::from)?;
    Answer::data(&Status::new(&made.ok_or(ApiError::NotFound)?))
}

fn path(fields: &mut Fields, name: &str) -> Result<String, ApiError> {
    match fields.any(name) {
        Some(Value::String(path)) => Ok(path),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        )
        | None => Err(RemountError::PathMissing.into()),
    }
}

#[derive(Serialize)]
struct Queued<'a> {
    migration_id: &'a str,
}

#[derive(Serialize)]
struct Status<'a> {
    migration_id: &'a str,
    migration_info: Info<'a>,
}

#[derive(Serialize)]
struct Info<'a> {
    source_mount: &'a str,
    target_mount: &'a str,
    status: &'static str,
}

impl<'a> Status<'a> {
    fn new(made: &'a MountMove) -> Self {
        Self {
            migration_id: &made.id,
            migration_info: Info {
                source_mount: made.source.as_str(),
                target_mount: made.target.as_str(),
                status: "success",
            },
        }
    }
}
