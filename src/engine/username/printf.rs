//! Go's `printf` for the verbs a name needs: `%s %v %d %q %x %X %t %%`, with a width, `-` and `0`.
//! What does not fit prints as Go prints a mistake, which no user name can hold. Pure.

use std::fmt::Write as _;

use super::value::Value;
use crate::model::encoding;
use crate::model::go_text;

/// How wide one value may be padded; a name has 64 characters.
const MAX_WIDTH: usize = 1024;

/// Prints values by a format.
pub(super) fn printf(format: &str, values: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some((literal, after)) = rest.split_once('%') {
        text.push_str(literal);
        let verb = Verb::read(after)?;
        rest = verb.rest;
        match verb.letter {
            None => text.push_str("%!(NOVERB)"),
            Some('%') => text.push('%'),
            Some(letter) => match values.next() {
                Some(value) => text.push_str(&verb.pad(&show(letter, value))),
                None => push(&mut text, format_args!("%!{letter}(MISSING)")),
            },
        }
    }
    text.push_str(rest);
    let extra: Vec<String> = values.map(|value| format!("{}={value}", value.type_name())).collect();
    if !extra.is_empty() {
        push(&mut text, format_args!("%!(EXTRA {})", extra.join(", ")));
    }
    Ok(text)
}

/// Prints values one behind the other, with a blank between two that are no texts.
pub(super) fn print(values: &[Value]) -> String {
    let mut text = String::new();
    let mut before: Option<&Value> = None;
    for value in values {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if before.is_some_and(|before| !is_text(before) && !is_text(value)) {
            text.push(' ');
        }
        push(&mut text, format_args!("{value}"));
        before = Some(value);
    }
    text
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(what);
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

struct Verb<'a> {
    left: bool,
    zeros: bool,
    width: usize,
    letter: Option<char>,
    rest: &'a str,
}

impl<'a> Verb<'a> {
    fn read(after: &'a str) -> Result<Self, String> {
        let flags = after.trim_start_matches(['-', '0', '+', ' ', '#']);
        let given = after.strip_suffix(flags).unwrap_or_default();
        let end = flags.find(|c: char| !c.is_ascii_digit()).unwrap_or(flags.len());
        let (width, verb) = flags.split_at_checked(end).unwrap_or(("", flags));
        let width = if width.is_empty() { Some(0) } else { width.parse().ok() };
        let Some(width) = width.filter(|width| *width <= MAX_WIDTH) else {
            return Err(format!("a width is at most {MAX_WIDTH}"));
        };
        let mut chars = verb.chars();
        let letter = chars.next();
        let left = given.contains('-');
        let zeros = given.contains('0') && !left;
        Ok(Self { left, zeros, width, letter, rest: chars.as_str() })
    }

    fn pad(&self, shown: &str) -> String {
        let width = self.width;
        if self.left {
            return format!("{shown:<width$}");
        }
        if !self.zeros {
            return format!("{shown:>width$}");
        }
        let (sign, digits) = match shown.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", shown),
        };
        let width = width.saturating_sub(sign.len());
        format!("{sign}{digits:0>width$}")
    }
}

fn show(letter: char, value: &Value) -> String {
    match (letter, value) {
        ('s' | 'v', Value::Text(text)) => text.clone(),
        ('q', Value::Text(text)) => go_text::quote(text),
        ('x', Value::Text(text)) => encoding::hex(text.as_bytes()),
        ('X', Value::Text(text)) => encoding::hex(text.as_bytes()).to_uppercase(),
        ('d' | 'v', Value::Int(number)) => number.to_string(),
        ('x', Value::Int(number)) if *number >= 0 => format!("{number:x}"),
        ('X', Value::Int(number)) if *number >= 0 => format!("{number:X}"),
        ('t' | 'v', Value::Bool(truth)) => truth.to_string(),
        (letter, Value::Text(_) | Value::Int(_) | Value::Bool(_)) => {
            format!("%!{letter}({}={value})", value.type_name())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn verbs_print_as_in_go() {
        let cases = [
            ("%s-%v", vec![text("a"), text("b")], "a-b"),
            ("%d%%", vec![Value::Int(5)], "5%"),
            (
                "%05d|%-4d|%4d",
                vec![Value::Int(-42), Value::Int(1), Value::Int(2)],
                "-0042|1   |   2",
            ),
            ("%q %x", vec![text("a\"b"), text("az")], "\"a\\\"b\" 617a"),
            ("%t", vec![Value::Bool(true)], "true"),
            ("%s", vec![Value::Int(5)], "%!s(int=5)"),
            ("%d", vec![text("x")], "%!d(string=x)"),
            ("%s", vec![], "%!s(MISSING)"),
            ("x", vec![text("y")], "x%!(EXTRA string=y)"),
            ("100%", vec![], "100%!(NOVERB)"),
        ];
        for (format, values, wanted) in cases {
            assert_eq!(printf(format, &values).unwrap(), wanted, "{format}");
        }
        assert!(printf("%99999d", &[Value::Int(1)]).is_err());
    }

    #[test]
    fn printed_values_stand_apart_unless_they_are_texts() {
        assert_eq!(print(&[text("a"), text("b")]), "ab");
        assert_eq!(print(&[Value::Int(1), Value::Int(2), text("c")]), "1 2c");
    }
}
