//! The line of a file that a finding is about, with a mark under the place. Prints text of files that may hold anything:
//! control characters are shown as spaces, long lines are cut around the place.

use std::io::{self, Write};
use std::ops::Range;

use iam_policy::Position;

use crate::paint::Paint;

/// Characters of a line that are shown; a document without line breaks is one line of thousands.
const WIDTH: usize = 88;

/// A file that people can open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceText<'a> {
    /// Its name, as the user wrote it.
    pub(crate) name: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
}

impl SourceText<'_> {
    /// Line and column of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        Position::of(self.text, offset)
    }

    /// Prints the line of `place` and marks it; a place over several lines is marked at its beginning.
    pub(crate) fn show(
        &self,
        place: &Range<usize>,
        label: &str,
        paint: Paint,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let at = self.position(place.start);
        let line = self.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
        let column = at.column.saturating_sub(1);
        let marked = self.text.get(place.clone()).unwrap_or_default();
        let length = marked.lines().next().unwrap_or_default().chars().count().max(1);
        let window = Window::around(line, column, length);
        let number = at.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(
            out,
            "     {gutter} {} {}:{}:{}",
            paint.faint("-->"),
            self.name,
            at.line,
            at.column
        )?;
        writeln!(out, "     {} {} {}", paint.faint(&number), paint.faint("|"), window.text)?;
        writeln!(
            out,
            "     {gutter} {} {}{} {label}",
            paint.faint("|"),
            " ".repeat(window.column),
            paint.warn("^".repeat(window.length)),
        )
    }
}

/// The part of a line that is shown.
struct Window {
    text: String,
    column: usize,
    length: usize,
}

impl Window {
    fn around(line: &str, column: usize, length: usize) -> Self {
        let characters: Vec<char> =
            line.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
        // A quarter of the width stands before the place, so that what it belongs to is seen.
        let from = if characters.len() <= WIDTH {
            0
        } else {
            column.saturating_sub(WIDTH.div_euclid(4)).min(characters.len().saturating_sub(WIDTH))
        };
        let shown: String = characters.iter().skip(from).take(WIDTH).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if from.saturating_add(WIDTH) < characters.len() { "…" } else { "" };
        let shift = before.chars().count();
        let column = column.saturating_sub(from);
        Self {
            text: format!("{before}{shown}{after}"),
            column: column.saturating_add(shift),
            length: length.min(WIDTH.saturating_sub(column)).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::Colour;

    fn shown(text: &str, place: &str) -> String {
        let start = text.find(place).unwrap();
        let mut out = Vec::new();
        SourceText { name: "a.json", text }
            .show(
                &(start..start.saturating_add(place.len())),
                "here",
                Colour::Never.paint(),
                &mut out,
            )
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_place_is_marked_under_its_line() {
        assert_eq!(
            shown("{\n  \"Action\": \"s3:*\"\n}\n", "\"s3:*\""),
            "       --> a.json:2:13\n     2 |   \"Action\": \"s3:*\"\n       |             ^^^^^^ here\n"
        );
    }

    #[test]
    fn a_place_over_several_lines_is_marked_where_it_begins() {
        let text = "[\n  {\n    \"a\": 1\n  }\n]";
        assert!(shown(text, "{\n    \"a\": 1\n  }").ends_with("|   {\n       |   ^ here\n"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_shows_no_control_characters() {
        let text = format!("{}\t\u{1b}[31m\"here\"{}", "x".repeat(400), "y".repeat(400));
        let shown = shown(&text, "\"here\"");
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[1].chars().count() < 110 && lines[1].contains("…") && !shown.contains('\u{1b}')
        );
        let column = |line: &str, part: &str| line.split(part).next().unwrap().chars().count();
        assert_eq!(column(lines[1], "\"here\""), column(lines[2], "^^^^^^"));
    }
}
