//! IAM's decision on one request: any matching Deny refuses, else any matching Allow grants, else refused.
//! What the request does not name is unknown, never false: a statement that rests on it makes the answer conditional.
//! Matching of one statement is in `statement`, condition tests in `conditions`, variables in `variables`.

mod conditions;
mod context;
mod statement;
mod values;
mod variables;

use serde::Serialize;

pub use context::Context;

use crate::document::{Document, Effect};

/// What IAM would answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Granted, whatever else the request holds.
    Allowed,
    /// Granted or refused depending on what the context does not name.
    ConditionallyAllowed,
    /// Refused by a Deny.
    ExplicitlyDenied,
    /// Refused, as nothing grants it.
    NotAllowed,
}

/// The answer with its grounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The answer.
    pub outcome: Outcome,
    /// The statements that decided: index of the document, RFC 6901 pointer. Those of the boundary are not in it.
    pub statements: Vec<(usize, String)>,
}

/// Whether something holds, as far as the context tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    fn from_bool(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    fn and(self, other: Self) -> Self {
        self.min(other)
    }

    fn or(self, other: Self) -> Self {
        self.max(other)
    }

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// Would the documents together, capped by the boundary, let `action` be done on `resource`?
pub fn decide(
    documents: &[&Document],
    boundary: Option<&Document>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Decision {
    let granted = judge(documents, action, resource, context);
    let Some(boundary) = boundary else {
        return granted;
    };
    if granted.outcome == Outcome::ExplicitlyDenied {
        return granted;
    }
    let cap = judge(&[boundary], action, resource, context).outcome;
    match (cap, granted.outcome) {
        (Outcome::ExplicitlyDenied, _)
        | (Outcome::NotAllowed, Outcome::Allowed | Outcome::ConditionallyAllowed) => {
            Decision { outcome: cap, statements: Vec::new() }
        }
        (Outcome::ConditionallyAllowed, Outcome::Allowed) => {
            Decision { outcome: Outcome::ConditionallyAllowed, ..granted }
        }
        (Outcome::Allowed | Outcome::ConditionallyAllowed | Outcome::NotAllowed, _) => granted,
    }
}

fn judge(documents: &[&Document], action: &str, resource: &str, context: &Context) -> Decision {
    let mut allows = Vec::new();
    let mut denies = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        for statement in document.statements() {
            let truth =
                statement::applies(document.language(), statement, action, resource, context);
            if truth == Truth::No {
                continue;
            }
            let found = (truth, (index, statement.pointer.clone()));
            match statement.effect {
                Effect::Allow => allows.push(found),
                Effect::Deny => denies.push(found),
            }
        }
    }
    let any = |found: &[(Truth, (usize, String))]| {
        found.iter().fold(Truth::No, |truth, (one, _)| truth.or(*one))
    };
    let certain = |found: Vec<(Truth, (usize, String))>| {
        found.into_iter().filter(|(truth, _)| *truth == Truth::Yes).map(|(_, at)| at).collect()
    };
    match (any(&denies), any(&allows)) {
        (Truth::Yes, _) => {
            Decision { outcome: Outcome::ExplicitlyDenied, statements: certain(denies) }
        }
        (Truth::No | Truth::Unknown, Truth::No) => {
            Decision { outcome: Outcome::NotAllowed, statements: Vec::new() }
        }
        (Truth::No, Truth::Yes) => {
            Decision { outcome: Outcome::Allowed, statements: certain(allows) }
        }
        (Truth::Unknown, Truth::Yes | Truth::Unknown) | (Truth::No, Truth::Unknown) => Decision {
            outcome: Outcome::ConditionallyAllowed,
            statements: allows.into_iter().chain(denies).map(|(_, at)| at).collect(),
        },
    }
}

#[cfg(test)]
mod tests;
