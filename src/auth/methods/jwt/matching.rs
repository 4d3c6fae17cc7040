//! How a value of a claim is compared with the one that a role wants. Pure.

use serde_json::Value;

/// Whether two values are the same; numbers are by what they are worth.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other
                || (one.as_i64().is_none() || other.as_i64().is_none())
                    && one.as_f64() == other.as_f64()
        }
        (_, _) => one == other,
    }
}

/// Whether `text` fits `pattern`, in which each `*` stands for any text and everything else for itself.
pub(in crate::auth::methods) fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let Some((middle, tail)) = rest.rsplit_once('*') else {
        return text.ends_with(rest);
    };
    // The earliest place for each piece leaves the most room for those after it.
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        match text.split_once(piece) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_stands_for_another() {
        for (pattern, text, fits) in [
            ("main", "main", true),
            ("main", "mainx", false),
            ("main", "Main", false),
            ("*", "", true),
            ("refs/heads/*", "refs/heads/", true),
            ("refs/heads/*", "refs/tags/v1", false),
            ("*-prod", "eu-prod", true),
            ("*-prod", "eu-prod-2", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("a*b", "ab", true),
            ("ab*ba", "aba", false),
            ("**", "x", true),
            ("a**c", "abc", true),
            ("a?c", "abc", false),
            ("repo:octo/*:ref:*", "repo:octo/x:ref:refs/heads/main", true),
            ("repo:octo/*:ref:*", "repo:octonaut/x:ref:refs/heads/main", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let (pattern, text) = ("a*".repeat(500) + "b", "a".repeat(10_000));
        assert!(!matches(&pattern, &text));
    }

    #[test]
    fn numbers_are_the_same_by_what_they_are_worth() {
        assert!(is_same(&json!(1), &json!(1.0)));
        assert!(!is_same(&json!(1), &json!("1")));
        assert!(!is_same(&json!(true), &json!("true")));
        assert!(!is_same(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
        assert!(is_same(&json!("a"), &json!("a")));
    }
}
