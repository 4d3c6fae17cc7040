//! What can be set: rules off, severities, actions that are allowed as they are. Everything else about the rules is
//! fixed, so that a finding means the same everywhere. The schema is for forms and for the host's check.

use std::collections::BTreeMap;

use leasehold_guardrail_sdk::{SettingsIssue, Severity, pattern};
use serde::Deserialize;

use crate::rules;

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    rules_off: Vec<String>,
    severities: BTreeMap<String, Level>,
    allowed_actions: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

impl Settings {
    /// Whether a rule is to be reported.
    pub(crate) fn is_on(&self, rule: &str) -> bool {
        !self.rules_off.iter().any(|off| off == rule)
    }

    /// The severity that a rule was given.
    pub(crate) fn severity(&self, rule: &str) -> Option<Severity> {
        self.severities.get(rule).map(|level| match level {
            Level::Info => Severity::Info,
            Level::Low => Severity::Low,
            Level::Medium => Severity::Medium,
            Level::High => Severity::High,
            Level::Critical => Severity::Critical,
        })
    }

    /// Whether every action that an entry covers is allowed as it is.
    pub(crate) fn allows(&self, action: &str) -> bool {
        self.allowed_actions.iter().any(|allowed| pattern::covers_action(allowed, action))
    }

    /// What the schema cannot say.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let known = |rule: &str| rules::ALL.iter().any(|known| known.id == rule);
        let mut issues = Vec::new();
        for (index, rule) in self.rules_off.iter().enumerate().filter(|(_, rule)| !known(rule)) {
            issues.push(issue(format!("/rules_off/{index}"), format!("there is no rule `{rule}`")));
        }
        for rule in self.severities.keys().filter(|rule| !known(rule)) {
            let step = rule.replace('~', "~0").replace('/', "~1");
            issues.push(issue(format!("/severities/{step}"), format!("there is no rule `{rule}`")));
        }
        for (index, action) in self.allowed_actions.iter().enumerate() {
            if pattern::is_everything(action) {
                let message = "allows every action: switch rules off instead".to_owned();
                issues.push(issue(format!("/allowed_actions/{index}"), message));
            }
        }
        issues
    }
}

fn issue(pointer: String, message: String) -> SettingsIssue {
    SettingsIssue { pointer, message }
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::serde_json;

    use super::*;

    #[test]
    fn what_the_schema_cannot_say_is_found() {
        let settings: Settings = serde_json::from_str(
            r#"{"rules_off":["full-admin","fulladmin"],"severities":{"a/b":"low"},"allowed_actions":["s3:*","*"]}"#,
        )
        .unwrap();
        let places: Vec<_> = settings.issues().into_iter().map(|issue| issue.pointer).collect();
        assert_eq!(places, ["/rules_off/1", "/severities/a~1b", "/allowed_actions/1"]);
    }

    #[test]
    fn the_schema_names_the_rules_that_there_are() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let named = schema.pointer("/$defs/rule/enum").and_then(|list| list.as_array()).unwrap();
        let named: Vec<_> = named.iter().filter_map(|rule| rule.as_str()).collect();
        let known: Vec<_> = rules::ALL.iter().map(|rule| rule.id).collect();
        assert_eq!(named, known);
    }

    #[test]
    fn an_allowed_pattern_covers_narrower_ones_only() {
        let settings =
            Settings { allowed_actions: vec!["s3:Get*".to_owned()], ..Settings::default() };
        assert!(settings.allows("S3:GetObject") && settings.allows("s3:GetObject*"));
        assert!(!settings.allows("s3:*"));
    }
}
