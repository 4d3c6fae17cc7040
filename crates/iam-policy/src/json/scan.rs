//! The scanner: one pass over the text that makes the tree and the canonical text together.
//! It must never panic, recurse past the depth limit, or take more than time in proportion to the text.
//! Faults that leave the text readable as JSON are held back until the end, so that broken JSON is always called that.
//! Strings are read in `strings`, numbers in `numbers`.

use super::tree::{Kind, Name, Node, Text};
use super::{JsonError, JsonErrorKind, MAX_DEPTH, Position, push_pointer};

pub(super) struct Scanned {
    pub(super) canonical: String,
    pub(super) nodes: Vec<Node>,
    pub(super) decoded: Vec<String>,
}

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
    path: Vec<Step>,
    /// The first fault that is not one of syntax.
    held: Option<JsonError>,
}

pub(super) fn scan(text: &str) -> Result<Scanned, JsonError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        out: Scanned {
            canonical: String::with_capacity(text.len()),
            nodes: Vec::new(),
            decoded: Vec::new(),
        },
        path: Vec::new(),
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
        None => Ok(scanner.out),
    }
}

impl Scanner<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn forward(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Takes an ASCII byte that was peeked, into the canonical text as well.
    fn take(&mut self, byte: u8) {
        self.out.canonical.push(char::from(byte));
        self.forward(1);
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.forward(1);
        }
    }

    fn value(&mut self, name: Option<Name>) -> Result<(), JsonError> {
        let start = self.at;
        let index = self.out.nodes.len();
        self.out.nodes.push(Node { kind: Kind::Null, name, start, end: start, next: 0 });
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
            *node = Node { kind, name, start, end, next };
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
        self.take(b'{');
        self.skip_white_space();
        let first_child = self.out.nodes.len();
        if self.peek() == Some(b'}') {
            self.take(b'}');
            return Ok(Kind::Object);
        }
        loop {
            self.member()?;
            self.skip_white_space();
            match self.peek() {
                Some(b',') => self.take(b','),
                Some(b'}') => {
                    self.take(b'}');
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
        self.take(b':');
        self.skip_white_space();
        self.path.push(Step::Member(text));
        self.value(Some(Name { text, start }))?;
        self.path.pop();
        Ok(())
    }

    fn array(&mut self) -> Result<Kind, JsonError> {
        self.enter()?;
        self.take(b'[');
        self.skip_white_space();
        if self.peek() == Some(b']') {
            self.take(b']');
            return Ok(Kind::Array);
        }
        let mut element: usize = 0;
        loop {
            self.path.push(Step::Element(element));
            self.value(None)?;
            self.path.pop();
            self.skip_white_space();
            match self.peek() {
                Some(b',') => self.take(b','),
                Some(b']') => {
                    self.take(b']');
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
                self.out.canonical.push_str(word);
                self.forward(word.len());
                return Ok(kind);
            }
        }
        let found = self.found();
        Err(self.syntax(format!("expected a value, found {found}")))
    }

    fn refuse_repeated_names(&mut self, first_child: usize) {
        let mut names: Vec<(&str, usize)> = Vec::new();
        let mut at = first_child;
        while let Some(node) = self.out.nodes.get(at) {
            if let Some(name) = node.name {
                names.push((self.resolve(name.text), name.start));
            }
            at = node.next;
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
        let found = match text {
            Text::Source { start, end } => self.text.get(start..end),
            Text::Decoded(index) => self.out.decoded.get(index).map(String::as_str),
        };
        found.unwrap_or_default()
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
