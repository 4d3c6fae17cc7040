//! What the policy found, as findings. An entry of `deny` or `warn` is a sentence, or an object with a sentence and what
//! else a finding has. What cannot be understood is an error, never a finding less.

use std::collections::BTreeMap;

use leasehold_guardrail_sdk::serde_json::Value;
use leasehold_guardrail_sdk::{Finding, Location, Patch, Report, Severity, Verdict, serde_json};
use serde::Deserialize;

use crate::engine::{Asked, Said};
use crate::{DENY, WARN};

/// What the manifest declares.
#[derive(Debug)]
pub(crate) enum Rules {
    /// One rule for `deny` and one for `warn`; what the policy calls its own becomes a property.
    BuiltIn,
    /// The policy's own, with their severities.
    Declared(BTreeMap<String, String>),
}

/// An entry, once it is an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    message: String,
    rule: Option<String>,
    severity: Option<String>,
    #[serde(default)]
    at: Places,
    remediation: Option<String>,
    docs_url: Option<String>,
    patch: Option<PatchEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Places {
    #[default]
    None,
    One(Place),
    Several(Vec<Place>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    document: u32,
    pointer: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatchEntry {
    document: u32,
    operations: Vec<Value>,
}

/// The report: `skip` before all, then any entry of `deny` refuses and any of `warn` warns.
pub(crate) fn report(found: &Asked<Said>, rules: &Rules) -> Result<Report, String> {
    match &found.skip {
        Said::Nothing | Said::Other(Value::Bool(false)) => {}
        Said::Other(Value::String(why)) => {
            return Ok(Report { verdict: Verdict::Skip(why.clone()), findings: Vec::new() });
        }
        Said::Set(_) | Said::Other(_) => return Err("`skip` is neither a reason nor false".into()),
    }
    let mut findings = entries(&found.deny, DENY, rules)?;
    let denies = findings.len();
    let verdict = match findings.first() {
        Some(first) => Verdict::Deny(match denies {
            1 => first.message.clone(),
            2 => format!("{} (and 1 more finding)", first.message),
            more => format!("{} (and {} more findings)", first.message, more.saturating_sub(1)),
        }),
        None => Verdict::Pass,
    };
    findings.extend(entries(&found.warn, WARN, rules)?);
    let verdict = match verdict {
        Verdict::Pass if !findings.is_empty() => Verdict::Warn,
        verdict => verdict,
    };
    Ok(Report { verdict, findings })
}

/// Severity by its name in the contract.
pub(crate) fn severity(name: &str) -> Option<Severity> {
    Some(match name {
        "info" => Severity::Info,
        "low" => Severity::Low,
        "medium" => Severity::Medium,
        "high" => Severity::High,
        "critical" => Severity::Critical,
        _ => return None,
    })
}

/// The findings of one set in the order of their places, since a set has none of its own; of a list in the list's.
fn entries(said: &Said, name: &str, rules: &Rules) -> Result<Vec<Finding>, String> {
    let entries = listed(said, name)?;
    let mut findings = entries
        .iter()
        .map(|entry| {
            finding(entry, name, rules)
                .map_err(|why| format!("an entry of `{name}` {why}: {entry}"))
        })
        .collect::<Result<Vec<_>, String>>()?;
    if let Said::Set(_) = said {
        findings.sort_by_cached_key(place);
    }
    Ok(findings)
}

fn listed<'a>(said: &'a Said, name: &str) -> Result<&'a [Value], String> {
    match said {
        Said::Nothing => Ok(&[]),
        Said::Set(entries) | Said::Other(Value::Array(entries)) => Ok(entries),
        Said::Other(other) => Err(format!("`{name}` is neither a set nor a list: {other}")),
    }
}

/// What findings of a set are sorted by: the main place, indices as numbers; those without one come last.
fn place(finding: &Finding) -> (bool, Option<(u32, Vec<(Option<u64>, String)>)>) {
    let steps = finding.at.first().map(|at| {
        let step = |step: &str| (step.parse().ok(), step.to_owned());
        (at.document, at.pointer.split('/').map(step).collect())
    });
    (steps.is_none(), steps)
}

/// What the policy has against its settings: pointers and messages, sorted by pointer where it is a set.
pub(crate) fn settings_issues(said: &Said) -> Result<Vec<(String, String)>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Issue {
        pointer: String,
        message: String,
    }
    let issue = |entry: &Value| {
        serde_json::from_value(entry.clone())
            .map(|Issue { pointer, message }| (pointer, message))
            .map_err(|error| format!("an entry of `settings_issues` is not understood ({error})"))
    };
    let mut issues =
        listed(said, "settings_issues")?.iter().map(issue).collect::<Result<Vec<_>, _>>()?;
    if let Said::Set(_) = said {
        issues.sort();
    }
    Ok(issues)
}

fn finding(entry: &Value, name: &str, rules: &Rules) -> Result<Finding, String> {
    let entry = match entry {
        Value::String(message) => Entry::of(message),
        Value::Object(_) => serde_json::from_value(entry.clone())
            .map_err(|error| format!("is not understood ({error})"))?,
        _ => return Err("is neither a sentence nor an object".to_owned()),
    };
    let given = match entry.severity.as_deref() {
        Some(name) => {
            Some(severity(name).ok_or_else(|| format!("has the unknown severity `{name}`"))?)
        }
        None => None,
    };
    let (rule, own_severity) = match rules {
        Rules::BuiltIn => (name, if name == DENY { Severity::High } else { Severity::Medium }),
        Rules::Declared(declared) => {
            let (id, name) = declared_rule(declared, entry.rule.as_deref())?;
            (id, severity(name).unwrap_or(Severity::High))
        }
    };
    let mut finding = Finding::new(rule, given.unwrap_or(own_severity), entry.message);
    finding.at = entry.at.locations();
    finding.remediation = entry.remediation;
    finding.docs_url = entry.docs_url;
    finding.patch = entry.patch.map(|patch| Patch {
        document: patch.document,
        operations: Value::Array(patch.operations).to_string(),
    });
    if let (Rules::BuiltIn, Some(own)) = (rules, &entry.rule) {
        finding = finding.extra("rule", own.clone());
    }
    Ok(finding)
}

/// The rule that an entry names; where only one is declared, it need not.
fn declared_rule<'a>(
    declared: &'a BTreeMap<String, String>,
    named: Option<&str>,
) -> Result<(&'a str, &'a str), String> {
    let found = match named {
        Some(name) => declared.get_key_value(name),
        None if declared.len() == 1 => declared.iter().next(),
        None => return Err("names no rule, and several are declared".to_owned()),
    };
    let (id, severity) = found.ok_or_else(|| {
        format!("names the rule `{}`, which is not declared", named.unwrap_or(""))
    })?;
    Ok((id, severity))
}

impl Entry {
    fn of(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            rule: None,
            severity: None,
            at: Places::None,
            remediation: None,
            docs_url: None,
            patch: None,
        }
    }
}

impl Places {
    fn locations(self) -> Vec<Location> {
        let places = match self {
            Self::None => Vec::new(),
            Self::One(one) => vec![one],
            Self::Several(several) => several,
        };
        places
            .into_iter()
            .map(|Place { document, pointer }| Location { document, pointer })
            .collect()
    }
}
