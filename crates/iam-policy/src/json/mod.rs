//! The strict JSON reader: text to a tree that knows where each value stood, plus the canonical text AWS is sent.
//! It never accepts what two readers could understand differently (repeated names, lone surrogates, a second value).
//! The scanner is in `scan`, walking the tree in `tree`; what the members mean is for [`crate::document`].

mod error;
mod numbers;
mod scan;
mod strings;
mod tree;

use std::sync::OnceLock;

pub use error::{JsonError, JsonErrorKind, Position};
pub use tree::{Children, JsonRef, JsonType};

/// Longest document, in characters, white space counted: the IAM API's `PolicyDocument` parameter (IAM API model).
pub const MAX_CHARS: usize = 131_072;

/// Deepest nesting. A policy needs 6 (policy, list, statement, condition, operator, values); 128 is where
/// `serde_json` stops by default, so whatever reads the document after us can read it as well.
pub const MAX_DEPTH: usize = 128;

/// Longest number, in characters. A double prints in at most 24, a 64-bit integer in 20; anything far above is
/// there to hurt a reader, and AWS compares condition numbers as doubles.
pub const MAX_NUMBER_CHARS: usize = 64;

/// A JSON text that passed the strict reader.
// INVARIANT: `nodes` is the pre-order of the one value in `text`; `canonical` is `text` without insignificant white space,
// and `None` where that is `text` itself.
#[derive(Debug, Clone)]
pub struct StrictJson {
    text: String,
    canonical: Option<String>,
    nodes: Vec<tree::Node>,
    decoded: Vec<String>,
    value: OnceLock<serde_json::Value>,
}

impl StrictJson {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        check_length(text)?;
        let scanned = scan::scan(text)?;
        Ok(Self {
            text: text.to_owned(),
            canonical: scanned.canonical,
            nodes: scanned.nodes,
            decoded: scanned.decoded,
            value: OnceLock::new(),
        })
    }

    /// Reads bytes, which must be UTF-8 without a byte order mark.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, JsonError> {
        // 4 bytes: the longest character of UTF-8 (RFC 3629); beyond that the text is too long whatever it holds.
        if bytes.len() > MAX_CHARS.saturating_mul(4) {
            return Err(too_long());
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let before = String::from_utf8_lossy(good);
                Err(JsonError {
                    kind: JsonErrorKind::Encoding,
                    message: "the document is not UTF-8 text".to_owned(),
                    position: Position::of(&before, before.len()),
                    pointer: String::new(),
                })
            }
        }
    }

    /// The text without insignificant white space; nothing reordered, escapes and numbers as written.
    pub fn canonical(&self) -> &str {
        self.canonical.as_deref().unwrap_or(&self.text)
    }

    /// The text as it came in.
    pub fn original(&self) -> &str {
        &self.text
    }

    /// The document as a `serde_json` value, for whoever wants a copy. Numbers may lose digits here; [`Self::root`] keeps them.
    pub fn value(&self) -> &serde_json::Value {
        self.value.get_or_init(|| self.root().to_value())
    }

    /// The top value.
    pub fn root(&self) -> JsonRef<'_> {
        JsonRef::new(self, 0)
    }

    /// The value at an RFC 6901 pointer.
    pub fn at(&self, pointer: &str) -> Option<JsonRef<'_>> {
        self.root().descend(pointer)
    }

    /// Where the value at an RFC 6901 pointer starts in the original text.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        self.at(pointer).map(JsonRef::position)
    }

    /// Where the member name of that value starts; for an array element or the top, where the value does.
    pub fn name_position(&self, pointer: &str) -> Option<Position> {
        self.at(pointer).map(JsonRef::name_position)
    }
}

/// One more step of an RFC 6901 pointer.
pub fn push_pointer(pointer: &mut String, step: &str) {
    pointer.push('/');
    if !step.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        return pointer.push_str(step);
    }
    for character in step.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The RFC 6901 pointer of an object's member.
pub fn member_pointer(object: &str, name: &str) -> String {
    let length = object.len().saturating_add(name.len()).saturating_add(1);
    let mut pointer = String::with_capacity(length);
    pointer.push_str(object);
    push_pointer(&mut pointer, name);
    pointer
}

/// The RFC 6901 pointer of an array's element.
pub fn element_pointer(array: &str, index: usize) -> String {
    let mut pointer = String::with_capacity(array.len().saturating_add(4));
    pointer.push_str(array);
    pointer.push('/');
    push_digits(&mut pointer, index);
    pointer
}

/// Writes the digits without the formatting machinery: this runs once for every action of a document.
fn push_digits(text: &mut String, number: usize) {
    if number >= 10 {
        push_digits(text, number.div_euclid(10));
    }
    let digit = u8::try_from(number.rem_euclid(10)).unwrap_or_default();
    text.push(char::from(digit.saturating_add(b'0')));
}

fn check_length(text: &str) -> Result<(), JsonError> {
    let over = text.len() > MAX_CHARS
        && text.chars().take(MAX_CHARS.saturating_add(1)).count() > MAX_CHARS;
    if over { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> JsonError {
    JsonError {
        kind: JsonErrorKind::TooLong,
        message: format!("the document is longer than the {MAX_CHARS} characters that IAM takes"),
        position: Position::START,
        pointer: String::new(),
    }
}

#[cfg(test)]
mod tests;
