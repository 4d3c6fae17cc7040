//! What a session may do: the role's document and, in front of it, those of the role's groups, made
//! into the one policy that AWS gets (contract 1.9). The gate reads and judges that text, never its
//! parts: what is sent is what was judged. Gathering the parts is [`super::grant`]'s.

use serde_json::{Map, Value};

use super::Engine;
use crate::gate::{DocumentRefused, DocumentSource, Grant, InlineDocument};
use crate::model::{CredentialType, Finding, PolicyArn};

/// Of every policy that is put together (contract 1.9).
const VERSION: &str = "2012-10-17";

impl Engine {
    /// The grant of a session, where `grant` is one; that of a user stays as it is. Refused where
    /// the policy that comes out is one that AWS would refuse.
    pub(super) fn as_session(&self, grant: Grant) -> Result<Grant, Vec<Finding>> {
        match grant.role.credential_type {
            CredentialType::IamUser => return Ok(grant),
            CredentialType::AssumedRole
            | CredentialType::FederationToken
            | CredentialType::SessionToken => {}
        }
        let Parts { documents, mut attached, fetched } = parts(&grant);
        let mut policy_arns = grant.policy_arns;
        policy_arns.append(&mut attached);
        let own = grant.inline.as_ref().map(InlineDocument::canonical);
        let inline = match merged(&documents, own) {
            None => grant.inline,
            Some(text) => match self.parts.gate.read_session(&text) {
                Ok(policy) => Some(policy),
                Err(DocumentRefused::Findings(findings)) => return Err(findings),
                // It was written here, as JSON.
                Err(DocumentRefused::BrokenJson { detail: _ }) => return Err(Vec::new()),
            },
        };
        // Nobody joins a group: what it grants is in the policy and in the ARNs.
        Ok(Grant { inline, policy_arns, groups: Vec::new(), fetched, ..grant })
    }
}

/// Why a group of a session's grant could not be read, if one could not: without it the session
/// would be another than the role says.
pub(super) fn unread_group(grant: &Grant) -> Option<&str> {
    grant.fetched.iter().find_map(|(source, text)| match (source, text) {
        (DocumentSource::Group { .. }, Err(reason)) => Some(reason.as_str()),
        (
            DocumentSource::Group { .. } | DocumentSource::Managed(_) | DocumentSource::Inline,
            Ok(_) | Err(_),
        ) => None,
    })
}

struct Parts {
    /// Of the groups, in order.
    documents: Vec<Value>,
    /// Managed policies of the groups, in order.
    attached: Vec<PolicyArn>,
    /// What is still to be judged beside the policy: managed policies, and what could not be read.
    fetched: Vec<(DocumentSource, Result<String, String>)>,
}

fn parts(grant: &Grant) -> Parts {
    let mut parts = Parts { documents: Vec::new(), attached: Vec::new(), fetched: Vec::new() };
    // The role's own managed policies come first, then group by group.
    for (position, (source, text)) in grant.fetched.iter().enumerate() {
        match (source, text) {
            (DocumentSource::Group { .. }, Ok(text)) => {
                if let Ok(document @ Value::Object(_)) = serde_json::from_str(text) {
                    parts.documents.push(document);
                } else {
                    let reason = format!("{source} is not a policy document");
                    parts.fetched.push((source.clone(), Err(reason)));
                }
            }
            (DocumentSource::Managed(arn), _) if position >= grant.policy_arns.len() => {
                parts.attached.push(arn.clone());
                parts.fetched.push((source.clone(), text.clone()));
            }
            (DocumentSource::Managed(_) | DocumentSource::Inline, _)
            | (DocumentSource::Group { .. }, Err(_)) => {
                parts.fetched.push((source.clone(), text.clone()));
            }
        }
    }
    parts
}

/// The statements of the groups in order, the role's own last; `None` where no group has any
/// document: the role's is then sent as it is. Keys are sorted, and `<`, `>`, `&` written as Go does.
fn merged(groups: &[Value], own: Option<&str>) -> Option<String> {
    if groups.is_empty() {
        return None;
    }
    let own = own.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let statements = groups.iter().chain(&own).flat_map(statements).collect();
    let document = Map::from_iter([
        ("Version".to_owned(), Value::from(VERSION)),
        ("Statement".to_owned(), Value::Array(statements)),
    ]);
    let text = Value::Object(document).to_string();
    Some(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

fn statements(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn group_statements_come_first_and_a_single_one_is_a_list_of_one() {
        let first = json!({"Version": "2008-10-17", "Id": "gone", "Statement": {"Sid": "One", "Effect": "Allow"}});
        let second = json!({"Statement": [{"Sid": "Two"}, {"Sid": "Three"}]});
        let own = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Own"}]}"#;
        assert_eq!(
            merged(&[first, second], Some(own)).unwrap(),
            r#"{"Statement":[{"Effect":"Allow","Sid":"One"},{"Sid":"Two"},{"Sid":"Three"},{"Sid":"Own"}],"Version":"2012-10-17"}"#
        );
    }

    #[test]
    fn without_group_documents_the_roles_own_is_left_alone() {
        assert_eq!(merged(&[], Some("{}")), None);
    }

    #[test]
    fn the_three_characters_are_written_as_go_does() {
        let group = json!({"Statement": {"Sid": "<a&b>"}});
        assert_eq!(
            merged(&[group], None).unwrap(),
            r#"{"Statement":[{"Sid":"\u003ca\u0026b\u003e"}],"Version":"2012-10-17"}"#
        );
    }
}
