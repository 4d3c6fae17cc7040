//! Walking a strict JSON tree without copying it.
//! Nothing here may allocate per step or lose the digits of a number.
//! The nodes are made in `scan`.

use std::ops::Range;

use serde_json::Value;

use super::{Position, StrictJson};
use crate::bytes::split_once;

/// A stretch of text: of the source, or decoded because it held escapes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    Source { start: u32, end: u32 },
    Decoded(u32),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number,
    String(Text),
    Array,
    Object,
}

/// A member's name and where its opening quote stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    text: Text,
    start: u32,
}

/// One value; its children follow it, up to `next`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) name: Option<Name>,
    start: u32,
    end: u32,
    next: u32,
}

impl Text {
    pub(super) fn source(range: Range<usize>) -> Self {
        Self::Source { start: short(range.start), end: short(range.end) }
    }

    pub(super) fn decoded(index: usize) -> Self {
        Self::Decoded(short(index))
    }

    /// The text itself.
    #[inline]
    pub(super) fn of<'a>(self, source: &'a str, decoded: &'a [String]) -> &'a str {
        let found = match self {
            Self::Source { start, end } => source.get(long(start)..long(end)),
            Self::Decoded(index) => decoded.get(long(index)).map(String::as_str),
        };
        found.unwrap_or_default()
    }
}

impl Name {
    pub(super) fn new(text: Text, start: usize) -> Self {
        Self { text, start: short(start) }
    }

    #[inline]
    pub(super) fn text(self) -> Text {
        self.text
    }

    pub(super) fn start(self) -> usize {
        long(self.start)
    }
}

impl Node {
    #[inline]
    pub(super) fn new(kind: Kind, name: Option<Name>, range: Range<usize>, next: usize) -> Self {
        let Range { start, end } = range;
        Self { kind, name, start: short(start), end: short(end), next: short(next) }
    }

    /// The number of the value after it and all that is in it.
    #[inline]
    pub(super) fn next(&self) -> usize {
        long(self.next)
    }
}

/// Half as long in memory: a text has [`super::MAX_CHARS`] characters at most, and each value is one of them at least.
#[inline]
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[inline]
fn long(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonType {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// a number
    Number,
    /// a string
    String,
    /// an array
    Array,
    /// an object
    Object,
}

impl JsonType {
    /// The type with its article, for messages.
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A value in a [`StrictJson`].
#[derive(Debug, Clone, Copy)]
pub struct JsonRef<'a> {
    json: &'a StrictJson,
    index: usize,
}

impl<'a> JsonRef<'a> {
    #[inline]
    pub(super) fn new(json: &'a StrictJson, index: usize) -> Self {
        Self { json, index }
    }

    #[inline]
    fn node(self) -> Option<&'a Node> {
        self.json.nodes.get(self.index)
    }

    #[inline]
    fn text(self, text: Text) -> &'a str {
        text.of(&self.json.text, &self.json.decoded)
    }

    /// The type of the value.
    #[inline]
    pub fn json_type(self) -> JsonType {
        match self.node().map(|node| node.kind) {
            None | Some(Kind::Null) => JsonType::Null,
            Some(Kind::Bool(_)) => JsonType::Boolean,
            Some(Kind::Number) => JsonType::Number,
            Some(Kind::String(_)) => JsonType::String,
            Some(Kind::Array) => JsonType::Array,
            Some(Kind::Object) => JsonType::Object,
        }
    }

    /// The decoded text of a string.
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        match self.node()?.kind {
            Kind::String(text) => Some(self.text(text)),
            Kind::Null | Kind::Bool(_) | Kind::Number | Kind::Array | Kind::Object => None,
        }
    }

    /// The value as it is written in the source.
    pub fn raw(self) -> &'a str {
        self.node()
            .and_then(|node| self.json.text.get(long(node.start)..long(node.end)))
            .unwrap_or_default()
    }

    /// The elements of an array or the values of an object, in order; nothing for other values.
    #[inline]
    pub fn children(self) -> Children<'a> {
        let end = self.node().map_or(0, Node::next);
        Children { json: self.json, at: self.index.saturating_add(1), end }
    }

    /// What tells this value from every other that is in memory: where its document is, and its number there.
    pub fn identity(self) -> (usize, usize) {
        (std::ptr::from_ref(self.json).addr(), self.index)
    }

    /// The members of an object in their order.
    #[inline]
    pub fn members(self) -> impl Iterator<Item = (&'a str, JsonRef<'a>)> {
        self.children().filter_map(|child| Some((child.name()?, child)))
    }

    /// The value of a member.
    #[inline]
    pub fn member(self, name: &str) -> Option<JsonRef<'a>> {
        self.members().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The decoded name, if the value is a member of an object.
    #[inline]
    pub fn name(self) -> Option<&'a str> {
        self.node()?.name.map(|name| self.text(name.text))
    }

    /// Where the value starts in the original text.
    pub fn position(self) -> Position {
        Position::of(&self.json.text, self.node().map_or(0, |node| long(node.start)))
    }

    /// Where the member's name starts, or the value if it has none.
    pub fn name_position(self) -> Position {
        let start = self.node().map_or(0, |node| node.name.map_or(node.start, |name| name.start));
        Position::of(&self.json.text, long(start))
    }

    pub(super) fn descend(self, pointer: &str) -> Option<JsonRef<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut at = self;
        let mut rest = pointer.strip_prefix('/')?;
        while let Some((step, after)) = split_once(rest, b'/') {
            at = at.step(step)?;
            rest = after;
        }
        at.step(rest)
    }

    fn step(self, step: &str) -> Option<JsonRef<'a>> {
        match self.json_type() {
            JsonType::Object if step.bytes().any(|byte| byte == b'~') => {
                self.member(&step.replace("~1", "/").replace("~0", "~"))
            }
            JsonType::Object => self.member(step),
            JsonType::Array => self.children().nth(array_index(step)?),
            JsonType::Null | JsonType::Boolean | JsonType::Number | JsonType::String => None,
        }
    }

    /// A copy as a `serde_json` value.
    pub fn to_value(self) -> Value {
        match self.node().map(|node| node.kind) {
            None | Some(Kind::Null) => Value::Null,
            Some(Kind::Bool(value)) => Value::Bool(value),
            // The number's own text, read as serde_json reads it; the scanner saw that it is finite.
            Some(Kind::Number) => serde_json::from_str(self.raw()).unwrap_or(Value::Null),
            Some(Kind::String(text)) => Value::String(self.text(text).to_owned()),
            Some(Kind::Array) => Value::Array(self.children().map(JsonRef::to_value).collect()),
            Some(Kind::Object) => Value::Object(
                self.members().map(|(name, v)| (name.to_owned(), v.to_value())).collect(),
            ),
        }
    }
}

/// The values directly in an array or an object, in their order.
#[derive(Debug, Clone)]
pub struct Children<'a> {
    json: &'a StrictJson,
    at: usize,
    end: usize,
}

impl<'a> Iterator for Children<'a> {
    type Item = JsonRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<JsonRef<'a>> {
        if self.at >= self.end {
            return None;
        }
        let child = JsonRef::new(self.json, self.at);
        self.at = child.node()?.next();
        Some(child)
    }
}

/// An array index of RFC 6901: digits without a leading zero.
fn array_index(step: &str) -> Option<usize> {
    let plain =
        step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { step.parse().ok() } else { None }
}
