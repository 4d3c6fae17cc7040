//! Conditions whose parts do not go together: keys, operators and how many values of which type.
//! Lists of keys are short and cite the IAM User Guide; a key that is not listed is never refused.
//! Single values are checked in `values`.

use std::collections::HashSet;

use super::{Checker, values, variables};
use crate::bytes::{has, split_once};
use crate::catalogue::Catalogue;
use crate::document::{Condition, Operator, Statement, Test, ValueTypes};
use crate::json::{JsonRef, JsonType, element_pointer, member_pointer};

/// Global keys that hold several values (IAM User Guide, global condition context keys, "multivalued").
const MULTIVALUED: [&str; 7] = [
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceNamesList",
    "aws:ResourceOrgPaths",
    "aws:SourceOrgPaths",
    "aws:TagKeys",
    "aws:VpceOrgPaths",
];

/// Global keys that hold an ARN (IAM User Guide, global condition context keys).
const ARN_KEYS: [&str; 4] =
    ["aws:PrincipalArn", "aws:SourceArn", "aws:FederatedProvider", "lambda:SourceFunctionArn"];

/// Keys that end in the name of a tag.
const TAG_KEYS: [&str; 3] = ["aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/"];

pub(super) fn check(checker: &mut Checker<'_>, statement: &Statement, written: JsonRef<'_>) {
    let Some(block) = written.member("Condition") else {
        return;
    };
    empty_blocks(checker, statement, block);
    let mut seen = HashSet::new();
    let one_alone = statement.conditions.len() == 1;
    for condition in &statement.conditions {
        let mut is_new =
            || seen.insert((condition.operator.as_str(), condition.key.to_ascii_lowercase()));
        if !one_alone && !is_new() {
            let message = format!(
                "the key `{}` differs only in case from another of `{}`",
                condition.key, condition.operator
            );
            checker.reject(
                "repeated-condition-key",
                &condition.pointer,
                message,
                "condition keys ignore case: join the values in one list",
            );
        }
        let Some(operator) = Operator::parse(&condition.operator) else {
            continue;
        };
        key(checker, condition);
        together(checker, condition, operator);
        let written =
            block.member(&condition.operator).and_then(|keys| keys.member(&condition.key));
        let written = written.map(JsonRef::json_type);
        for (index, value) in condition.values.iter().enumerate() {
            let at = match written {
                Some(JsonType::Array) => element_pointer(&condition.pointer, index),
                Some(_) | None => condition.pointer.clone(),
            };
            variables::check_value(checker, &at, operator.test, value);
            values::check(checker, &at, &condition.key, operator.test, value);
        }
    }
}

fn empty_blocks(checker: &mut Checker<'_>, statement: &Statement, block: JsonRef<'_>) {
    let at = || member_pointer(&statement.pointer, "Condition");
    if block.children().next().is_none() {
        checker.warn(
            "empty-condition",
            &at(),
            "`Condition` is empty".to_owned(),
            "remove it, or say when the statement holds",
        );
    }
    for (operator, keys) in block.members().filter(|(_, keys)| keys.children().next().is_none()) {
        let pointer = member_pointer(&at(), operator);
        let message = format!("`{operator}` tests no key");
        if keys.as_str().is_none() {
            checker.warn(
                "empty-condition",
                &pointer,
                message,
                "remove it, or name a condition key",
            );
        }
    }
}

fn key(checker: &mut Checker<'_>, condition: &Condition) {
    let key = &condition.key;
    if TAG_KEYS.iter().any(|tag| tag.eq_ignore_ascii_case(key)) {
        let message = format!("`{key}` names no tag");
        checker.reject(
            "missing-tag-key",
            &condition.pointer,
            message,
            "write the tag's name after the slash",
        );
    }
    let prefix = split_once(key, b':').map_or(key.as_str(), |(prefix, _)| prefix);
    let known = prefix.eq_ignore_ascii_case("aws")
        || has(prefix, b'.')
        || Catalogue::bundled().has_service(prefix);
    if !known {
        let message = format!("`{key}` is a key of no known service");
        checker.warn(
            "unknown-condition-key",
            &condition.pointer,
            message,
            "a key that is never there makes most tests fail",
        );
    }
}

fn together(checker: &mut Checker<'_>, condition: &Condition, operator: Operator) {
    let at = &condition.pointer;
    let Condition { key, operator: name, .. } = condition;
    if condition.types == ValueTypes::Mixed {
        let message = format!("the values of `{key}` have different types");
        checker.reject("mixed-value-types", at, message, "write all of them as strings");
    }
    if condition.values.is_empty() {
        let message = format!("`{key}` has no values to be compared with");
        checker.warn("empty-values", at, message, "name a value, or remove the key");
    }
    if operator.test == Test::Bool && condition.values.len() > 1 {
        let message = format!("`{key}` has more than one boolean value");
        checker.reject("several-booleans", at, message, "keep the one that is meant");
    }
    if operator.test == Test::Null && operator.set.is_some() {
        let message = format!("`{name}` does what `Null` does");
        checker.warn("null-with-qualifier", at, message, "write `Null`");
    }
    let listed = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    if operator.set.is_none() && operator.test != Test::Null && listed(&MULTIVALUED) {
        let message = format!("`{key}` holds several values, which `{name}` cannot compare");
        let help = format!("write `ForAllValues:{name}` or `ForAnyValue:{name}`");
        checker.reject("missing-qualifier", at, message, &help);
    }
    if operator.test.is_string() && listed(&ARN_KEYS) && has_wildcard(condition) {
        let message = format!("`{key}` holds an ARN, where `{name}` lets `*` run over the colons");
        checker.warn("string-operator-on-arn", at, message, "write `ArnLike`");
    }
}

fn has_wildcard(condition: &Condition) -> bool {
    condition.values.iter().any(|value| crate::wildcard::has_wildcard(value))
}
