//! Patches built by code: RFC 6902 operations on a document's `json`, in the order in which they are to be applied.
//! A patch is an offer to the document's author; it is never applied unasked, and the result is judged again.

use serde_json::{Value, json};

use crate::{Finding, Patch};

impl Patch {
    /// A patch on a document of the grant that does nothing yet.
    ///
    /// ```
    /// use leasehold_guardrail_sdk::{Patch, serde_json::json};
    ///
    /// let patch = Patch::on(0)
    ///     .remove("/Statement/0/Action/1")
    ///     .replace("/Statement/0/Resource", &json!("arn:aws:s3:::reports/*"));
    /// assert_eq!(
    ///     patch.operations,
    ///     r#"[{"op":"remove","path":"/Statement/0/Action/1"},{"op":"replace","path":"/Statement/0/Resource","value":"arn:aws:s3:::reports/*"}]"#
    /// );
    /// ```
    pub fn on(document: u32) -> Self {
        Self { document, operations: "[]".to_owned() }
    }

    /// Removes what is at a pointer.
    #[must_use]
    pub fn remove(self, pointer: &str) -> Self {
        self.operation(&json!({ "op": "remove", "path": pointer }))
    }

    /// Removes what is at several pointers, the last of a list first, so that each is still where it was.
    ///
    /// ```
    /// use leasehold_guardrail_sdk::Patch;
    ///
    /// let patch = Patch::on(0).remove_all(["/Action/2", "/Action/10"]);
    /// assert_eq!(patch, Patch::on(0).remove("/Action/10").remove("/Action/2"));
    /// ```
    #[must_use]
    pub fn remove_all<P: AsRef<str>>(self, pointers: impl IntoIterator<Item = P>) -> Self {
        let mut pointers: Vec<P> = pointers.into_iter().collect();
        pointers.sort_by_cached_key(|pointer| crate::pointer::order(pointer.as_ref()));
        pointers.iter().rev().fold(self, |patch, pointer| patch.remove(pointer.as_ref()))
    }

    /// Puts another value in the place of the one at a pointer.
    #[must_use]
    pub fn replace(self, pointer: &str, value: &Value) -> Self {
        self.operation(&json!({ "op": "replace", "path": pointer, "value": value }))
    }

    /// Adds a member to an object, or an entry to a list before the one at the pointer (`…/-` is after the last).
    #[must_use]
    pub fn add(self, pointer: &str, value: &Value) -> Self {
        self.operation(&json!({ "op": "add", "path": pointer, "value": value }))
    }

    fn operation(mut self, operation: &Value) -> Self {
        let before = self.operations.trim_end().strip_suffix(']').unwrap_or("[").trim_end();
        let comma = if before.ends_with('[') { "" } else { "," };
        self.operations = format!("{before}{comma}{operation}]");
        self
    }
}

impl Finding {
    /// Offers what would settle it.
    #[must_use]
    pub fn patch(mut self, patch: Patch) -> Self {
        self.patch = Some(patch);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_a_json_list_in_their_order() {
        let patch = Patch::on(1).add("/Statement/-", &json!({ "Sid": "x\"" })).remove("/Id");
        let operations: Value = serde_json::from_str(&patch.operations).unwrap();
        assert_eq!(patch.document, 1);
        assert_eq!(
            operations,
            json!([
                { "op": "add", "path": "/Statement/-", "value": { "Sid": "x\"" } },
                { "op": "remove", "path": "/Id" },
            ])
        );
    }

    #[test]
    fn entries_are_removed_from_the_end() {
        let patch = Patch::on(0).remove_all(["/a/9", "/a/10/b", "/a/10", "/a/1"]);
        let expected = Patch::on(0).remove("/a/10/b").remove("/a/10").remove("/a/9").remove("/a/1");
        assert_eq!(patch, expected);
    }
}
