//! `<mount>/config/limits`: caps on the live leases of the mount. Leasehold's own; only shapes
//! live here. What a cap means is in [`crate::model::limits`], how it is kept in [`crate::engine::limits`].

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::engine::limits::LimitsChange;

/// What `config/limits` takes.
pub(super) const FIELDS: &[Field] =
    &[field("max_leases", Kind::Int), field("max_leases_per_caller", Kind::Int)];

/// GET `config/limits`.
pub(super) async fn read(call: Call) -> Answered {
    let stored = call.wire.engine.read_limits(call.mount()?).await?;
    Answer::data(&stored.ok_or(ApiError::NotFound)?)
}

/// POST and PUT `config/limits`.
pub(super) async fn write(mut call: Call) -> Answered {
    let change = change(&mut call.fields);
    call.wire.engine.write_limits(call.mount()?, change).await?;
    Ok(Answer::nothing())
}

/// What was sent of the caps.
pub(super) fn change(fields: &mut Fields) -> LimitsChange {
    LimitsChange {
        max_leases: fields.int("max_leases"),
        max_leases_per_caller: fields.int("max_leases_per_caller"),
    }
}
