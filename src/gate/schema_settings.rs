//! The settings of a guardrail against the JSON Schema (2020-12) that its plugin brings along. Nothing is fetched: a
//! schema that refers elsewhere cannot be used. What a schema cannot say, the plugin itself is asked in `binding`.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::schema::SchemaError;

/// Most places told at once.
const MAX_ISSUES: usize = 50;
/// Characters of one message: the library repeats what was sent.
const MAX_MESSAGE: usize = 400;

/// Something wrong with what was written of a guardrail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BindingIssue {
    /// RFC 6901 pointer into what was written.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// A plugin's schema, ready to check settings.
#[derive(Debug)]
pub struct SettingsSchema(Validator);

impl SettingsSchema {
    /// Compiles a schema.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            // Linear in the text whatever the pattern: no plugin can make a check slow.
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map(Self)
            .map_err(|error| SchemaError::of(&error))
    }

    /// Everything that is wrong with settings; pointers are into the settings.
    pub fn issues(&self, settings: &Value) -> Vec<BindingIssue> {
        let errors = self.0.iter_errors(settings).take(MAX_ISSUES);
        errors.flat_map(|error| issues(&error)).take(MAX_ISSUES).collect()
    }
}

/// An unknown member is at the member, not at the object around it.
fn issues(error: &ValidationError<'_>) -> Vec<BindingIssue> {
    let pointer = error.instance_path().as_str();
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let member = |name: &String| {
            let mut pointer = pointer.to_owned();
            iam_policy::json::push_pointer(&mut pointer, name);
            BindingIssue { pointer, message: "is not a setting of this plugin".to_owned() }
        };
        return unexpected.iter().map(member).collect();
    }
    let message = error.to_string().chars().take(MAX_MESSAGE).collect();
    vec![BindingIssue { pointer: pointer.to_owned(), message }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": { "actions": { "type": "array", "items": { "type": "string" } } }
        });
        let schema = SettingsSchema::new(&schema).unwrap();
        assert_eq!(schema.issues(&json!({ "actions": ["s3:*"] })), []);
        let issues = schema.issues(&json!({ "actions": [5], "a/b": 1 }));
        let pointers: Vec<&str> = issues.iter().map(|issue| issue.pointer.as_str()).collect();
        assert!(pointers.contains(&"/actions/0") && pointers.contains(&"/a~1b"), "{issues:?}");
    }

    #[test]
    fn a_schema_that_is_none_or_refers_elsewhere_is_refused() {
        for schema in [
            json!({ "type": "nothing" }),
            json!({ "$ref": "https://example.com/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
        ] {
            assert!(SettingsSchema::new(&schema).is_err(), "{schema}");
        }
    }
}
