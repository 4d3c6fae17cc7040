//! What is denied. Every list is optional; an empty list denies nothing. The schema is for forms and for the host's
//! check; what it cannot say is in [`Settings::issues`].

use leasehold_guardrail_sdk::{SettingsIssue, pattern};
use serde::Deserialize;

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Actions or patterns of them.
    pub(crate) denied_actions: Vec<String>,
    /// Service prefixes.
    pub(crate) denied_services: Vec<String>,
    /// Globs of ARNs.
    pub(crate) denied_resources: Vec<String>,
    /// Globs of ARNs of managed policies.
    pub(crate) denied_policies: Vec<String>,
    /// Regions, or patterns such as `eu-*`; empty: all.
    pub(crate) allowed_regions: Vec<String>,
    /// Services beside the built-in ones that no Region is asked of.
    pub(crate) global_services: Vec<String>,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

/// Services that answer from one place whatever the Region, as in AWS's example of a policy that denies by Region.
const GLOBAL_SERVICES: [&str; 24] = [
    "account",
    "aws-portal",
    "billing",
    "budgets",
    "ce",
    "chatbot",
    "cloudfront",
    "consolidatedbilling",
    "cur",
    "freetier",
    "globalaccelerator",
    "health",
    "iam",
    "importexport",
    "invoicing",
    "mobileanalytics",
    "networkmanager",
    "organizations",
    "payments",
    "route53",
    "shield",
    "support",
    "tax",
    "trustedadvisor",
];

impl Settings {
    /// Whether no Region is asked of this service.
    pub(crate) fn is_global(&self, service: &str) -> bool {
        let is = |one: &str| one.eq_ignore_ascii_case(service);
        GLOBAL_SERVICES.iter().any(|one| is(one)) || self.global_services.iter().any(|one| is(one))
    }

    /// Whether all that a Region value stands for is allowed.
    pub(crate) fn allows_region(&self, region: &str) -> bool {
        self.allowed_regions.iter().any(|allowed| pattern::covers(allowed, region))
    }

    /// What the schema cannot say.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let lists = [
            ("denied_actions", &self.denied_actions, "denies every action"),
            ("denied_resources", &self.denied_resources, "denies every resource"),
            ("denied_policies", &self.denied_policies, "denies every managed policy"),
            ("allowed_regions", &self.allowed_regions, "allows every Region: leave the list out"),
        ];
        lists
            .iter()
            .flat_map(|(name, list, message)| {
                let everything =
                    list.iter().enumerate().filter(|(_, one)| pattern::is_everything(one));
                everything.map(move |(index, _)| SettingsIssue {
                    pointer: format!("/{name}/{index}"),
                    message: (*message).to_owned(),
                })
            })
            .collect()
    }
}
