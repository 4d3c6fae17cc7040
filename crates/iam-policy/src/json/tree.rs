//! Walking a strict JSON tree without copying it.
//! Nothing here may allocate per step or lose the digits of a number.
//! The nodes are made in `scan`.

use serde_json::Value;

use super::{Position, StrictJson};

/// A stretch of text: of the source, or decoded because it held escapes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    Source { start: usize, end: usize },
    Decoded(usize),
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
    pub(super) text: Text,
    pub(super) start: usize,
}

/// One value; its children follow it, up to `next`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) name: Option<Name>,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) next: usize,
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
    pub(super) fn new(json: &'a StrictJson, index: usize) -> Self {
        Self { json, index }
    }

    fn node(self) -> Option<&'a Node> {
        self.json.nodes.get(self.index)
    }

    fn text(self, text: Text) -> &'a str {
        let found = match text {
            Text::Source { start, end } => self.json.text.get(start..end),
            Text::Decoded(index) => self.json.decoded.get(index).map(String::as_str),
        };
        found.unwrap_or_default()
    }

    /// The type of the value.
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
    pub fn as_str(self) -> Option<&'a str> {
        match self.node()?.kind {
            Kind::String(text) => Some(self.text(text)),
            Kind::Null | Kind::Bool(_) | Kind::Number | Kind::Array | Kind::Object => None,
        }
    }

    /// The value as it is written in the source.
    pub fn raw(self) -> &'a str {
        self.node().and_then(|node| self.json.text.get(node.start..node.end)).unwrap_or_default()
    }

    /// The elements of an array or the values of an object, in order; nothing for other values.
    pub fn children(self) -> Children<'a> {
        let end = self.node().map_or(0, |node| node.next);
        Children { json: self.json, at: self.index.saturating_add(1), end }
    }

    /// What tells this value from every other that is in memory: where its document is, and its number there.
    pub fn identity(self) -> (usize, usize) {
        (std::ptr::from_ref(self.json).addr(), self.index)
    }

    /// The members of an object in their order.
    pub fn members(self) -> impl Iterator<Item = (&'a str, JsonRef<'a>)> {
        self.children().filter_map(|child| Some((child.name()?, child)))
    }

    /// The value of a member.
    pub fn member(self, name: &str) -> Option<JsonRef<'a>> {
        self.members().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The decoded name, if the value is a member of an object.
    pub fn name(self) -> Option<&'a str> {
        self.node()?.name.map(|name| self.text(name.text))
    }

    /// Where the value starts in the original text.
    pub fn position(self) -> Position {
        Position::of(&self.json.text, self.node().map_or(0, |node| node.start))
    }

    /// Where the member's name starts, or the value if it has none.
    pub fn name_position(self) -> Position {
        let start = self.node().map_or(0, |node| node.name.map_or(node.start, |name| name.start));
        Position::of(&self.json.text, start)
    }

    pub(super) fn descend(self, pointer: &str) -> Option<JsonRef<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut at = self;
        for step in pointer.strip_prefix('/')?.split('/') {
            at = at.step(step)?;
        }
        Some(at)
    }

    fn step(self, step: &str) -> Option<JsonRef<'a>> {
        match self.json_type() {
            JsonType::Object if step.contains('~') => {
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

    fn next(&mut self) -> Option<JsonRef<'a>> {
        if self.at >= self.end {
            return None;
        }
        let child = JsonRef::new(self.json, self.at);
        self.at = child.node()?.next;
        Some(child)
    }
}

/// An array index of RFC 6901: digits without a leading zero.
fn array_index(step: &str) -> Option<usize> {
    let plain =
        step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { step.parse().ok() } else { None }
}
