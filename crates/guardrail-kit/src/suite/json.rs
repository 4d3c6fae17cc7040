//! A run of vectors as JSON: one object, for scripts. Times vary from run to run; everything else does not.

use serde::Serialize;

use super::{Ran, Run};

#[derive(Serialize)]
struct RunForm<'a> {
    plugin: &'a str,
    digest: &'a str,
    passed: usize,
    failed: usize,
    cases: Vec<CaseForm<'a>>,
    rules: Vec<RuleForm<'a>>,
}

#[derive(Serialize)]
struct CaseForm<'a> {
    name: &'a str,
    file: &'a str,
    passed: bool,
    verdict: Option<String>,
    fuel: Option<u64>,
    memory_bytes: Option<usize>,
    microseconds: u128,
    differences: Vec<DifferenceForm>,
}

#[derive(Serialize)]
struct DifferenceForm {
    what: &'static str,
    expected: String,
    actual: String,
}

#[derive(Serialize)]
struct RuleForm<'a> {
    rule: &'a str,
    found: usize,
    let_pass: usize,
}

impl Run {
    /// The run as one JSON object.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        let rules = self.coverage.rules.iter().map(|rule| RuleForm {
            rule: &rule.rule,
            found: rule.found,
            let_pass: rule.let_pass,
        });
        let failed = self.failed();
        serde_json::to_string_pretty(&RunForm {
            plugin: &self.plugin,
            digest: &self.digest,
            passed: self.ran.len().saturating_sub(failed),
            failed,
            cases: self.ran.iter().map(Ran::form).collect(),
            rules: rules.collect(),
        })
    }
}

impl Ran {
    fn form(&self) -> CaseForm<'_> {
        let evaluation = self.outcome.as_ref().map(|outcome| &outcome.evaluation);
        let differences = self.differences().into_iter().map(|one| DifferenceForm {
            what: one.what,
            expected: one.expected,
            actual: one.actual,
        });
        CaseForm {
            name: &self.case.name,
            file: &self.case.file,
            passed: self.passed(),
            verdict: evaluation.map(crate::vector::verdict_line),
            fuel: evaluation.map(|evaluation| evaluation.fuel_used),
            memory_bytes: evaluation.map(|evaluation| evaluation.memory_bytes),
            microseconds: self.elapsed.as_micros(),
            differences: differences.collect(),
        }
    }
}
