//! The rules: families of ways, with ids that stay the same over versions. The ways themselves have ids of their own,
//! in `crates/iam-policy/data/escalation.txt` and in `beyond`. README.md explains them one by one.

use leasehold_guardrail_sdk::{KnownRule, Severity};

/// Changes the permissions of oneself.
pub const REWRITES_OWN_PERMISSIONS: KnownRule = KnownRule {
    id: "rewrites-own-permissions",
    title: "May change its own permissions",
    severity: Severity::Critical,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage.html",
};
/// Becomes another user or role.
pub const TAKES_ANOTHER_IDENTITY: KnownRule = KnownRule {
    id: "takes-another-identity",
    title: "May become another user or role",
    severity: Severity::Critical,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
};
/// Rewrites the policy that caps it.
pub const REWRITES_THE_BOUNDARY: KnownRule = KnownRule {
    id: "rewrites-the-boundary",
    title: "May rewrite the boundary that caps it",
    severity: Severity::Critical,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
};
/// Gets rid of what denies it something.
pub const SHEDS_A_DENY: KnownRule = KnownRule {
    id: "sheds-a-deny",
    title: "May get rid of a policy that denies it something",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html",
};
/// Hands a role to something new.
pub const PASSES_A_ROLE: KnownRule = KnownRule {
    id: "passes-a-role",
    title: "May pass any role to what runs its code",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
};
/// Becomes any role.
pub const ASSUMES_ANY_ROLE: KnownRule = KnownRule {
    id: "assumes-any-role",
    title: "May assume any role that trusts it",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html",
};
/// Changes what already runs under a role.
pub const RUNS_CODE_UNDER_A_ROLE: KnownRule = KnownRule {
    id: "runs-code-under-a-role",
    title: "May run its code under a role that something has",
    severity: Severity::Medium,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
};

/// All rules.
pub static ALL: &[KnownRule] = &[
    REWRITES_OWN_PERMISSIONS,
    TAKES_ANOTHER_IDENTITY,
    REWRITES_THE_BOUNDARY,
    SHEDS_A_DENY,
    PASSES_A_ROLE,
    ASSUMES_ANY_ROLE,
    RUNS_CODE_UNDER_A_ROLE,
];
