//! What neither JSON nor a schema can say of a document: things that compare two places, or read inside a string.
//! Judges the language, not the risk: whether a grant is wise is for the guardrails. Unknown names only ever warn.
//! Statements here, variables in `variables`, condition values in `conditions` and `values`.

mod conditions;
mod values;
mod variables;

use std::collections::HashMap;

use serde::Serialize;

use crate::bytes::split_once;
use crate::catalogue::{Catalogue, Form};
use crate::document::{Document, Entry, Problem, Statement};
use crate::json::{JsonRef, JsonType};
use crate::wildcard::has_wildcard;

/// Most remarks of each severity; each needs a look through the text for its position.
const MAX_REMARKS: usize = 50;

/// What a remark means for the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// AWS refuses it, or it cannot mean what it says.
    Reject,
    /// AWS takes it, and it probably does not do what was meant.
    Warn,
}

/// Something that the semantics found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// What it means for the document.
    pub severity: Severity,
    /// What and where it is.
    pub problem: Problem,
}

/// Checks a document of the right form.
pub fn check(document: &Document) -> Vec<Remark> {
    let mut checker = Checker { document, rejections: Vec::new(), warnings: Vec::new() };
    if document.version().is_none() {
        let help =
            "add `\"Version\": \"2012-10-17\"`; without it the old language of 2008 is meant";
        checker.warn("missing-version", "", "the policy has no `Version`".to_owned(), help);
    }
    checker.repeated_sids();
    for (statement, written) in document.statements().iter().zip(statements(document)) {
        checker.statement(statement);
        conditions::check(&mut checker, statement, written);
    }
    let mut remarks = checker.rejections;
    remarks.append(&mut checker.warnings);
    remarks
}

/// The statements as they are written; a document has each of them as a [`Statement`].
fn statements(document: &Document) -> impl Iterator<Item = JsonRef<'_>> {
    let written = document.json().root().member("Statement");
    let list = written.filter(|value| value.json_type() == JsonType::Array);
    let alone = if list.is_none() { written } else { None };
    list.into_iter().flat_map(JsonRef::children).chain(alone)
}

struct Checker<'a> {
    document: &'a Document,
    rejections: Vec<Remark>,
    warnings: Vec<Remark>,
}

impl Checker<'_> {
    fn reject(&mut self, rule: &'static str, pointer: &str, message: String, help: &str) {
        if self.rejections.len() < MAX_REMARKS {
            let remark = self.remark(Severity::Reject, rule, pointer, message, help);
            self.rejections.push(remark);
        }
    }

    fn warn(&mut self, rule: &'static str, pointer: &str, message: String, help: &str) {
        if self.warnings.len() < MAX_REMARKS {
            let remark = self.remark(Severity::Warn, rule, pointer, message, help);
            self.warnings.push(remark);
        }
    }

    fn remark(
        &self,
        severity: Severity,
        rule: &'static str,
        pointer: &str,
        message: String,
        help: &str,
    ) -> Remark {
        let problem = Problem {
            rule,
            pointer: pointer.to_owned(),
            position: self.document.position(pointer),
            message,
            help: (!help.is_empty()).then(|| help.to_owned()),
        };
        Remark { severity, problem }
    }

    fn repeated_sids(&mut self) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for statement in self.document.statements() {
            let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty()) else {
                continue;
            };
            if let Some(first) = seen.get(sid) {
                let message = format!("the Sid `{sid}` is already that of `{first}`");
                let at = format!("{}/Sid", statement.pointer);
                self.reject(
                    "repeated-sid",
                    &at,
                    message,
                    "give each statement a Sid of its own, or none",
                );
            } else {
                seen.insert(sid, &statement.pointer);
            }
        }
    }

    fn statement(&mut self, statement: &Statement) {
        if statement.sid.as_deref() == Some("") {
            let at = format!("{}/Sid", statement.pointer);
            self.warn(
                "empty-sid",
                &at,
                "the Sid is empty".to_owned(),
                "remove it, or name the statement",
            );
        }
        for entry in statement.actions.iter().chain(&statement.not_actions) {
            self.action(entry);
        }
        for entry in statement.resources.iter().chain(&statement.not_resources) {
            self.resource(entry);
        }
    }

    /// An action that the catalogue lacks may be new, or known to the console only: it is a warning.
    fn action(&mut self, entry: &Entry) {
        let catalogue = Catalogue::bundled();
        let summary = catalogue.annotate(&entry.text);
        // Suggestions are dear, so none is looked for that would not be told.
        if summary.covers > 0 || self.warnings.len() >= MAX_REMARKS {
            return;
        }
        let text = &entry.text;
        let what = match summary.form {
            Form::Pattern | Form::All => "covers no known action",
            Form::Exact | Form::Unknown => "is not a known action",
        };
        let help = match catalogue.nearest(text) {
            Some(near) if summary.form == Form::Unknown => format!("did you mean `{near}`?"),
            Some(_) | None => {
                "check the spelling; if it is right, the action may be newer than this catalogue"
                    .to_owned()
            }
        };
        self.warn("unknown-action", &entry.pointer, format!("`{text}` {what}"), &help);
    }

    fn resource(&mut self, entry: &Entry) {
        let text = &entry.text;
        // Most resources have no wildcard at all, and most of those that do have it behind the service.
        let service = || {
            let mut rest = text.as_str();
            for _ in 0..2 {
                rest = split_once(rest, b':').map_or("", |(_, rest)| rest);
            }
            split_once(rest, b':').map_or(rest, |(service, _)| service)
        };
        if has_wildcard(text) && has_wildcard(service()) {
            let message = format!("the resource `{text}` has a wildcard in its service");
            self.warn(
                "wildcard-in-service",
                &entry.pointer,
                message,
                "name the service in the third part of the ARN",
            );
        }
        variables::check_resource(self, entry);
    }
}

#[cfg(test)]
mod tests;
