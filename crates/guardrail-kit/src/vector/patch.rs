//! Applies a patch that a guardrail offers, within bounds: sixty thousand bytes of `copy` could make a document that no
//! machine has room for. Judges neither the patch nor what comes of it; [`mod@super::cure`] does.

use std::io::{self, Write};

use iam_policy::json::{MAX_CHARS, MAX_DEPTH};
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// Bytes that all operations together may copy and move within the document: as many as the longest document has
/// characters, so that the time is in proportion to it as well.
const MOST_BYTES: usize = MAX_CHARS;

/// Changes `document` by RFC 6902 operations in JSON; what it is after an error is of no use.
pub(super) fn apply(document: &mut Value, operations: &str) -> Result<(), String> {
    let Patch(operations) = serde_json::from_str(operations)
        .map_err(|error| format!("a patch that is no RFC 6902 patch: {error}"))?;
    let mut left = Room(MOST_BYTES);
    for (index, operation) in operations.iter().enumerate() {
        check(document, operation, &mut left)?;
        json_patch::patch_unsafe(document, std::slice::from_ref(operation)).map_err(
            |mut error| {
                error.operation = index;
                format!("a patch that does not apply: {error}")
            },
        )?;
    }
    Ok(())
}

/// Whether an operation stays within the bounds. A place that is not there is for the operation itself to refuse.
fn check(document: &Value, operation: &PatchOperation, left: &mut Room) -> Result<(), String> {
    let (from, path, value) = match operation {
        PatchOperation::Add(add) => (None, &add.path, Some(&add.value)),
        PatchOperation::Replace(replace) => (None, &replace.path, Some(&replace.value)),
        PatchOperation::Copy(copy) => (Some(&copy.from), &copy.path, None),
        PatchOperation::Move(moved) => (Some(&moved.from), &moved.path, None),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Ok(()),
    };
    let source = from.and_then(|from| document.pointer(from.as_str()));
    if let Some(source) = source
        && serde_json::to_writer(&mut *left, source).is_err()
    {
        return Err(format!("a patch that copies more than {MOST_BYTES} bytes"));
    }
    let levels = path.as_str().matches('/').count();
    let within = value.or(source).map_or(0, depth).saturating_add(levels);
    if within > MAX_DEPTH {
        return Err(format!("a patch that nests deeper than {MAX_DEPTH} levels"));
    }
    Ok(())
}

/// Bytes that may still be written; keeps none of them.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Levels of lists and objects. What is measured came from a bounded reader or passed `check`, and so is this recursion.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    inner.unwrap_or(0).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy() -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})
    }

    #[test]
    fn copies_of_copies_do_not_take_all_memory() {
        // Each doubles the document: a thousand of them, in 38,000 bytes, have no end that anybody lives to see.
        let doubling =
            |number: usize| json!({"op": "copy", "from": "", "path": format!("/a{number}")});
        let operations: Value = (0..1_000).map(doubling).collect();
        let mut document = policy();
        let why = apply(&mut document, &operations.to_string()).unwrap_err();
        assert_eq!(why, "a patch that copies more than 131072 bytes");
        assert!(document.to_string().len() < 2 * MOST_BYTES);
    }

    #[test]
    fn a_value_that_is_moved_to_and_fro_has_an_end_too() {
        let mut document = policy();
        document["a"] = "x".repeat(MOST_BYTES / 4).into();
        let moved = |number: usize| {
            let names = ["/a", "/b"];
            json!({"op": "move", "from": names[number % 2], "path": names[(number + 1) % 2]})
        };
        let times = |count: usize| (0..count).map(moved).collect::<Value>().to_string();
        assert_eq!(apply(&mut document.clone(), &times(3)), Ok(()));
        let why = apply(&mut document, &times(4)).unwrap_err();
        assert!(why.contains("more than 131072 bytes"), "{why}");
    }

    #[test]
    fn nesting_has_the_depth_of_a_document_at_most() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let at = |path: &str, levels: usize| {
            let operations = json!([
                {"op": "add", "path": "/a", "value": nested(100)},
                {"op": "add", "path": path, "value": nested(levels)}
            ]);
            apply(&mut policy(), &operations.to_string())
        };
        let path = format!("/a{}", "/0".repeat(99));
        assert_eq!(at(&path, MAX_DEPTH - 100), Ok(()));
        let why = at(&path, MAX_DEPTH - 99).unwrap_err();
        assert_eq!(why, "a patch that nests deeper than 128 levels");
        let copied = json!([
            {"op": "add", "path": "/a", "value": nested(100)},
            {"op": "copy", "from": "/a", "path": path}
        ]);
        assert!(apply(&mut policy(), &copied.to_string()).unwrap_err().contains("128 levels"));
    }

    #[test]
    fn an_operation_that_fails_is_named_by_its_number() {
        let operations =
            r#"[{"op":"remove","path":"/Version"},{"op":"copy","from":"/no","path":"/a"}]"#;
        let why = apply(&mut policy(), operations).unwrap_err();
        assert!(why.starts_with("a patch that does not apply: operation '/1' failed"), "{why}");
    }
}
