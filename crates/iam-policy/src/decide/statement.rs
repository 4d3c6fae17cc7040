//! Whether one statement applies to a request: its action, its resource and all its conditions.
//! A doubt never becomes a yes or a no on the way: negated lists turn unknown into unknown.
//! Conditions are tested in `conditions`, variables filled in by `variables`.

use super::variables::Pattern;
use super::{Context, Truth, conditions};
use crate::document::{Entry, Statement, Version};
use crate::wildcard::matches_action;

pub(super) fn applies(
    language: Version,
    statement: &Statement,
    action: &str,
    resource: &str,
    context: &Context,
) -> Truth {
    let named = |entries: &[Entry]| entries.iter().any(|entry| matches_action(&entry.text, action));
    let by_action = if statement.not_actions.is_empty() {
        named(&statement.actions)
    } else {
        !named(&statement.not_actions)
    };
    if !by_action {
        return Truth::No;
    }
    let by_resource = if statement.not_resources.is_empty() {
        reached(&statement.resources, language, resource, context, |truth| truth)
    } else {
        reached(&statement.not_resources, language, resource, context, Truth::not)
    };
    statement.conditions.iter().fold(by_resource, |truth, condition| {
        truth.and(conditions::holds(language, condition, context))
    })
}

/// Whether some entry matches, turned round by `read` for `NotResource`. The IAM User Guide says that a variable
/// without a value voids the statement, not the entry alone; what both readings do not give is unknown.
fn reached(
    entries: &[Entry],
    language: Version,
    resource: &str,
    context: &Context,
    read: impl Fn(Truth) -> Truth,
) -> Truth {
    let mut found = Truth::No;
    let mut cap = Truth::Yes;
    for entry in entries {
        let pattern = Pattern::fill(&entry.text, language, context);
        found = found.or(pattern.matches_resource(resource));
        if pattern.is_void() {
            cap = Truth::Unknown;
        }
    }
    read(found).and(cap)
}
