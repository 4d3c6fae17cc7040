//! Reads HCL 1, the language of ACL policies (contract 4), and its JSON form, into one small tree. Knows
//! nothing of policies; must end on any input, in time and depth. What a policy makes of the tree:
//! [`super::policy`]. (HCL 2 readers refuse texts that Vault takes: two settings on a line, quoted keys.)

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Number, Value};

/// Deepest nesting that is read. A policy needs four levels; JSON stops at 128 by itself.
const MAX_DEPTH: u32 = 32;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Object(Vec<Item>),
    List(Vec<Node>),
    Text(String),
    Number(Number),
    Bool(bool),
    Null,
}

/// A setting or a block: one key or more, and what it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) keys: Vec<Key>,
    pub(super) value: Node,
}

/// A key and the line that it stands on, from 1; JSON keeps no lines and has 1 throughout.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) line: u32,
}

/// Where the text cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at line {line}: {what}")]
pub struct Unreadable {
    /// From 1.
    pub line: u32,
    /// One sentence.
    pub what: String,
}

/// Reads a text; one that begins with `{` is JSON.
pub(super) fn read(text: &str) -> Result<Vec<Item>, Unreadable> {
    if text.trim_start().starts_with('{') {
        return read_json(text);
    }
    let mut reader = Reader { rest: text.chars().peekable(), line: 1, depth: 0 };
    let items = reader.items(None)?;
    Ok(items)
}

fn read_json(text: &str) -> Result<Vec<Item>, Unreadable> {
    let value: Value = serde_json::from_str(text).map_err(|error| Unreadable {
        line: u32::try_from(error.line()).unwrap_or(u32::MAX),
        what: "this is not valid JSON".to_owned(),
    })?;
    let tree = from_json(value);
    Ok(if let Node::Object(items) = tree { items } else { Vec::new() })
}

fn from_json(value: Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(value),
        Value::Number(value) => Node::Number(value),
        Value::String(text) => Node::Text(text),
        Value::Array(values) => Node::List(values.into_iter().map(from_json).collect()),
        Value::Object(map) => Node::Object(
            map.into_iter()
                .map(|(text, value)| Item {
                    keys: vec![Key { text, line: 1 }],
                    value: from_json(value),
                })
                .collect(),
        ),
    }
}

impl From<Node> for Value {
    /// As a request's data would hold it.
    fn from(node: Node) -> Self {
        match node {
            Node::Null => Self::Null,
            Node::Bool(value) => Self::Bool(value),
            Node::Number(value) => Self::Number(value),
            Node::Text(text) => Self::String(text),
            Node::List(nodes) => Self::Array(nodes.into_iter().map(Self::from).collect()),
            Node::Object(items) => Self::Object(
                items
                    .into_iter()
                    .filter_map(|item| {
                        Some((item.keys.into_iter().next()?.text, Self::from(item.value)))
                    })
                    .collect(),
            ),
        }
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: u32,
    depth: u32,
}

impl Reader<'_> {
    fn fail<T>(&self, what: impl Into<String>) -> Result<T, Unreadable> {
        Err(Unreadable { line: self.line, what: what.into() })
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line = self.line.saturating_add(1);
        }
        next
    }

    /// Over white space and comments, to the next character that means something.
    fn peek(&mut self) -> Result<Option<char>, Unreadable> {
        loop {
            match self.rest.peek().copied() {
                Some(c) if c.is_whitespace() || c == '\u{feff}' => {
                    self.next();
                }
                Some('#') => self.skip_line(),
                Some('/') => self.comment()?,
                other => return Ok(other),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    fn comment(&mut self) -> Result<(), Unreadable> {
        self.next();
        match self.next() {
            Some('/') => self.skip_line(),
            Some('*') => {
                let mut star = false;
                loop {
                    match self.next() {
                        Some('/') if star => break,
                        Some(c) => star = c == '*',
                        None => return self.fail("a comment is not closed"),
                    }
                }
            }
            _ => return self.fail("`/` begins a comment, `//` or `/*`"),
        }
        Ok(())
    }

    /// Items up to `end`, or to the end of the text.
    fn items(&mut self, end: Option<char>) -> Result<Vec<Item>, Unreadable> {
        let mut items = Vec::new();
        loop {
            match self.peek()? {
                next if next == end => {
                    self.next();
                    return Ok(items);
                }
                None => return self.fail("`}` is missing"),
                Some(_) => items.push(self.item()?),
            }
            if self.peek()? == Some(',') {
                self.next();
            }
        }
    }

    fn item(&mut self) -> Result<Item, Unreadable> {
        let mut keys = Vec::new();
        loop {
            match self.peek()? {
                Some('=') if !keys.is_empty() => {
                    self.next();
                    return Ok(Item { keys, value: self.value()? });
                }
                Some('{') if !keys.is_empty() => return Ok(Item { keys, value: self.value()? }),
                Some('"') => {
                    let line = self.line;
                    keys.push(Key { text: self.string()?, line });
                }
                Some(c) if is_word_start(c) => {
                    let line = self.line;
                    keys.push(Key { text: self.word(), line });
                }
                Some(c) => return self.fail(format!("a key was expected, not `{c}`")),
                None => return self.fail("a value is missing"),
            }
        }
    }

    fn value(&mut self) -> Result<Node, Unreadable> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return self.fail(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let value = match self.peek()? {
            Some('{') => {
                self.next();
                Node::Object(self.items(Some('}'))?)
            }
            Some('[') => {
                self.next();
                Node::List(self.list()?)
            }
            Some('"') => Node::Text(self.string()?),
            Some('<') => Node::Text(self.heredoc()?),
            Some(c) if c.is_ascii_digit() || c == '-' => Node::Number(self.number()?),
            Some(c) if is_word_start(c) => match self.word().as_str() {
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                other => return self.fail(format!("`{other}` is no value")),
            },
            Some(c) => return self.fail(format!("a value was expected, not `{c}`")),
            None => return self.fail("a value is missing"),
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn list(&mut self) -> Result<Vec<Node>, Unreadable> {
        let mut list = Vec::new();
        loop {
            if self.peek()? == Some(']') {
                self.next();
                return Ok(list);
            }
            list.push(self.value()?);
            match self.peek()? {
                Some(',') => {
                    self.next();
                }
                Some(']') => {}
                _ => return self.fail("`,` or `]` was expected in a list"),
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(&c) = self.rest.peek() {
            if !(is_word_start(c) || c.is_ascii_digit() || c == '-' || c == '.') {
                break;
            }
            word.push(c);
            self.next();
        }
        word
    }

    fn number(&mut self) -> Result<Number, Unreadable> {
        let mut text = String::new();
        while let Some(&c) = self.rest.peek() {
            if !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')) {
                break;
            }
            text.push(c);
            self.next();
        }
        let whole = text.strip_prefix("0x").map_or_else(
            || text.parse::<i64>().ok(),
            |digits| i64::from_str_radix(digits, 16).ok(),
        );
        let number =
            whole.map(Number::from).or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
        match number {
            Some(number) => Ok(number),
            None => self.fail(format!("`{text}` is no number")),
        }
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escaped()?),
                Some('\n') | None => return self.fail("a text is not closed"),
                Some(c) => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Unreadable> {
        Ok(match self.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(c @ ('"' | '\\')) => c,
            Some('u') => self.code_point(4)?,
            Some('U') => self.code_point(8)?,
            Some('x') => self.code_point(2)?,
            _ => return self.fail("unknown escape in a text"),
        })
    }

    fn code_point(&mut self, digits: u32) -> Result<char, Unreadable> {
        let mut code = 0_u32;
        for _ in 0..digits {
            let Some(digit) = self.next().and_then(|c| c.to_digit(16)) else {
                return self.fail(format!("an escape needs {digits} hex digits"));
            };
            code = code.wrapping_shl(4) | digit;
        }
        match char::from_u32(code) {
            Some(c) => Ok(c),
            None => self.fail("an escape names no character"),
        }
    }

    /// `<<WORD`, lines, `WORD` alone on a line; with `<<-` the least indentation is taken away.
    fn heredoc(&mut self) -> Result<String, Unreadable> {
        self.next();
        if self.next() != Some('<') {
            return self.fail("`<<` was expected");
        }
        let indented = self.rest.next_if_eq(&'-').is_some();
        let end = self.whole_line().unwrap_or_default().trim().to_owned();
        if end.is_empty() {
            return self.fail("a heredoc needs a word after `<<`");
        }
        let mut lines = Vec::new();
        loop {
            match self.whole_line() {
                Some(line) if line.trim() == end => break,
                Some(line) => lines.push(line),
                None => return self.fail(format!("the heredoc is not closed by `{end}`")),
            }
        }
        let margin = if indented { least_indentation(&lines) } else { 0 };
        let mut text = String::new();
        for line in lines {
            text.extend(line.chars().skip(margin));
            text.push('\n');
        }
        Ok(text)
    }

    fn whole_line(&mut self) -> Option<String> {
        self.rest.peek()?;
        let mut line = String::new();
        while let Some(c) = self.next() {
            if c == '\n' {
                break;
            }
            line.push(c);
        }
        Some(line)
    }
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn least_indentation(lines: &[String]) -> usize {
    let indentation = |line: &String| line.chars().take_while(|c| c.is_whitespace()).count();
    lines.iter().filter(|line| !line.trim().is_empty()).map(indentation).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        Value::from(Node::Object(read(text).unwrap()))
    }

    fn refused(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let text = r#"
            # a comment
            name = "n" // another
            "quoted" = -5, hex = 0x10 real = 1.5 /* and
            one over lines */ yes = true
            list = ["a", 2, ["b"],]
            object { "k" = [] }
            escaped = "a\t\"b\"\u00e9"
        "#;
        let wanted = json!({"name": "n", "quoted": -5, "hex": 16, "real": 1.5, "yes": true,
            "list": ["a", 2, ["b"]], "object": {"k": []}, "escaped": "a\t\"b\"é"});
        assert_eq!(value(text), wanted);
    }

    #[test]
    fn a_block_has_several_keys_and_each_knows_its_line() {
        let items = read("\npath \"a/*\" {\n  policy = \"read\" }").unwrap();
        let keys: Vec<_> = items[0].keys.iter().map(|key| (key.text.as_str(), key.line)).collect();
        assert_eq!(keys, [("path", 2), ("a/*", 2)]);
        let Node::Object(inner) = &items[0].value else { panic!("a block holds items") };
        assert_eq!(inner[0].keys[0].line, 3);
    }

    #[test]
    fn heredocs_keep_their_lines() {
        assert_eq!(value("x = <<EOT\na\n  b\nEOT\n"), json!({"x": "a\n  b\n"}));
        assert_eq!(value("x = <<-EOT\n    a\n      b\n    EOT\n"), json!({"x": "a\n  b\n"}));
    }

    #[test]
    fn json_reads_as_the_same_tree() {
        assert_eq!(
            value(r#" {"path": {"a": {"capabilities": ["read"]}}}"#),
            json!({"path": {"a": {"capabilities": ["read"]}}})
        );
        assert_eq!(refused("{\n\"a\": }"), "at line 2: this is not valid JSON");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, told) in [
            ("path \"a\" {", "at line 1: `}` is missing"),
            ("\n= 5", "at line 2: a key was expected, not `=`"),
            ("a", "at line 1: a value is missing"),
            ("a = b", "at line 1: `b` is no value"),
            ("a = \"b\n", "at line 2: a text is not closed"),
            ("a = \"\\q\"", "at line 1: unknown escape in a text"),
            ("a = [1 2]", "at line 1: `,` or `]` was expected in a list"),
            ("a = 1x", "at line 1: `1x` is no number"),
            ("a = <<E\nb", "at line 2: the heredoc is not closed by `E`"),
            ("/* a", "at line 1: a comment is not closed"),
            ("a = {}}", "at line 1: a key was expected, not `}`"),
        ] {
            assert_eq!(refused(text), told, "{text}");
        }
        assert!(refused(&"a = {".repeat(100)).contains("nested deeper than 32"));
        assert!(refused(&"a = [".repeat(100_000)).len() < 100);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z\"={}\\[\\],#/*<\\-\\\\ \n0-9.]{0,200}") {
            let _ends = read(&text);
        }
    }
}
