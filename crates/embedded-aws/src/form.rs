//! The request's form: `Action=…&UserName=…`, decoded as AWS decodes it (`+` is a space, `%XX` are
//! bytes of UTF-8). Must never guess: what is not UTF-8 or not percent-encoded right is refused.
//! What the values may be is checked in [`crate::validate`].

use std::collections::BTreeMap;

use crate::error::AwsError;

/// The decoded parameters of a call, by name.
pub type Parameters = BTreeMap<String, String>;

/// A call's parameters, with typed access.
#[derive(Debug)]
pub(crate) struct Form(Parameters);

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        let mut parameters = Parameters::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            parameters.insert(name, value);
        }
        Ok(Self(parameters))
    }

    pub(crate) fn from_parameters(parameters: Parameters) -> Self {
        Self(parameters)
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.0
    }

    /// The same list in pages of at most `most` items; what is no number is left to be refused.
    pub(crate) fn in_pages_of(&self, most: usize) -> Self {
        let mut parameters = self.0.clone();
        let asked = self.get("MaxItems").map(str::parse::<usize>);
        if !matches!(asked, Some(Err(_))) {
            let fewer = asked.and_then(Result::ok).map_or(most, |asked| asked.min(most));
            parameters.insert("MaxItems".to_owned(), fewer.to_string());
        }
        Self(parameters)
    }

    /// A parameter that may be absent. An empty one is there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, AwsError> {
        self.get(name).ok_or_else(|| AwsError::missing(&member(name)))
    }

    /// `prefix.member.1`, `prefix.member.2`, … up to the first gap.
    pub(crate) fn list(&self, prefix: &str) -> Vec<&str> {
        (1_usize..).map_while(|n| self.get(&format!("{prefix}.member.{n}"))).collect()
    }

    /// `prefix.member.N.first` with `prefix.member.N.second`, up to the first gap.
    pub(crate) fn pairs<'a>(
        &'a self,
        prefix: &str,
        first: &str,
        second: &str,
    ) -> Vec<(Option<&'a str>, Option<&'a str>)> {
        (1_usize..)
            .map_while(|n| {
                let key = self.get(&format!("{prefix}.member.{n}.{first}"));
                let value = self.get(&format!("{prefix}.member.{n}.{second}"));
                (key.is_some() || value.is_some()).then_some((key, value))
            })
            .collect()
    }
}

/// A parameter's name as AWS writes it in messages: `UserName` is `userName`.
pub(crate) fn member(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Percent-encodes everything but RFC 3986's unreserved characters, as IAM gives documents back.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(nibbles(byte).map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| nibbles(*byte)).collect()
}

fn nibbles(byte: u8) -> [char; 2] {
    // Four bits are always a digit.
    [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
}

fn decode(raw: &[u8]) -> Result<String, AwsError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest.next().and_then(|digit| digit_value(*digit));
                let low = rest.next().and_then(|digit| digit_value(*digit));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(AwsError::malformed_query("The query string is malformed"));
                };
                (high << 4) | low
            }
            other => other,
        });
    }
    String::from_utf8(bytes)
        .map_err(|error| AwsError::malformed_query(format!("The query is not UTF-8: {error}")))
}

fn digit_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_and_percent_and_plus_are_decoded_once() {
        let form =
            Form::parse("Action=A&V=gr%C3%BC%C3%9Fe+%E2%82%AC+%2525+%2B%26%3D&E=".as_bytes())
                .unwrap();
        assert_eq!(form.get("V"), Some("grüße € %25 +&="));
        assert_eq!(form.get("E"), Some(""));
        assert_eq!(form.get("Absent"), None);
    }

    #[test]
    fn broken_escapes_and_other_encodings_are_refused() {
        for body in ["V=%", "V=%4", "V=%zz", "V=%FC"] {
            assert_eq!(Form::parse(body.as_bytes()).unwrap_err().code, "MalformedQueryString");
        }
    }

    #[test]
    fn encoding_leaves_only_unreserved_characters() {
        assert_eq!(encode("{\"a\": ü~-_.*}"), "%7B%22a%22%3A%20%C3%BC~-_.%2A%7D");
        let back = format!("V={}", encode("ü %25 +"));
        assert_eq!(Form::parse(back.as_bytes()).unwrap().get("V"), Some("ü %25 +"));
    }

    #[test]
    fn lists_end_at_the_first_gap() {
        let form =
            Form::parse(b"T.member.1.Key=a&T.member.1.Value=b&T.member.3.Key=c&K.member.1=x")
                .unwrap();
        assert_eq!(form.pairs("T", "Key", "Value"), vec![(Some("a"), Some("b"))]);
        assert_eq!(form.list("K"), vec!["x"]);
    }
}
