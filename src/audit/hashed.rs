//! JSON with every text in it replaced by a device's digest of it (Vault's rule: values, not names; texts, not
//! numbers), read straight from the bytes of an answer, so that no copy of a secret is made on the way.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::seal::AuditKey;

/// How a device shows texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown<'a> {
    /// As their digest.
    Hashed(&'a AuditKey),
    /// As they are.
    Bare,
}

impl Shown<'_> {
    /// A text.
    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Hashed(key) => key.digest(text),
            Self::Bare => text.to_owned(),
        }
    }

    /// A value that is in memory already.
    pub(super) fn value(self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(map) => self.map(map, &[]),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// An object, of which some members are shown as they are.
    pub(super) fn map(self, map: &Map<String, Value>, bare: &[String]) -> Value {
        let member = |(name, value): (&String, &Value)| {
            let shown = if bare.contains(name) { value.clone() } else { self.value(value) };
            (name.clone(), shown)
        };
        map.iter().map(member).collect::<Map<_, _>>().into()
    }

    /// JSON text; `bare` names members of the outermost object that are shown as they are.
    pub(super) fn json(self, text: &str, bare: &[String]) -> serde_json::Result<Value> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Seed { shown: self, bare }.deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    shown: Shown<'a>,
    bare: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(self.shown.text(text)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let inner = Seed { bare: &[], ..self };
        let mut shown = Vec::new();
        while let Some(value) = values.next_element_seed(inner)? {
            shown.push(value);
        }
        Ok(shown.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = Seed { bare: &[], ..self };
        let mut shown = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = if self.bare.contains(&name) {
                members.next_value()?
            } else {
                members.next_value_seed(inner)?
            };
            if shown.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(shown.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::random::Random;
    use crate::seal::Barrier;

    #[test]
    fn texts_are_digests_and_nothing_else_is() {
        let key = Barrier::in_memory(&Random::seeded(1)).audit_key("device").unwrap();
        let shown = Shown::Hashed(&key);
        let value =
            json!({"a": "x", "b": [1, true, null, "x", {"c": "y", "kept": "z"}], "kept": "z"});
        let bare = ["kept".to_owned()];
        let hashed = shown.json(&value.to_string(), &bare).unwrap();
        let x = key.digest("x");
        assert!(x.starts_with("hmac-sha256:") && x.len() == 76, "{x}");
        let inner = json!({"c": key.digest("y"), "kept": key.digest("z")});
        assert_eq!(hashed, json!({"a": x, "b": [1, true, null, x, inner], "kept": "z"}));
        assert_eq!(shown.map(value.as_object().unwrap(), &bare), hashed);
        assert_eq!(Shown::Bare.json(&value.to_string(), &[]).unwrap(), value);
    }
}
