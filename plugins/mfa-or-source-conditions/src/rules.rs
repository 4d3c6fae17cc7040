//! The rules: ids that stay the same over versions, titles, severities. README.md explains them one by one.

use leasehold_guardrail_sdk::{KnownRule, Severity};

const MFA: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html";
const KEYS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html";

/// Neither bounds it.
pub const MFA_OR_SOURCE_MISSING: KnownRule = KnownRule {
    id: "mfa-or-source-missing",
    title: "Sensitive actions without MFA and from anywhere",
    severity: Severity::High,
    docs_url: KEYS,
};
/// MFA does not bound it.
pub const MFA_MISSING: KnownRule = KnownRule {
    id: "mfa-missing",
    title: "Sensitive actions without MFA",
    severity: Severity::High,
    docs_url: MFA,
};
/// Where the caller is does not bound it.
pub const SOURCE_MISSING: KnownRule = KnownRule {
    id: "source-missing",
    title: "Sensitive actions from anywhere",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html",
};
/// An Allow with MFA that also holds without.
pub const MFA_HOLDS_WITHOUT: KnownRule = KnownRule {
    id: "mfa-holds-without",
    title: "A condition on MFA that also holds without MFA",
    severity: Severity::High,
    docs_url: MFA,
};
/// A Deny without MFA that does not fire for keys.
pub const MFA_DENY_MISSES_KEYS: KnownRule = KnownRule {
    id: "mfa-deny-misses-keys",
    title: "A Deny without MFA that does not fire for access keys",
    severity: Severity::Medium,
    docs_url: MFA,
};
/// MFA is asked of credentials that never have it.
pub const MFA_NEVER_PRESENT: KnownRule = KnownRule {
    id: "mfa-never-present",
    title: "MFA is asked of credentials that never carry it",
    severity: Severity::Medium,
    docs_url: MFA,
};
/// A source condition that also holds without the key.
pub const SOURCE_HOLDS_WITHOUT: KnownRule = KnownRule {
    id: "source-holds-without",
    title: "A condition on the source that also holds without one",
    severity: Severity::High,
    docs_url: KEYS,
};
/// More networks than may be.
pub const SOURCE_TOO_WIDE: KnownRule = KnownRule {
    id: "source-too-wide",
    title: "Networks wider than allowed",
    severity: Severity::Medium,
    docs_url: KEYS,
};
/// A private address that AWS never sees.
pub const SOURCE_PRIVATE: KnownRule = KnownRule {
    id: "source-private",
    title: "Private addresses, which `aws:SourceIp` never holds",
    severity: Severity::Low,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html",
};

/// All rules.
pub static ALL: &[KnownRule] = &[
    MFA_OR_SOURCE_MISSING,
    MFA_MISSING,
    SOURCE_MISSING,
    MFA_HOLDS_WITHOUT,
    MFA_DENY_MISSES_KEYS,
    MFA_NEVER_PRESENT,
    SOURCE_HOLDS_WITHOUT,
    SOURCE_TOO_WIDE,
    SOURCE_PRIVATE,
];
