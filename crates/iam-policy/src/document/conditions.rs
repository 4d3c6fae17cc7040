//! Reads the `Condition` of a statement: operators, keys, values.
//! Numbers keep their digits and nothing is coerced; empty blocks are kept as they are and told by the semantics.
//! Operators are taken apart in `operator`.

use super::operator::{Operator, Test};
use super::read::Reader;
use super::{Condition, ValueTypes, form};
use crate::bytes::has_variable;
use crate::json::{JsonRef, JsonType, element_pointer, member_pointer};

pub(super) fn conditions(reader: &mut Reader<'_>, at: &str, value: JsonRef<'_>) -> Vec<Condition> {
    if value.json_type() != JsonType::Object {
        reader.wrong_type(at, "`Condition`", "an object of operators", value);
        return Vec::new();
    }
    let mut read = Vec::new();
    for (name, block) in value.members() {
        let pointer = member_pointer(at, name);
        let Some(operator) = Operator::parse(name) else {
            unknown_operator(reader, &pointer, name);
            continue;
        };
        if block.json_type() != JsonType::Object {
            reader.wrong_type(&pointer, &format!("`{name}`"), "an object of condition keys", block);
            continue;
        }
        for (key, values) in block.members() {
            let pointer = member_pointer(&pointer, key);
            if let Err(fault) = form::condition_key(key) {
                reader.report_name(fault.rule, &pointer, fault.message, fault.help);
            }
            let (values, types) = condition_values(reader, &pointer, operator.test, values);
            read.push(Condition {
                pointer,
                operator: name.to_owned(),
                key: key.to_owned(),
                values,
                types,
            });
        }
    }
    read
}

fn unknown_operator(reader: &mut Reader<'_>, pointer: &str, name: &str) {
    let help = match Operator::nearest(name) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "see the IAM User Guide for the condition operators; `ForAllValues:`, `ForAnyValue:` and \
                 `IfExists` may be added to one"
            .to_owned(),
    };
    let message = format!("`{}` is not a condition operator", name.escape_debug());
    reader.report_name("unknown-operator", pointer, message, Some(help));
}

fn condition_values(
    reader: &mut Reader<'_>,
    at: &str,
    test: Test,
    value: JsonRef<'_>,
) -> (Vec<String>, ValueTypes) {
    let mut read = Vec::new();
    let mut types = ValueTypes::None;
    if value.json_type() == JsonType::Array {
        for (index, element) in value.children().enumerate() {
            let pointer = element_pointer(at, index);
            read.extend(condition_value(reader, &pointer, test, element));
            types = types.with(element.json_type());
        }
    } else {
        read.extend(condition_value(reader, at, test, value));
        types = types.with(value.json_type());
    }
    (read, types)
}

fn condition_value(
    reader: &mut Reader<'_>,
    at: &str,
    test: Test,
    value: JsonRef<'_>,
) -> Option<String> {
    let written = match value.json_type() {
        JsonType::String => value.as_str()?,
        JsonType::Number | JsonType::Boolean => value.raw(),
        JsonType::Null | JsonType::Array | JsonType::Object => {
            reader.wrong_type(at, "a condition value", "a string, a number or a boolean", value);
            return None;
        }
    };
    // A variable in the wrong place is told as such by the semantics.
    if !has_variable(written) {
        check_form(reader, at, test, written);
    }
    Some(written.to_owned())
}

fn check_form(reader: &mut Reader<'_>, at: &str, test: Test, written: &str) {
    if test.is_numeric() && !is_number(written) {
        let message = format!("`{}` is not a number", written.escape_debug());
        reader.report("invalid-number", at, message, None);
    }
    if matches!(test, Test::Bool | Test::Null) && !is_boolean(written) {
        let message = format!("`{}` is neither `true` nor `false`", written.escape_debug());
        reader.report("invalid-boolean", at, message, None);
    }
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// A decimal number, with or without a fraction and an exponent; no names such as `inf`.
fn is_number(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    text.bytes().all(plain) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

impl ValueTypes {
    fn with(self, found: JsonType) -> Self {
        let found = match found {
            JsonType::String => Self::Strings,
            JsonType::Number => Self::Numbers,
            JsonType::Boolean => Self::Booleans,
            JsonType::Null | JsonType::Array | JsonType::Object => Self::Mixed,
        };
        if self == Self::None || self == found { found } else { Self::Mixed }
    }
}
