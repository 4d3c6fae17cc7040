//! Whether what a plugin calls the schema of its settings is one: JSON Schema 2020-12, complete in itself.
//! Reads nothing from anywhere: a reference to another document is a fault. Settings are checked against it by
//! whoever binds the plugin.

use jsonschema::{Draft, PatternOptions};

/// A schema for people to read; the largest that any plugin of ours has is 4 KiB.
const MAX_BYTES: usize = 256 << 10;

/// Says what is wrong with it.
pub(crate) fn check(schema: &str) -> Result<(), String> {
    if schema.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let schema: serde_json::Value =
        serde_json::from_str(schema).map_err(|error| format!("it is not JSON: {error}"))?;
    if !(schema.is_object() || schema.is_boolean()) {
        return Err("it is neither an object nor a boolean".into());
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        // Linear in the text whatever the pattern: no settings can make a check slow.
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map(drop)
        .map_err(|error| {
            let place = error.instance_path().as_str();
            let told = crate::report::one_line(&error.to_string(), 512);
            if place.is_empty() { told } else { format!("`{place}`: {told}") }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_a_whole_json_schema() {
        for good in ["true", r#"{"type":"object"}"#, r##"{"$ref":"#/$defs/a","$defs":{"a":{}}}"##] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (wrong, part) in [
            ("{", "it is not JSON"),
            ("[]", "neither an object nor a boolean"),
            (r#"{"type":"colour"}"#, "`/type`: "),
            (r#"{"properties":{"a":{"minLength":"5"}}}"#, "`/properties/a/minLength`: "),
            (r#"{"properties":{"a":{"pattern":"("}}}"#, "pattern"),
            (r#"{"$ref":"https://example.com/other.json"}"#, "example.com"),
            (r#"{"$ref":"file:///etc/passwd"}"#, "/etc/passwd"),
        ] {
            let told = check(wrong).unwrap_err();
            assert!(told.contains(part), "{wrong}: {told}");
        }
        assert!(check(&" ".repeat(MAX_BYTES + 1)).unwrap_err().contains("more than"));
    }
}
