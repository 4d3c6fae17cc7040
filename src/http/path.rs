//! The path of a request, decoded exactly once (contract 0.1). It must never be decoded again behind
//! this file: what a check saw is what a handler gets. Which handler that is: [`super::routes`].

use std::borrow::Cow;

/// What a raw request path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path of the API, decoded, without `/v1/`.
    Api(String),
    /// Literal `.`, `..` or `//`: the client is sent to the cleaned path (307).
    Redirect(String),
    /// Something that does not print, or a broken percent-encoding: 400 with nothing else.
    Unreadable,
    /// The place of the UI, which there is none of: 404 in plain text.
    NoUi,
    /// Anything else: 404.
    Outside,
}

/// Reads the path of a request as it stands in the request line, without the query.
pub fn read(raw: &str) -> Target {
    let Some(decoded) = decode(raw) else {
        return Target::Unreadable;
    };
    if !decoded.chars().all(prints) {
        return Target::Unreadable;
    }
    if let Some(clean) = cleaned(raw) {
        return Target::Redirect(clean);
    }
    match decoded.strip_prefix("/v1/") {
        Some(path) => Target::Api(path.to_owned()),
        None if matches!(&*decoded, "/" | "/ui" | "/robots.txt") => Target::NoUi,
        None if decoded.starts_with("/ui/") => Target::NoUi,
        None => Target::Outside,
    }
}

/// Whether a decoded path holds `.` or `..` as a segment; such requests are refused.
pub fn is_relative(path: &str) -> bool {
    path.contains('.') && path.split('/').any(|part| part == "." || part == "..")
}

/// Decodes `%XX`; `None` for broken escapes and for what is not UTF-8 afterwards. A `+` stays.
pub fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('%') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = hex(rest.next()?)?;
            let low = hex(rest.next()?)?;
            bytes.push((high << 4) | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Whether a character prints; of white space only the plain blank does.
fn prints(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // The standard library knows what prints only through the escapes of `Debug`.
    c.escape_debug().count() == 1
}

/// The path that a raw one with `.`, `..` or `//` in it stands for; `None` for a clean one.
fn cleaned(raw: &str) -> Option<String> {
    if !raw.contains("//") && !raw.contains("/.") {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut last = "";
    for part in raw.split('/') {
        last = part;
        match part {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    let mut clean = format!("/{}", kept.join("/"));
    if last.is_empty() && clean != "/" {
        clean.push('/');
    }
    (clean != raw).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(path: &str) -> Target {
        Target::Api(path.to_owned())
    }

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(read("/v1/aws/roles/u"), api("aws/roles/u"));
        assert_eq!(read("/v1/aws%2froles%2Fu"), api("aws/roles/u"));
        assert_eq!(read("/v1/aws/roles/a%2520b"), api("aws/roles/a%20b"));
        assert_eq!(read("/v1/aws/roles/a+b"), api("aws/roles/a+b"));
        assert_eq!(read("/v1/"), api(""));
    }

    #[test]
    fn literal_dots_and_double_slashes_redirect_and_encoded_ones_do_not() {
        let to = |path: &str| Target::Redirect(path.to_owned());
        assert_eq!(read("/v1/aws/../sys/mounts"), to("/v1/sys/mounts"));
        assert_eq!(read("/v1/aws//roles/u"), to("/v1/aws/roles/u"));
        assert_eq!(read("/v1/aws/./roles/"), to("/v1/aws/roles/"));
        assert_eq!(read("//v1/aws"), to("/v1/aws"));
        assert_eq!(read("/v1/../../.."), to("/"));
        assert_eq!(read("/v1/aws/%2e%2e/sys"), api("aws/../sys"));
        assert_eq!(read("/v1/aws/.hidden"), api("aws/.hidden"));
        assert!(is_relative("aws/../sys"));
        assert!(is_relative("./aws"));
        assert!(!is_relative("aws/a..b/.c"));
    }

    #[test]
    fn what_does_not_print_is_unreadable() {
        for raw in [
            "/v1/a%0ab",
            "/v1/a%00",
            "/v1/a%7f",
            "/v1/a%c2%a0b",
            "/v1/a%e2%80%ae",
            "/v1/%zz",
            "/v1/%f",
            "/v1/%ff",
        ] {
            assert_eq!(read(raw), Target::Unreadable, "{raw}");
        }
        assert_eq!(read("/v1/a%20b%c3%a9"), api("a bé"));
    }

    #[test]
    fn there_is_no_ui_and_nothing_outside() {
        for raw in ["/", "/ui", "/ui/", "/ui/vault", "/robots.txt"] {
            assert_eq!(read(raw), Target::NoUi, "{raw}");
        }
        for raw in ["/v2/x", "/v1", "/metrics", "/uix", ""] {
            assert_eq!(read(raw), Target::Outside, "{raw}");
        }
    }
}
