//! Places in documents: pointers to the entries of a statement, and a walk over what a grant allows.
//! Every pointer made here exists in the document that it is made from, which the host checks.
//! The entries of a list are `…/Action/0`; a single entry is `…/Action`, which holds whether or not it stands in a list.

use crate::{ActionRef, Document, Effect, Grant, Location, Statement, pattern};

/// Bytes of a pointer beside statement and element: two slashes and the index.
const ROOM: usize = 6;

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
        let mut pointer = String::with_capacity(self.pointer.len() + element.len() + ROOM);
        pointer.push_str(&self.pointer);
        pointer.push('/');
        pointer.push_str(element);
        pointer
    }

    fn entry_pointer(&self, element: &str, index: usize, entries: usize) -> String {
        let mut pointer = self.element_pointer(element);
        if entries > 1 {
            pointer.push('/');
            push_number(&mut pointer, index);
        }
        pointer
    }

    /// Whether it grants.
    pub fn allows(&self) -> bool {
        self.effect == Effect::Allow
    }
}

/// Writes the digits without the formatting machinery: a pointer is made for every entry that is found.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.extend(u32::try_from(number % 10).ok().and_then(|digit| char::from_digit(digit, 10)));
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

    /// Whether its place is among these. Asked of most entries and true of few, so it makes no pointer to compare.
    pub fn is_at(&self, places: &[Location]) -> bool {
        places.iter().any(|place| {
            place.document == self.document_index
                && place.pointer.starts_with(&self.statement.pointer)
                && place.pointer == self.statement.action_pointer(self.index)
        })
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
        assert_eq!(two.entry_pointer("Action", 1_203, 2), "/Statement/0/Action/1203");
    }

    #[test]
    fn an_entry_knows_its_place_among_others() {
        let two = || allow([action("s3:GetObject"), action("s3:PutObject")], ["*"]);
        let grant = grant((0..11).map(|_| two()).collect());
        let all: Vec<_> = grant.allowed_actions().collect();
        for (index, one) in all.iter().enumerate() {
            let place = [one.location()];
            let there: Vec<_> = (0..).zip(&all).filter(|(_, one)| one.is_at(&place)).collect();
            assert_eq!(there.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [index]);
        }
        assert!(!all.iter().any(|one| one.is_at(&[])));
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
