//! Grants for tests of rules on the developer's own machine, without a host and without WebAssembly.
//! Annotations are given by hand here; how a plugin behaves with the real catalogue is for vectors, which run on the
//! component (`plugins/least-privilege/vectors`).

use crate::{
    AccessLevels, ActionForm, ActionRef, ActionTraits, Document, Effect, Grant, Source, Statement,
    Trigger, pattern,
};

/// A known reading action, or a pattern of them.
pub fn action(text: &str) -> ActionRef {
    annotated(text, AccessLevels::READ, ActionTraits::empty())
}

/// An action with what the catalogue would say of it.
pub fn annotated(text: &str, levels: AccessLevels, traits: ActionTraits) -> ActionRef {
    let form = if pattern::is_everything(text) {
        ActionForm::All
    } else if pattern::has_wildcard(text) {
        ActionForm::Pattern
    } else {
        ActionForm::Exact
    };
    ActionRef { text: text.to_owned(), form, covers: 1, levels, traits }
}

/// An Allow statement, first of its document.
pub fn allow<const A: usize, const R: usize>(
    actions: [ActionRef; A],
    resources: [&str; R],
) -> Statement {
    Statement {
        pointer: "/Statement/0".to_owned(),
        sid: None,
        effect: Effect::Allow,
        actions: actions.into(),
        not_actions: Vec::new(),
        resources: resources.into_iter().map(str::to_owned).collect(),
        not_resources: Vec::new(),
        principals: Vec::new(),
        not_principals: Vec::new(),
        conditions: Vec::new(),
    }
}

/// A grant of one inline document; its statements get their pointers.
pub fn grant(statements: Vec<Statement>) -> Grant {
    let statements = statements
        .into_iter()
        .enumerate()
        .map(|(index, statement)| Statement { pointer: format!("/Statement/{index}"), ..statement })
        .collect();
    let document =
        Document { source: Source::Inline, version: None, json: "{}".to_owned(), statements };
    Grant {
        trigger: Trigger::Simulate,
        documents: vec![document],
        boundary: None,
        previous: Vec::new(),
        role: None,
        actor: None,
        now_unix_ms: 0,
        extras: Vec::new(),
    }
}
