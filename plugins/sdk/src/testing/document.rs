//! Documents from the text of a policy, read as the host reads them: single values become lists, every statement has
//! its pointer. The host is stricter: it refuses what AWS would refuse, and annotates from its catalogue.

use serde_json::{Map, Value, json};

use super::{annotated, of_documents};
use crate::{
    AccessLevels, ActionRef, ActionTraits, Condition, Document, Effect, Grant, Principal, Source,
    Statement,
};

/// A grant of one inline document, from its text. Panics where the text is no policy.
///
/// ```
/// use leasehold_guardrail_sdk::testing::grant_of;
///
/// let grant = grant_of(r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#);
/// assert_eq!(grant.documents[0].statements[0].actions[0].text, "s3:GetObject");
/// ```
pub fn grant_of(policy: &str) -> Grant {
    of_documents(vec![document(Source::Inline, policy)])
}

/// A document from its text. Actions are annotated by the verb of their name: `List…`, reading, tagging, else writing;
/// nobody has traits. Panics where the text is no policy.
pub fn document(source: Source, policy: &str) -> Document {
    let read: Result<Value, _> = serde_json::from_str(policy);
    assert!(read.is_ok(), "the policy is not JSON: {read:?}");
    let json = read.unwrap_or_default();
    let listed = json.get("Statement").and_then(Value::as_array);
    let statements = match (listed, json.get("Statement")) {
        (Some(list), _) => list
            .iter()
            .enumerate()
            .map(|(index, one)| statement(format!("/Statement/{index}"), one))
            .collect(),
        (None, Some(one)) => vec![statement("/Statement".to_owned(), one)],
        (None, None) => Vec::new(),
    };
    let version = json.get("Version").and_then(Value::as_str).map(str::to_owned);
    Document { source, version, json: json.to_string(), statements }
}

/// The text that hand-made statements stand for, so that pointers into it hold.
pub(super) fn text_of(statements: &[Statement]) -> String {
    let text = |actions: &[ActionRef]| {
        single_or_list(actions.iter().map(|one| one.text.clone()).collect())
    };
    let statements: Vec<Value> = statements
        .iter()
        .map(|one| {
            let mut json = Map::new();
            let effect = if one.effect == Effect::Allow { "Allow" } else { "Deny" };
            json.insert("Effect".to_owned(), json!(effect));
            for (element, value) in [
                ("Action", text(&one.actions)),
                ("NotAction", text(&one.not_actions)),
                ("Resource", single_or_list(one.resources.clone())),
                ("NotResource", single_or_list(one.not_resources.clone())),
            ] {
                if let Some(value) = value {
                    json.insert(element.to_owned(), value);
                }
            }
            for condition in &one.conditions {
                json.entry("Condition")
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
                    .and_then(|operators| {
                        operators
                            .entry(condition.operator.clone())
                            .or_insert_with(|| json!({}))
                            .as_object_mut()
                    })
                    .map(|keys| keys.insert(condition.key.clone(), json!(condition.values)));
            }
            Value::Object(json)
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn single_or_list(values: Vec<String>) -> Option<Value> {
    match values.as_slice() {
        [] => None,
        [one] => Some(json!(one)),
        _ => Some(json!(values)),
    }
}

fn statement(pointer: String, json: &Value) -> Statement {
    let effect = json.get("Effect").and_then(Value::as_str);
    assert!(matches!(effect, Some("Allow" | "Deny")), "{pointer} has no Effect: {json}");
    let actions = |element: &str| {
        texts(json.get(element)).iter().map(|text| by_name(text)).collect::<Vec<_>>()
    };
    Statement {
        sid: json.get("Sid").and_then(Value::as_str).map(str::to_owned),
        effect: if effect == Some("Allow") { Effect::Allow } else { Effect::Deny },
        actions: actions("Action"),
        not_actions: actions("NotAction"),
        resources: texts(json.get("Resource")),
        not_resources: texts(json.get("NotResource")),
        principals: principals(json.get("Principal")),
        not_principals: principals(json.get("NotPrincipal")),
        conditions: conditions(json.get("Condition")),
        pointer,
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.iter().map(text).collect(),
        Some(one) => vec![text(one)],
    }
}

fn by_name(text: &str) -> ActionRef {
    let name = text.split_once(':').map_or("", |(_, name)| name).to_ascii_lowercase();
    let begins = |verbs: &[&str]| verbs.iter().any(|verb| name.starts_with(verb));
    let levels = if name.starts_with(['*', '?']) || name.is_empty() {
        AccessLevels::all() - AccessLevels::UNKNOWN
    } else if begins(&["list"]) {
        AccessLevels::LIST
    } else if begins(&["get", "describe", "batchget", "head"]) {
        AccessLevels::READ
    } else if begins(&["tag", "untag"]) {
        AccessLevels::TAGGING
    } else {
        AccessLevels::WRITE
    };
    annotated(text, levels, ActionTraits::empty())
}

fn principals(value: Option<&Value>) -> Vec<Principal> {
    match value {
        Some(Value::Object(kinds)) => kinds
            .iter()
            .map(|(kind, values)| Principal { kind: kind.clone(), values: texts(Some(values)) })
            .collect(),
        Some(everyone) => vec![Principal { kind: "*".to_owned(), values: texts(Some(everyone)) }],
        None => Vec::new(),
    }
}

fn conditions(value: Option<&Value>) -> Vec<Condition> {
    let operators = value.and_then(Value::as_object).into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            keys.as_object().into_iter().flatten().map(|(key, values)| Condition {
                operator: operator.clone(),
                key: key.clone(),
                values: texts(Some(values)),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_the_host_reads_it() {
        let grant = grant_of(
            r#"{ "Version": "2012-10-17", "Statement": [ { "Sid": "a", "Effect": "Deny",
                "Action": ["s3:ListBucket", "s3:*"], "NotResource": "x",
                "Condition": { "Bool": { "aws:SecureTransport": true } } } ] }"#,
        );
        let document = &grant.documents[0];
        assert!(document.json.starts_with(r#"{"#) && !document.json.contains(": "));
        let statement = &document.statements[0];
        assert_eq!(statement.pointer, "/Statement/0");
        assert_eq!((statement.effect, statement.sid.as_deref()), (Effect::Deny, Some("a")));
        assert_eq!(statement.actions[0].levels, AccessLevels::LIST);
        assert!(statement.actions[1].levels.contains(AccessLevels::WRITE | AccessLevels::READ));
        assert_eq!(statement.not_resources, ["x"]);
        assert_eq!(statement.conditions[0].values, ["true"]);
    }

    #[test]
    fn a_single_statement_has_the_pointer_of_the_element() {
        let grant = grant_of(r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#);
        assert_eq!(grant.documents[0].statements[0].action_pointer(0), "/Statement/Action");
    }

    #[test]
    #[should_panic(expected = "has no Effect")]
    fn what_is_no_policy_fails_the_test() {
        let _ = grant_of(r#"{"Statement":{"Action":"a:b"}}"#);
    }
}
