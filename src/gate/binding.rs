//! Whether a plugin can be bound as somebody wishes: settings by the plugin's own schema, then by the plugin itself; rules
//! that it has. What is wrong comes back with a pointer into what was written, all of it at once where that can be.

use guardrail_host::Plugin;
use serde_json::Value;

use super::guardrail::Trouble;
use super::schema_settings::{BindingIssue, SettingsSchema};
use crate::model::Binding;

/// Why nobody can say whether a plugin can be bound so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plugin could not be asked about its settings: {detail}")]
pub struct Unanswered {
    /// What happened.
    pub detail: String,
}

/// Everything that is wrong with a binding; pointers are into what is written under `sys/guardrails`.
pub(super) fn issues(plugin: &Plugin, binding: &Binding) -> Result<Vec<BindingIssue>, Unanswered> {
    let mut issues = unknown_rules(plugin, binding);
    let settings = check_settings(plugin, &binding.settings).map_err(|trouble| Unanswered {
        detail: format!("{}: {}", trouble.code, trouble.detail),
    })?;
    issues.extend(settings.into_iter().map(|issue| {
        let BindingIssue { pointer, message } = issue;
        BindingIssue { pointer: format!("/settings{pointer}"), message }
    }));
    Ok(issues)
}

/// What the schema says of settings; where it has nothing against them, what the plugin says.
pub(super) fn check_settings(
    plugin: &Plugin,
    settings: &str,
) -> Result<Vec<BindingIssue>, Trouble> {
    let fault = |detail: String| Trouble { code: "failure/settings".to_owned(), detail };
    let value: Value = serde_json::from_str(settings).map_err(|error| fault(error.to_string()))?;
    let schema: Value =
        serde_json::from_str(plugin.settings_schema()).map_err(|error| fault(error.to_string()))?;
    let schema = SettingsSchema::new(&schema).map_err(|error| fault(error.to_string()))?;
    let issues = schema.issues(&value);
    if !issues.is_empty() {
        return Ok(issues);
    }
    let said = plugin.check_settings(settings)?;
    Ok(said
        .into_iter()
        .map(|issue| BindingIssue { pointer: issue.pointer, message: issue.message })
        .collect())
}

/// Rules that the plugin does not declare: a misspelt one would change nothing, in silence.
fn unknown_rules(plugin: &Plugin, binding: &Binding) -> Vec<BindingIssue> {
    let manifest = plugin.manifest();
    let unknown = |field: &str, rule: &str| {
        let known = manifest.rule(rule).is_some();
        (!known).then(|| {
            let mut pointer = format!("/{field}");
            iam_policy::json::push_pointer(&mut pointer, rule);
            let known: Vec<&str> = manifest.rules.iter().map(|rule| rule.id.as_str()).collect();
            let (name, known) = (&manifest.name, known.join(", "));
            let message = format!("`{rule}` is no rule of `{name}`, which has {known}");
            BindingIssue { pointer, message }
        })
    };
    let severities = binding.severities.keys().filter_map(|rule| unknown("severities", rule));
    let off = binding.rules_off.iter().filter_map(|rule| unknown("rules_off", rule));
    severities.chain(off).collect()
}
