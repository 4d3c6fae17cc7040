//! Rules tested on the developer's own machine, without a host and without WebAssembly: grants from statements or from
//! the text of a policy, and [`run`], which is as strict with the answer as the host. Annotations are by the name of the
//! action or given by hand; how a guardrail behaves with the real catalogue is for vectors, which run on the component.

mod document;
mod run;

use crate::{
    AccessLevels, ActionForm, ActionRef, ActionTraits, Document, Effect, Grant, Source, Statement,
    Trigger, pattern,
};

pub use document::{document, grant_of};
pub use run::run;

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

/// A grant of one inline document; its statements get their pointers, and the document the text that they stand for.
pub fn grant(statements: Vec<Statement>) -> Grant {
    let statements: Vec<Statement> = statements
        .into_iter()
        .enumerate()
        .map(|(index, statement)| Statement { pointer: format!("/Statement/{index}"), ..statement })
        .collect();
    let json = document::text_of(&statements);
    of_documents(vec![Document { source: Source::Inline, version: None, json, statements }])
}

/// A grant of these documents, and nothing else.
pub fn of_documents(documents: Vec<Document>) -> Grant {
    Grant {
        trigger: Trigger::Simulate,
        documents,
        boundary: None,
        previous: Vec::new(),
        role: None,
        actor: None,
        now_unix_ms: 0,
        extras: Vec::new(),
    }
}
