//! From a subject to a verdict: every guardrail asked at once, everything found kept, one decision. The same input gives
//! the same bytes: nothing here depends on time, on order of completion or on chance. Deny wins over everything, and
//! no guardrail can take back what another said. Who may skip this because it was done before is decided in the parent.

use std::cmp::Ordering;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::digest::{Digest, Fields};
use super::guardrail::{Bound, Contribution, Failed};
use super::rules::over_quota;
use super::set::Set;
use super::subject::Subject;
use crate::model::{Decision, Finding, Mode, Verdict};

/// A fresh verdict.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// What guardrails in audit found.
    pub(super) hidden: Vec<Finding>,
    /// Without any, the same input will give the same verdict.
    pub(super) failures: Vec<Failed>,
}

/// The digests under which a verdict is given and kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digests {
    /// Over canonical permissions, guardrails, catalogue and engine: the verdict's own.
    pub(super) verdict: Digest,
    /// Over the texts as given too, since findings point into them.
    pub(super) key: Digest,
}

impl Digests {
    pub(super) fn of(subject: &Subject, set: &Set) -> Self {
        let fields = Fields::new("verdict").field(set.digest(subject).as_bytes());
        let mut fields = subject.fields(fields, |held| &held.digest);
        if set.sees_actor() {
            fields = subject.actor_fields(fields);
        }
        if set.sees_time(subject) {
            fields = fields.text("time").text(&subject.seen_time().to_string());
        }
        let verdict = fields.finish();
        let fields = Fields::new("kept verdict").field(verdict.as_bytes());
        let key = subject.fields(fields, |held| &held.text_digest).finish();
        Self { verdict, key }
    }
}

/// Asks every guardrail and adds up what they say. `digest` is that of the verdict where none of them fails.
pub(super) async fn reach(subject: &Subject, set: &Set, digest: Digest) -> Judged {
    let now = Instant::now();
    let deadline = now.checked_add(set.total_time()).unwrap_or(now);
    let built_in = set.built_in(subject);
    let all: Vec<&Bound> = set.bound.iter().chain(std::iter::once(&built_in)).collect();
    let contributions = join_all(all.iter().map(|bound| bound.contribute(subject, deadline))).await;
    let digest = after_failures(digest, all.iter().copied().zip(&contributions));
    let mut findings: Vec<Finding> = subject.remarks().cloned().collect();
    findings.extend(over_quota(subject));
    let (mut hidden, mut failures) = (Vec::new(), Vec::new());
    for contribution in contributions {
        findings.extend(contribution.findings);
        hidden.extend(contribution.hidden);
        failures.extend(contribution.failure);
    }
    let orders = set.orders();
    let order = |finding: &Finding| orders.get(guardrail_of(finding)).copied().unwrap_or(0);
    findings.sort_by(|one, other| {
        worse(one, other)
            .then_with(|| order(one).cmp(&order(other)))
            .then_with(|| guardrail_of(one).cmp(guardrail_of(other)))
            .then_with(|| worst_first(one, other))
    });
    findings.dedup();
    let denied = findings.iter().any(|finding| finding.denies);
    let decision = if denied { Decision::Deny } else { Decision::Allow };
    let verdict = Verdict { decision, findings, digest: digest.hex() };
    Judged { verdict, hidden, failures }
}

/// The digest of a verdict that was reached although some guardrails failed: another than the one without, which the same
/// input may lead to another time. Who is in audit adds nothing to a verdict either way.
fn after_failures<'a>(
    digest: Digest,
    contributions: impl Iterator<Item = (&'a Bound, &'a Contribution)>,
) -> Digest {
    let shown = contributions.filter(|(bound, _)| bound.mode != Mode::Audit);
    let failed: Vec<(&str, &str)> = shown
        .filter_map(|(_, contribution)| contribution.failure.as_ref())
        .map(|failed| (failed.guardrail.as_str(), failed.trouble.code.as_str()))
        .collect();
    if failed.is_empty() {
        return digest;
    }
    Fields::new("verdict after failures")
        .field(digest.as_bytes())
        .texts(failed.iter().map(|(name, _)| *name))
        .texts(failed.iter().map(|(_, code)| *code))
        .finish()
}

/// The first part of a finding's rule: the guardrail's name, or which of our own rules it is.
pub(super) fn guardrail_of(finding: &Finding) -> &str {
    finding.rule.split_once('/').map_or(finding.rule.as_str(), |(name, _)| name)
}

/// What denies first, then the more severe.
fn worse(one: &Finding, other: &Finding) -> Ordering {
    let worse = |finding: &Finding| (finding.denies, finding.severity);
    worse(other).cmp(&worse(one))
}

/// What denies first, then by severity; then in reading order, so that a list of findings reads like the document.
pub(super) fn worst_first(one: &Finding, other: &Finding) -> Ordering {
    let place = |finding: &Finding| (finding.line, finding.column);
    worse(one, other)
        .then_with(|| source_rank(one).cmp(&source_rank(other)))
        .then_with(|| one.source.cmp(&other.source))
        .then_with(|| place(one).cmp(&place(other)))
        .then_with(|| one.pointer.cmp(&other.pointer))
        .then_with(|| one.rule.cmp(&other.rule))
        .then_with(|| one.message.cmp(&other.message))
}

/// What the author of the role wrote comes first.
fn source_rank(finding: &Finding) -> u8 {
    match finding.source.as_str() {
        "inline" | "document" => 0,
        "role" => 1,
        _ => 2,
    }
}
