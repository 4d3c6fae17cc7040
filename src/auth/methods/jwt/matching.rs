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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_the_same_by_what_they_are_worth() {
        assert!(is_same(&json!(1), &json!(1.0)));
        assert!(!is_same(&json!(1), &json!("1")));
        assert!(!is_same(&json!(true), &json!("true")));
        assert!(!is_same(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
        assert!(is_same(&json!("a"), &json!("a")));
    }
}
