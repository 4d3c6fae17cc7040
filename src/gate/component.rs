//! A plugin bound to its settings: when it is asked, and what its report comes to under the severities, the switched off
//! rules and the threshold of its guardrail. It never turns a failure into a pass: that is decided in `guardrail`.

use async_trait::async_trait;
use guardrail_host::report::Finding as Found;
use guardrail_host::{Failure, Plugin, Report, Severity as HostSeverity, Verdict};

use super::guardrail::{Guardrail, Trouble, role_finding};
use super::seen::Sees;
use super::subject::Subject;
use crate::model::{Binding, Finding, Severity};

/// Findings from here on carry a plugin's denial.
const OF_WEIGHT: Severity = Severity::High;

/// A component with its settings.
#[derive(Debug)]
pub(super) struct Component {
    name: String,
    plugin: Plugin,
    binding: Binding,
}

impl Component {
    /// Under the name of its guardrail. That the settings fit was checked in `binding`.
    pub(super) const fn new(name: String, plugin: Plugin, binding: Binding) -> Self {
        Self { name, plugin, binding }
    }

    fn wants(&self, subject: &Subject) -> bool {
        let triggers = &self.plugin.manifest().triggers;
        triggers.is_empty() || triggers.contains(&subject.trigger.into())
    }

    /// What a report comes to.
    pub(super) fn findings(&self, report: Report, subject: &Subject) -> Vec<Finding> {
        let name = &self.name;
        let refusal = match report.verdict {
            Verdict::Deny(line) => Some(line),
            Verdict::Pass | Verdict::Warn => None,
            Verdict::Skip(why) => {
                tracing::debug!(guardrail.name = name, why, "guardrail `{name}` does not apply");
                None
            }
        };
        let found_nothing = report.findings.is_empty();
        let counted: Vec<(Weight, Found)> = report
            .findings
            .into_iter()
            .filter(|found| !self.binding.rules_off.contains(&found.rule))
            .map(|found| (self.weight(&found), found))
            .collect();
        let of_weight = counted.iter().any(|(weight, _)| weight.carries_alone());
        let refuses = refusal.is_some();
        let mut findings: Vec<Finding> = counted
            .into_iter()
            .map(|(weight, found)| {
                let denies = match self.binding.deny_at {
                    Some(threshold) => weight.severity >= threshold,
                    None => refuses && weight.carries(of_weight),
                };
                Finding { denies, ..placed(name, weight.severity, found, subject) }
            })
            .collect();
        if let Some(line) = refusal
            && found_nothing
        {
            findings.push(role_finding(format!("{name}/denied"), Severity::High, line));
        }
        findings
    }

    /// What a finding weighs with the severity that the guardrail gives it.
    fn weight(&self, found: &Found) -> Weight {
        let own: Severity = found.severity.into();
        let severity = self.binding.severities.get(&found.rule).copied().unwrap_or(own);
        Weight { severity, made_lighter: severity < own }
    }
}

/// What a finding that counts weighs. Of a report that denies, those of weight carry the denial, or all where none is:
/// what the guardrail has switched off or made lighter leaves it to the rest.
#[derive(Debug, Clone, Copy)]
struct Weight {
    severity: Severity,
    made_lighter: bool,
}

impl Weight {
    fn carries_alone(self) -> bool {
        self.severity >= OF_WEIGHT
    }

    /// Beside others, of which one may be of weight.
    fn carries(self, any_of_weight: bool) -> bool {
        self.carries_alone() || !(any_of_weight || self.made_lighter)
    }
}

#[async_trait]
impl Guardrail for Component {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> String {
        format!("component {}", self.plugin.digest())
    }

    fn sees_actor(&self) -> bool {
        self.binding.sees_actor
    }

    fn sees_time(&self) -> bool {
        self.binding.sees_time
    }

    fn wants_trigger(&self, trigger: super::Trigger) -> bool {
        let triggers = &self.plugin.manifest().triggers;
        triggers.is_empty() || triggers.contains(&trigger.into())
    }

    async fn judge(&self, subject: &Subject) -> Result<Vec<Finding>, Trouble> {
        if !self.wants(subject) {
            return Ok(Vec::new());
        }
        let Binding { sees_actor: actor, sees_time: time, .. } = self.binding;
        let prepared = subject.prepared(Sees { actor, time });
        let evaluation = self.plugin.evaluate(prepared, &self.binding.settings).await;
        for line in &evaluation.log {
            tracing::debug!(guardrail.name = self.name, "{line:?}");
        }
        let report = evaluation.result?;
        Ok(self.findings(report, subject))
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code().to_owned(), detail: failure.to_string() }
    }
}

impl From<HostSeverity> for Severity {
    fn from(severity: HostSeverity) -> Self {
        match severity {
            HostSeverity::Info => Self::Info,
            HostSeverity::Low => Self::Low,
            HostSeverity::Medium => Self::Medium,
            HostSeverity::High => Self::High,
            HostSeverity::Critical => Self::Critical,
        }
    }
}

/// A guest's finding at its main place; the host has seen that the place exists.
fn placed(guardrail: &str, severity: Severity, found: Found, subject: &Subject) -> Finding {
    let rule = format!("{guardrail}/{}", found.rule);
    let at = found.at.first().and_then(|at| Some((at, subject.documents.get(at.document)?)));
    let finding = match at {
        Some((at, judged)) => judged.finding(rule, severity, found.message, &at.pointer),
        None => role_finding(rule, severity, found.message),
    };
    Finding { remediation: found.remediation, ..finding }
}

/// A guardrail whose component cannot be used: it fails, and its rule for `load` or for settings decides. It is never
/// absent in silence.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) name: String,
    pub(super) trouble: Trouble,
}

#[async_trait]
impl Guardrail for Broken {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> String {
        format!("broken {}", self.trouble.code)
    }

    async fn judge(&self, _: &Subject) -> Result<Vec<Finding>, Trouble> {
        Err(self.trouble.clone())
    }
}
