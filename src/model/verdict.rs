//! What the gate says: findings and the decision they add up to. Shaped as `leasehold check --format
//! json` prints them and as a denial carries them under `data`. Making a verdict is [`crate::gate`]'s.

use serde::{Deserialize, Serialize};

/// How bad a finding is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a look.
    Low,
    /// Should change.
    Medium,
    /// Must change.
    High,
    /// Gives away the account.
    Critical,
}

impl Severity {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Allow or deny. There is no default: silence is not an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// May be created.
    Allow,
    /// Must not be created.
    Deny,
}

/// One thing that someone should know about a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `guardrail/rule`, e.g. `least-privilege/service-wildcard`, or `document/…`, `schema/…`, `quota/…`.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// One sentence for people.
    pub message: String,
    /// Which document: `inline`, an ARN, `group/policy`, `boundary`, or `role` for the role as a whole.
    pub source: String,
    /// RFC 6901 pointer into that document; empty = the whole.
    pub pointer: String,
    /// Line in the text as given, from 1; `None` where there is no text with lines.
    pub line: Option<u32>,
    /// Column in the text as given, from 1, in characters.
    pub column: Option<u32>,
    /// What to do about it.
    pub remediation: Option<String>,
    /// Whether this finding alone denies, in the mode that its guardrail has.
    #[serde(skip)]
    pub denies: bool,
}

/// The gate's answer to one grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Allow or deny.
    pub decision: Decision,
    /// Everything found, worst first.
    pub findings: Vec<Finding>,
    /// Digest over everything that went in: permissions, guardrails with settings and modes,
    /// catalogue, engine. Hex of SHA-256.
    pub digest: String,
}
