//! A vector: one grant, the settings to judge it with, and what must come of it, in a JSON file that people write.
//! It never decides whether a guardrail is good, only whether it says what the file says. The form of the file is in
//! `form`, the comparison in `differences`, the proof of patches in `cure` and `patch`.

mod cure;
mod differences;
mod expect;
mod form;
mod patch;

use std::ops::Range;

use guardrail_host::{Evaluation, Location, Plugin, PreparedGrant};

pub use expect::{Expect, ExpectedFinding, ExpectedPatch, ExpectedVerdict};

pub(crate) use cure::{Cure, cure};
pub(crate) use differences::{Difference, verdict_line};
pub(crate) use expect::severity_word;
pub(crate) use form::{NOW_UNIX_MS, RoleForm, TriggerForm};

use crate::settings;

/// Why a file is not a vector.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// Text is expected.
    #[error("the vector is not UTF-8 text")]
    NotText,
    /// Not JSON, or not of the vector's form.
    #[error("the vector cannot be read: {0}\nhelp: its members are in plugins/README.md#vectors")]
    Form(#[from] serde_json::Error),
    /// A document in it is not an IAM policy.
    #[error("`{member}` is not a policy document: {problems}")]
    Document {
        /// Which member, as a path such as `grant.documents[0]`.
        member: String,
        /// What is wrong, with lines counted from the document's own first.
        problems: String,
    },
}

/// A grant, settings, and what must come of them.
#[derive(Debug, Clone)]
pub struct Vector {
    about: String,
    settings: String,
    grant: PreparedGrant,
    expect: Expect,
    /// Where each document stands in the file, in bytes.
    documents: Vec<Range<usize>>,
    expect_at: Range<usize>,
}

/// What came of running a vector.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Everything was as the vector says.
    pub passed: bool,
    /// What was not, a line each.
    pub differences: Vec<String>,
    /// What the guardrail answered, and what it used.
    pub evaluation: Evaluation,
    /// The same as `differences`, in parts.
    pub(crate) details: Vec<Difference>,
    /// Patches that were tried and cured their finding.
    pub(crate) cured: usize,
}

impl Outcome {
    /// Counts fuel over a budget that is not the vector's own as a difference.
    pub(crate) fn hold_to(&mut self, fuel_max: Option<u64>) {
        if let Some(difference) = differences::fuel(fuel_max, &self.evaluation) {
            self.passed = false;
            self.differences.push(difference.to_string());
            self.details.push(difference);
        }
    }
}

impl Vector {
    /// Reads the text of a file. The documents in it must be policies that the host would take.
    pub fn read(bytes: &[u8]) -> Result<Self, VectorError> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(VectorError::NotText);
        };
        form::read(text)
    }

    /// What it shows, in a sentence; may be empty.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The settings as JSON text; empty = none.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// What is judged.
    pub fn grant(&self) -> &PreparedGrant {
        &self.grant
    }

    /// What must come of it.
    pub fn expect(&self) -> &Expect {
        &self.expect
    }

    /// Judges the grant and compares. Patches that the guardrail offers are tried, expected or not.
    pub fn run(&self, plugin: &Plugin) -> Outcome {
        let evaluation = plugin.evaluate_blocking(&self.grant, &self.settings);
        self.outcome(plugin, evaluation)
    }

    /// The same, as long as `goes_on` says so before each patch; `None` when it did not.
    pub(crate) fn run_while(
        &self,
        plugin: &Plugin,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Option<Outcome> {
        let evaluation = plugin.evaluate_blocking(&self.grant, &self.settings);
        let patches = differences::patches(self, plugin, &evaluation, goes_on)?;
        Some(self.outcome_with(plugin, evaluation, patches))
    }

    /// Compares an evaluation of this vector's grant.
    pub(crate) fn outcome(&self, plugin: &Plugin, evaluation: Evaluation) -> Outcome {
        // It always goes on.
        let patches = differences::patches(self, plugin, &evaluation, &mut || true);
        self.outcome_with(plugin, evaluation, patches.unwrap_or_default())
    }

    fn outcome_with(
        &self,
        plugin: &Plugin,
        evaluation: Evaluation,
        (wrong, cured): (Vec<Difference>, usize),
    ) -> Outcome {
        let mut details = self.settings_refused(plugin);
        details.extend(differences::all(&self.expect, &evaluation));
        details.extend(wrong);
        Outcome {
            passed: details.is_empty(),
            differences: details.iter().map(ToString::to_string).collect(),
            evaluation,
            details,
            cured,
        }
    }

    /// Where a place stands in the file, in bytes.
    pub(crate) fn place(&self, location: &Location) -> Option<Range<usize>> {
        let text = self.grant.grant().documents.get(location.document)?.document.json();
        let start = self.documents.get(location.document)?.start;
        let value = text.at(&location.pointer)?;
        let from = start.saturating_add(value.position().offset);
        Some(from..from.saturating_add(value.raw().len()))
    }

    /// The file's text with another expectation in it; everything else stays as it was written.
    pub(crate) fn with_expectation(&self, file: &str, expect: &Expect) -> Option<String> {
        let before = file.get(..self.expect_at.start)?;
        let after = file.get(self.expect_at.end..)?;
        let line = before.rsplit('\n').next().unwrap_or(before);
        let indent: String = line.chars().take_while(|character| *character == ' ').collect();
        let pretty = serde_json::to_string_pretty(expect).ok()?;
        Some(format!("{before}{}{after}", pretty.replace('\n', &format!("\n{indent}"))))
    }

    /// Settings that the server would not even store, unless the vector is about that.
    fn settings_refused(&self, plugin: &Plugin) -> Vec<Difference> {
        if self.expect.verdict == ExpectedVerdict::Failure("failure/settings".into()) {
            return Vec::new();
        }
        match settings::refused(plugin, &self.settings) {
            Ok(issues) => issues
                .into_iter()
                .map(|issue| Difference {
                    what: "settings",
                    expected: "accepted".into(),
                    actual: format!("refused: `{}` {}", issue.pointer, issue.message),
                    at: Vec::new(),
                })
                .collect(),
            Err(failure) => vec![Difference {
                what: "settings",
                expected: "accepted".into(),
                actual: format!("{}: {failure}", failure.code()),
                at: Vec::new(),
            }],
        }
    }
}

#[cfg(test)]
mod tests;
