//! What a route takes: declared fields, and the request data read by those declarations. Unknown
//! fields never fail, they are reported as warnings. The rules of coercion are in [`super::coerce`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::coerce;
use crate::model::go_text::quote;

/// How a field is read (contract 0.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text; numbers and bools become one.
    Text,
    /// A text whose value is never repeated in an error.
    Secret,
    /// A whole number.
    Int,
    /// True or false.
    Bool,
    /// A duration in seconds, never negative; null counts as not sent.
    Seconds,
    /// An array of texts, or one comma-separated text.
    List,
    /// An array of texts, or one text that is one item.
    Names,
    /// Names with values.
    Pairs,
    /// Anything; the handler looks at it.
    Any,
}

/// A field of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// Whether it is also captured from the path, whose value then wins.
    pub in_path: bool,
}

/// Declares a field.
pub const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, in_path: false }
}

/// Declares a field that the path gives.
pub const fn path_field(name: &'static str) -> Field {
    Field { name, kind: Kind::Text, in_path: true }
}

/// The value of a field, read.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// Of [`Kind::Text`] and [`Kind::Secret`].
    Text(String),
    /// Of [`Kind::Int`].
    Int(i64),
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Seconds`].
    Seconds(u64),
    /// Of [`Kind::List`] and [`Kind::Names`].
    List(Vec<String>),
    /// Of [`Kind::Pairs`]; null is told apart, since it reads back as null.
    Pairs(Option<BTreeMap<String, String>>),
    /// Of [`Kind::Any`].
    Any(Value),
}

/// A field whose value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error converting input {shown}for field {}: {cause}", quote(.field))]
pub struct FieldError {
    /// The field.
    pub field: String,
    /// The value as Go prints it and a blank; empty for secrets.
    pub shown: String,
    /// What is wrong with it.
    pub cause: String,
}

/// The data of a request, read by the declarations of its route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    values: Vec<(&'static str, Typed)>,
    rest: Map<String, Value>,
    replaced: Vec<&'static str>,
}

macro_rules! taker {
    ($(#[$doc:meta])* $name:ident: $kind:ident($type:ty)) => {
        $(#[$doc])*
        pub fn $name(&mut self, name: &str) -> Option<$type> {
            if let Typed::$kind(value) = self.take(name)? { Some(value) } else { None }
        }
    };
}

impl Fields {
    /// Everything that was not declared.
    pub fn take_rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.rest)
    }

    /// Reads `data`; the first field that cannot be read is the error.
    pub fn read(declared: &[Field], mut data: Map<String, Value>) -> Result<Self, FieldError> {
        let mut fields = Self::default();
        for field in declared {
            let Some(value) = data.remove(field.name) else {
                continue;
            };
            if field.in_path {
                fields.replaced.push(field.name);
            } else if let Some(typed) = coerce::read(field, value)? {
                fields.values.push((field.name, typed));
            }
        }
        fields.replaced.sort_unstable();
        fields.rest = data;
        Ok(fields)
    }

    /// The warnings that an answer with a body carries after the handler's own (contract 0.4).
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let told = |words: &str, names: String| format!("Endpoint {words}: [{names}]");
        // A map of serde_json without `preserve_order` is sorted by byte value.
        let names: Vec<&str> = self.rest.keys().map(String::as_str).collect();
        let ignored = (!names.is_empty())
            .then(|| told("ignored these unrecognized parameters", names.join(" ")));
        let replaced = (!self.replaced.is_empty()).then(|| {
            let words = "replaced the value of these parameters with the values captured from the \
                         endpoint's path";
            told(words, self.replaced.join(" "))
        });
        ignored.into_iter().chain(replaced)
    }

    fn take(&mut self, name: &str) -> Option<Typed> {
        let at = self.values.iter().position(|(known, _)| *known == name)?;
        Some(self.values.swap_remove(at).1)
    }

    taker! {
        /// Takes a text out; `None` when it was not sent.
        text: Text(String)
    }
    taker! {
        /// Takes a number out.
        int: Int(i64)
    }
    taker! {
        /// Takes true or false out.
        bool: Bool(bool)
    }
    taker! {
        /// Takes a duration out, in seconds.
        seconds: Seconds(u64)
    }
    taker! {
        /// Takes a list out.
        list: List(Vec<String>)
    }
    taker! {
        /// Takes names with values out; the inner `None` is null.
        pairs: Pairs(Option<BTreeMap<String, String>>)
    }
    taker! {
        /// Takes anything out as it was sent.
        any: Any(Value)
    }

    /// Takes a text out; `None` when it was not sent or is empty.
    pub fn filled_text(&mut self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: &[Field] = &[
        path_field("name"),
        field("ttl", Kind::Seconds),
        field("secret", Kind::Secret),
        field("tags", Kind::Pairs),
    ];

    fn read(data: &Value) -> Result<Fields, FieldError> {
        Fields::read(FIELDS, data.as_object().cloned().unwrap())
    }

    #[test]
    fn unknown_and_replaced_fields_are_warnings() {
        let fields = read(&json!({"zzz": 1, "name": "x", "abc": 2})).unwrap();
        let warnings: Vec<_> = fields.warnings().collect();
        assert_eq!(
            warnings,
            [
                "Endpoint ignored these unrecognized parameters: [abc zzz]",
                "Endpoint replaced the value of these parameters with the values captured from the \
                 endpoint's path: [name]",
            ]
        );
        assert_eq!(Fields::default().warnings().count(), 0);
    }

    #[test]
    fn an_error_shows_the_value_but_never_a_secret() {
        let told = |data: Value| read(&data).unwrap_err().to_string();
        assert_eq!(
            told(json!({"ttl": "-5"})),
            r#"error converting input -5 for field "ttl": cannot provide negative value '-5'"#
        );
        assert_eq!(
            told(json!({"tags": ["novalue"]})),
            r#"error converting input [novalue] for field "tags": invalid key pair "novalue""#
        );
        let secret = told(json!({"secret": ["hunter2"]}));
        assert!(secret.starts_with(r#"error converting input for field "secret": "#));
        assert!(!secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn a_field_is_absent_once_it_was_taken() {
        let mut fields = read(&json!({"ttl": 60, "secret": ""})).unwrap();
        assert_eq!(fields.seconds("ttl"), Some(60));
        assert_eq!(fields.seconds("ttl"), None);
        assert_eq!(fields.filled_text("secret"), None);
        assert_eq!(fields.pairs("tags"), None);
    }
}
