//! Places of a document that stands inside a file: as an object its text is a part of the file, as a JSON string its
//! escapes shift everything behind them. A place is only ever moved, never invented. Used for roles in `input`.

use iam_policy::Position;

/// A document inside a file.
pub(super) struct Embedded {
    pub(super) text: String,
    /// Where its value starts in the file.
    pub(super) start: usize,
    /// It is a JSON string, whose escapes shift its places.
    pub(super) escaped: bool,
}

impl Embedded {
    /// Where a line and column of the document stand in the file.
    pub(super) fn in_file(&self, line: u32, column: u32, file: &str) -> Option<Position> {
        let offset = offset(&self.text, line, column)?;
        let within =
            if self.escaped { raw_offset(file.get(self.start..)?, offset) } else { offset };
        Some(Position::of(file, self.start.saturating_add(within)))
    }
}

/// The byte offset of a place in a text.
fn offset(text: &str, line: u32, column: u32) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    let within = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    Some(start.saturating_add(within))
}

/// Where the byte at `target` of a decoded JSON string stands in its literal, which starts with the quote.
fn raw_offset(literal: &str, target: usize) -> usize {
    let mut decoded = 0_usize;
    let mut raw = 1_usize;
    let mut rest = literal.get(1..).unwrap_or_default();
    while decoded < target {
        let Some(first) = rest.chars().next() else {
            break;
        };
        let (written, meant) = match first {
            '\\' if rest.get(1..2) == Some("u") => (6, escaped_bytes(rest.get(2..6))),
            '\\' => (2, 1),
            plain => (plain.len_utf8(), plain.len_utf8()),
        };
        decoded = decoded.saturating_add(meant);
        raw = raw.saturating_add(written);
        rest = rest.get(written..).unwrap_or_default();
    }
    raw
}

/// Bytes of UTF-8 that a `\u` escape comes to; of a surrogate pair, the first half stands for all four.
fn escaped_bytes(hex: Option<&str>) -> usize {
    let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or_default();
    match char::from_u32(code) {
        Some(character) => character.len_utf8(),
        None if (0xd800..0xdc00).contains(&code) => 4,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_an_escaped_document_is_found_in_the_file() {
        let document = "{\"é\": 1,\n \"a\": 2}";
        let file = "{\n  \"policy_document\": \"{\\\"\\u00e9\\\": 1,\\n \\\"a\\\": 2}\"\n}";
        let start = file.find("\"{").unwrap();
        let embedded = Embedded { text: document.to_owned(), start, escaped: true };
        let position = embedded.in_file(2, 2, file).unwrap();
        assert_eq!(position.line, 2);
        assert!(file.get(position.offset..).unwrap().starts_with("\\\"a\\\""), "{position:?}");
    }
}
