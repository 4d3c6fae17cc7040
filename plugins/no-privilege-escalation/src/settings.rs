//! What may stay: ways by their id, resources through which an action leads nowhere. The schema is for forms and for
//! the host's check; whether a way exists is checked in [`Settings::issues`].

use escalation_ways::WAYS;
use leasehold_guardrail_sdk::overlap::covers_resource;
use leasehold_guardrail_sdk::{SettingsIssue, pattern};
use serde::Deserialize;

use crate::beyond;

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Ids of ways that are fine.
    allowed_ways: Vec<String>,
    /// ARNs or patterns of what may be changed, passed or assumed.
    allowed_resources: Vec<String>,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

impl Settings {
    /// Whether a way may stay open.
    pub(crate) fn allows_way(&self, id: &str) -> bool {
        self.allowed_ways.iter().any(|allowed| allowed == id)
    }

    /// Whether all that a `Resource` entry matches may be reached.
    pub(crate) fn allows_resource(&self, resource: &str) -> bool {
        self.allowed_resources.iter().any(|allowed| covers_resource(allowed, resource))
    }

    /// What the schema cannot say.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let known = |id: &str| WAYS.iter().any(|way| way.id == id) || beyond::IDS.contains(&id);
        let ways = self.allowed_ways.iter().enumerate().filter(|(_, id)| !known(id));
        let ways = ways.map(|(index, id)| SettingsIssue {
            pointer: format!("/allowed_ways/{index}"),
            message: format!("there is no way `{id}`"),
        });
        let resources = self.allowed_resources.iter().enumerate();
        let everything = resources.filter(|(_, one)| pattern::is_everything(one));
        let everything = everything.map(|(index, _)| SettingsIssue {
            pointer: format!("/allowed_resources/{index}"),
            message: "allows every resource: name ways instead".to_owned(),
        });
        ways.chain(everything).collect()
    }
}
