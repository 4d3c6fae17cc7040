//! Makes the contract's records without naming every field: manifests, rules, findings, and a report from findings.
//! The rule from findings to verdict is [`report`]; a guardrail that wants another makes its [`Report`] itself.

use crate::{Finding, Location, Manifest, Property, Report, Rule, Severity, Verdict};

impl Manifest {
    /// A manifest with the fields that every guardrail has.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            authors: Vec::new(),
            license: None,
            docs_url: None,
            source_url: None,
            rules: Vec::new(),
            triggers: Vec::new(),
            extras: Vec::new(),
        }
    }

    /// Declares a rule. The host refuses findings of rules that are not declared.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

impl Rule {
    /// A rule: its id is `[a-z0-9][a-z0-9-]{0,63}` and stays the same over versions.
    pub fn new(id: &str, title: &str, severity: Severity) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            severity,
            docs_url: None,
            tags: Vec::new(),
        }
    }
}

impl Finding {
    /// A finding without a place: about the role as a whole.
    pub fn new(rule: &str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            severity,
            message: message.into(),
            at: Vec::new(),
            remediation: None,
            docs_url: None,
            patch: None,
            extras: Vec::new(),
        }
    }

    /// Adds a place; the first one is the main one.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.at.push(location);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn remediation(mut self, text: impl Into<String>) -> Self {
        self.remediation = Some(text.into());
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn extra(mut self, name: &str, value: impl Into<String>) -> Self {
        self.extras.push(Property { name: name.to_owned(), value: value.into() });
        self
    }
}

/// A report whose verdict follows from the findings: none passes, `high` or worse denies, the rest warns.
pub fn report(findings: Vec<Finding>) -> Report {
    let denying = || findings.iter().filter(|finding| is_severe(finding.severity));
    let verdict = match (findings.is_empty(), denying().next()) {
        (true, _) => Verdict::Pass,
        (false, None) => Verdict::Warn,
        (false, Some(first)) => Verdict::Deny(match denying().count() - 1 {
            0 => first.message.clone(),
            1 => format!("{} (and 1 more finding)", first.message),
            more => format!("{} (and {more} more findings)", first.message),
        }),
    };
    Report { verdict, findings }
}

fn is_severe(severity: Severity) -> bool {
    match severity {
        Severity::Info | Severity::Low | Severity::Medium => false,
        Severity::High | Severity::Critical => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, message: &str) -> Finding {
        Finding::new("r", severity, message)
    }

    #[test]
    fn the_verdict_follows_the_worst_finding() {
        assert_eq!(report(vec![]).verdict, Verdict::Pass);
        assert_eq!(report(vec![finding(Severity::Medium, "a")]).verdict, Verdict::Warn);
        assert_eq!(
            report(vec![finding(Severity::Low, "a"), finding(Severity::High, "b")]).verdict,
            Verdict::Deny("b".to_owned())
        );
        assert_eq!(
            report(vec![finding(Severity::High, "a"), finding(Severity::Critical, "b")]).verdict,
            Verdict::Deny("a (and 1 more finding)".to_owned())
        );
    }
}
