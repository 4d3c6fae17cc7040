//! The rules: ids that stay the same over versions, titles, severities. README.md explains them one by one.

use leasehold_guardrail_sdk::{KnownRule, Severity};

const TEMPORARY: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html";

/// Longer than any role may have.
pub const TTL_TOO_LONG: KnownRule = KnownRule {
    id: "ttl-too-long",
    title: "Credentials live longer than any may",
    severity: Severity::High,
    docs_url: TEMPORARY,
};
/// Longer than a role that writes may have.
pub const TTL_TOO_LONG_TO_WRITE: KnownRule = KnownRule {
    id: "ttl-too-long-to-write",
    title: "Credentials that write live too long",
    severity: Severity::High,
    docs_url: TEMPORARY,
};
/// Longer than a role that manages permissions may have.
pub const TTL_TOO_LONG_FOR_PERMISSIONS: KnownRule = KnownRule {
    id: "ttl-too-long-for-permissions",
    title: "Credentials that manage permissions live too long",
    severity: Severity::High,
    docs_url: TEMPORARY,
};
/// Longer than a role with listed actions may have.
pub const TTL_TOO_LONG_FOR_ACTIONS: KnownRule = KnownRule {
    id: "ttl-too-long-for-actions",
    title: "Credentials with listed actions live too long",
    severity: Severity::High,
    docs_url: TEMPORARY,
};
/// No longest life is known.
pub const TTL_NOT_SET: KnownRule = KnownRule {
    id: "ttl-not-set",
    title: "Nothing says how long credentials live at most",
    severity: Severity::Medium,
    docs_url: TEMPORARY,
};

/// All rules.
pub static ALL: &[KnownRule] = &[
    TTL_TOO_LONG,
    TTL_TOO_LONG_TO_WRITE,
    TTL_TOO_LONG_FOR_PERMISSIONS,
    TTL_TOO_LONG_FOR_ACTIONS,
    TTL_NOT_SET,
];
