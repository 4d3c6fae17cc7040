//! `sys/leases/limits` (ours): caps on the live leases of an AWS account, over all mounts that work in it. Only shapes
//! live here; the rules are in [`crate::engine::account_limits`].

use super::aws_limits;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::Field;
use super::pipeline::{Answered, Call};

/// What a write takes.
pub(super) const FIELDS: &[Field] = aws_limits::FIELDS;

/// LIST `leases/limits`: ids of the accounts that have caps.
pub(super) async fn list(call: Call) -> Answered {
    let limits = call.wire.engine.account_limits().await?;
    Ok(Answer::keys(limits.keys().cloned().collect()))
}

/// GET `leases/limits/:account`.
pub(super) async fn read(call: Call) -> Answered {
    let limits = call.wire.engine.account_limits().await?;
    Answer::data(limits.get(&call.captured).ok_or(ApiError::NotFound)?)
}

/// POST and PUT `leases/limits/:account`.
pub(super) async fn write(mut call: Call) -> Answered {
    let change = aws_limits::change(&mut call.fields);
    call.wire.engine.write_account_limits(&call.captured, change).await?;
    Ok(Answer::nothing())
}

/// DELETE `leases/limits/:account`.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.engine.remove_account_limits(&call.captured).await?;
    Ok(Answer::nothing())
}
