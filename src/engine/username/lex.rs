//! A template cut into text and actions, and an action cut into words. Pure; what the words mean is
//! [`super::parse`]'s.

use std::iter::Peekable;
use std::str::Chars;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Between actions, already trimmed where `{{-` or `-}}` say so.
    Text(String),
    /// The words between `{{` and `}}`.
    Action(Vec<Word>),
}

/// A word of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// `.Name`.
    Field(String),
    /// A function or a keyword.
    Name(String),
    /// A quoted text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// `|`
    Pipe,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// Cuts a template into its pieces.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trim_front = false;
    loop {
        let (text, inside) = match rest.split_once("{{") {
            Some((text, inside)) => (text, Some(inside)),
            None => (rest, None),
        };
        let text = if trim_front { text.trim_start_matches(is_blank) } else { text };
        let Some(inside) = inside else {
            push_text(&mut pieces, text);
            return Ok(pieces);
        };
        let (text, inside) = match inside.strip_prefix('-') {
            Some(trimmed) if trimmed.starts_with(is_blank) => {
                (text.trim_end_matches(is_blank), trimmed)
            }
            Some(_) | None => (text, inside),
        };
        push_text(&mut pieces, text);
        let after = if let Some(comment) = inside.trim_start_matches(is_blank).strip_prefix("/*") {
            after_comment(comment)?
        } else {
            let (words, after) = words(inside)?;
            pieces.push(Piece::Action(words));
            after
        };
        trim_front = after.trimmed;
        rest = after.rest;
    }
}

/// What follows an action.
struct After<'a> {
    rest: &'a str,
    trimmed: bool,
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn after_comment(comment: &str) -> Result<After<'_>, String> {
    let (_, after) = comment.split_once("*/").ok_or("unclosed comment")?;
    let end = after.trim_start_matches(is_blank);
    closing(end).ok_or_else(|| "comment ends before closing delimiter".to_owned())
}

/// The end of an action, if `text` begins with it.
fn closing(text: &str) -> Option<After<'_>> {
    if let Some(rest) = text.strip_prefix("-}}") {
        return Some(After { rest, trimmed: true });
    }
    text.strip_prefix("}}").map(|rest| After { rest, trimmed: false })
}

/// Reads the words of an action up to its end.
fn words(inside: &str) -> Result<(Vec<Word>, After<'_>), String> {
    let mut words = Vec::new();
    let mut rest = inside;
    loop {
        let (had_blank, at) = {
            let at = rest.trim_start_matches(is_blank);
            (at.len() < rest.len(), at)
        };
        if let Some(after) = closing(at).filter(|after| !after.trimmed || had_blank) {
            return Ok((words, after));
        }
        let mut chars = at.chars();
        let Some(first) = chars.next() else {
            return Err("unclosed action".into());
        };
        let word = match first {
            '|' => Word::Pipe,
            '(' => Word::Open,
            ')' => Word::Close,
            '"' => Word::Text(quoted(&mut chars)?),
            '`' => Word::Text(raw(&mut chars)?),
            '.' => Word::Field(take_name(&mut chars)),
            c if c.is_ascii_digit() || c == '-' || c == '+' => {
                return number(at, words);
            }
            c if is_name(c) => {
                let mut name = c.to_string();
                name.push_str(&take_name(&mut chars));
                Word::Name(name)
            }
            c => return Err(format!("unexpected {c:?} in command")),
        };
        words.push(word);
        rest = chars.as_str();
    }
}

/// A number, then the rest of the action.
fn number(at: &str, mut words_before: Vec<Word>) -> Result<(Vec<Word>, After<'_>), String> {
    let end = at
        .char_indices()
        .skip(1)
        .find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '_' && *c != '.')
        .map_or(at.len(), |(end, _)| end);
    let (digits, rest) = at.split_at_checked(end).unwrap_or((at, ""));
    let number = digits.parse().map_err(|_no_number| format!("bad number syntax: {digits:?}"))?;
    words_before.push(Word::Int(number));
    let (more, after) = words(rest)?;
    words_before.extend(more);
    Ok((words_before, after))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn take_name(chars: &mut Chars<'_>) -> String {
    let text = chars.as_str();
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    *chars = rest.chars();
    name.to_owned()
}

fn raw(chars: &mut Chars<'_>) -> Result<String, String> {
    let (text, rest) = chars.as_str().split_once('`').ok_or("unterminated raw quoted string")?;
    let text = text.to_owned();
    *chars = rest.chars();
    Ok(text)
}

fn quoted(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut text = String::new();
    let mut ahead = chars.clone().peekable();
    loop {
        match ahead.next() {
            None | Some('\n') => return Err("unterminated quoted string".into()),
            Some('"') => break,
            Some('\\') => text.push(escaped(&mut ahead)?),
            Some(c) => text.push(c),
        }
    }
    *chars = after_quote(chars.as_str());
    Ok(text)
}

/// Behind the first quote that is not escaped.
fn after_quote(text: &str) -> Chars<'_> {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => {
                chars.next();
            }
            _ => {}
        }
    }
    chars
}

fn escaped(chars: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    let c = chars.next().ok_or("unterminated quoted string")?;
    match c {
        'n' => Ok('\n'),
        't' => Ok('\t'),
        'r' => Ok('\r'),
        '\\' | '"' => Ok(c),
        'x' => code(chars, 2),
        'u' => code(chars, 4),
        'U' => code(chars, 8),
        other => Err(format!("unknown escape \\{other} in a quoted string")),
    }
}

fn code(chars: &mut Peekable<Chars<'_>>, digits: usize) -> Result<char, String> {
    let text: String = chars.take(digits).collect();
    u32::from_str_radix(&text, 16)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(|| format!("`{text}` is no character code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_into_text_and_words() {
        assert_eq!(
            pieces("a {{- .Type | truncate 5 -}} b").unwrap(),
            [
                Piece::Text("a".into()),
                Piece::Action(vec![
                    Word::Field("Type".into()),
                    Word::Pipe,
                    Word::Name("truncate".into()),
                    Word::Int(5),
                ]),
                Piece::Text("b".into()),
            ]
        );
    }

    #[test]
    fn quoted_texts_may_hold_braces_and_escapes() {
        assert_eq!(
            pieces(r#"{{"}}\"\x41\n"}}{{`\n`}}"#).unwrap(),
            [
                Piece::Action(vec![Word::Text("}}\"A\n".into())]),
                Piece::Action(vec![Word::Text("\\n".into())]),
            ]
        );
    }

    #[test]
    fn numbers_have_a_sign_and_comments_vanish() {
        assert_eq!(pieces("{{/* x */}}").unwrap(), []);
        assert_eq!(pieces("{{ -5 }}").unwrap(), [Piece::Action(vec![Word::Int(-5)])]);
        for bad in ["{{", "{{ 1.5 }}", "{{ 'x' }}", "{{ \"a", "{{/* x", "{{ \"\\q\" }}"] {
            assert!(pieces(bad).is_err(), "{bad}");
        }
    }
}
