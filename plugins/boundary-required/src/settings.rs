//! Which boundaries count, for which grants one is needed. The schema is for forms and for the host's check.

use leasehold_guardrail_sdk::grade::{self, Grade};
use leasehold_guardrail_sdk::{Grant, SettingsIssue, pattern};
use serde::Deserialize;

/// The settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// ARNs or patterns of the boundaries that count; empty: any.
    pub(crate) boundaries: Vec<String>,
    /// For which grants a user needs one.
    required: Required,
    /// Whether what is created in IAM needs one as well.
    pub(crate) for_what_is_created: bool,
}

/// Which grants need a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Required {
    Always,
    Write,
    PermissionsManagement,
    Never,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

impl Default for Settings {
    fn default() -> Self {
        Self { boundaries: Vec::new(), required: Required::Always, for_what_is_created: true }
    }
}

impl Settings {
    /// Whether a boundary's ARN, or a pattern of them, is on the list.
    pub(crate) fn allows(&self, boundary: &str) -> bool {
        let any = self.boundaries.is_empty() && !pattern::is_everything(boundary);
        any || self.boundaries.iter().any(|one| pattern::covers(one, boundary))
    }

    /// Whether such a grant needs a boundary.
    pub(crate) fn requires(&self, grant: &Grant) -> bool {
        let least = match self.required {
            Required::Always => return true,
            Required::Never => return false,
            Required::Write => Grade::Writes,
            Required::PermissionsManagement => Grade::Permissions,
        };
        grade::worst(grant) >= least
    }

    /// What the schema cannot say.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let everything =
            self.boundaries.iter().enumerate().filter(|(_, one)| pattern::is_everything(one));
        everything
            .map(|(index, _)| SettingsIssue {
                pointer: format!("/boundaries/{index}"),
                message: "allows every boundary: leave the list out".to_owned(),
            })
            .collect()
    }
}
