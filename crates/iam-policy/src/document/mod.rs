//! A policy document as typed statements: what every later stage reads, so that all agree on what the JSON says.
//! A [`Document`] exists only if its form is right; text, canonical form and statements always tell the same story.
//! Reading is in `read` (with `elements`, `conditions`), word forms in `form`; what a form cannot show is in [`crate::semantics`].

mod conditions;
mod elements;
mod form;
mod operator;
mod read;

use serde::Serialize;

pub use form::{ARN_PARTS, MAX_QUESTION_MARKS, MAX_STARS};
pub use operator::{Operator, SetPrefix, Test};

use crate::json::{JsonError, Position, StrictJson};

/// A well-formed IAM identity policy.
// INVARIANT: `statements` and `version` are what `json` says; made by `from_json` only.
#[derive(Debug, Clone)]
pub struct Document {
    json: StrictJson,
    version: Option<Version>,
    statements: Vec<Statement>,
}

/// The policy language's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Version {
    /// The old language, which has no policy variables; also what a missing `Version` means.
    #[serde(rename = "2008-10-17")]
    V2008,
    /// The current language.
    #[serde(rename = "2012-10-17")]
    V2012,
}

impl Version {
    /// The date that names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// What a statement does to the requests that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// One statement; single values are already lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// RFC 6901 pointer of the statement.
    pub pointer: String,
    /// Its `Sid`, if written.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Entries of `Action`.
    pub actions: Vec<Entry>,
    /// Entries of `NotAction`.
    pub not_actions: Vec<Entry>,
    /// Entries of `Resource`.
    pub resources: Vec<Entry>,
    /// Entries of `NotResource`.
    pub not_resources: Vec<Entry>,
    /// `Principal`; always empty, since identity policies have none.
    pub principals: Vec<Principal>,
    /// `NotPrincipal`; always empty, since identity policies have none.
    pub not_principals: Vec<Principal>,
    /// The conditions, all of which must hold.
    pub conditions: Vec<Condition>,
}

/// One entry of an action or resource list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// As written.
    pub text: String,
    /// RFC 6901 pointer of exactly this entry: the array element, or the bare string.
    pub pointer: String,
}

/// Who a statement is about, in policies that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// `AWS`, `Service`, `Federated`, `CanonicalUser` or `*`.
    pub kind: String,
    /// The names.
    pub values: Vec<String>,
}

/// One operator applied to one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// RFC 6901 pointer of the key's values.
    pub pointer: String,
    /// The operator as written.
    pub operator: String,
    /// The key as written.
    pub key: String,
    /// The values as text: numbers with all their digits, booleans as `true` or `false`.
    pub values: Vec<String>,
    /// What JSON types the values have.
    pub types: ValueTypes,
}

/// The JSON types among the values of one condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueTypes {
    /// There are no values.
    None,
    /// All are strings.
    Strings,
    /// All are numbers.
    Numbers,
    /// All are booleans.
    Booleans,
    /// More than one type.
    Mixed,
}

/// Something wrong with a document, written for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable id of the rule, `[a-z0-9-]`.
    pub rule: &'static str,
    /// RFC 6901 pointer of the place.
    pub pointer: String,
    /// The place in the original text.
    pub position: Option<Position>,
    /// One sentence: what is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Document {
    /// Reads a text: strict JSON first, then the form.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let json = StrictJson::parse(text).map_err(|error| vec![Problem::from(error)])?;
        Self::from_json(json)
    }

    /// Takes a tree whose form is right, or says everything that is wrong with it.
    pub fn from_json(json: StrictJson) -> Result<Self, Vec<Problem>> {
        let (version, statements) = read::read(&json)?;
        Ok(Self { json, version, statements })
    }

    /// The version, if written.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// The version in force: a missing one reads as 2008-10-17 (IAM User Guide, grammar).
    pub fn language(&self) -> Version {
        self.version.unwrap_or(Version::V2008)
    }

    /// The statements in their order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The canonical text: the bytes that AWS gets.
    pub fn canonical(&self) -> &str {
        self.json.canonical()
    }

    /// The tree that it was read from.
    pub fn json(&self) -> &StrictJson {
        &self.json
    }

    /// Where the value at a pointer starts in the original text.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        self.json.position(pointer)
    }
}

impl Effect {
    /// As written in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Self {
            rule: error.kind.rule(),
            pointer: error.pointer,
            position: Some(error.position),
            message: error.message,
            help: None,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        if let Some(position) = self.position {
            write!(formatter, " at line {} column {}", position.line, position.column)?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
