//! What can be wrong with a JSON text, and where in it.
//! The kind must stay exact: the wire answers [`JsonErrorKind::Syntax`] with Vault's own text and the others with ours.
//! They are raised in `scan` and in the parent module.

use serde::Serialize;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Offset in bytes, from 0.
    pub offset: usize,
}

impl Position {
    /// The first character.
    pub const START: Self = Self { line: 1, column: 1, offset: 0 };

    /// The place of a byte offset in `text`; an offset past the end is the end.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let newlines = before.bytes().filter(|byte| *byte == b'\n').count();
        let last_line = before.rsplit('\n').next().unwrap_or(before);
        Self {
            line: newlines.saturating_add(1),
            column: last_line.chars().count().saturating_add(1),
            offset: before.len(),
        }
    }
}

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JsonErrorKind {
    /// Not JSON by RFC 8259.
    Syntax,
    /// Not UTF-8.
    Encoding,
    /// An object has two members of one name.
    DuplicateName,
    /// Nested deeper than [`super::MAX_DEPTH`].
    Depth,
    /// Longer than [`super::MAX_CHARS`].
    TooLong,
    /// A character that the IAM API does not take, plain or escaped.
    Character,
    /// A number too large or too long to be compared exactly.
    Number,
}

/// Why a text is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message} at line {} column {}", position.line, position.column)]
pub struct JsonError {
    /// What kind of fault it is.
    pub kind: JsonErrorKind,
    /// What is wrong, in words.
    pub message: String,
    /// Where it is in the text.
    pub position: Position,
    /// RFC 6901 pointer of the value that was being read.
    pub pointer: String,
}

impl JsonErrorKind {
    /// Stable id of the rule that was broken.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Syntax => "json-syntax",
            Self::Encoding => "json-encoding",
            Self::DuplicateName => "json-duplicate-name",
            Self::Depth => "json-depth",
            Self::TooLong => "json-too-long",
            Self::Character => "json-character",
            Self::Number => "json-number",
        }
    }
}
