//! The JSON Schema of policy documents, and what a document that breaks it is told. The schema decides; the words are
//! the typed reader's ([`iam_policy::Document`]), which chooses the branch first (`Action` or `NotAction`?) and suggests
//! the near miss, so that each fault has one message at its place. The document's tree is walked by [`super::schema_document`].

use iam_policy::{Position, Problem, StrictJson};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};

use super::schema_document::PolicyJson;

/// The schema itself, as it is published.
const POLICY: &str = include_str!("../../schemas/iam-policy-document.schema.json");

/// Most places told at once, as in the typed reader: a document with more is broken as a whole.
const MAX_FAULTS: usize = 50;

/// A schema that cannot be used. Of that of policy documents a fault of the build, found by the first test that
/// makes a gate.
#[derive(Debug, thiserror::Error)]
#[error("the JSON Schema cannot be used: {0}")]
pub struct SchemaError(String);

impl SchemaError {
    pub(super) fn of(error: &impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// The schema, ready to check documents.
#[derive(Debug)]
pub(super) struct Schema(Validator<PolicyJson>);

/// One place where a document breaks the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// `schema/…`: the fault's name, or the keyword where it has none.
    pub(super) rule: String,
    pub(super) pointer: String,
    pub(super) position: Option<Position>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Schema {
    /// Compiles the schema; done once.
    pub(super) fn policy() -> Result<Self, SchemaError> {
        let schema: serde_json::Value =
            serde_json::from_str(POLICY).map_err(|error| SchemaError(error.to_string()))?;
        jsonschema::options_for::<PolicyJson>()
            .with_draft(Draft::Draft202012)
            // Linear in the text whatever the pattern: no document can make a check slow.
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .map(Self)
            .map_err(|error| SchemaError(error.to_string()))
    }

    /// Whether a document has the right form.
    pub(super) fn accepts(&self, json: &StrictJson) -> bool {
        self.0.is_valid(json.into())
    }

    /// Everything that is wrong with the form of a document that is not accepted. `problems` are the typed
    /// reader's, which words what both have found.
    pub(super) fn faults(&self, json: &StrictJson, problems: Vec<Problem>) -> Vec<Fault> {
        let unexplained: Vec<Fault> = self
            .places(json)
            .into_iter()
            .filter(|place| !problems.iter().any(|problem| explains(problem, place)))
            .map(|place| place.into_fault(json))
            .collect();
        problems
            .into_iter()
            .map(|problem| Fault::worded("schema", problem))
            .chain(unexplained)
            .take(MAX_FAULTS)
            .collect()
    }

    fn places(&self, json: &StrictJson) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for error in self.0.iter_errors(json.into()).take(MAX_FAULTS) {
            for place in Place::of(&error) {
                // One message per place.
                if !places.iter().any(|known| known.pointer == place.pointer) {
                    places.push(place);
                }
            }
        }
        places
    }
}

impl Fault {
    /// A problem that the typed reader or the semantics worded.
    pub(super) fn worded(layer: &str, problem: Problem) -> Self {
        let Problem { rule, pointer, position, message, help } = problem;
        Self { rule: format!("{layer}/{rule}"), pointer, position, message, help }
    }
}

/// Where the schema found something, and which keyword said so.
struct Place {
    pointer: String,
    keyword: String,
}

impl Place {
    /// The places of one error: an unknown member is at the member, not at the object around it.
    fn of(error: &ValidationError<'_>) -> Vec<Self> {
        let pointer = error.instance_path().as_str();
        let place = |pointer: String| Self { pointer, keyword: error.kind().keyword().to_owned() };
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            let member = |name: &String| {
                let mut pointer = pointer.to_owned();
                iam_policy::json::push_pointer(&mut pointer, name);
                place(pointer)
            };
            return unexpected.iter().map(member).collect();
        }
        vec![place(pointer.to_owned())]
    }

    fn into_fault(self, json: &StrictJson) -> Fault {
        let what = match self.keyword.as_str() {
            "type" => "has a value of the wrong type",
            "required" | "oneOf" => "lacks an element, or has two that exclude each other",
            "additionalProperties" => "is not an element of a policy",
            "enum" | "const" => "is none of the values that may stand here",
            "minItems" => "is an empty list",
            "pattern" | "anyOf" | "propertyNames" => {
                "does not have the form that is asked for here"
            }
            _ => "is not allowed here",
        };
        let shown = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        Fault {
            rule: format!("schema/{}", self.keyword),
            position: json.position(&self.pointer),
            message: format!("`{shown}` {what}"),
            help: Some("see schemas/iam-policy-document.schema.json".to_owned()),
            pointer: self.pointer,
        }
    }
}

/// Whether a problem tells of the same fault: it is at the place, inside it, or around it.
fn explains(problem: &Problem, place: &Place) -> bool {
    let inside = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(&place.pointer, &problem.pointer)
        || (!problem.pointer.is_empty() && inside(&problem.pointer, &place.pointer))
}

#[cfg(test)]
mod tests {
    use iam_policy::Document;

    use super::*;
    use crate::model::{Decision, Finding, Severity, Verdict};

    fn faults(text: &str) -> Vec<Fault> {
        let json = StrictJson::parse(text).unwrap();
        let problems = Document::from_json(json.clone()).err().unwrap_or_default();
        let schema = Schema::policy().unwrap();
        assert_eq!(schema.accepts(&json), problems.is_empty(), "{text}");
        if schema.accepts(&json) { Vec::new() } else { schema.faults(&json, problems) }
    }

    fn told(text: &str) -> String {
        let line = |fault: Fault| {
            let Fault { rule, pointer, position, message, help } = fault;
            let (line, column) = position.map_or((0, 0), |at| (at.line, at.column));
            format!("{line}:{column} {pointer} {rule}: {message} | {}\n", help.unwrap_or_default())
        };
        faults(text).into_iter().map(line).collect()
    }

    #[test]
    fn a_near_miss_is_told_once_with_what_was_meant() {
        let text = "{\n \"Version\": \"2012-10-17\",\n \"Statement\": [{\n  \"Effect\": \"Allow\",\n  \"Actions\": \"s3:GetObject\",\n  \"Resource\": \"*\"\n }]\n}";
        insta::assert_snapshot!(told(text), @"5:3 /Statement/0/Actions schema/unknown-element: a statement has no element `Actions` | did you mean `Action`?");
    }

    #[test]
    fn the_branch_is_decided_first() {
        let both = r#"{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "NotAction": "s3:Put*", "Resource": "*"}}"#;
        insta::assert_snapshot!(told(both), @"1:56 /Statement/NotAction schema/exclusive-elements: the statement has both `Action` and `NotAction` | keep one of them");
        let neither = r#"{"Statement": {"Effect": "Allow", "Resource": "*"}}"#;
        insta::assert_snapshot!(told(neither), @"1:15 /Statement schema/missing-element: the statement has no `Action` | add `Action` (or, to name what is left out, `NotAction`)");
    }

    #[test]
    fn what_is_no_policy_at_all_is_told_in_one_sentence() {
        insta::assert_snapshot!(told("[1, 2]"), @"1:1  schema/wrong-type: a policy must be an object, not an array |");
        insta::assert_snapshot!(told("{}"), @r#"1:1  schema/missing-statement: the policy has no `Statement` | add `"Statement": [{"Effect": …, "Action": …, "Resource": …}]`"#);
    }

    #[test]
    fn a_place_that_the_reader_does_not_word_is_told_by_its_keyword() {
        let json =
            StrictJson::parse(r#"{"Statement": {"Effect": "Maybe"}, "Comment": 1}"#).unwrap();
        let faults = Schema::policy().unwrap().faults(&json, Vec::new());
        let rules: Vec<&str> = faults.iter().map(|fault| fault.rule.as_str()).collect();
        assert!(rules.contains(&"schema/additionalProperties"), "{rules:?}");
        assert!(rules.contains(&"schema/enum"), "{rules:?}");
        assert!(faults.iter().any(|fault| fault.pointer == "/Comment"), "{faults:?}");
    }

    #[test]
    fn a_good_document_has_no_faults() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        assert_eq!(faults(text), []);
    }

    #[test]
    fn a_verdict_is_what_its_published_schema_says() {
        let schema = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let finding = schema(include_str!("../../schemas/finding.schema.json"));
        let registry = jsonschema::Registry::new()
            .add("urn:leasehold:schema:finding:1", finding)
            .unwrap()
            .prepare()
            .unwrap();
        let validator = jsonschema::options()
            .with_registry(&registry)
            .build(&schema(include_str!("../../schemas/verdict.schema.json")))
            .unwrap();
        let finding = Finding {
            rule: "least-privilege/service-wildcard".to_owned(),
            severity: Severity::High,
            message: "`s3:*` allows every action of s3".to_owned(),
            source: "inline".to_owned(),
            pointer: "/Statement/0/Action".to_owned(),
            line: Some(6),
            column: None,
            remediation: None,
            denies: true,
        };
        let verdict =
            Verdict { decision: Decision::Deny, findings: vec![finding], digest: "0".repeat(64) };
        let mut value = serde_json::to_value(verdict).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        value["findings"][0]["line"] = 0.into();
        assert!(!validator.is_valid(&value));
    }
}
