//! The rules: ids that stay the same over versions, titles, severities. What each looks for is in `checks`; README.md
//! explains them one by one. `high` and `critical` refuse, the rest warn.

use leasehold_guardrail_sdk::{Rule, Severity};

/// A rule of this guardrail.
#[derive(Debug)]
pub struct Known {
    /// Its id.
    pub id: &'static str,
    title: &'static str,
    severity: Severity,
}

impl Known {
    /// As the manifest declares it.
    pub fn declared(&self) -> Rule {
        Rule::new(self.id, self.title, self.severity)
    }
}

/// `*` on `*`.
pub const FULL_ADMIN: &str = "full-admin";
/// `service:*`.
pub const SERVICE_WILDCARD: &str = "service-wildcard";
/// Writing, or managing permissions, on `*`.
pub const WRITE_ON_ANY_RESOURCE: &str = "write-on-any-resource";
/// Allow with `NotAction`.
pub const NOT_ACTION_ALLOW: &str = "not-action-allow";
/// Allow with `NotResource`.
pub const NOT_RESOURCE_ALLOW: &str = "not-resource-allow";
/// `iam:PassRole` on any role.
pub const PASS_ROLE_UNSCOPED: &str = "pass-role-unscoped";
/// A way to become more than one is.
pub const PRIVILEGE_ESCALATION: &str = "privilege-escalation";

/// All rules.
pub static ALL: &[Known] = &[
    Known { id: FULL_ADMIN, title: "Every action on every resource", severity: Severity::Critical },
    Known { id: SERVICE_WILDCARD, title: "Every action of a service", severity: Severity::High },
    Known {
        id: WRITE_ON_ANY_RESOURCE,
        title: "Writes or manages permissions on any resource",
        severity: Severity::High,
    },
    Known { id: NOT_ACTION_ALLOW, title: "Allow with NotAction", severity: Severity::High },
    Known { id: NOT_RESOURCE_ALLOW, title: "Allow with NotResource", severity: Severity::High },
    Known { id: PASS_ROLE_UNSCOPED, title: "May pass any role", severity: Severity::High },
    Known {
        id: PRIVILEGE_ESCALATION,
        title: "A way to gain permissions that were not given",
        severity: Severity::Critical,
    },
];
