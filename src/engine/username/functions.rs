//! What a template may call (contract 1.7), the piped value always last. Every result is bounded;
//! nothing here reads a clock or the system's randomness. Printing with verbs is in
//! [`super::printf`], text as bytes in [`crate::model::encoding`].

use ring::digest::{SHA256, digest};

use super::value::Value;
use super::{NameInputs, go_layout, printf};
use crate::model::Timestamp;
use crate::model::{encoding, glob};
use crate::random::Random;

/// What the functions see of the world.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'a> {
    /// Who asks, and for what.
    pub(super) inputs: &'a NameInputs,
    /// The time.
    pub(super) now: Timestamp,
    /// The randomness.
    pub(super) random: &'a Random,
}

/// How many random characters one call gives at most; a name has 64.
const MAX_RANDOM: usize = 1024;
/// Characters of a hash that `truncate_sha256` puts at the end (contract 1.7).
const HASH_TAIL: usize = 8;

const NAMES: [&str; 28] = [
    "random",
    "truncate",
    "truncate_sha256",
    "uppercase",
    "lowercase",
    "replace",
    "sha256",
    "base64",
    "decode_base64",
    "hex",
    "decode_hex",
    "unix_time",
    "unix_time_millis",
    "timestamp",
    "uuid",
    "glob",
    "printf",
    "print",
    "len",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "and",
    "or",
    "not",
];

/// Whether there is a function of that name.
pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls a function.
pub(super) fn call(name: &str, arguments: Vec<Value>, world: &World<'_>) -> Result<Value, String> {
    let given = Arguments { name, values: arguments };
    match name {
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "and" | "or" | "not" => truth(given),
        "printf" | "print" | "len" => printing(given),
        "unix_time" | "unix_time_millis" | "timestamp" | "uuid" | "random" => drawn(given, world),
        _ => text(given),
    }
}

/// The arguments of one call, taken with checks.
struct Arguments<'a> {
    name: &'a str,
    values: Vec<Value>,
}

impl Arguments<'_> {
    fn none(self) -> Result<(), String> {
        let [] = self.exactly()?;
        Ok(())
    }

    fn exactly<const N: usize>(self) -> Result<[Value; N], String> {
        let name = self.name;
        self.values.try_into().map_err(|values: Vec<Value>| {
            let got = values.len();
            format!("wrong number of args for {name}: want {N} got {got}")
        })
    }
}

fn text_of(value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Int(_) | Value::Bool(_) => {
            Err(format!("wrong type for value; expected string; got {}", value.type_name()))
        }
    }
}

fn length_of(value: &Value, more_than: usize) -> Result<usize, String> {
    let Value::Int(number) = value else {
        return Err(format!("wrong type for value; expected int; got {}", value.type_name()));
    };
    usize::try_from(*number)
        .ok()
        .filter(|length| *length > more_than)
        .ok_or_else(|| format!("length must be > {more_than} but was {number}"))
}

fn text(given: Arguments<'_>) -> Result<Value, String> {
    match given.name {
        "truncate" => {
            let [length, text] = given.exactly()?;
            let length = length_of(&length, 0)?;
            Ok(cut(&text_of(text)?, length).to_owned().into())
        }
        "truncate_sha256" => {
            let [length, text] = given.exactly()?;
            let length = length_of(&length, HASH_TAIL)?;
            Ok(truncate_sha256(length, &text_of(text)?).into())
        }
        "replace" => {
            let [old, new, text] = given.exactly()?;
            Ok(text_of(text)?.replace(&text_of(old)?, &text_of(new)?).into())
        }
        "glob" => {
            let [pattern, value] = given.exactly()?;
            Ok(glob::matches(&text_of(pattern)?, &text_of(value)?).into())
        }
        name => {
            let name = name.to_owned();
            let [text] = given.exactly()?;
            convert(&name, &text_of(text)?).map(Value::Text)
        }
    }
}

fn convert(name: &str, text: &str) -> Result<String, String> {
    match name {
        "uppercase" => Ok(text.to_uppercase()),
        "lowercase" => Ok(text.to_lowercase()),
        "sha256" => Ok(encoding::hex(digest(&SHA256, text.as_bytes()).as_ref())),
        "base64" => Ok(encoding::base64(text.as_bytes())),
        "decode_base64" => encoding::decode_base64(text),
        "hex" => Ok(encoding::hex(text.as_bytes())),
        "decode_hex" => encoding::decode_hex(text),
        unknown => Err(format!("function {unknown:?} not defined")),
    }
}

/// At most `length` bytes of `text`, and no character in halves.
fn cut(text: &str, length: usize) -> &str {
    let end = text
        .char_indices()
        .map(|(start, c)| start.saturating_add(c.len_utf8()))
        .take_while(|end| *end <= length)
        .last()
        .unwrap_or(0);
    text.get(..end).unwrap_or(text)
}

fn truncate_sha256(length: usize, text: &str) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let kept = cut(text, length.saturating_sub(HASH_TAIL));
    let rest = text.get(kept.len()..).unwrap_or_default();
    let hash = encoding::hex(digest(&SHA256, rest.as_bytes()).as_ref());
    format!("{kept}{}", cut(&hash, HASH_TAIL))
}

fn drawn(given: Arguments<'_>, world: &World<'_>) -> Result<Value, String> {
    match given.name {
        "random" => {
            let [length] = given.exactly()?;
            let length = length_of(&length, 0)?;
            if length > MAX_RANDOM {
                return Err(format!("length must be <= {MAX_RANDOM} but was {length}"));
            }
            Ok(world.random.base62(length).into())
        }
        "timestamp" => {
            let [layout] = given.exactly()?;
            go_layout::format(&text_of(layout)?, world.now).map(Value::Text)
        }
        "uuid" => given.none().map(|()| world.random.uuid().into()),
        "unix_time_millis" => given.none().map(|()| world.now.as_millis().to_string().into()),
        _ => given.none().map(|()| world.now.as_seconds().to_string().into()),
    }
}

fn printing(given: Arguments<'_>) -> Result<Value, String> {
    match given.name {
        "printf" => {
            let mut values = given.values.into_iter();
            let Some(format) = values.next() else {
                return Err("wrong number of args for printf: want at least 1 got 0".into());
            };
            printf::printf(&text_of(format)?, values.as_slice()).map(Value::Text)
        }
        "print" => Ok(printf::print(&given.values).into()),
        _ => {
            let [text] = given.exactly()?;
            let length = text_of(text)?.len();
            Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
        }
    }
}

fn truth(given: Arguments<'_>) -> Result<Value, String> {
    match given.name {
        "not" => {
            let [value] = given.exactly()?;
            Ok((!value.is_true()).into())
        }
        "and" => first_or_last(given.values, |value| !value.is_true()),
        "or" => first_or_last(given.values, Value::is_true),
        "eq" => {
            let mut values = given.values.into_iter();
            let (Some(first), Some(second)) = (values.next(), values.next()) else {
                return Err("missing argument for comparison".into());
            };
            let mut equal = compare(&first, &second)?.is_eq();
            for other in values {
                equal |= compare(&first, &other)?.is_eq();
            }
            Ok(equal.into())
        }
        name => {
            let name = name.to_owned();
            let [left, right] = given.exactly()?;
            let order = compare(&left, &right)?;
            Ok(match name.as_str() {
                "ne" => order.is_ne(),
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            }
            .into())
        }
    }
}

fn first_or_last(values: Vec<Value>, wanted: impl Fn(&Value) -> bool) -> Result<Value, String> {
    let found = values.iter().position(wanted);
    let chosen = found.or_else(|| values.len().checked_sub(1));
    chosen
        .and_then(|at| values.into_iter().nth(at))
        .ok_or_else(|| "wrong number of args: want at least 1 got 0".to_owned())
}

fn compare(left: &Value, right: &Value) -> Result<std::cmp::Ordering, String> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Ok(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Ok(left.cmp(right)),
        (Value::Text(_) | Value::Int(_) | Value::Bool(_), _) => {
            Err("incompatible types for comparison".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_cut_in_halves() {
        assert_eq!(cut("aéb", 2), "a");
        assert_eq!(cut("aéb", 3), "aé");
        assert_eq!(cut("aéb", 99), "aéb");
        assert_eq!(cut("", 5), "");
    }
}
