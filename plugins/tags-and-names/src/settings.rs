//! The house rules. Every field is optional; an empty one asks for nothing. The schema is for forms and for the host's
//! check; placeholders in patterns are checked in [`Settings::issues`].

use std::collections::BTreeMap;

use leasehold_guardrail_sdk::SettingsIssue;
use serde::Deserialize;

use crate::names;

/// The settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Patterns of role names, one of which must fit.
    pub(crate) names: Vec<String>,
    /// Patterns of IAM paths, one of which must fit.
    pub(crate) paths: Vec<String>,
    /// Tags that must be there, with patterns of their values, one of which must fit.
    pub(crate) required_tags: BTreeMap<String, Vec<String>>,
    /// Patterns of the keys of further tags; none: any.
    pub(crate) allowed_tags: Option<Vec<String>>,
    /// Credential types that tags are asked of.
    pub(crate) tagged: Vec<String>,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

impl Default for Settings {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            paths: Vec::new(),
            required_tags: BTreeMap::new(),
            allowed_tags: None,
            // What AWS takes tags for from a role of the broker's.
            tagged: vec!["iam_user".to_owned(), "assumed_role".to_owned()],
        }
    }
}

impl Settings {
    /// What the schema cannot say.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        [("names", &self.names), ("paths", &self.paths)]
            .into_iter()
            .flat_map(|(list, patterns)| {
                patterns.iter().enumerate().filter_map(move |(index, pattern)| {
                    let message = names::fault(pattern)?;
                    Some(SettingsIssue { pointer: format!("/{list}/{index}"), message })
                })
            })
            .collect()
    }
}
