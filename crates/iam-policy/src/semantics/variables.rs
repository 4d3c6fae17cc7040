//! Policy variables inside strings: `${name}`, `${name, 'default'}`, `${*}`, `${?}`, `${$}`.
//! A variable that AWS would read as plain text is refused, since what was meant is not what would be granted.
//! The values they take are for [`crate::decide`].

use super::Checker;
use crate::bytes::has_variable;
use crate::catalogue::Catalogue;
use crate::document::{ARN_PARTS, Entry, Test, Version};

/// Checks the variables of a `Resource` or `NotResource` entry.
pub(super) fn check_resource(checker: &mut Checker<'_>, entry: &Entry) {
    if !has_variable(&entry.text) {
        return;
    }
    check_text(checker, &entry.pointer, &entry.text);
    let head = fifth_colon(&entry.text).unwrap_or(entry.text.len());
    let first = entry.text.find("${").unwrap_or(entry.text.len());
    if first < head {
        let message = format!("`{}` has a variable before the fifth colon", entry.text);
        checker.reject(
            "variable-in-arn",
            &entry.pointer,
            message,
            "variables work only in the last part of an ARN",
        );
    }
}

/// Checks the variables of a condition value.
pub(super) fn check_value(checker: &mut Checker<'_>, pointer: &str, test: Test, value: &str) {
    if !has_variable(value) {
        return;
    }
    // One page of the IAM User Guide names Bool beside the string and ARN operators.
    if !(test.is_string() || test.is_arn() || test == Test::Bool) {
        let message = format!("the variable in `{value}` does not work under this operator");
        checker.reject(
            "variable-under-operator",
            pointer,
            message,
            "variables work with string and ARN operators",
        );
        return;
    }
    check_text(checker, pointer, value);
}

fn fifth_colon(text: &str) -> Option<usize> {
    text.match_indices(':').nth(ARN_PARTS.saturating_sub(2)).map(|(at, _)| at)
}

fn check_text(checker: &mut Checker<'_>, pointer: &str, text: &str) {
    if checker.document.language() == Version::V2008 {
        let message =
            format!("the variable in `{text}` is plain text without `\"Version\": \"2012-10-17\"`");
        checker.reject(
            "variable-needs-version",
            pointer,
            message,
            "write `\"Version\": \"2012-10-17\"`",
        );
        return;
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((variable, after)) = after.split_once('}') else {
            let message = format!("`{text}` has `${{` without `}}`");
            checker.reject("variable-not-closed", pointer, message, "close the variable with `}`");
            return;
        };
        check_variable(checker, pointer, variable);
        rest = after;
    }
}

fn check_variable(checker: &mut Checker<'_>, pointer: &str, variable: &str) {
    let shown = format!("${{{variable}}}");
    let (name, default) = match variable.split_once(',') {
        Some((name, default)) => (name, Some(default.trim())),
        None => (variable, None),
    };
    if name.is_empty() {
        checker.reject(
            "variable-empty",
            pointer,
            format!("`{shown}` names no variable"),
            "write `${aws:username}` or the like",
        );
    } else if name.contains(char::is_whitespace) {
        checker.reject(
            "variable-with-space",
            pointer,
            format!("`{shown}` has a space in its name"),
            "remove the space",
        );
    } else if default.is_some_and(|default| !is_quoted(default)) {
        let message = format!("the default value in `{shown}` is not in single quotes");
        checker.reject(
            "variable-default-not-quoted",
            pointer,
            message,
            "write `${name, 'default'}`",
        );
    } else if !matches!(name, "*" | "?" | "$") && !is_known(name) {
        let message = format!("`{shown}` is not a known policy variable");
        checker.warn(
            "unknown-variable",
            pointer,
            message,
            "without a value the statement never applies",
        );
    }
}

fn is_quoted(text: &str) -> bool {
    text.len() >= 2 && text.starts_with('\'') && text.ends_with('\'')
}

/// Variables are condition keys: of `aws`, of a service, or of an identity provider by its host name.
fn is_known(name: &str) -> bool {
    name.split_once(':').is_some_and(|(prefix, key)| {
        let known = prefix.eq_ignore_ascii_case("aws")
            || prefix.contains('.')
            || Catalogue::bundled().has_service(prefix);
        known && !key.is_empty()
    })
}
