//! `sys/metrics` (contract 2.6): the numbers as Vault's JSON, or as Prometheus' text where `format` or
//! the scraper's `Accept` asks for it. Bare bodies both. What is counted: [`crate::metrics`].

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field};
use super::pipeline::{Answered, Call};
use crate::leases::LeaseError;
use crate::metrics::Standing;
use crate::model::go_text::quote;

/// What it takes.
pub(super) const FIELDS: &[Field] = &[field("format", Kind::Text)];

/// The text format's own type, as Vault sends it.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The path, which a listener may open to everybody.
pub(super) const PATH: &str = "sys/metrics";

/// GET `metrics`.
pub(super) async fn read(mut call: Call) -> Answered {
    let metrics = &call.wire.metrics;
    match call.fields.filled_text("format").as_deref() {
        None => Answer::bare(&metrics.json(&standing(&call).await?)),
        Some("prometheus") => {
            let text = metrics.text(&standing(&call).await?);
            let text = text.map_err(|error| ApiError::Internal(error.to_string()))?;
            Ok(Answer::text(200, TEXT, text))
        }
        Some(other) => {
            let text = format!("metric response format {} unknown", quote(other));
            Ok(Answer::text(400, "text/plain", text))
        }
    }
}

async fn standing(call: &Call) -> Result<Standing, ApiError> {
    let now = call.wire.clock.now();
    let (tally, written) = call.wire.leases.tally().await?;
    let oldest = tally.uncontained_since.map(|since| now.since(since).as_secs_f64());
    Ok(Standing {
        now: now.as_seconds(),
        pending: tally.pending,
        active: tally.active.iter().map(|(hour, count)| (hour.as_seconds(), *count)).collect(),
        ending: tally.ending,
        uncontained: tally.uncontained,
        oldest_uncontained_seconds: oldest.unwrap_or_default(),
        stuck: tally.stuck,
        settling: tally.settling,
        store_writes: written.writes,
        store_commits: written.commits,
        pace: call.wire.engine.pace(),
        work: call.wire.engine.work().await.map_err(LeaseError::from)?,
    })
}
