//! The rules: ids that stay the same over versions, titles, severities. README.md explains them one by one.

use leasehold_guardrail_sdk::{KnownRule, Severity};

/// An action of the list.
pub const DENIED_ACTION: KnownRule = KnownRule {
    id: "denied-action",
    title: "Allows an action that is denied here",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
};
/// Anything of a service of the list.
pub const DENIED_SERVICE: KnownRule = KnownRule {
    id: "denied-service",
    title: "Allows actions of a service that is denied here",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
};
/// A resource of the list.
pub const DENIED_RESOURCE: KnownRule = KnownRule {
    id: "denied-resource",
    title: "Reaches a resource that is denied here",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
};
/// A managed policy of the list.
pub const DENIED_POLICY: KnownRule = KnownRule {
    id: "denied-policy",
    title: "Attaches a managed policy that is denied here",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
};
/// Not bound to the allowed Regions.
pub const REGION_NOT_CONFINED: KnownRule = KnownRule {
    id: "region-not-confined",
    title: "Reaches Regions that are not allowed",
    severity: Severity::High,
    docs_url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-requested-region.html",
};

/// All rules.
pub static ALL: &[KnownRule] =
    &[DENIED_ACTION, DENIED_SERVICE, DENIED_RESOURCE, DENIED_POLICY, REGION_NOT_CONFINED];
