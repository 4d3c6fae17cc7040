//! SARIF 2.1.0, the form that code scanning reads: places in files with what is wrong there. Holds the few members that
//! readers need (OASIS SARIF 2.1.0, sections 3.13 to 3.30), and knows neither vectors nor findings.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::excerpt::SourceText;

/// Where the format is defined.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Must change.
    Error,
    /// Should change.
    Warning,
    /// Good to know.
    Note,
}

/// One thing to show in a file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Which rule was broken.
    pub(crate) rule: String,
    /// How bad.
    pub(crate) level: Level,
    /// One sentence.
    pub(crate) message: String,
    /// The file, from where the program runs.
    pub(crate) file: String,
    /// The place in it; none = the file as a whole.
    pub(crate) region: Option<Region>,
}

/// What the tool says of a rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleText {
    /// Its title.
    pub(crate) title: String,
    /// Where to read more.
    pub(crate) url: Option<String>,
}

/// A place in a file: lines and columns from 1, the end behind the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [RunForm<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunForm<'a> {
    tool: Tool<'a>,
    column_kind: &'static str,
    results: Vec<ResultForm<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    semantic_version: &'a str,
    rules: Vec<RuleForm<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleForm<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'a str>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultForm<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: Level,
    message: Text<'a>,
    locations: [LocationForm; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationForm {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

/// A log of one run of a tool of this name and version. `rules` says more of the rules that entries name.
pub(crate) fn log(
    name: &str,
    version: &str,
    rules: &BTreeMap<String, RuleText>,
    entries: &[Entry],
) -> serde_json::Result<String> {
    let mut ids: Vec<&str> = rules.keys().map(String::as_str).collect();
    ids.extend(entries.iter().map(|entry| entry.rule.as_str()));
    ids.sort_unstable();
    ids.dedup();
    let index = |rule: &str| ids.binary_search(&rule).unwrap_or_default();
    let results = entries.iter().map(|entry| entry.form(index(&entry.rule))).collect();
    let rule = |id: &&'_ str| {
        let text = rules.get(*id);
        (text.map(|text| text.title.as_str()), text.and_then(|text| text.url.as_deref()))
    };
    let rules = ids
        .iter()
        .map(|id| {
            let (title, help_uri) = rule(id);
            RuleForm { id, short_description: title.map(|text| Text { text }), help_uri }
        })
        .collect();
    serde_json::to_string_pretty(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [RunForm {
            tool: Tool { driver: Driver { name, semantic_version: version, rules } },
            column_kind: "unicodeCodePoints",
            results,
        }],
    })
}

impl Entry {
    fn form(&self, rule_index: usize) -> ResultForm<'_> {
        ResultForm {
            rule_id: &self.rule,
            rule_index,
            level: self.level,
            message: Text { text: &self.message },
            locations: [LocationForm {
                physical_location: Physical {
                    artifact_location: Artifact { uri: uri(&self.file) },
                    region: self.region,
                },
            }],
        }
    }
}

impl SourceText<'_> {
    /// The lines and columns of a stretch of bytes.
    pub(crate) fn region(&self, place: &Range<usize>) -> Region {
        let (start, end) = (self.position(place.start), self.position(place.end));
        Region {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// A path as a relative reference of RFC 3986: what may not stand in one is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            uri.extend([byte >> 4, byte & 0xf].map(|half| {
                char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase()
            }));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_result_names_its_rule_its_file_and_its_place() {
        let source = SourceText { name: "a b.json", text: "{\n  \"ä\": \"s3:*\"\n}" };
        let start = source.text.find("\"s3").unwrap();
        let entry = Entry {
            rule: "wild".into(),
            level: Level::Warning,
            message: "too wide".into(),
            file: source.name.into(),
            region: Some(source.region(&(start..start + 6))),
        };
        let text = RuleText { title: "Wild".into(), url: Some("https://example.com".into()) };
        let rules = BTreeMap::from([("wild".into(), text), ("also".into(), RuleText::default())]);
        let log: Value =
            serde_json::from_str(&log("kit", "1.0.0", &rules, &[entry]).unwrap()).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][1]["helpUri"], "https://example.com");
        let result = &run["results"][0];
        assert_eq!((&result["ruleId"], &result["ruleIndex"]), (&json!("wild"), &json!(1)));
        assert_eq!(
            result["locations"][0]["physicalLocation"],
            json!({
                "artifactLocation": {"uri": "a%20b.json"},
                "region": {"startLine": 2, "startColumn": 8, "endLine": 2, "endColumn": 14}
            })
        );
    }
}
