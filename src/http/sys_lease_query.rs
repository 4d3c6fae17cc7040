//! `sys/leases/query` (ours), `sys/leases` and `sys/leases/count` (contract 2.2), `sys/leases/tidy`. Only shapes live here:
//! what can be asked is [`crate::engine::lease_query`]'s. Nothing here ever shows a secret, or changes a
//! lease.

use std::collections::BTreeMap;

use serde::Serialize;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::lease_view::{FoundLease, failure};
use super::pipeline::{Answered, Call};
use crate::engine::lease_query::QueryError;
use crate::model::{Lease, LeaseFilter, LeaseState, MountId, Timestamp};
use crate::store::Position;

/// How many of the query's fields are terms.
const TERMS: usize = LeaseFilter::TERMS.len();

/// What a query takes: what all leases must have, and which part of them is wanted.
pub(super) const QUERY: &[Field] = &query_fields();

/// What all leases must have that are to be revoked ([`super::sys_jobs`]): the same, and never a part of them.
pub(super) const TERMS_ALONE: &[Field] = QUERY.split_at(TERMS).0;

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler, which refuses what is out of range"
)]
const fn query_fields() -> [Field; TERMS + 2] {
    let mut fields = [field("limit", Kind::Int); TERMS + 2];
    fields[TERMS] = field("after", Kind::Text);
    let mut at = 0;
    while at < TERMS {
        fields[at] = field(LeaseFilter::TERMS[at], Kind::Text);
        at += 1;
    }
    fields
}

/// What the list of irrevocable leases takes.
pub(super) const IRREVOCABLE: &[Field] =
    &[field("type", Kind::Text), field("limit", Kind::Text), CHILDREN];
/// What their count takes.
pub(super) const COUNT: &[Field] = &[field("type", Kind::Text), CHILDREN];
/// Taken as Vault takes it; there are no namespaces.
const CHILDREN: Field = field("include_child_namespaces", Kind::Bool);

/// Leases in one answer where nobody says how many.
const USUAL: u32 = 100;
/// The most in one answer.
const MAX: u32 = 1_000;
/// Irrevocable leases in one answer (contract 2.2).
const MAX_IRREVOCABLE: u32 = 10_000;

/// Vault's sentence (contract 2.2).
const TIDY_STARTED: &str = "Tidy operation successfully started. Any information from the operation will be printed to Vault's server logs.";
/// Vault's sentence for the second of two.
const TIDY_RUNS: &str = "Tidy operation already in progress.";

#[derive(Serialize)]
struct Found<'a> {
    leases: Vec<FoundLease<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// GET, POST and PUT `leases/query`.
pub(super) async fn query(mut call: Call) -> Answered {
    let engine = &call.wire.engine;
    let filter = engine.lease_filter(asked(&mut call.fields)).await?;
    let (after, limit) = part(&mut call.fields)?;
    let page = engine.query_leases(&filter, after, limit).await.map_err(QueryError::Store)?;
    let leases = page.items.iter().map(FoundLease::new).collect();
    Answer::data(&Found { leases, next: page.next.map(|next| next.to_string()) })
}

/// LIST `leases/query`: their ids.
pub(super) async fn query_ids(mut call: Call) -> Answered {
    let engine = &call.wire.engine;
    let filter = engine.lease_filter(asked(&mut call.fields)).await?;
    let (after, limit) = part(&mut call.fields)?;
    let page = engine.query_leases(&filter, after, limit).await.map_err(QueryError::Store)?;
    Ok(Answer::keys(page.items.iter().map(|lease| lease.id.to_string()).collect()))
}

/// The terms that were sent; an empty text is not sent.
pub(super) fn asked(fields: &mut Fields) -> Vec<(&'static str, String)> {
    LeaseFilter::TERMS.iter().filter_map(|&term| Some((term, fields.filled_text(term)?))).collect()
}

fn part(fields: &mut Fields) -> Result<(Position, u32), QueryError> {
    let after = match fields.filled_text("after") {
        None => Position::default(),
        Some(text) => text
            .parse()
            .map_err(|_no_number| QueryError::Invalid { term: "after", value: text.clone() })?,
    };
    let limit = match fields.int("limit") {
        None => USUAL,
        Some(wanted) => u32::try_from(wanted)
            .ok()
            .filter(|wanted| (1..=MAX).contains(wanted))
            .ok_or(QueryError::Limit { max: MAX })?,
    };
    Ok((after, limit))
}

/// Nothing is irrevocable here, so Vault's own members are empty; ours tell what fails for long.
#[derive(Serialize)]
struct Numbers {
    lease_count: u64,
    counts: BTreeMap<String, u64>,
    stuck_count: u64,
    stuck_counts: BTreeMap<String, u64>,
}

/// GET `leases/count?type=irrevocable`.
pub(super) async fn count(mut call: Call) -> Answered {
    of_irrevocable(&mut call.fields)?;
    let counts = call.wire.engine.stuck_counts().await.map_err(QueryError::Store)?;
    Answer::data(&Numbers {
        lease_count: 0,
        counts: BTreeMap::new(),
        stuck_count: sum(&counts),
        stuck_counts: counts.into_iter().collect(),
    })
}

#[derive(Serialize)]
struct Listed<'a> {
    lease_count: u64,
    leases: [(); 0],
    stuck_count: u64,
    stuck: Vec<Stuck<'a>>,
}

#[derive(Serialize)]
struct Stuck<'a> {
    lease_id: &'a str,
    mount_id: &'a str,
    error: &'a str,
    attempts: u32,
    since: String,
    next_attempt_time: String,
}

impl<'a> Stuck<'a> {
    fn new(lease: &'a Lease, accessors: &'a [(MountId, String)]) -> Option<Self> {
        let LeaseState::Revoking(progress) = &lease.state else {
            return None;
        };
        let accessor = accessors.iter().find(|(mount, _)| *mount == lease.mount);
        Some(Self {
            lease_id: lease.id.as_str(),
            mount_id: accessor.map_or(lease.mount.0.as_str(), |(_, accessor)| accessor),
            error: failure(progress).unwrap_or_default(),
            attempts: progress.attempts,
            since: Timestamp::rfc3339(progress.since),
            next_attempt_time: Timestamp::rfc3339(progress.next_attempt_at),
        })
    }
}

/// GET `leases?type=irrevocable`.
pub(super) async fn irrevocable(mut call: Call) -> Answered {
    of_irrevocable(&mut call.fields)?;
    let limit = irrevocable_limit(call.fields.filled_text("limit"))?;
    let engine = &call.wire.engine;
    let (leases, counts) = engine.stuck_leases(limit).await.map_err(QueryError::Store)?;
    let accessors = engine.mount_accessors().await.map_err(QueryError::Store)?;
    let stuck: Vec<_> = leases.iter().filter_map(|lease| Stuck::new(lease, &accessors)).collect();
    let stuck_count = sum(&counts);
    let is_cut = u64::try_from(stuck.len()).is_ok_and(|shown| shown < stuck_count);
    let mut answer = Answer::data(&Listed { lease_count: 0, leases: [], stuck_count, stuck })?;
    if is_cut {
        answer
            .warn(format!("{stuck_count} leases are stuck, of which the first {limit} are shown"));
    }
    Ok(answer)
}

fn sum(counts: &[(String, u64)]) -> u64 {
    counts.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// There is nothing of another type (contract 2.2).
fn of_irrevocable(fields: &mut Fields) -> Result<(), ApiError> {
    match fields.text("type").as_deref() {
        Some("irrevocable") => Ok(()),
        Some(_) | None => Err(ApiError::NotFound),
    }
}

fn irrevocable_limit(sent: Option<String>) -> Result<u32, ApiError> {
    let Some(text) = sent else {
        return Ok(MAX_IRREVOCABLE);
    };
    if text == "none" {
        return Ok(u32::MAX);
    }
    match text.parse::<i64>() {
        Err(_no_number) => Err(ApiError::IrrevocableLimit(format!(
            "invalid 'limit' provided: strconv.Atoi: parsing {}: invalid syntax",
            crate::model::go_text::quote(&text)
        ))),
        Ok(limit) => u32::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(|| {
            ApiError::IrrevocableLimit("limit must be 'none' or a positive integer".to_owned())
        }),
    }
}

/// POST and PUT `leases/tidy`: deletes what is over for long now, not tonight.
pub(super) async fn tidy(call: Call) -> Answered {
    let sentence = if call.wire.leases.tidy() { TIDY_STARTED } else { TIDY_RUNS };
    Ok(Answer::accepted_saying(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_a_field_of_the_query() {
        let names = |fields: &[Field]| fields.iter().map(|field| field.name).collect::<Vec<_>>();
        assert_eq!(names(TERMS_ALONE), LeaseFilter::TERMS);
        assert_eq!(names(QUERY.split_at(TERMS).1), ["after", "limit"]);
    }

    #[test]
    fn a_limit_is_none_or_a_positive_number() {
        let told = |text: &str| irrevocable_limit(Some(text.to_owned()));
        assert_eq!(told("none").unwrap(), u32::MAX);
        assert_eq!(told("5").unwrap(), 5);
        assert_eq!(irrevocable_limit(None).unwrap(), MAX_IRREVOCABLE);
        for (bad, text) in
            [("x", "invalid 'limit' provided"), ("0", "limit must be"), ("-1", "limit must be")]
        {
            let error = told(bad).unwrap_err().told();
            assert_eq!(error.status, 500);
            assert!(error.errors[0].contains(text), "{:?}", error.errors);
        }
    }
}
