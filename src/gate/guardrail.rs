//! A guardrail: what judges (a WASM component with its settings, or a rule built in), bound to a mode. A failure is
//! never a pass: where the guardrail enforces it denies, with the reason named. The rules built in are in `rules`;
//! running components is `guardrail_host`'s; what the findings of all add up to is in `verdict`.

use std::fmt;

use async_trait::async_trait;
use guardrail_host::{Failure, Plugin, Report, Severity as HostSeverity, Verdict};

use super::GateError;
use super::subject::Subject;
use crate::model::{Finding, Mode, Severity};

/// Judges a grant. Two behaviours: a WASM component, a rule built in.
#[async_trait]
pub(super) trait Guardrail: Send + Sync + fmt::Debug {
    /// Its name, the first part of its rules' ids.
    fn name(&self) -> &str;

    /// Names everything that its answers depend on, besides the grant.
    fn identity(&self) -> String;

    /// What it thinks; each finding says whether it denies where the guardrail enforces.
    async fn judge(&self, subject: &Subject) -> Result<Vec<Finding>, Trouble>;
}

/// Why a guardrail has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Stable, shown to callers.
    pub(super) code: String,
    /// For the operator.
    pub(super) detail: String,
}

/// A guardrail with its mode.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) guardrail: Box<dyn Guardrail>,
    pub(super) mode: Mode,
}

/// What a bound guardrail adds to a verdict.
#[derive(Debug, Default)]
pub(super) struct Contribution {
    pub(super) findings: Vec<Finding>,
    /// It failed: another time it may not.
    pub(super) failed: bool,
}

impl Bound {
    /// Asks the guardrail and reads the answer by its mode.
    pub(super) async fn contribute(&self, subject: &Subject) -> Contribution {
        if self.mode == Mode::Off {
            return Contribution::default();
        }
        let (mut findings, failed) = match self.guardrail.judge(subject).await {
            Ok(findings) => (findings, false),
            Err(trouble) => (vec![self.failure(&trouble)], true),
        };
        match self.mode {
            Mode::Off => findings.clear(),
            Mode::Audit => {
                self.log(&findings);
                findings.clear();
            }
            Mode::Warn => findings.iter_mut().for_each(|finding| finding.denies = false),
            Mode::Enforce => {}
        }
        Contribution { findings, failed }
    }

    fn failure(&self, trouble: &Trouble) -> Finding {
        let name = self.guardrail.name();
        let Trouble { code, detail } = trouble;
        tracing::error!(
            guardrail.name = name,
            guardrail.failure = code,
            detail,
            "guardrail `{name}` failed with {code}"
        );
        let remediation = "ask the operator: the log has the details".to_owned();
        Finding {
            remediation: Some(remediation),
            ..role_finding(format!("{name}/failure"), Severity::High, code.clone())
        }
    }

    fn log(&self, findings: &[Finding]) {
        let name = self.guardrail.name();
        for finding in findings {
            tracing::info!(
                guardrail.name = name,
                finding.rule = finding.rule,
                finding.source = finding.source,
                finding.pointer = finding.pointer,
                finding.denies = finding.denies,
                "guardrail `{name}` in audit: {}",
                finding.message
            );
        }
    }
}

/// A finding on a grant as a whole, which denies where its guardrail enforces.
pub(super) fn role_finding(rule: String, severity: Severity, message: String) -> Finding {
    Finding {
        rule,
        severity,
        message,
        source: "role".to_owned(),
        pointer: String::new(),
        line: None,
        column: None,
        remediation: None,
        denies: true,
    }
}

/// A component with its settings.
#[derive(Debug)]
pub(super) struct Component {
    plugin: Plugin,
    settings: String,
}

impl Component {
    /// Binds a component to settings that it accepts.
    pub(super) fn new(plugin: Plugin, settings: &str) -> Result<Self, GateError> {
        let name = &plugin.manifest().name;
        let unfit = |detail: String| GateError::Settings { name: name.clone(), detail };
        let issues =
            plugin.check_settings(settings).map_err(|failure| unfit(failure.to_string()))?;
        if let Some(issue) = issues.first() {
            return Err(unfit(format!("`{}` {}", issue.pointer, issue.message)));
        }
        Ok(Self { plugin, settings: settings.to_owned() })
    }

    fn wants(&self, subject: &Subject) -> bool {
        let triggers = &self.plugin.manifest().triggers;
        triggers.is_empty() || triggers.contains(&subject.trigger.into())
    }

    /// What a report comes to: where it denies, what it found of weight denies, or else all that it found.
    fn findings(&self, report: Report, subject: &Subject) -> Vec<Finding> {
        let name = &self.plugin.manifest().name;
        let refusal = match report.verdict {
            Verdict::Deny(line) => Some(line),
            Verdict::Pass | Verdict::Warn => None,
            Verdict::Skip(why) => {
                tracing::debug!(guardrail.name = name, why, "guardrail `{name}` does not apply");
                None
            }
        };
        let of_weight = |severity: HostSeverity| severity >= HostSeverity::High;
        let any_of_weight = report.findings.iter().any(|finding| of_weight(finding.severity));
        let mut findings: Vec<Finding> = report
            .findings
            .into_iter()
            .map(|finding| Finding {
                denies: refusal.is_some() && (of_weight(finding.severity) || !any_of_weight),
                ..placed(name, finding, subject)
            })
            .collect();
        if let Some(line) = refusal
            && findings.is_empty()
        {
            findings.push(role_finding(format!("{name}/denied"), Severity::High, line));
        }
        findings
    }
}

#[async_trait]
impl Guardrail for Component {
    fn name(&self) -> &str {
        &self.plugin.manifest().name
    }

    fn identity(&self) -> String {
        format!("component {} {}", self.plugin.digest(), self.settings)
    }

    async fn judge(&self, subject: &Subject) -> Result<Vec<Finding>, Trouble> {
        if !self.wants(subject) {
            return Ok(Vec::new());
        }
        let evaluation = self.plugin.evaluate(subject.prepared(), &self.settings).await;
        for line in &evaluation.log {
            tracing::debug!(guardrail.name = self.name(), "{line:?}");
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
fn placed(guardrail: &str, found: guardrail_host::report::Finding, subject: &Subject) -> Finding {
    let rule = format!("{guardrail}/{}", found.rule);
    let severity = found.severity.into();
    let at = found.at.first().and_then(|at| Some((at, subject.documents.get(at.document)?)));
    let finding = match at {
        Some((at, judged)) => judged.finding(rule, severity, found.message, &at.pointer),
        None => role_finding(rule, severity, found.message),
    };
    Finding { remediation: found.remediation, ..finding }
}
