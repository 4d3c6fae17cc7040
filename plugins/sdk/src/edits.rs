//! Edits of a policy document as RFC 6902 patches: entries out, a condition or a Deny in. Each gives a patch only where
//! the result is still a document: lists are not left empty, and an object is not taken for a list.
//! Nothing is applied here: patches are offered to the author.

use serde_json::{Value, json};

use crate::{Document, Patch, Statement, pattern};

/// Operations on one document, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Edits {
    document: u32,
    operations: Vec<Value>,
}

impl Edits {
    /// No edits yet of the document with this index.
    pub fn of(document: u32) -> Self {
        Self { document, operations: Vec::new() }
    }

    /// Takes out what is at `pointer`.
    #[must_use]
    pub fn remove(mut self, pointer: &str) -> Self {
        self.operations.push(json!({ "op": "remove", "path": pointer }));
        self
    }

    /// Puts `value` at `pointer`.
    #[must_use]
    pub fn add(mut self, pointer: &str, value: &Value) -> Self {
        self.operations.push(json!({ "op": "add", "path": pointer, "value": value }));
        self
    }

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
        let mut indices: Vec<usize> =
            indices.iter().copied().filter(|one| *one < entries).collect();
        indices.sort_unstable();
        indices.dedup();
        if indices.len() == entries {
            // A single statement may stand alone, and none may not stand at all.
            return (document.statements.len() > 1).then(|| self.remove(&statement.pointer));
        }
        // The last first, so that the others stay where they are.
        let pointer = statement.element_pointer(element);
        Some(
            indices
                .iter()
                .rev()
                .fold(self, |edits, index| edits.remove(&format!("{pointer}/{index}"))),
        )
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
        let step = |text: &str| text.replace('~', "~0").replace('/', "~1");
        if statement.conditions.is_empty() {
            return self.add(&condition, &json!({ operator: { key: value } }));
        }
        if statement.conditions.iter().any(|one| one.operator == operator) {
            let pointer = format!("{condition}/{}/{}", step(operator), step(key));
            return self.add(&pointer, value);
        }
        self.add(&format!("{condition}/{}", step(operator)), &json!({ key: value }))
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

    /// The patch; none where nothing is edited.
    pub fn patch(self) -> Option<Patch> {
        let operations = Value::Array(self.operations);
        (operations != json!([]))
            .then(|| Patch { document: self.document, operations: operations.to_string() })
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

    fn operations(edits: Option<Edits>) -> String {
        edits.and_then(Edits::patch).map(|patch| patch.operations).unwrap_or_default()
    }

    #[test]
    fn entries_go_from_the_last_to_the_first() {
        let one = document(vec![allow([action("a:A"), action("a:B"), action("a:C")], ["*"])]);
        let edits = Edits::of(0).without_actions(&one, &one.statements[0], &[0, 2]);
        assert_eq!(
            operations(edits),
            r#"[{"op":"remove","path":"/Statement/0/Action/2"},{"op":"remove","path":"/Statement/0/Action/0"}]"#
        );
    }

    #[test]
    fn the_last_entry_goes_with_its_statement_and_the_last_statement_stays() {
        let statement = || allow([action("a:A")], ["*"]);
        let one = document(vec![statement()]);
        assert_eq!(Edits::of(0).without_actions(&one, &one.statements[0], &[0]), None);
        let two = document(vec![statement(), statement()]);
        let edits = Edits::of(3).without_actions(&two, &two.statements[1], &[0]);
        assert_eq!(operations(edits), r#"[{"op":"remove","path":"/Statement/1"}]"#);
    }

    #[test]
    fn a_condition_goes_where_its_operator_is() {
        let mut statement = allow([action("a:A")], ["*"]);
        let add = |statement: &Statement| {
            operations(Some(Edits::of(0).with_condition(
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
            |document: &Document| operations(Edits::of(0).with_deny(document, &["a:A"], &["*"]));
        assert_eq!(
            deny(&one),
            r#"[{"op":"add","path":"/Statement/-","value":{"Action":["a:A"],"Effect":"Deny","Resource":["*"]}}]"#
        );
        one.statements[0].pointer = "/Statement".to_owned();
        assert_eq!(deny(&one), "");
        assert_eq!(Edits::of(0).patch(), None);
    }
}
