//! Why a guest gave no answer: one enum with a stable code per kind, for the binding's failure rule to decide on.
//! A failure is never a verdict, and its text is for the operator; callers are shown the code alone.
//! [`crate::evaluate`] makes them.

use std::fmt;

use serde::Serialize;

/// Something wrong with a plugin's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingsIssue {
    /// RFC 6901 pointer into the settings.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// Which limit stopped a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKind {
    /// Used all its fuel.
    Fuel,
    /// Ran too long.
    Time,
    /// Wanted more memory.
    Memory,
    /// Went too deep.
    Stack,
    /// Handed over too much at once.
    Output,
    /// Called the host too often.
    HostCalls,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fuel => "it used all its fuel",
            Self::Time => "it ran too long",
            Self::Memory => "it wanted more memory",
            Self::Stack => "its calls went too deep",
            Self::Output => "it handed over too much data",
            Self::HostCalls => "it called the host too often",
        })
    }
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The guest crashed. The text is its panic message where it left one.
    #[error("the guardrail crashed: {0}")]
    Trap(String),
    /// A limit stopped it.
    #[error("{kind} (limit: {limit})")]
    Limit {
        /// Which one.
        kind: LimitKind,
        /// How much was allowed, with its unit.
        limit: String,
    },
    /// The guest cannot work with these settings.
    #[error("the guardrail refused its settings: {}", listed(.0))]
    Settings(Vec<SettingsIssue>),
    /// The guest cannot judge this kind of grant.
    #[error("the guardrail does not support this grant: {0}")]
    Unsupported(String),
    /// The guest reports a fault of its own.
    #[error("the guardrail failed: {0}")]
    Internal(String),
    /// The guest's answer makes no sense.
    #[error("the guardrail's answer makes no sense: {0}")]
    Output(String),
    /// The component could not be instantiated.
    #[error("the guardrail could not be started: {0}")]
    Load(String),
    /// Too many evaluations at once.
    #[error("too many evaluations are waiting")]
    Busy,
}

impl Failure {
    /// The stable code that callers see and bindings name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Limit { kind, limit: _ } => match kind {
                LimitKind::Fuel => "limit/fuel",
                LimitKind::Time => "limit/time",
                LimitKind::Memory => "limit/memory",
                LimitKind::Stack => "limit/stack",
                LimitKind::Output => "limit/output",
                LimitKind::HostCalls => "limit/host-calls",
            },
            Self::Settings(_) => "failure/settings",
            Self::Unsupported(_) => "failure/unsupported",
            Self::Internal(_) => "failure/internal",
            Self::Output(_) => "output",
            Self::Load(_) => "load",
            Self::Busy => "busy",
        }
    }
}

fn listed(issues: &[SettingsIssue]) -> String {
    issues
        .iter()
        .map(|issue| format!("`{}` {}", issue.pointer, issue.message))
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settings_failure_names_every_place() {
        let failure = Failure::Settings(vec![
            SettingsIssue { pointer: "/a".into(), message: "is not a list".into() },
            SettingsIssue { pointer: "/b".into(), message: "is unknown".into() },
        ]);
        assert_eq!(failure.code(), "failure/settings");
        assert_eq!(
            failure.to_string(),
            "the guardrail refused its settings: `/a` is not a list; `/b` is unknown"
        );
    }

    #[test]
    fn a_limit_failure_says_what_was_allowed() {
        let failure = Failure::Limit { kind: LimitKind::Time, limit: "250 ms".into() };
        assert_eq!(failure.code(), "limit/time");
        assert_eq!(failure.to_string(), "it ran too long (limit: 250 ms)");
    }
}
