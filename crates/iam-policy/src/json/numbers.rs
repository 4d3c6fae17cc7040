//! Numbers of the scanner: the grammar of RFC 8259, and a bound on their size.
//! The text of a number is kept as it is; nothing is rounded here.
//! The rest of the grammar is in `scan`.

use super::scan::Scanner;
use super::tree::Kind;
use super::{JsonError, JsonErrorKind, MAX_NUMBER_CHARS};

impl Scanner<'_> {
    pub(super) fn number(&mut self) -> Result<Kind, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.forward(1);
        }
        if self.peek() == Some(b'0') {
            self.forward(1);
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.forward(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.forward(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.forward(1);
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let fits = text.len() <= MAX_NUMBER_CHARS && text.parse::<f64>().is_ok_and(f64::is_finite);
        if !fits {
            let message = "the number is too large to be compared exactly".to_owned();
            self.hold(JsonErrorKind::Number, start, message);
        }
        Ok(Kind::Number)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            let found = self.found();
            return Err(self.syntax(format!("expected a digit, found {found}")));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.forward(1);
        }
        Ok(())
    }
}
