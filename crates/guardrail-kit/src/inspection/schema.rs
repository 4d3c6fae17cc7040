//! The settings schema: whether it is one, catches misspelt names, and lets people begin without settings.

use guardrail_host::Plugin;
use serde_json::{Value, json};

use super::Problem;
use crate::settings;

pub(super) fn problems(plugin: &Plugin) -> Vec<Problem> {
    let text = plugin.settings_schema();
    let mut found = Vec::new();
    let validator = match settings::validator(text) {
        Ok(validator) => validator,
        Err(why) => {
            found.push(Problem::error(
                format!("its settings schema is no JSON Schema (2020-12): {why}"),
                "correct what `settings-schema` returns; uploads are refused with it",
            ));
            return found;
        }
    };
    let schema: Value = serde_json::from_str(text).unwrap_or_default();
    found.extend(form(&schema));
    if validator.is_valid(&json!({})) {
        found.extend(no_settings(plugin));
    }
    found
}

/// What a schema of settings should have beside being one.
fn form(schema: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return found;
    };
    let closed = ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .any(|member| schema.get(member).is_some_and(|value| *value != json!(true)));
    if !closed {
        found.push(Problem::warning(
            "its settings schema lets unknown members pass, so a misspelt setting does nothing",
            "set `\"additionalProperties\": false`",
        ));
    }
    for (name, property) in properties {
        let said = ["title", "description", "$ref"].iter().any(|one| property.get(one).is_some());
        if !said && property.is_object() {
            found.push(Problem::warning(
                format!("the setting `{name}` has neither a title nor a description"),
                "say in its schema what it does; forms and documentation show it",
            ));
        }
    }
    found
}

/// A schema that takes `{}` promises that none need be given.
fn no_settings(plugin: &Plugin) -> Option<Problem> {
    let told = match plugin.check_settings("") {
        Ok(issues) => {
            issues.first().map(|issue| format!("`{}` {}", issue.pointer, issue.message))?
        }
        Err(failure) => format!("{}: {failure}", failure.code()),
    };
    Some(Problem::error(
        format!("its schema takes `{{}}`, but without settings `check-settings` says: {told}"),
        "name what must be given in `required`, or give it a default",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_schema_and_a_setting_without_words_are_found() {
        let told: Vec<String> =
            form(&json!({"type": "object", "properties": {"does": {"type": "string"}}}))
                .into_iter()
                .map(|problem| problem.what)
                .collect();
        assert!(told[0].contains("lets unknown members pass"), "{told:?}");
        assert!(told[1].starts_with("the setting `does` has neither"), "{told:?}");
        let closed = json!({"properties": {"a": {"title": "A"}}, "additionalProperties": false});
        assert!(form(&closed).is_empty());
    }
}
