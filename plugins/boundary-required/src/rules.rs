//! The rules: ids that stay the same over versions, titles, severities. README.md explains them one by one.

use leasehold_guardrail_sdk::{KnownRule, Severity};

const BOUNDARIES: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html";

/// No boundary at all.
pub const BOUNDARY_MISSING: KnownRule = KnownRule {
    id: "boundary-missing",
    title: "Users without a permissions boundary",
    severity: Severity::High,
    docs_url: BOUNDARIES,
};
/// A boundary that is not of the list.
pub const BOUNDARY_NOT_ALLOWED: KnownRule = KnownRule {
    id: "boundary-not-allowed",
    title: "A permissions boundary that is not on the list",
    severity: Severity::High,
    docs_url: BOUNDARIES,
};
/// Makes users or roles that nothing caps.
pub const CREATES_WITHOUT_BOUNDARY: KnownRule = KnownRule {
    id: "creates-without-boundary",
    title: "May create users or roles without a boundary",
    severity: Severity::High,
    docs_url: BOUNDARIES,
};
/// Gives policies to users or roles that nothing caps.
pub const GRANTS_WITHOUT_BOUNDARY: KnownRule = KnownRule {
    id: "grants-without-boundary",
    title: "May give policies to users or roles that have no boundary",
    severity: Severity::High,
    docs_url: BOUNDARIES,
};
/// Takes a boundary off, or puts another one on.
pub const REMOVES_BOUNDARY: KnownRule = KnownRule {
    id: "removes-boundary",
    title: "May take a boundary off, or put another on",
    severity: Severity::Critical,
    docs_url: BOUNDARIES,
};
/// Rewrites the policy that is the boundary.
pub const EDITS_BOUNDARY: KnownRule = KnownRule {
    id: "edits-boundary",
    title: "May rewrite the policy that is the boundary",
    severity: Severity::Critical,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html",
};

/// All rules.
pub static ALL: &[KnownRule] = &[
    BOUNDARY_MISSING,
    BOUNDARY_NOT_ALLOWED,
    CREATES_WITHOUT_BOUNDARY,
    GRANTS_WITHOUT_BOUNDARY,
    REMOVES_BOUNDARY,
    EDITS_BOUNDARY,
];
