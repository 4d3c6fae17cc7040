//! JSON pointers (RFC 6901): one step down, one step up, and the value that is there. The contract's pointers are on a
//! document's `json`; those of statements and their entries are made in `place`.

use serde_json::Value;

/// One step down from a pointer; the step is a member's name or an index, as it is written in the document.
///
/// ```
/// use leasehold_guardrail_sdk::pointer;
///
/// assert_eq!(pointer::join("/Condition/StringEquals", "aws:ResourceTag/team"),
///     "/Condition/StringEquals/aws:ResourceTag~1team");
/// ```
pub fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// One step up, and the last step as it is written in the document; `None` for the whole document.
///
/// ```
/// use leasehold_guardrail_sdk::pointer;
///
/// assert_eq!(pointer::split("/Statement/0"), Some(("/Statement", "0".to_owned())));
/// assert_eq!(pointer::split(""), None);
/// ```
pub fn split(pointer: &str) -> Option<(&str, String)> {
    let (parent, step) = pointer.rsplit_once('/')?;
    Some((parent, step.replace("~1", "/").replace("~0", "~")))
}

/// The value that a pointer points to in a document's text; `None` where there is nothing, or no JSON.
///
/// ```
/// use leasehold_guardrail_sdk::pointer;
///
/// let json = r#"{"Statement":[{"Sid":"a"}]}"#;
/// assert_eq!(pointer::value_at(json, "/Statement/0/Sid"), Some("a".into()));
/// ```
pub fn value_at(json: &str, pointer: &str) -> Option<Value> {
    serde_json::from_str::<Value>(json).ok()?.pointer(pointer).cloned()
}

/// What pointers are sorted by: indices as numbers, what is inside after what it is in.
pub(crate) fn order(pointer: &str) -> Vec<(Option<u64>, String)> {
    pointer.split('/').map(|step| (step.parse().ok(), step.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_escaped_and_come_back() {
        let pointer = join("/a", "b/~c");
        assert_eq!(pointer, "/a/b~1~0c");
        assert_eq!(split(&pointer), Some(("/a", "b/~c".to_owned())));
    }

    #[test]
    fn nothing_is_where_nothing_is() {
        assert_eq!(value_at("{}", "/a"), None);
        assert_eq!(value_at("{", ""), None);
        assert_eq!(value_at("[1]", "/0"), Some(1.into()));
    }
}
