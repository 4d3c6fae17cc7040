//! From a subject to a verdict: every guardrail asked at once, everything found kept, one decision. The same input gives
//! the same bytes: nothing here depends on time, on order of completion or on chance. Deny wins over everything, and
//! no guardrail can take back what another said. Who may skip this because it was done before is decided in the parent.

use std::cmp::Ordering;

use futures_util::future::join_all;
use guardrail_host::Host;
use iam_policy::Catalogue;

use super::digest::{Digest, Fields};
use super::guardrail::{Bound, Contribution};
use super::rules::over_quota;
use super::subject::Subject;
use crate::model::{Decision, Finding, Verdict};

/// Raises when the same input may give another verdict; the crate's version does, between releases.
const ENGINE: &str = concat!("leasehold ", env!("CARGO_PKG_VERSION"), " gate 1");

/// A fresh verdict.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// No guardrail failed, so the same input will give the same verdict.
    pub(super) repeatable: bool,
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
    pub(super) fn of(subject: &Subject, guardrails: Digest) -> Self {
        let fields = Fields::new("verdict").field(guardrails.as_bytes());
        let verdict = subject.fields(fields, |held| &held.digest).finish();
        let fields = Fields::new("kept verdict").field(verdict.as_bytes());
        let key = subject.fields(fields, |held| &held.text_digest).finish();
        Self { verdict, key }
    }
}

/// Over all that judges: the guardrails with settings and modes, the catalogue, the engine.
pub(super) fn digest_of_guardrails(guardrails: &[Bound]) -> Digest {
    let fields = Fields::new("guardrails")
        .text(ENGINE)
        .text(Host::engine_version())
        .text(Catalogue::bundled().version());
    let each = |fields: Fields, bound: &Bound| {
        let Bound { guardrail, mode } = bound;
        fields.text(guardrail.name()).text(&guardrail.identity()).text(&mode.to_string())
    };
    guardrails.iter().fold(fields, each).finish()
}

/// Asks every guardrail and adds up what they say.
pub(super) async fn reach(subject: &Subject, guardrails: &[Bound], digest: Digest) -> Judged {
    let asked = guardrails.iter().map(|bound| bound.contribute(subject));
    let contributions = join_all(asked).await;
    let repeatable = !contributions.iter().any(|contribution| contribution.failed);
    let mut findings: Vec<Finding> = subject.remarks().cloned().collect();
    findings.extend(over_quota(subject));
    findings.extend(
        contributions.into_iter().flat_map(|Contribution { findings, failed: _ }| findings),
    );
    findings.sort_by(worst_first);
    findings.dedup();
    let denied = findings.iter().any(|finding| finding.denies);
    let decision = if denied { Decision::Deny } else { Decision::Allow };
    Judged { verdict: Verdict { decision, findings, digest: digest.hex() }, repeatable }
}

/// What denies first, then by severity; then in reading order, so that a list of findings reads like the document.
pub(super) fn worst_first(one: &Finding, other: &Finding) -> Ordering {
    let worse = |finding: &Finding| (finding.denies, finding.severity);
    let place = |finding: &Finding| (finding.line, finding.column);
    worse(other)
        .cmp(&worse(one))
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
