//! The scanner: one pass over the text that makes the tree and the canonical text together.
//! It must never panic, recurse past the depth limit, or take more than time in proportion to the text.
//! Faults that leave the text readable as JSON are held back until the end, so that broken JSON is always called that.
//! Strings are read in `strings`, numbers in `numbers`.

use super::tree::{Kind, Name, Node, Text};
use super::{JsonError, JsonErrorKind, MAX_DEPTH, Position, push_pointer};

pub(super) struct Scanned {
    /// `None` where the text has no insignificant white space: it is canonical itself.
    pub(super) canonical: Option<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) decoded: Vec<String>,
}

/// Bytes of text for one value, in policies: how many values are to be expected.
const BYTES_PER_NODE: usize = 16;
/// A policy nests 6 deep.
const USUAL_DEPTH: usize = 8;

/// One step of the way to the value being read.
#[derive(Clone, Copy)]
enum Step {
    Member(Text),
    Element(usize),
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) out: Scanned,
    /// Up to here the text is in `out.canonical`, but for its white space.
    copied: usize,
    path: Vec<Step>,
    /// The first fault that is not one of syntax.
    held: Option<JsonError>,
}

pub(super) fn scan(text: &str) -> Result<Scanned, JsonError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        out: Scanned {
            canonical: None,
            nodes: Vec::with_capacity(text.len().div_euclid(BYTES_PER_NODE)),
            decoded: Vec::new(),
        },
        copied: 0,
        path: Vec::with_capacity(USUAL_DEPTH),
        held: None,
    };
    scanner.skip_white_space();
    scanner.value(None)?;
    scanner.skip_white_space();
    if scanner.at < text.len() {
        let found = scanner.found();
        return Err(scanner.syntax(format!("expected the end of the document, found {found}")));
    }
    match scanner.held {
        Some(error) => Err(error),
        None => Ok(scanner.finish()),
    }
}

impl Scanner<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn forward(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn skip_white_space(&mut self) {
        let start = self.at;
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.forward(1);
        }
        if self.at > start {
            self.copy(start);
            self.copied = self.at;
        }
    }

    /// Copies what was read since the last white space into the canonical text.
    fn copy(&mut self, end: usize) {
        let text = self.text;
        let canonical = self.out.canonical.get_or_insert_with(|| String::with_capacity(text.len()));
        canonical.push_str(text.get(self.copied..end).unwrap_or_default());
    }

    fn finish(mut self) -> Scanned {
        if self.out.canonical.is_some() {
            self.copy(self.text.len());
        }
        self.out
    }

    fn value(&mut self, name: Option<Name>) -> Result<(), JsonError> {
        let start = self.at;
        let index = self.out.nodes.len();
        self.out.nodes.push(Node::new(Kind::Null, name, start..start, 0));
        let kind = match self.peek() {
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) | None => self.word()?,
        };
        let next = self.out.nodes.len();
        let end = self.at;
        if let Some(node) = self.out.nodes.get_mut(index) {
            *node = Node::new(kind, name, start..end, next);
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        if self.path.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(self.error(
            JsonErrorKind::Depth,
            self.at,
            format!("the document is nested deeper than {MAX_DEPTH} levels"),
        ))
    }

    fn object(&mut self) -> Result<Kind, JsonError> {
        self.enter()?;
        self.forward(1);
        self.skip_white_space();
        let first_child = self.out.nodes.len();
        if self.peek() == Some(b'}') {
            self.forward(1);
            return Ok(Kind::Object);
        }
        loop {
            self.member()?;
            self.skip_white_space();
            match self.peek() {
                Some(b',') => self.forward(1),
                Some(b'}') => {
                    self.forward(1);
                    break;
                }
                Some(_) | None => {
                    let found = self.found();
                    return Err(self.syntax(format!("expected `,` or `}}`, found {found}")));
                }
            }
            self.skip_white_space();
        }
        self.refuse_repeated_names(first_child);
        Ok(Kind::Object)
    }

    fn member(&mut self) -> Result<(), JsonError> {
        if self.peek() != Some(b'"') {
            let found = self.found();
            return Err(
                self.syntax(format!("expected a member name in double quotes, found {found}"))
            );
        }
        let start = self.at;
        let text = self.string()?;
        self.skip_white_space();
        if self.peek() != Some(b':') {
            let found = self.found();
            return Err(self.syntax(format!("expected `:` after a member name, found {found}")));
        }
        self.forward(1);
        self.skip_white_space();
        self.path.push(Step::Member(text));
        self.value(Some(Name::new(text, start)))?;
        self.path.pop();
        Ok(())
    }

    fn array(&mut self) -> Result<Kind, JsonError> {
        self.enter()?;
        self.forward(1);
        self.skip_white_space();
        if self.peek() == Some(b']') {
            self.forward(1);
            return Ok(Kind::Array);
        }
        let mut element: usize = 0;
        loop {
            self.path.push(Step::Element(element));
            self.value(None)?;
            self.path.pop();
            self.skip_white_space();
            match self.peek() {
                Some(b',') => self.forward(1),
                Some(b']') => {
                    self.forward(1);
                    return Ok(Kind::Array);
                }
                Some(_) | None => {
                    let found = self.found();
                    return Err(self.syntax(format!("expected `,` or `]`, found {found}")));
                }
            }
            self.skip_white_space();
            element = element.saturating_add(1);
        }
    }

    fn word(&mut self) -> Result<Kind, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let known =
            [("true", Kind::Bool(true)), ("false", Kind::Bool(false)), ("null", Kind::Null)];
        for (word, kind) in known {
            if rest.starts_with(word) {
                self.forward(word.len());
                return Ok(kind);
            }
        }
        let found = self.found();
        Err(self.syntax(format!("expected a value, found {found}")))
    }

    fn refuse_repeated_names(&mut self, first_child: usize) {
        let second = self.out.nodes.get(first_child).map_or(0, Node::next);
        if second >= self.out.nodes.len() {
            return;
        }
        let mut names: Vec<(&str, usize)> = Vec::new();
        let mut at = first_child;
        while let Some(node) = self.out.nodes.get(at) {
            if let Some(name) = node.name {
                names.push((self.resolve(name.text()), name.start()));
            }
            at = node.next();
        }
        names.sort_unstable();
        let repeated = names
            .iter()
            .zip(names.iter().skip(1))
            .filter(|((one, _), (other, _))| one == other)
            .map(|(_, (name, start))| (*start, *name))
            .min();
        if let Some((start, name)) = repeated {
            let message = format!("the name `{name}` is given twice in one object");
            self.hold(JsonErrorKind::DuplicateName, start, message);
        }
    }

    fn resolve(&self, text: Text) -> &str {
        text.of(self.text, &self.out.decoded)
    }

    /// Names what stands at the current place.
    pub(super) fn found(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the document".to_owned(),
            Some(character) if character.is_control() || u32::from(character) > 0x7e => {
                format!("the character U+{:04X}", u32::from(character))
            }
            Some(character) => format!("`{character}`"),
        }
    }

    pub(super) fn syntax(&self, message: String) -> JsonError {
        self.error(JsonErrorKind::Syntax, self.at, message)
    }

    pub(super) fn error(&self, kind: JsonErrorKind, at: usize, message: String) -> JsonError {
        let mut pointer = String::new();
        for step in &self.path {
            match step {
                Step::Member(text) => push_pointer(&mut pointer, self.resolve(*text)),
                Step::Element(index) => push_pointer(&mut pointer, &index.to_string()),
            }
        }
        JsonError { kind, message, position: Position::of(self.text, at), pointer }
    }

    pub(super) fn hold(&mut self, kind: JsonErrorKind, at: usize, message: String) {
        if self.held.as_ref().is_none_or(|held| at < held.position.offset) {
            self.held = Some(self.error(kind, at, message));
        }
    }
}
