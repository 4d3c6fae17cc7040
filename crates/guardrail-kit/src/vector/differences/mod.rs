//! What an evaluation did otherwise than a vector says. Compares; judges nothing and knows no file. The expected side is
//! in `expect`.

use std::fmt;

use guardrail_host::{Evaluation, Finding, Location, Plugin, Report};

use super::Vector;
use crate::vector::cure::{Cure, cure};
use crate::vector::expect::{
    Expect, ExpectedFinding, ExpectedPatch, ExpectedVerdict, line, severity_word,
};

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Which part.
    pub(crate) what: &'static str,
    /// What the vector says.
    pub(crate) expected: String,
    /// What came.
    pub(crate) actual: String,
    /// Where that is, if it is about places.
    pub(crate) at: Vec<Location>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, expected, actual, at: _ } = self;
        write!(f, "{what}: expected {expected}, got {actual}")
    }
}

/// All differences but those of patches.
pub(super) fn all(expect: &Expect, evaluation: &Evaluation) -> Vec<Difference> {
    let mut found = verdict(expect, evaluation);
    if let Ok(report) = &evaluation.result
        && let Some(expected) = &expect.findings
    {
        found.extend(findings(expected, report));
    }
    found.extend(fuel(expect.fuel_max, evaluation));
    found
}

/// More fuel than the budget has.
pub(super) fn fuel(fuel_max: Option<u64>, evaluation: &Evaluation) -> Option<Difference> {
    let allowed = fuel_max.filter(|allowed| evaluation.fuel_used > *allowed)?;
    Some(Difference {
        what: "fuel",
        expected: format!("at most {allowed}"),
        actual: evaluation.fuel_used.to_string(),
        at: Vec::new(),
    })
}

fn verdict(expect: &Expect, evaluation: &Evaluation) -> Vec<Difference> {
    let seen = ExpectedVerdict::seen(evaluation);
    let fits = match expect.verdict {
        ExpectedVerdict::Any => evaluation.result.is_ok(),
        ExpectedVerdict::Pass
        | ExpectedVerdict::Warn
        | ExpectedVerdict::Deny
        | ExpectedVerdict::Skip
        | ExpectedVerdict::Failure(_) => expect.verdict == seen,
    };
    if !fits {
        return vec![Difference {
            what: "verdict",
            expected: expect.verdict.as_str().to_owned(),
            actual: verdict_line(evaluation),
            at: Vec::new(),
        }];
    }
    let said = evaluation.result.as_ref().ok().and_then(|report| line(&report.verdict));
    match &expect.message {
        Some(expected) if said.as_ref() != Some(expected) => vec![Difference {
            what: "message",
            expected: expected.clone(),
            actual: said.unwrap_or_else(|| "none".into()),
            at: Vec::new(),
        }],
        Some(_) | None => Vec::new(),
    }
}

/// The verdict with its line, or the failure with its code.
pub(crate) fn verdict_line(evaluation: &Evaluation) -> String {
    match &evaluation.result {
        Ok(report) => {
            let word = ExpectedVerdict::seen(evaluation);
            match line(&report.verdict) {
                Some(line) => format!("{}: {line}", word.as_str()),
                None => word.as_str().to_owned(),
            }
        }
        Err(failure) => format!("{}: {failure}", failure.code()),
    }
}

/// A finding on one line: severity, rule, place.
pub(crate) fn finding_line(finding: &ExpectedFinding) -> String {
    let severity = severity_word(finding.severity);
    match (finding.document, &finding.pointer) {
        (Some(document), Some(pointer)) if !pointer.is_empty() => {
            format!("{severity} {} at document {document} `{pointer}`", finding.rule)
        }
        (Some(document), _) => format!("{severity} {} at document {document}", finding.rule),
        (None, _) => format!("{severity} {} of the whole role", finding.rule),
    }
}

fn findings(expected: &[ExpectedFinding], report: &Report) -> Vec<Difference> {
    let mut missing: Vec<&ExpectedFinding> = Vec::new();
    let mut left: Vec<&Finding> = report.findings.iter().collect();
    let mut found = Vec::new();
    for one in expected {
        let same = |actual: &&Finding| {
            let seen = ExpectedFinding::seen(actual);
            one.is_at(&seen) && one.severity == seen.severity
        };
        match left.iter().position(same) {
            Some(index) => found.extend(message(one, left.remove(index))),
            None => missing.push(one),
        }
    }
    // Another severity or another place of the same rule is one difference, not two.
    for one in missing {
        let actual = left.iter().position(|actual| actual.rule == one.rule);
        let actual = actual.map(|index| left.remove(index));
        found.push(Difference {
            what: "finding",
            expected: finding_line(one),
            actual: actual.map_or_else(
                || "none of this rule".into(),
                |actual| finding_line(&ExpectedFinding::seen(actual)),
            ),
            at: actual.map(|actual| actual.at.clone()).unwrap_or_default(),
        });
    }
    found.extend(left.into_iter().map(|actual| Difference {
        what: "finding",
        expected: "none here".into(),
        actual: format!("{}: {}", finding_line(&ExpectedFinding::seen(actual)), actual.message),
        at: actual.at.clone(),
    }));
    if found.is_empty() { order(expected, report) } else { found }
}

fn message(expected: &ExpectedFinding, actual: &Finding) -> Option<Difference> {
    let said = expected.message.as_ref().filter(|said| **said != actual.message)?;
    Some(Difference {
        what: "message",
        expected: said.clone(),
        actual: actual.message.clone(),
        at: actual.at.clone(),
    })
}

fn order(expected: &[ExpectedFinding], report: &Report) -> Vec<Difference> {
    let seen: Vec<ExpectedFinding> = report.findings.iter().map(ExpectedFinding::seen).collect();
    if expected.iter().zip(&seen).all(|(one, other)| one.is_at(other)) {
        return Vec::new();
    }
    let listed = |list: &[ExpectedFinding]| {
        list.iter().map(finding_line).collect::<Vec<_>>().join(", then ")
    };
    vec![Difference {
        what: "order",
        expected: listed(expected),
        actual: listed(&seen),
        at: Vec::new(),
    }]
}

/// Patches that do not apply or do not cure, and those that were expected and are not there; and how many cured.
/// `None` when `goes_on`, which is asked before each patch that is tried, said no.
pub(super) fn patches(
    vector: &Vector,
    plugin: &Plugin,
    evaluation: &Evaluation,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<(Vec<Difference>, usize)> {
    let Ok(report) = &evaluation.result else {
        return Some((Vec::new(), 0));
    };
    let expected = vector.expect.findings.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    let mut cured: usize = 0;
    for finding in &report.findings {
        let seen = ExpectedFinding::seen(finding);
        let wanted =
            expected.iter().any(|one| one.is_at(&seen) && one.patch == Some(ExpectedPatch::Cures));
        if finding.patch.is_some() && !goes_on() {
            return None;
        }
        let actual = match cure(vector.grant(), vector.settings(), plugin, report, finding) {
            None if wanted => "no patch".to_owned(),
            None => continue,
            Some(Cure::Cured) => {
                cured = cured.saturating_add(1);
                continue;
            }
            Some(Cure::NotCured(why)) => why,
        };
        found.push(Difference {
            what: "patch",
            expected: format!("one that cures {}", finding_line(&seen)),
            actual,
            at: finding.at.clone(),
        });
    }
    Some((found, cured))
}

#[cfg(test)]
mod tests;
