//! A guardrail's rules as one table: what the manifest declares and what findings carry come from the same line.
//! It never says whether a rule is broken. Severities of a binding come on top, in the host.
//! [`crate::Manifest::with_rules`] declares the table, [`KnownRule::finding`] makes a finding of one of its rules.

use crate::{Finding, Manifest, Rule, Severity};

/// A rule of a guardrail.
#[derive(Debug, Clone, Copy)]
pub struct KnownRule {
    /// `[a-z0-9][a-z0-9-]{0,63}`, the same over versions.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// The severity that it has unless a finding or a binding says otherwise.
    pub severity: Severity,
    /// The page that explains it.
    pub docs_url: &'static str,
}

impl KnownRule {
    /// As the manifest declares it.
    pub fn declared(&self) -> Rule {
        Rule {
            docs_url: Some(self.docs_url.to_owned()),
            ..Rule::new(self.id, self.title, self.severity)
        }
    }

    /// A finding of this rule, without a place yet.
    pub fn finding(&self, message: impl Into<String>) -> Finding {
        self.finding_as(self.severity, message)
    }

    /// The same with a severity of its own.
    pub fn finding_as(&self, severity: Severity, message: impl Into<String>) -> Finding {
        Finding {
            docs_url: Some(self.docs_url.to_owned()),
            ..Finding::new(self.id, severity, message)
        }
    }
}

impl Manifest {
    /// Declares rules.
    #[must_use]
    pub fn with_rules(self, rules: &[KnownRule]) -> Self {
        rules.iter().fold(self, |manifest, rule| manifest.with_rule(rule.declared()))
    }
}

/// Worst first; within a severity as found.
#[must_use]
pub fn worst_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: KnownRule = KnownRule {
        id: "r",
        title: "R",
        severity: Severity::High,
        docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
    };

    #[test]
    fn a_finding_carries_what_the_manifest_declares() {
        let manifest = Manifest::new("a", "1.0.0", "b").with_rules(&[RULE]);
        let finding = RULE.finding("c");
        assert_eq!(manifest.rules[0].id, finding.rule);
        assert_eq!(manifest.rules[0].severity, finding.severity);
        assert_eq!(manifest.rules[0].docs_url, finding.docs_url);
    }

    #[test]
    fn the_worst_come_first_and_equals_stay() {
        let low = RULE.finding_as(Severity::Low, "low");
        let sorted = worst_first(vec![low.clone(), RULE.finding("a"), RULE.finding("b"), low]);
        let texts: Vec<_> = sorted.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(texts, ["a", "b", "low", "low"]);
    }
}
