//! How a JSON value becomes a field's type (contract 0.4): the weak conversions that clients rely on.
//! Pure; never fails for a value that Vault takes. Durations are in [`crate::model::duration`].

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::fields::{Field, FieldError, Kind, Typed};
use crate::model::duration;
use crate::model::go_text::quote;

/// Reads a value; `None` where null counts as not sent.
pub(super) fn read(field: &Field, value: Value) -> Result<Option<Typed>, FieldError> {
    let read = match field.kind {
        Kind::Text | Kind::Secret => text(&value).map(Typed::Text),
        Kind::Int => int(&value).map(Typed::Int),
        Kind::Bool => boolean(&value).map(Typed::Bool),
        Kind::Seconds if value.is_null() => return Ok(None),
        Kind::Seconds => seconds(&value).map(Typed::Seconds),
        Kind::List => list(&value).map(Typed::List),
        Kind::Names => names(&value).map(Typed::List),
        Kind::Pairs => nullable_pairs(&value).map(Typed::Pairs),
        Kind::Any => return Ok(Some(Typed::Any(value))),
    };
    read.map(Some).map_err(|cause| failure(field, &value, cause))
}

fn failure(field: &Field, value: &Value, cause: String) -> FieldError {
    let hidden = field.kind == Kind::Secret;
    FieldError {
        field: field.name.to_owned(),
        shown: if hidden { String::new() } else { format!("{} ", go_print(value)) },
        cause: if hidden { "expected type 'string'".to_owned() } else { cause },
    }
}

/// A text, weakly.
pub(super) fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(flag) => Ok(if *flag { "1" } else { "0" }.to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => Err(unconvertible("string", value)),
    }
}

fn int(value: &Value) -> Result<i64, String> {
    match value {
        Value::Null => Ok(0),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        Value::Number(number) => whole(number),
        Value::String(text) => go_int(text).ok_or_else(|| {
            format!(
                "cannot parse '' as int: strconv.ParseInt: parsing {}: invalid syntax",
                quote(text)
            )
        }),
        Value::Array(_) | Value::Object(_) => Err(unconvertible("int", value)),
    }
}

/// A number without its fraction.
fn whole(number: &Number) -> Result<i64, String> {
    let cut = || {
        let text = format!("{:.0}", number.as_f64()?.trunc());
        text.parse::<i64>().ok()
    };
    number
        .as_i64()
        .or_else(cut)
        .ok_or_else(|| format!("cannot parse '' as int: value {number} out of range"))
}

/// A whole number in Go's spellings: `0x10`, `0b1`, `0o17`, `017`, `1_000`; the empty text is 0.
fn go_int(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(octal) = lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (8, octal)
    } else {
        (10, lower.as_str())
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    i64::try_from(if negative { value.checked_neg()? } else { value }).ok()
}

fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
        Value::String(text) if text.is_empty() => Ok(false),
        Value::String(text) => go_bool(text).ok_or_else(|| {
            format!(
                "cannot parse '' as bool: strconv.ParseBool: parsing {}: invalid syntax",
                quote(text)
            )
        }),
        Value::Array(_) | Value::Object(_) => Err(unconvertible("bool", value)),
    }
}

/// True or false in Go's spellings.
pub(super) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn seconds(value: &Value) -> Result<u64, String> {
    let seconds = match value {
        Value::String(text) => duration::parse_seconds(text)?,
        Value::Number(number) => duration::parse_seconds(&number.to_string())?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err("could not parse duration from input".to_owned());
        }
    };
    u64::try_from(seconds).map_err(|_negative| format!("cannot provide negative value '{seconds}'"))
}

fn list(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) if !text.is_empty() => {
            Ok(text.split(',').map(|item| item.trim().to_owned()).collect())
        }
        Value::String(_) | Value::Null => Ok(Vec::new()),
        Value::Array(items) => texts(items),
        Value::Bool(_) | Value::Number(_) => Ok(vec![text(value)?]),
        Value::Object(_) => Err(unconvertible("[]string", value)),
    }
}

fn names(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::Array(items) => texts(items),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Ok(vec![text(value)?]),
        Value::Object(_) => Err(unconvertible("[]string", value)),
    }
}

fn texts(items: &[Value]) -> Result<Vec<String>, String> {
    items.iter().map(|item| text(item).map(|text| text.trim().to_owned())).collect()
}

/// Names with values; null stays null.
fn nullable_pairs(value: &Value) -> Result<Option<BTreeMap<String, String>>, String> {
    if value.is_null() {
        return Ok(None);
    }
    pairs(value).map(Some)
}

fn pairs(value: &Value) -> Result<BTreeMap<String, String>, String> {
    let mut pairs = BTreeMap::new();
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (name, value) in map {
                pairs.insert(name.clone(), text(value)?);
            }
        }
        Value::Array(items) => {
            for item in items {
                pairs.append(&mut pairs_of_item(item)?);
            }
        }
        Value::String(_) | Value::Bool(_) | Value::Number(_) => {
            pairs = pairs_of_item(value)?;
        }
    }
    Ok(pairs)
}

fn pairs_of_item(item: &Value) -> Result<BTreeMap<String, String>, String> {
    if item.is_object() {
        return pairs(item);
    }
    let entry = text(item)?;
    let (name, value) =
        entry.split_once('=').ok_or_else(|| format!("invalid key pair {}", quote(&entry)))?;
    Ok(BTreeMap::from([(name.to_owned(), value.to_owned())]))
}

fn unconvertible(wanted: &str, value: &Value) -> String {
    let kind = match value {
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) => "json.Number",
        Value::Null => "nil",
    };
    let shown = go_print(value);
    format!("'' expected type '{wanted}', got unconvertible type '{kind}', value: '{shown}'")
}

/// A value as Go prints it plainly: `[1 2]`, `map[a:1]`, `<nil>`.
pub(super) fn go_print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(go_print).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let items: Vec<_> =
                sorted.iter().map(|(name, value)| format!("{name}:{}", go_print(value))).collect();
            format!("map[{}]", items.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fields::field;
    use serde_json::json;

    fn coerce(kind: Kind, value: Value) -> Result<Option<Typed>, String> {
        read(&field("f", kind), value).map_err(|error| error.cause)
    }

    fn strings(items: &[&str]) -> Typed {
        Typed::List(items.iter().map(|&item| item.to_owned()).collect())
    }

    fn map(items: &[(&str, &str)]) -> Typed {
        Typed::Pairs(Some(items.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()))
    }

    #[test]
    fn the_contracts_table_of_what_is_taken() {
        let text = |text: &str| Typed::Text(text.to_owned());
        let table = [
            (Kind::Text, json!(true), text("1")),
            (Kind::Text, json!(false), text("0")),
            (Kind::Text, json!(5), text("5")),
            (Kind::Text, json!(null), text("")),
            (Kind::Int, json!(5.7), Typed::Int(5)),
            (Kind::Int, json!("0x10"), Typed::Int(16)),
            (Kind::Int, json!("010"), Typed::Int(8)),
            (Kind::Int, json!("-3"), Typed::Int(-3)),
            (Kind::Int, json!(""), Typed::Int(0)),
            (Kind::Int, json!(true), Typed::Int(1)),
            (Kind::Int, json!(null), Typed::Int(0)),
            (Kind::Bool, json!("true"), Typed::Bool(true)),
            (Kind::Bool, json!(1), Typed::Bool(true)),
            (Kind::Bool, json!(0), Typed::Bool(false)),
            (Kind::Bool, json!(""), Typed::Bool(false)),
            (Kind::Bool, json!(null), Typed::Bool(false)),
            (Kind::Seconds, json!(3600), Typed::Seconds(3600)),
            (Kind::Seconds, json!("1h30m"), Typed::Seconds(5400)),
            (Kind::Seconds, json!("7d"), Typed::Seconds(604_800)),
            (Kind::Seconds, json!(""), Typed::Seconds(0)),
            (Kind::Seconds, json!("900ms"), Typed::Seconds(0)),
            (Kind::List, json!("a, b,,c"), strings(&["a", "b", "", "c"])),
            (Kind::List, json!(["a,b", "c"]), strings(&["a,b", "c"])),
            (Kind::List, json!(""), strings(&[])),
            (Kind::List, json!(null), strings(&[])),
            (Kind::List, json!(7), strings(&["7"])),
            (Kind::Names, json!("a,b"), strings(&["a,b"])),
            (Kind::Pairs, json!({"a": 1}), map(&[("a", "1")])),
            (Kind::Pairs, json!([{"a": "x"}, {"b": "y"}]), map(&[("a", "x"), ("b", "y")])),
            (Kind::Pairs, json!(["a=x", "b=y=z"]), map(&[("a", "x"), ("b", "y=z")])),
            (Kind::Pairs, json!("a=b,c=d"), map(&[("a", "b,c=d")])),
            (Kind::Pairs, json!(null), Typed::Pairs(None)),
            (Kind::Pairs, json!({}), map(&[])),
        ];
        for (kind, value, wanted) in table {
            assert_eq!(coerce(kind, value.clone()), Ok(Some(wanted)), "{kind:?} {value}");
        }
        assert_eq!(coerce(Kind::Seconds, json!(null)), Ok(None));
    }

    #[test]
    fn the_contracts_table_of_what_is_refused() {
        let table = [
            (
                Kind::Int,
                json!("5.7"),
                "cannot parse '' as int: strconv.ParseInt: parsing \"5.7\": invalid syntax",
            ),
            (Kind::Seconds, json!("abc"), "time: invalid duration \"abc\""),
            (Kind::Seconds, json!("-5"), "cannot provide negative value '-5'"),
            (Kind::Seconds, json!("-5m"), "cannot provide negative value '-300'"),
            (Kind::Seconds, json!(true), "could not parse duration from input"),
            (Kind::Pairs, json!(["novalue"]), "invalid key pair \"novalue\""),
            (Kind::Pairs, json!(""), "invalid key pair \"\""),
            (
                Kind::Text,
                json!([1]),
                "'' expected type 'string', got unconvertible type '[]interface {}', value: '[1]'",
            ),
        ];
        for (kind, value, cause) in table {
            assert_eq!(coerce(kind, value.clone()), Err(cause.to_owned()), "{kind:?} {value}");
        }
        assert!(coerce(Kind::Bool, json!("yes")).is_err());
        assert!(coerce(Kind::List, json!({"a": 1})).is_err());
        assert!(coerce(Kind::List, json!([["a"]])).is_err());
        assert!(coerce(Kind::Int, json!(1e300)).is_err());
    }

    #[test]
    fn values_print_as_in_go() {
        assert_eq!(go_print(&json!([1, "a"])), "[1 a]");
        assert_eq!(go_print(&json!({"b": null, "a": true})), "map[a:true b:<nil>]");
    }
}
