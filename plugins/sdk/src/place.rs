//! Places in documents: pointers to the entries of a statement, and a walk over what a grant allows.
//! Every pointer made here exists in the document that it is made from, which the host checks.
//! The entries of a list are `…/Action/0`; a single entry is `…/Action`, which holds whether or not it stands in a list.

use crate::{ActionRef, Document, Effect, Grant, Location, Statement, pattern};

impl Statement {
    /// Where `Action` entry `index` is.
    pub fn action_pointer(&self, index: usize) -> String {
        self.entry_pointer("Action", index, self.actions.len())
    }

    /// Where `Resource` entry `index` is.
    pub fn resource_pointer(&self, index: usize) -> String {
        self.entry_pointer("Resource", index, self.resources.len())
    }

    /// Where an element such as `NotAction` is.
    pub fn element_pointer(&self, element: &str) -> String {
        format!("{}/{element}", self.pointer)
    }

    fn entry_pointer(&self, element: &str, index: usize, entries: usize) -> String {
        if entries <= 1 {
            self.element_pointer(element)
        } else {
            format!("{}/{element}/{index}", self.pointer)
        }
    }

    /// Whether it grants.
    pub fn allows(&self) -> bool {
        self.effect == Effect::Allow
    }
}

/// One `Action` entry of one Allow statement.
#[derive(Debug, Clone, Copy)]
pub struct AllowedAction<'a> {
    /// Index of the document in the grant.
    pub document_index: u32,
    /// The document.
    pub document: &'a Document,
    /// The statement.
    pub statement: &'a Statement,
    /// Index of the entry in `Action`.
    pub index: usize,
    /// The entry.
    pub action: &'a ActionRef,
}

impl AllowedAction<'_> {
    /// Whether the entry covers this action.
    pub fn matches(&self, action: &str) -> bool {
        pattern::matches_action(&self.action.text, action)
    }

    /// Where it is.
    pub fn location(&self) -> Location {
        Location {
            document: self.document_index,
            pointer: self.statement.action_pointer(self.index),
        }
    }
}

impl Grant {
    /// The documents with their index.
    pub fn indexed_documents(&self) -> impl Iterator<Item = (u32, &Document)> {
        (0..).zip(&self.documents)
    }

    /// Every statement with the index of its document.
    pub fn statements(&self) -> impl Iterator<Item = (u32, &Statement)> {
        self.indexed_documents()
            .flat_map(|(index, document)| document.statements.iter().map(move |one| (index, one)))
    }

    /// Every `Action` entry of every Allow statement, whatever its conditions. `NotAction` is not among them.
    pub fn allowed_actions(&self) -> impl Iterator<Item = AllowedAction<'_>> {
        self.indexed_documents().flat_map(|(document_index, document)| {
            document.statements.iter().filter(|one| one.allows()).flat_map(move |statement| {
                statement.actions.iter().enumerate().map(move |(index, action)| AllowedAction {
                    document_index,
                    document,
                    statement,
                    index,
                    action,
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{action, allow, grant};

    #[test]
    fn a_single_entry_is_pointed_to_without_an_index() {
        let one = allow([action("s3:GetObject")], ["*"]);
        assert_eq!(one.action_pointer(0), "/Statement/0/Action");
        let two = allow([action("s3:GetObject"), action("s3:PutObject")], ["*"]);
        assert_eq!(two.action_pointer(1), "/Statement/0/Action/1");
        assert_eq!(two.resource_pointer(0), "/Statement/0/Resource");
    }

    #[test]
    fn the_walk_sees_allowed_actions_only() {
        let mut denied = allow([action("s3:PutObject")], ["*"]);
        denied.effect = crate::Effect::Deny;
        let grant = grant(vec![allow([action("s3:GetObject")], ["*"]), denied]);
        let seen: Vec<_> = grant.allowed_actions().map(|one| one.action.text.clone()).collect();
        assert_eq!(seen, ["s3:GetObject"]);
    }
}
