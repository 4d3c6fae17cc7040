//! What subcommands print: one JSON value for programs, or columns for people. It prints no character that could steer a
//! terminal, and asks for nothing. What is printed is each subcommand's.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// One JSON value, for programs.
    Json,
}

/// A JSON value on lines of its own.
pub(super) fn json(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string_pretty(value)?)
}

/// Names and values, one pair a line, the values in a column. Pairs without a value are left out.
pub(super) fn pairs(out: &mut dyn Write, pairs: &[(&str, String)]) -> io::Result<()> {
    let filled = || pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = filled().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in filled() {
        writeln!(out, "{name:width$}  {}", printable(value))?;
    }
    Ok(())
}

/// A heading and rows under it, in columns.
pub(super) fn table(out: &mut dyn Write, heading: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
    let lines = || std::iter::once(&heading).chain(rows);
    let width = |column: usize| {
        let cells = lines().filter_map(move |line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    for line in lines() {
        let cells = line.iter().zip(&widths);
        let padded = cells.map(|(cell, &width)| format!("{:width$}", printable(cell)));
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// One space for each character that moves the cursor, turns the writing or cannot be seen.
pub(super) fn printable(text: &str) -> String {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|character| if hidden(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(print: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        print(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [vec!["long one".to_owned(), "2".to_owned()], vec!["s".to_owned(), String::new()]];
        let printed = text(|out| table(out, &["name", "count"], &rows).unwrap());
        assert_eq!(printed, "name      count\nlong one  2\ns\n");
    }

    #[test]
    fn pairs_without_a_value_are_left_out() {
        let shown = [("lease", "a".to_owned()), ("longer", String::new()), ("to", "b".to_owned())];
        assert_eq!(text(|out| pairs(out, &shown).unwrap()), "lease  a\nto     b\n");
    }

    #[test]
    fn nothing_printed_steers_a_terminal() {
        let shown = [("a", "\u{1b}[31mred\u{202e}".to_owned())];
        assert_eq!(text(|out| pairs(out, &shown).unwrap()), "a   [31mred \n");
    }
}
