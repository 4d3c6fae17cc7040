//! Strings of the scanner: plain runs, escapes, surrogate pairs, and which characters IAM takes.
//! A string without escapes is never copied; the decoded text is checked as well as the written one.
//! The rest of the grammar is in `scan`.

use super::scan::Scanner;
use super::tree::Text;
use super::{JsonError, JsonErrorKind};

impl Scanner<'_> {
    /// Reads a string from its opening quote on.
    pub(super) fn string(&mut self) -> Result<Text, JsonError> {
        let quote = self.at;
        self.forward(1);
        let start = self.at;
        let mut decoded: Option<String> = None;
        let end = loop {
            match self.peek() {
                Some(b'"') => break self.at,
                Some(b'\\') => {
                    let so_far = self.text.get(start..self.at).unwrap_or_default();
                    let escaped_at = self.at;
                    let character = self.escape()?;
                    self.check_character(character, escaped_at);
                    decoded.get_or_insert_with(|| so_far.to_owned()).push(character);
                }
                Some(0x20..=0x7f) => self.plain_run(decoded.as_mut()),
                Some(0x80..) => self.wide_character(decoded.as_mut()),
                Some(_) => {
                    let message = "control characters in a string must be escaped".to_owned();
                    return Err(self.syntax(message));
                }
                None => {
                    return Err(self.error(
                        JsonErrorKind::Syntax,
                        quote,
                        "the string is not closed".to_owned(),
                    ));
                }
            }
        };
        self.forward(1);
        Ok(match decoded {
            None => Text::source(start..end),
            Some(text) => {
                self.out.decoded.push(text);
                Text::decoded(self.out.decoded.len().saturating_sub(1))
            }
        })
    }

    fn plain_run(&mut self, decoded: Option<&mut String>) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let plain = |byte: &u8| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\');
        let length = rest.as_bytes().iter().take_while(|byte| plain(byte)).count();
        if let Some(decoded) = decoded {
            decoded.push_str(rest.get(..length).unwrap_or_default());
        }
        self.forward(length);
    }

    fn wide_character(&mut self, decoded: Option<&mut String>) {
        let Some(character) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            return self.forward(1);
        };
        self.check_character(character, self.at);
        if let Some(decoded) = decoded {
            decoded.push(character);
        }
        self.forward(character.len_utf8());
    }

    /// Reads an escape and gives the character that it stands for.
    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.forward(1);
        let plain = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            Some(_) | None => {
                let found = self.found();
                return Err(
                    self.syntax(format!("`\\` followed by {found} is not an escape of JSON"))
                );
            }
        };
        self.forward(1);
        Ok(plain)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        self.forward(1);
        let first = self.hex4()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        // A surrogate: the first of a pair must be followed by an escaped second one (RFC 8259, section 7).
        let rest = self.text.get(self.at..).unwrap_or_default();
        if first < 0xdc00 && rest.starts_with("\\u") {
            self.forward(2);
            let second = self.hex4()?;
            if let Some(Ok(character)) = u16::try_from(first)
                .ok()
                .zip(u16::try_from(second).ok())
                .and_then(|(high, low)| char::decode_utf16([high, low]).next())
            {
                return Ok(character);
            }
        }
        let message = "half of a surrogate pair is not a character".to_owned();
        self.hold(JsonErrorKind::Character, start, message);
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at..self.at.saturating_add(4)).unwrap_or_default();
        let all_hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(value) if all_hex => {
                self.forward(4);
                Ok(value)
            }
            Ok(_) | Err(_) => Err(self.syntax("`\\u` takes four hexadecimal digits".to_owned())),
        }
    }

    /// The IAM API's pattern for documents: U+0009, U+000A, U+000D, U+0020 to U+00FF (IAM API model).
    fn check_character(&mut self, character: char, at: usize) {
        if !matches!(character, '\t' | '\n' | '\r' | ' '..='\u{ff}') {
            let message = format!("IAM takes no character U+{:04X}", u32::from(character));
            self.hold(JsonErrorKind::Character, at, message);
        }
    }
}
