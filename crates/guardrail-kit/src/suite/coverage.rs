//! Which rules the vectors of a guardrail show at work, and for which they show where the rule stops. A rule without
//! either is one that a change may break unseen. Counts; demands nothing.

use std::collections::BTreeSet;

use guardrail_host::Rule;
use iam_policy::Document;

use super::Ran;

/// What the vectors show of each rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// In the order of the manifest.
    pub(crate) rules: Vec<RuleCoverage>,
}

/// What the vectors show of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleCoverage {
    /// Its id.
    pub(crate) rule: String,
    /// Cases in which it is found.
    pub(crate) found: usize,
    /// Cases that pass although they are about the same services: they show where the rule stops. None while the rule is
    /// found nowhere.
    pub(crate) let_pass: usize,
}

impl Coverage {
    pub(super) fn of(rules: &[Rule], ran: &[Ran]) -> Self {
        Self { rules: rules.iter().map(|rule| RuleCoverage::of(&rule.id, ran)).collect() }
    }

    /// Rules that are found in some case.
    pub(crate) fn shown(&self) -> usize {
        self.rules.iter().filter(|rule| rule.found > 0).count()
    }
}

impl RuleCoverage {
    fn of(rule: &str, ran: &[Ran]) -> Self {
        let (with, without): (Vec<&Ran>, Vec<&Ran>) = ran.iter().partition(|ran| finds(ran, rule));
        let about: BTreeSet<String> = with.iter().flat_map(|ran| services(ran)).collect();
        let near = |ran: &&&Ran| {
            let related = about.is_empty() || !about.is_disjoint(&services(ran));
            !with.is_empty() && related && found_nothing(ran)
        };
        Self {
            rule: rule.to_owned(),
            found: with.len(),
            let_pass: without.iter().filter(near).count(),
        }
    }
}

fn finds(ran: &Ran, rule: &str) -> bool {
    let report = ran.outcome.as_ref().and_then(|outcome| outcome.evaluation.result.as_ref().ok());
    report.is_some_and(|report| report.findings.iter().any(|finding| finding.rule == rule))
}

fn found_nothing(ran: &Ran) -> bool {
    let report = ran.outcome.as_ref().and_then(|outcome| outcome.evaluation.result.as_ref().ok());
    report.is_some_and(|report| report.findings.is_empty())
}

/// The services whose actions a case names; a pattern over services, such as `*`, is about all of them, and so names none.
fn services(ran: &Ran) -> BTreeSet<String> {
    let Ok(vector) = &ran.case.vector else {
        return BTreeSet::new();
    };
    let grant = vector.grant().grant();
    let documents = grant.documents.iter().chain(&grant.boundary);
    documents.flat_map(|one| services_of(&one.document)).collect()
}

fn services_of(document: &Document) -> Vec<String> {
    let statements = document.statements().iter();
    statements
        .flat_map(|statement| statement.actions.iter().chain(&statement.not_actions))
        .filter_map(|entry| entry.text.split_once(':'))
        .map(|(service, _)| service.to_lowercase())
        .collect()
}
