//! Text as Go prints it, since clients match on sentences that Vault builds with Go's formatting:
//! quoted strings and lists of errors (contract 0.3, 1.4). Pure; it knows nothing of what it prints.

use std::fmt::Write as _;

/// `text` as Go's `%q` prints it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for c in text.chars() {
        push_escaped(&mut quoted, c);
    }
    quoted.push('"');
    quoted
}

/// A number as Go's JSON has it: without a fraction where it is whole. Go's clients print the characters.
pub fn number(value: f64) -> serde_json::Value {
    let text = value.to_string();
    text.parse::<serde_json::Number>().map_or(serde_json::Value::Null, serde_json::Value::Number)
}

fn push_escaped(quoted: &mut String, c: char) {
    let code = u32::from(c);
    let written = match c {
        '"' | '\\' => write!(quoted, "\\{c}"),
        '\n' => write!(quoted, "\\n"),
        '\r' => write!(quoted, "\\r"),
        '\t' => write!(quoted, "\\t"),
        '\u{7}' => write!(quoted, "\\a"),
        '\u{8}' => write!(quoted, "\\b"),
        '\u{b}' => write!(quoted, "\\v"),
        '\u{c}' => write!(quoted, "\\f"),
        c if c < ' ' || c == '\u{7f}' => write!(quoted, "\\x{code:02x}"),
        c if is_printable(c) => write!(quoted, "{c}"),
        _ if code > 0xffff => write!(quoted, "\\U{code:08x}"),
        _ => write!(quoted, "\\u{code:04x}"),
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

/// Letters, marks, numbers, punctuation, symbols, and of all blanks the ASCII one (Go's
/// `strconv.IsPrint`).
fn is_printable(c: char) -> bool {
    if c.is_whitespace() {
        return c == ' ';
    }
    // A mark after a letter is printed as it is, so that one stands in front.
    let pair: String = ['a', c].iter().collect();
    !pair.escape_debug().any(|shown| shown == '{') || c == '{'
}

/// Several errors as one text, the way hashicorp/go-multierror lays them out (contract 0.3, 1.4).
pub fn error_list(errors: &[String]) -> String {
    let head = match errors.len() {
        1 => "1 error occurred:".to_owned(),
        many => format!("{many} errors occurred:"),
    };
    let items: Vec<String> = errors.iter().map(|error| format!("\n\t* {error}")).collect();
    format!("{head}{}\n\n", items.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_does() {
        let cases = [
            ("abc", r#""abc""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\n\tb\r", r#""a\n\tb\r""#),
            ("\u{1}\u{7f}\u{7}", r#""\x01\x7f\a""#),
            ("grün {x} 漢字", r#""grün {x} 漢字""#),
            ("e\u{301}", "\"e\u{301}\""),
            ("\u{a0}\u{200b}\u{ad}", r#""\u00a0\u200b\u00ad""#),
            ("\u{e0001}", r#""\U000e0001""#),
        ];
        for (text, wanted) in cases {
            assert_eq!(quote(text), wanted);
        }
    }

    #[test]
    fn errors_are_listed_with_their_number() {
        assert_eq!(error_list(&["a".into()]), "1 error occurred:\n\t* a\n\n");
        assert_eq!(error_list(&["a".into(), "b".into()]), "2 errors occurred:\n\t* a\n\t* b\n\n");
    }
}
