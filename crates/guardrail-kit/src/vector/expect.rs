//! What must come of a vector: the verdict, its line, the findings, the fuel. Plain data with its JSON form; nothing is
//! compared here, that is in `differences`.

use guardrail_host::{Evaluation, Finding, Severity, Verdict};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What must come of a vector. What is left out is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The verdict.
    pub verdict: ExpectedVerdict,
    /// The line of a `deny`, or the reason of a `skip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// All findings, in the guardrail's own order; none = whatever it finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<ExpectedFinding>>,
    /// Units of fuel that the evaluation may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel_max: Option<u64>,
}

/// A verdict in a vector. Written as `any`, `pass`, `warn`, `deny`, `skip`, or as the code of a failure such as
/// `failure/unsupported`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVerdict {
    /// Any verdict, but no failure.
    Any,
    /// Nothing against it.
    Pass,
    /// Something to read.
    Warn,
    /// Refused.
    Deny,
    /// Does not apply.
    Skip,
    /// No verdict: the code of the failure.
    Failure(String),
}

/// A finding in a vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFinding {
    /// Its rule.
    pub rule: String,
    /// How bad.
    #[serde(serialize_with = "write_severity", deserialize_with = "read_severity")]
    pub severity: Severity,
    /// Index of the document of the main place; none = the role as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<usize>,
    /// RFC 6901 pointer of the main place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Its sentence, to the letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What its patch must do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<ExpectedPatch>,
}

/// What a patch must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedPatch {
    /// There is one, it applies, and the finding is gone afterwards.
    Cures,
}

/// The codes of [`guardrail_host::Failure::code`] that a vector may expect: all that one input can bring about.
const FAILURE_CODES: [&str; 11] = [
    "trap",
    "limit/fuel",
    "limit/time",
    "limit/memory",
    "limit/stack",
    "limit/output",
    "limit/host-calls",
    "output",
    "failure/settings",
    "failure/unsupported",
    "failure/internal",
];

impl ExpectedVerdict {
    /// As it is written in a vector.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => "any",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Skip => "skip",
            Self::Failure(code) => code,
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "any" => Self::Any,
            "pass" => Self::Pass,
            "warn" => Self::Warn,
            "deny" => Self::Deny,
            "skip" => Self::Skip,
            code if FAILURE_CODES.contains(&code) => Self::Failure(code.to_owned()),
            _ => return None,
        })
    }

    /// What an evaluation ended with.
    pub(crate) fn seen(evaluation: &Evaluation) -> Self {
        match &evaluation.result {
            Ok(report) => match report.verdict {
                Verdict::Pass => Self::Pass,
                Verdict::Warn => Self::Warn,
                Verdict::Deny(_) => Self::Deny,
                Verdict::Skip(_) => Self::Skip,
            },
            Err(failure) => Self::Failure(failure.code().to_owned()),
        }
    }
}

impl Serialize for ExpectedVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ExpectedVerdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| {
            de::Error::custom(format!(
                "there is no verdict `{word}`; there are any, pass, warn, deny, skip, {}",
                FAILURE_CODES.join(", ")
            ))
        })
    }
}

impl Expect {
    /// What an evaluation gave, in as much detail as `self` has.
    pub(crate) fn updated(&self, evaluation: &Evaluation) -> Self {
        let report = evaluation.result.as_ref().ok();
        let found = report.map(|report| report.findings.as_slice()).unwrap_or_default();
        let before = self.findings.as_deref();
        Self {
            verdict: if self.verdict == ExpectedVerdict::Any && report.is_some() {
                ExpectedVerdict::Any
            } else {
                ExpectedVerdict::seen(evaluation)
            },
            message: self.message.as_ref().and(report).and_then(|report| line(&report.verdict)),
            findings: before.map(|before| {
                found.iter().map(|finding| ExpectedFinding::updated(before, finding)).collect()
            }),
            fuel_max: self.fuel_max,
        }
    }
}

impl ExpectedFinding {
    /// A finding as a vector has it, without its sentence.
    pub(crate) fn seen(finding: &Finding) -> Self {
        let main = finding.at.first();
        Self {
            rule: finding.rule.clone(),
            severity: finding.severity,
            document: main.map(|at| at.document),
            pointer: main.map(|at| at.pointer.clone()),
            message: None,
            patch: None,
        }
    }

    fn updated(before: &[Self], finding: &Finding) -> Self {
        let seen = Self::seen(finding);
        let old = before.iter().find(|old| old.is_at(&seen));
        Self {
            message: old.and_then(|old| old.message.as_ref()).map(|_| finding.message.clone()),
            patch: old.and_then(|old| old.patch),
            ..seen
        }
    }

    /// Of the same rule at the same place.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        (&self.rule, self.document, &self.pointer) == (&other.rule, other.document, &other.pointer)
    }
}

/// The line that a verdict carries.
pub(crate) fn line(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Pass | Verdict::Warn => None,
        Verdict::Deny(line) | Verdict::Skip(line) => Some(line.clone()),
    }
}

/// The word of a severity.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn write_severity<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity_word(*severity))
}

fn read_severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
    let word = String::deserialize(deserializer)?;
    [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity_word(*severity) == word)
        .ok_or_else(|| {
            de::Error::custom(format!(
                "there is no severity `{word}`; there are info, low, medium, high, critical"
            ))
        })
}

#[cfg(test)]
mod tests {
    use guardrail_host::{Location, Report};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_keeps_what_the_author_wanted_to_look_at() {
        let before: Expect = serde_json::from_value(json!({
            "verdict": "pass", "message": "old", "fuel_max": 7,
            "findings": [
                {"rule": "a", "severity": "low", "document": 0, "pointer": "/0", "message": "old", "patch": "cures"},
            ],
        }))
        .unwrap();
        let finding = |pointer: &str| Finding {
            rule: "a".into(),
            severity: Severity::High,
            message: "new".into(),
            at: vec![Location { document: 0, pointer: pointer.into() }],
            remediation: None,
            docs_url: None,
            patch: None,
            extras: Vec::new(),
        };
        let report = Report {
            verdict: Verdict::Deny("no".into()),
            findings: vec![finding("/0"), finding("/1")],
        };
        let evaluation = Evaluation {
            result: Ok(report),
            fuel_used: 9,
            memory_bytes: 0,
            log: Vec::new(),
            log_dropped: 0,
            host_calls: 0,
        };
        let after = before.updated(&evaluation);
        assert_eq!(
            serde_json::to_value(&after).unwrap(),
            json!({
                "verdict": "deny", "message": "no", "fuel_max": 7,
                "findings": [
                    {"rule": "a", "severity": "high", "document": 0, "pointer": "/0", "message": "new", "patch": "cures"},
                    {"rule": "a", "severity": "high", "document": 0, "pointer": "/1"},
                ],
            })
        );
    }
}
