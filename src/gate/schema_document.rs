//! A policy document as `jsonschema` walks it: the strict reader's own tree, so that a document is not copied to be
//! judged by form. Where [`super::schema`] ends; it must never accept what `serde_json`'s values would not.

use std::borrow::Cow;

use iam_policy::StrictJson;
use iam_policy::json::{Children, JsonRef, JsonType};
use jsonschema::JsonType as SchemaType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object};
use serde_json::{Number, Value};

/// Names the representation; it has no value.
pub(super) struct PolicyJson;

/// A value of a document, or the name of a member while that is judged.
#[derive(Clone, Copy)]
pub(super) enum PolicyNode<'a> {
    Value(JsonRef<'a>),
    Name(&'a str),
}

impl<'a> From<&'a StrictJson> for PolicyNode<'a> {
    fn from(json: &'a StrictJson) -> Self {
        Self::Value(json.root())
    }
}

impl<'a> PolicyNode<'a> {
    fn of_type(self, wanted: JsonType) -> Option<JsonRef<'a>> {
        match self {
            Self::Value(value) if value.json_type() == wanted => Some(value),
            Self::Value(_) | Self::Name(_) => None,
        }
    }

    fn text(self) -> Option<&'a str> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Name(name) => Some(name),
        }
    }
}

impl Json for PolicyJson {
    type Node<'a> = PolicyNode<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    // A look-up walks the members: one walk for all that are required is cheaper than one for each.
    const KEYS_PER_LOOKUP: usize = 8;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(PolicyNode<'_>) -> T) -> T {
        f(PolicyNode::Name(string))
    }
}

impl<'a> Node<'a, PolicyJson> for PolicyNode<'a> {
    type Object = Members<'a>;
    type Array = Elements<'a>;
    type Number = Number;

    fn as_object(&self) -> Option<Members<'a>> {
        self.of_type(JsonType::Object).map(Members)
    }

    fn as_array(&self) -> Option<Elements<'a>> {
        self.of_type(JsonType::Array).map(Elements)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<Number> {
        match self.of_type(JsonType::Number)?.to_value() {
            Value::Number(number) => Some(number),
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        self.of_type(JsonType::Boolean).map(|value| value.raw() == "true")
    }

    fn is_null(&self) -> bool {
        self.of_type(JsonType::Null).is_some()
    }

    fn is_number(&self) -> bool {
        self.of_type(JsonType::Number).is_some()
    }

    fn json_type(&self) -> SchemaType {
        match self {
            Self::Name(_) => SchemaType::String,
            Self::Value(value) => match value.json_type() {
                JsonType::Null => SchemaType::Null,
                JsonType::Boolean => SchemaType::Boolean,
                JsonType::Number => SchemaType::Number,
                JsonType::String => SchemaType::String,
                JsonType::Array => SchemaType::Array,
                JsonType::Object => SchemaType::Object,
            },
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.text(), expected) {
            (Some(text), Value::String(expected)) => text == expected,
            (Some(_), _) | (None, Value::String(_)) => false,
            (None, _) => jsonschema::json::cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self {
            Self::Value(value) => value.to_value(),
            Self::Name(name) => Value::String((*name).to_owned()),
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        let Self::Value(value) = self else { return None };
        let (document, number) = value.identity();
        Some(NodeIdentity::tagged(document, u32::try_from(number).ok()?))
    }
}

/// An object.
pub(super) struct Members<'a>(JsonRef<'a>);

impl<'a> Object<'a, PolicyJson> for Members<'a> {
    type Node = PolicyNode<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.0.children().count()
    }

    fn get(&self, key: &String) -> Option<PolicyNode<'a>> {
        self.0.member(key).map(PolicyNode::Value)
    }

    fn members(&self) -> MembersIter<'a> {
        MembersIter(self.0.children())
    }
}

/// The members of an object in their order.
pub(super) struct MembersIter<'a>(Children<'a>);

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, PolicyNode<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.0.next()?;
        Some((value.name()?, PolicyNode::Value(value)))
    }
}

/// An array.
pub(super) struct Elements<'a>(JsonRef<'a>);

impl<'a> Array<'a, PolicyJson> for Elements<'a> {
    type Node = PolicyNode<'a>;
    type ElementsIter = std::iter::Map<Children<'a>, fn(JsonRef<'a>) -> PolicyNode<'a>>;

    fn len(&self) -> usize {
        self.0.children().count()
    }

    fn elements(&self) -> Self::ElementsIter {
        self.0.children().map(PolicyNode::Value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = r#"{"Version": "2012-10-17", "Id": "h\u00e9", "Statement": [
        {"Sid": "A1", "Effect": "Allow", "Action": ["s3:GetObject", "s3:Put*"], "Resource": "*",
         "Condition": {"NumericLessThan": {"s3:max-keys": 1.50}, "Bool": {"aws:SecureTransport": [true, "false"]}}},
        {"Effect": "Deny", "NotAction": "iam:*", "NotResource": ["arn:aws:s3:::a/*"]}]}"#;

    /// Every document that has one value of `document` replaced by another or, of a member, gone or named otherwise.
    fn broken(document: &Value) -> Vec<Value> {
        let mut pointers = vec![String::new()];
        let mut waiting = pointers.clone();
        while let Some(pointer) = waiting.pop() {
            let mut inside = Vec::new();
            match document.pointer(&pointer) {
                Some(Value::Object(members)) => {
                    inside.extend(members.keys().map(|name| format!("{pointer}/{name}")));
                }
                Some(Value::Array(list)) => {
                    inside.extend((0..list.len()).map(|index| format!("{pointer}/{index}")));
                }
                _ => {}
            }
            pointers.extend_from_slice(&inside);
            waiting.append(&mut inside);
        }
        let others = [
            json!(null),
            json!(true),
            json!(7),
            json!(""),
            json!("x"),
            json!([]),
            json!({}),
            json!(["*", "*"]),
        ];
        let mut all = Vec::new();
        for pointer in &pointers {
            for other in &others {
                let mut changed = document.clone();
                *changed.pointer_mut(pointer).unwrap() = other.clone();
                all.push(changed);
            }
            let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
            if document.pointer(parent).is_some_and(Value::is_object) {
                let mut changed = document.clone();
                let members = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                let value = members.remove(name);
                all.push(changed.clone());
                let members = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                members.insert(format!("{name}s"), value.unwrap_or_default());
                all.push(changed);
            }
        }
        all
    }

    #[test]
    fn the_tree_is_judged_as_its_copy_would_be() {
        let schema: Value =
            serde_json::from_str(include_str!("../../schemas/iam-policy-document.schema.json"))
                .unwrap();
        let of_copies = jsonschema::options().build(&schema).unwrap();
        let of_trees = jsonschema::options_for::<PolicyJson>().build(&schema).unwrap();
        let good: Value = serde_json::from_str(GOOD).unwrap();
        let mut documents = broken(&good);
        documents.push(good);
        let mut refused = 0;
        for document in &documents {
            let json = StrictJson::parse(&document.to_string()).unwrap();
            let mut told: Vec<String> =
                of_copies.iter_errors(document).map(|e| format!("{e:?}")).collect();
            let mut found: Vec<String> =
                of_trees.iter_errors((&json).into()).map(|e| format!("{e:?}")).collect();
            told.sort();
            found.sort();
            assert_eq!(found, told, "{document}");
            assert_eq!(of_trees.is_valid((&json).into()), told.is_empty(), "{document}");
            refused += usize::from(!told.is_empty());
        }
        assert!(refused > 100, "{refused} of {}", documents.len());
    }
}
