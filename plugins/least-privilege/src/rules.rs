//! The rules: ids that stay the same over versions, titles, severities. What each looks for is in `checks`; README.md
//! explains them one by one. `high` and `critical` refuse, the rest warn.

use leasehold_guardrail_sdk::{KnownRule, Severity};

/// `*` on `*`.
pub const FULL_ADMIN: KnownRule = KnownRule {
    id: "full-admin",
    title: "Every action on every resource",
    severity: Severity::Critical,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
};
/// `service:*`.
pub const SERVICE_WILDCARD: KnownRule = KnownRule {
    id: "service-wildcard",
    title: "Every action of a service",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
};
/// Writing, or managing permissions, on `*`.
pub const WRITE_ON_ANY_RESOURCE: KnownRule = KnownRule {
    id: "write-on-any-resource",
    title: "Writes or manages permissions on any resource",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
};
/// Allow with `NotAction`.
pub const NOT_ACTION_ALLOW: KnownRule = KnownRule {
    id: "not-action-allow",
    title: "Allow with NotAction",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
};
/// Allow with `NotResource`.
pub const NOT_RESOURCE_ALLOW: KnownRule = KnownRule {
    id: "not-resource-allow",
    title: "Allow with NotResource",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html",
};
/// `iam:PassRole` on any role.
pub const PASS_ROLE_UNSCOPED: KnownRule = KnownRule {
    id: "pass-role-unscoped",
    title: "May pass any role",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
};
/// A way to become more than one is.
pub const PRIVILEGE_ESCALATION: KnownRule = KnownRule {
    id: "privilege-escalation",
    title: "A way to gain permissions that were not given",
    severity: Severity::Critical,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
};
/// `iam:CreateServiceLinkedRole` for any service.
pub const SERVICE_LINKED_ROLE_UNSCOPED: KnownRule = KnownRule {
    id: "service-linked-role-unscoped",
    title: "May create a service-linked role for any service",
    severity: Severity::Medium,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html",
};
/// Data of any resource.
pub const DATA_READ_ON_ANY_RESOURCE: KnownRule = KnownRule {
    id: "data-read-on-any-resource",
    title: "Reads the data of any resource",
    severity: Severity::Medium,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
};
/// Credentials of any resource.
pub const CREDENTIALS_EXPOSURE: KnownRule = KnownRule {
    id: "credentials-exposure",
    title: "Hands out credentials of any resource",
    severity: Severity::Medium,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
};
/// Opens a resource to others.
pub const RESOURCE_EXPOSURE: KnownRule = KnownRule {
    id: "resource-exposure",
    title: "Can open a resource to other accounts",
    severity: Severity::Medium,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_identity-vs-resource.html",
};
/// A condition of an Allow that holds without its key.
pub const FOR_ALL_VALUES_ALLOW: KnownRule = KnownRule {
    id: "for-all-values-allow",
    title: "ForAllValues on a key with one value, in an Allow",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
};
/// A condition of an Allow that the caller can meet at will.
pub const FORGEABLE_CONDITION: KnownRule = KnownRule {
    id: "forgeable-condition",
    title: "A condition on what the caller writes",
    severity: Severity::Medium,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
};

/// All rules.
pub static ALL: &[KnownRule] = &[
    FULL_ADMIN,
    SERVICE_WILDCARD,
    WRITE_ON_ANY_RESOURCE,
    NOT_ACTION_ALLOW,
    NOT_RESOURCE_ALLOW,
    PASS_ROLE_UNSCOPED,
    PRIVILEGE_ESCALATION,
    SERVICE_LINKED_ROLE_UNSCOPED,
    DATA_READ_ON_ANY_RESOURCE,
    CREDENTIALS_EXPOSURE,
    RESOURCE_EXPOSURE,
    FOR_ALL_VALUES_ALLOW,
    FORGEABLE_CONDITION,
];
