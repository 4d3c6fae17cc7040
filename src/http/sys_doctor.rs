//! GET `sys/doctor`: whether the broker could do its work, as data. Leasehold's own. The checks are in
//! [`crate::engine::doctor`].

use super::envelope::Answer;
use super::pipeline::{Answered, Call};
use crate::engine::reconcile::ReconcileError;

/// Every check, and the policy that the broker needs.
pub(super) async fn read(call: Call) -> Answered {
    let diagnosis = call.wire.engine.diagnose().await.map_err(ReconcileError::from)?;
    Answer::data(&diagnosis)
}
