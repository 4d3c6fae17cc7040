//! A guardrail: what judges (a WASM component with its settings, or a rule built in), bound to a mode and a scope. A
//! failure is never a pass: where the guardrail enforces, its rule for that kind of failure decides, and denial is the
//! default. Components are in `component`, the rules built in in `rules`; what all add up to is in `verdict`.

use std::fmt;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};

use super::Trigger;
use super::subject::Subject;
use crate::model::{
    Binding, FailureAction, Finding, Mode, OnFailure, Scope, ScopeSubject, Severity, Suspension,
};

/// Judges a grant. Two behaviours: a WASM component, a rule built in.
#[async_trait]
pub(super) trait Guardrail: Send + Sync + fmt::Debug {
    /// Its name, the first part of its rules' ids.
    fn name(&self) -> &str;

    /// Names everything that its answers depend on, besides the grant and what it is bound to.
    fn identity(&self) -> String;

    /// Whether its answers may depend on who asks.
    fn sees_actor(&self) -> bool {
        false
    }

    /// Whether its answers may depend on the time.
    fn sees_time(&self) -> bool {
        false
    }

    /// Whether it has something to say when a grant is judged for this reason.
    fn wants_trigger(&self, _: Trigger) -> bool {
        true
    }

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

impl Trouble {
    /// It did not answer while there was time.
    fn late() -> Self {
        let detail = "all guardrails together took longer than one request may".to_owned();
        Self { code: "limit/time".to_owned(), detail }
    }
}

/// A guardrail with all that decides when it is asked and what its answer leads to.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) guardrail: Box<dyn Guardrail>,
    pub(super) mode: Mode,
    pub(super) scope: Scope,
    pub(super) order: i32,
    pub(super) on_failure: OnFailure,
    pub(super) suspension: Option<Suspension>,
}

/// What a bound guardrail adds to a verdict.
#[derive(Debug, Default)]
pub(super) struct Contribution {
    pub(super) findings: Vec<Finding>,
    /// Of a guardrail in audit: for the log alone.
    pub(super) hidden: Vec<Finding>,
    /// It failed: another time it may not.
    pub(super) failure: Option<Failed>,
}

/// A failure, and what it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) guardrail: String,
    pub(super) trouble: Trouble,
    /// `deny` where the guardrail enforces and its rule says so, `note` where it was shown.
    pub(super) led_to: FailureAction,
}

impl Bound {
    /// For every grant, without rules for failures.
    pub(super) fn everywhere(guardrail: Box<dyn Guardrail>, mode: Mode) -> Self {
        Self {
            guardrail,
            mode,
            scope: Scope::default(),
            order: 0,
            on_failure: OnFailure::default(),
            suspension: None,
        }
    }

    /// As a binding says.
    pub(super) fn new(
        guardrail: Box<dyn Guardrail>,
        binding: &Binding,
        suspension: Option<Suspension>,
    ) -> Self {
        Self {
            guardrail,
            mode: binding.mode,
            scope: binding.scope.clone(),
            order: binding.order,
            on_failure: binding.on_failure.clone(),
            suspension,
        }
    }

    /// Whether it has a say about a grant. Where nobody knows what role it is for, it has.
    pub(super) fn takes(&self, subject: &Subject) -> bool {
        let role = subject.role.as_ref();
        role.is_none_or(|role| {
            self.scope.takes(ScopeSubject {
                mount: role.mount.as_str(),
                role: role.name.as_str(),
                tags: &role.tags,
                credential_type: role.credential_type,
            })
        })
    }

    /// The suspension that keeps it from being asked now.
    pub(super) fn suspended(&self, subject: &Subject) -> Option<&Suspension> {
        self.suspension.as_ref().filter(|suspension| suspension.holds(subject.now))
    }

    /// Asks the guardrail and reads the answer by its mode.
    pub(super) async fn contribute(&self, subject: &Subject, deadline: Instant) -> Contribution {
        if self.mode == Mode::Off || !self.takes(subject) {
            return Contribution::default();
        }
        if let Some(suspension) = self.suspended(subject) {
            let findings = vec![suspended(suspension)];
            return Contribution { findings, ..Contribution::default() };
        }
        let asked = timeout_at(deadline, self.guardrail.judge(subject)).await;
        let mut contribution = match asked.unwrap_or_else(|_late| Err(Trouble::late())) {
            Ok(findings) => Contribution { findings, ..Contribution::default() },
            Err(trouble) => self.failed(trouble),
        };
        match self.mode {
            Mode::Off | Mode::Enforce => {}
            Mode::Audit => {
                contribution.hidden = std::mem::take(&mut contribution.findings);
            }
            Mode::Warn => {
                contribution.findings.iter_mut().for_each(|finding| finding.denies = false);
            }
        }
        contribution
    }

    fn failed(&self, trouble: Trouble) -> Contribution {
        let name = self.guardrail.name();
        let action = self.on_failure.action(&trouble.code);
        let remediation = "ask the operator: the log has the details".to_owned();
        let finding = Finding {
            remediation: Some(remediation),
            denies: action == FailureAction::Deny,
            ..role_finding(format!("{name}/failure"), Severity::High, trouble.code.clone())
        };
        let led_to = match (action, self.mode) {
            (FailureAction::Deny, Mode::Enforce) => FailureAction::Deny,
            (FailureAction::Deny | FailureAction::Note, Mode::Enforce | Mode::Warn) => {
                FailureAction::Note
            }
            (FailureAction::Allow, _) | (_, Mode::Audit | Mode::Off) => FailureAction::Allow,
        };
        let findings = if action == FailureAction::Allow { Vec::new() } else { vec![finding] };
        let failure = Some(Failed { guardrail: name.to_owned(), trouble, led_to });
        Contribution { findings, hidden: Vec::new(), failure }
    }
}

/// What everybody is told while the glass is broken.
fn suspended(suspension: &Suspension) -> Finding {
    let Suspension { name, until, reason, by, .. } = suspension;
    let message =
        format!("the guardrail is suspended by `{by}` until {}: {reason}", until.rfc3339());
    let finding = role_finding(format!("{name}/suspended"), Severity::Info, message);
    Finding { denies: false, ..finding }
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
