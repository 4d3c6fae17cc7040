//! What a guest answered, once it was found to make sense: declared rules, places that exist, bounded texts.
//! A report that points to nowhere or names an undeclared rule is a failure, never half a report.
//! [`crate::evaluate`] calls [`Report::accept`]; what an answer then means is for whoever bound the plugin.

use serde::Serialize;

use crate::bindings::types;
use crate::failure::Failure;
use crate::grant::{Grant, Property};
use crate::limits::Limits;
use crate::manifest::Manifest;

/// Rule id of the host's own finding that says that some were cut.
pub const OUTPUT_CUT: &str = "output-cut";

/// How bad, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a look.
    Low,
    /// Should change.
    Medium,
    /// Must change.
    High,
    /// Gives away the account.
    Critical,
}

/// What a guest thinks of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "verdict", content = "reason")]
pub enum Verdict {
    /// Nothing against it.
    Pass,
    /// Something to read, nothing to stop.
    Warn,
    /// Refuse, with the one line that the caller is shown.
    Deny(String),
    /// Does not apply here, and why.
    Skip(String),
}

/// A place in one of the documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// Index into the grant's documents.
    pub document: usize,
    /// RFC 6901 pointer into its canonical text; empty = the whole document.
    pub pointer: String,
}

/// A change that would settle a finding. Not checked: applying it is checked like any new document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// Index into the grant's documents.
    pub document: usize,
    /// RFC 6902 operations.
    pub operations: String,
}

/// One thing that a guest found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Declared in the manifest, or [`OUTPUT_CUT`].
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// One sentence, one line.
    pub message: String,
    /// Where, the main place first; none = the role as a whole. Every place exists.
    pub at: Vec<Location>,
    /// What to do about it.
    pub remediation: Option<String>,
    /// Where to read more.
    pub docs_url: Option<String>,
    /// What would settle it.
    pub patch: Option<Patch>,
    /// What later versions of the contract add.
    pub extras: Vec<Property>,
}

/// What a guest answered.
// INVARIANT: made by [`Report::accept`] only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What it thinks of the grant as a whole.
    pub verdict: Verdict,
    /// What it found, in its own order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Checks and cuts what a guest answered.
    pub(crate) fn accept(
        answer: types::Report,
        manifest: &Manifest,
        grant: &Grant,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let total = answer.findings.len();
        let mut findings = answer
            .findings
            .into_iter()
            .take(limits.findings)
            .map(|finding| Finding::accept(finding, manifest, grant, limits))
            .collect::<Result<Vec<_>, Failure>>()?;
        if total > limits.findings {
            findings.push(output_cut(total, limits.findings));
        }
        Ok(Self { verdict: Verdict::accept(answer.verdict, limits), findings })
    }
}

impl Verdict {
    fn accept(verdict: types::Verdict, limits: &Limits) -> Self {
        match verdict {
            types::Verdict::Pass => Self::Pass,
            types::Verdict::Warn => Self::Warn,
            types::Verdict::Deny(line) => Self::Deny(one_line(&line, limits.message_bytes)),
            types::Verdict::Skip(why) => Self::Skip(one_line(&why, limits.message_bytes)),
        }
    }
}

impl Finding {
    fn accept(
        finding: types::Finding,
        manifest: &Manifest,
        grant: &Grant,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        if manifest.rule(&finding.rule).is_none() {
            return Err(Failure::Output(format!(
                "it reports the rule `{}`, which it does not declare",
                one_line(&finding.rule, 64)
            )));
        }
        let cut = |text: &str| one_line(text, limits.message_bytes);
        let at = finding
            .at
            .into_iter()
            .take(limits.locations)
            .map(|location| Location::accept(location, grant))
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self {
            rule: finding.rule,
            severity: finding.severity.into(),
            message: cut(&finding.message),
            at,
            remediation: finding.remediation.as_deref().map(cut),
            docs_url: finding.docs_url.as_deref().map(cut),
            patch: match finding.patch {
                Some(patch) if patch.operations.len() <= limits.patch_bytes => {
                    Some(Patch::accept(patch, grant)?)
                }
                Some(_) | None => None,
            },
            extras: finding
                .extras
                .into_iter()
                .take(limits.locations)
                .map(|extra| Property { name: cut(&extra.name), value: cut(&extra.value) })
                .collect(),
        })
    }
}

impl Location {
    fn accept(location: types::Location, grant: &Grant) -> Result<Self, Failure> {
        let document = document_index(location.document, grant)?;
        let exists = grant
            .documents
            .get(document)
            .is_some_and(|at| at.document.json().at(&location.pointer).is_some());
        if !exists {
            return Err(Failure::Output(format!(
                "it points to `{}` in document {document}, where there is nothing",
                one_line(&location.pointer, 256)
            )));
        }
        Ok(Self { document, pointer: location.pointer })
    }
}

impl Patch {
    fn accept(patch: types::Patch, grant: &Grant) -> Result<Self, Failure> {
        let document = document_index(patch.document, grant)?;
        Ok(Self { document, operations: patch.operations })
    }
}

fn document_index(index: u32, grant: &Grant) -> Result<usize, Failure> {
    let count = grant.documents.len();
    usize::try_from(index).ok().filter(|index| *index < count).ok_or_else(|| {
        Failure::Output(format!("it points into document {index}, but there are {count}"))
    })
}

fn output_cut(total: usize, kept: usize) -> Finding {
    Finding {
        rule: OUTPUT_CUT.into(),
        severity: Severity::Info,
        message: format!("the guardrail reported {total} findings, of which {kept} are kept"),
        at: Vec::new(),
        remediation: None,
        docs_url: None,
        patch: None,
        extras: Vec::new(),
    }
}

/// One line of at most `max_bytes`: control characters become spaces, so that a guest's text cannot forge a
/// line in a log or a terminal.
pub(crate) fn one_line(text: &str, max_bytes: usize) -> String {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let (kept, cut) = text.split_at_checked(end).unwrap_or((text, ""));
    // Most texts are plain English.
    let mut line = if kept.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        kept.to_owned()
    } else {
        let printable = |character| if unprintable(character) { ' ' } else { character };
        kept.chars().map(printable).collect()
    };
    if !cut.is_empty() {
        line.push('…');
    }
    line
}

/// Control characters, and those that turn the direction of writing or cannot be seen.
fn unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl From<types::Severity> for Severity {
    fn from(severity: types::Severity) -> Self {
        match severity {
            types::Severity::Info => Self::Info,
            types::Severity::Low => Self::Low,
            types::Severity::Medium => Self::Medium,
            types::Severity::High => Self::High,
            types::Severity::Critical => Self::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_and_is_cut_between_characters() {
        assert_eq!(one_line("a\nb\u{1b}[31mc", 100), "a b [31mc");
        assert_eq!(one_line("äöü", 3), "ä…");
        assert_eq!(one_line("plain", 5), "plain");
        assert_eq!(one_line("a\u{202e}b", 10), "a b");
    }

    #[test]
    fn severities_rise() {
        assert!(Severity::Info < Severity::Low && Severity::High < Severity::Critical);
    }
}
