//! Lists in pages: `MaxItems` and `Marker` in, `IsTruncated` and `Marker` out. A marker names the last
//! item that was given, so that a list read while it shrinks leaves nothing out. The items' order is
//! that of their keys, which the callers see to.

use crate::error::AwsError;
use crate::form::{Form, hex};
use crate::validate;
use crate::xml::Xml;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    marker: Option<String>,
}

impl<T> Page<T> {
    /// The page that the call asks for. `items` come with their keys, in the order of these.
    pub(crate) fn of<'k>(
        form: &Form,
        items: impl IntoIterator<Item = (&'k str, T)>,
    ) -> Result<Self, AwsError> {
        // IAM API: MaxItems is 100 by default, from 1 to 1000.
        let most = validate::number(form, "MaxItems", 1, 1_000)?.unwrap_or(100);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let after = form.get("Marker").map(read_marker).transpose()?;
        let mut rest = items
            .into_iter()
            .filter(|(key, _)| after.as_deref().is_none_or(|after| *key > after))
            .peekable();
        let mut page = Self { items: Vec::new(), marker: None };
        let mut last = "";
        while page.items.len() < most {
            let Some((key, item)) = rest.next() else {
                return Ok(page);
            };
            last = key;
            page.items.push(item);
        }
        if rest.peek().is_some() {
            page.marker = Some(write_marker(last));
        }
        Ok(page)
    }

    /// Writes `IsTruncated` and `Marker`.
    pub(crate) fn end(&self, xml: &mut Xml) {
        xml.text("IsTruncated", if self.marker.is_some() { "true" } else { "false" });
        xml.maybe("Marker", self.marker.as_deref());
    }
}

/// Opaque to callers, and safe in any place: the key's bytes in hexadecimal.
fn write_marker(key: &str) -> String {
    hex(key.as_bytes())
}

fn read_marker(marker: &str) -> Result<String, AwsError> {
    let invalid = || AwsError::validation("Invalid Marker.");
    let digits: Option<Vec<u8>> =
        marker.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let bytes: Option<Vec<u8>> = digits
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.chunks(2).map(byte).collect())
        .ok_or_else(invalid)?;
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)
}

fn byte(pair: &[u8]) -> Option<u8> {
    match pair {
        [high, low] => Some((high << 4) | low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str, items: &[&'static str]) -> Result<Page<&'static str>, AwsError> {
        let form = Form::parse(query.as_bytes()).unwrap();
        Page::of(&form, items.iter().map(|item| (*item, *item)))
    }

    #[test]
    fn pages_join_to_the_whole_even_where_the_last_item_is_gone() {
        let first = page("MaxItems=2", &["a", "b", "ü", "z"]).unwrap();
        assert_eq!(first.items, ["a", "b"]);
        let query = format!("MaxItems=2&Marker={}", first.marker.unwrap());
        let second = page(&query, &["a", "ü", "z"]).unwrap();
        assert_eq!(second.items, ["ü", "z"]);
        assert_eq!(second.marker, None);
    }

    #[test]
    fn odd_markers_and_counts_are_refused() {
        for query in [
            "Marker=",
            "Marker=zz",
            "Marker=6",
            "Marker=ff",
            "MaxItems=0",
            "MaxItems=1001",
            "MaxItems=x",
        ] {
            assert_eq!(page(query, &["a"]).unwrap_err().code, "ValidationError", "{query}");
        }
    }
}
