//! Whether a guardrail takes settings: its own JSON Schema first, then its own word, as the server does when settings
//! are saved. Fetches nothing: a schema may refer to itself only.

use guardrail_host::{Failure, Plugin, SettingsIssue};
use jsonschema::Validator;
use serde_json::Value;

/// The schema of a plugin's settings, ready to check, or why it is no schema.
pub(crate) fn validator(schema: &str) -> Result<Validator, String> {
    let schema: Value =
        serde_json::from_str(schema).map_err(|error| format!("it is not JSON: {error}"))?;
    jsonschema::draft202012::meta::validate(&schema)
        .map_err(|error| format!("`{}`: {error}", error.instance_path()))?;
    jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())
}

/// What the schema says against settings.
pub(crate) fn by_schema(validator: &Validator, settings: &Value) -> Vec<SettingsIssue> {
    validator
        .iter_errors(settings)
        .map(|error| SettingsIssue {
            pointer: error.instance_path().to_string(),
            message: error.to_string(),
        })
        .collect()
}

/// Everything against settings given as JSON text; empty text = none, which no schema is asked about.
pub(crate) fn refused(plugin: &Plugin, settings: &str) -> Result<Vec<SettingsIssue>, Failure> {
    if !settings.is_empty() {
        let whole = |message: String| vec![SettingsIssue { pointer: String::new(), message }];
        let value: Value = match serde_json::from_str(settings) {
            Ok(value) => value,
            Err(error) => return Ok(whole(format!("is not JSON: {error}"))),
        };
        match validator(plugin.settings_schema()) {
            Ok(validator) => {
                let issues = by_schema(&validator, &value);
                if !issues.is_empty() {
                    return Ok(issues);
                }
            }
            Err(why) => {
                return Ok(whole(format!("cannot be checked: the schema is no schema: {why}")));
            }
        }
    }
    plugin.check_settings(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_is_none_says_where() {
        let why = validator(r#"{"type":"objekt"}"#).unwrap_err();
        assert!(why.starts_with("`/type`"), "{why}");
        assert!(validator("{").unwrap_err().starts_with("it is not JSON"));
        assert!(validator(r#"{"$ref":"https://example.com/other.json"}"#).is_err());
    }

    #[test]
    fn what_a_schema_refuses_has_its_place() {
        let validator =
            validator(r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#).unwrap();
        let issues = by_schema(&validator, &serde_json::json!({"a": "b"}));
        assert_eq!(issues.len(), 1);
        assert_eq!(issues[0].pointer, "/a");
        assert!(by_schema(&validator, &serde_json::json!({"a": 1})).is_empty());
    }
}
