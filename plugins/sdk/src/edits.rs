//! Patches that edit a policy document: entries out, a condition or a Deny in. Each gives a patch only where the result is
//! still a document: lists are not left empty, and an object is not taken for a list.
//! Any other operation is in `patch`; nothing is applied here either.

use serde_json::{Value, json};

use crate::pointer::join;
use crate::{Document, Patch, Statement, pattern};

impl Patch {
    /// Takes `Action` entries out of a statement; all of them: the statement, if others remain.
    pub fn without_actions(
        self,
        document: &Document,
        statement: &Statement,
        indices: &[usize],
    ) -> Option<Self> {
        self.without_entries(document, statement, "Action", statement.actions.len(), indices)
    }

    /// Takes `Resource` entries out of a statement; all of them: the statement, if others remain.
    pub fn without_resources(
        self,
        document: &Document,
        statement: &Statement,
        indices: &[usize],
    ) -> Option<Self> {
        self.without_entries(document, statement, "Resource", statement.resources.len(), indices)
    }

    fn without_entries(
        self,
        document: &Document,
        statement: &Statement,
        element: &str,
        entries: usize,
        indices: &[usize],
    ) -> Option<Self> {
        let mut indices = indices.to_vec();
        indices.retain(|one| *one < entries);
        indices.sort_unstable();
        indices.dedup();
        if indices.len() == entries {
            // A single statement may stand alone, and none may not stand at all.
            return (document.statements.len() > 1).then(|| self.remove(&statement.pointer));
        }
        let pointer = statement.element_pointer(element);
        Some(self.remove_all(indices.iter().map(|index| format!("{pointer}/{index}"))))
    }

    /// Adds a condition to a statement that has none on the same key with the same operator.
    #[must_use]
    pub fn with_condition(
        self,
        statement: &Statement,
        operator: &str,
        key: &str,
        value: &Value,
    ) -> Self {
        let condition = statement.element_pointer("Condition");
        if statement.conditions.is_empty() {
            return self.add(&condition, &json!({ operator: { key: value } }));
        }
        if statement.conditions.iter().any(|one| one.operator == operator) {
            return self.add(&join(&join(&condition, operator), key), value);
        }
        self.add(&join(&condition, operator), &json!({ key: value }))
    }

    /// Adds a Deny without conditions, where the statements are a list.
    pub fn with_deny(
        self,
        document: &Document,
        actions: &[&str],
        resources: &[&str],
    ) -> Option<Self> {
        let first = document.statements.first()?;
        let is_list = first.pointer.len() > "/Statement".len();
        is_list.then(|| {
            let deny = json!({ "Effect": "Deny", "Action": actions, "Resource": resources });
            self.add("/Statement/-", &deny)
        })
    }
}

/// The operator that compares with such values: `StringLike` where one has a wildcard, else `StringEquals`.
pub fn string_operator<'a>(values: impl IntoIterator<Item = &'a str>) -> &'static str {
    if values.into_iter().any(pattern::has_wildcard) { "StringLike" } else { "StringEquals" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::condition;
    use crate::testing::{action, allow, grant};

    fn document(statements: Vec<Statement>) -> Document {
        grant(statements).documents.remove(0)
    }

    fn operations(edits: Option<Patch>) -> String {
        edits.map(|patch| patch.operations).unwrap_or_default()
    }

    #[test]
    fn entries_go_from_the_last_to_the_first() {
        let one = document(vec![allow([action("a:A"), action("a:B"), action("a:C")], ["*"])]);
        let edits = Patch::on(0).without_actions(&one, &one.statements[0], &[0, 2]);
        assert_eq!(
            operations(edits),
            r#"[{"op":"remove","path":"/Statement/0/Action/2"},{"op":"remove","path":"/Statement/0/Action/0"}]"#
        );
    }

    #[test]
    fn the_last_entry_goes_with_its_statement_and_the_last_statement_stays() {
        let statement = || allow([action("a:A")], ["*"]);
        let one = document(vec![statement()]);
        assert_eq!(Patch::on(0).without_actions(&one, &one.statements[0], &[0]), None);
        let two = document(vec![statement(), statement()]);
        let edits = Patch::on(3).without_actions(&two, &two.statements[1], &[0]);
        assert_eq!(operations(edits), r#"[{"op":"remove","path":"/Statement/1"}]"#);
    }

    #[test]
    fn a_condition_goes_where_its_operator_is() {
        let mut statement = allow([action("a:A")], ["*"]);
        let add = |statement: &Statement| {
            operations(Some(Patch::on(0).with_condition(
                statement,
                "Bool",
                "aws:K/x",
                &json!("true"),
            )))
        };
        assert_eq!(
            add(&statement),
            r#"[{"op":"add","path":"/Statement/0/Condition","value":{"Bool":{"aws:K/x":"true"}}}]"#
        );
        statement.conditions = vec![condition("StringLike", "k", &["v"])];
        assert_eq!(
            add(&statement),
            r#"[{"op":"add","path":"/Statement/0/Condition/Bool","value":{"aws:K/x":"true"}}]"#
        );
        statement.conditions.push(condition("Bool", "k", &["true"]));
        assert_eq!(
            add(&statement),
            r#"[{"op":"add","path":"/Statement/0/Condition/Bool/aws:K~1x","value":"true"}]"#
        );
    }

    #[test]
    fn a_deny_is_added_to_a_list_only() {
        let mut one = document(vec![allow([action("a:A")], ["*"])]);
        let deny =
            |document: &Document| operations(Patch::on(0).with_deny(document, &["a:A"], &["*"]));
        assert_eq!(
            deny(&one),
            r#"[{"op":"add","path":"/Statement/-","value":{"Action":["a:A"],"Effect":"Deny","Resource":["*"]}}]"#
        );
        one.statements[0].pointer = "/Statement".to_owned();
        assert_eq!(deny(&one), "");
    }
}
