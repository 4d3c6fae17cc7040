//! Reads the top of a policy: version, statement list, unknown elements.
//! Every fault becomes one problem at one place; no statement with a fault becomes part of a document.
//! One statement is read in `elements`, its conditions in `conditions`.

use super::elements;
use super::{Problem, Statement, Version};
use crate::json::{JsonRef, JsonType, StrictJson, element_pointer, push_pointer};
use crate::near::nearest;

/// Most problems told at once; a document with more is broken as a whole, and each needs a look through the text.
const MAX_PROBLEMS: usize = 50;

const ELEMENTS: [&str; 2] = ["Version", "Statement"];

/// Collects the problems of one document.
pub(super) struct Reader<'a> {
    json: &'a StrictJson,
    problems: Vec<Problem>,
}

pub(super) fn read(json: &StrictJson) -> Result<(Option<Version>, Vec<Statement>), Vec<Problem>> {
    let mut reader = Reader { json, problems: Vec::new() };
    let (version, statements) = reader.policy();
    if reader.problems.is_empty() { Ok((version, statements)) } else { Err(reader.problems) }
}

impl Reader<'_> {
    /// Notes a problem with a value.
    pub(super) fn report(
        &mut self,
        rule: &'static str,
        pointer: &str,
        message: String,
        help: Option<String>,
    ) {
        if self.problems.len() < MAX_PROBLEMS {
            let position = self.json.position(pointer);
            self.problems.push(Problem {
                rule,
                pointer: pointer.to_owned(),
                position,
                message,
                help,
            });
        }
    }

    /// Notes a problem with the name of a member, at the name.
    pub(super) fn report_name(
        &mut self,
        rule: &'static str,
        pointer: &str,
        message: String,
        help: Option<String>,
    ) {
        if self.problems.len() < MAX_PROBLEMS {
            let position = self.json.name_position(pointer);
            self.problems.push(Problem {
                rule,
                pointer: pointer.to_owned(),
                position,
                message,
                help,
            });
        }
    }

    pub(super) fn wrong_type(
        &mut self,
        pointer: &str,
        what: &str,
        expected: &str,
        found: JsonRef<'_>,
    ) {
        let found = found.json_type().with_article();
        self.report("wrong-type", pointer, format!("{what} must be {expected}, not {found}"), None);
    }

    fn policy(&mut self) -> (Option<Version>, Vec<Statement>) {
        let root = self.json.root();
        if root.json_type() != JsonType::Object {
            self.wrong_type("", "a policy", "an object", root);
            return (None, Vec::new());
        }
        let mut version = None;
        let mut statements = Vec::new();
        let mut statement_meant = false;
        for (name, value) in root.members() {
            match name {
                "Version" => version = self.version(value),
                "Statement" => {
                    statement_meant = true;
                    statements = self.statements(value);
                }
                "Id" => self.id(),
                unknown => statement_meant |= self.unknown_element(unknown) == Some("Statement"),
            }
        }
        if !statement_meant {
            let help = "add `\"Statement\": [{\"Effect\": …, \"Action\": …, \"Resource\": …}]`";
            self.report(
                "missing-statement",
                "",
                "the policy has no `Statement`".to_owned(),
                Some(help.to_owned()),
            );
        }
        (version, statements)
    }

    fn id(&mut self) {
        let message = "`Id` does not belong in an identity policy";
        self.report_name(
            "unknown-element",
            "/Id",
            message.to_owned(),
            Some("remove it".to_owned()),
        );
    }

    fn unknown_element(&mut self, name: &str) -> Option<&'static str> {
        let mut pointer = String::new();
        push_pointer(&mut pointer, name);
        self.unknown("policy", &pointer, name, &ELEMENTS)
    }

    /// Reports a member that the grammar does not know, and tells which known one it was probably meant to be.
    pub(super) fn unknown(
        &mut self,
        owner: &str,
        pointer: &str,
        name: &str,
        known: &[&'static str],
    ) -> Option<&'static str> {
        let meant = nearest(name, known.iter().copied());
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("a {owner} has {} and nothing else", in_words(known)),
        };
        let message = format!("a {owner} has no element `{name}`");
        self.report_name("unknown-element", pointer, message, Some(help));
        meant
    }

    fn version(&mut self, value: JsonRef<'_>) -> Option<Version> {
        let Some(text) = value.as_str() else {
            self.wrong_type("/Version", "`Version`", "a string", value);
            return None;
        };
        match text {
            "2012-10-17" => Some(Version::V2012),
            "2008-10-17" => Some(Version::V2008),
            other => {
                let message = format!("`{other}` is not a version of the policy language");
                let help = "write `2012-10-17`: it names the language, not the day of the policy";
                self.report("unknown-version", "/Version", message, Some(help.to_owned()));
                None
            }
        }
    }

    fn statements(&mut self, value: JsonRef<'_>) -> Vec<Statement> {
        const POINTER: &str = "/Statement";
        match value.json_type() {
            JsonType::Object => {
                elements::statement(self, POINTER.to_owned(), value).into_iter().collect()
            }
            JsonType::Array => {
                let read: Vec<Statement> = value
                    .children()
                    .enumerate()
                    .filter_map(|(index, element)| {
                        elements::statement(self, element_pointer(POINTER, index), element)
                    })
                    .collect();
                if value.children().next().is_none() {
                    let message = "the policy has no statements".to_owned();
                    self.report("empty-list", POINTER, message, None);
                }
                read
            }
            JsonType::Null | JsonType::Boolean | JsonType::Number | JsonType::String => {
                self.wrong_type(POINTER, "`Statement`", "an object or a list of objects", value);
                Vec::new()
            }
        }
    }
}

/// The names as a list in words.
pub(super) fn in_words(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
