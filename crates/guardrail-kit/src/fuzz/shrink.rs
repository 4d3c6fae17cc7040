//! Makes a case that goes wrong as small as it can be and still go wrong: takes out one member or element after the other,
//! large ones first. Knows nothing of what is wrong; it asks.

use serde_json::Value;

/// Questions that are asked at most; each is an evaluation or two.
const QUESTIONS: usize = 2_000;

/// The smallest value it comes by of which `is_wrong` still holds.
pub(super) fn shrink(mut value: Value, mut is_wrong: impl FnMut(&Value) -> bool) -> Value {
    let mut asked: usize = 0;
    loop {
        let mut smaller = None;
        for path in paths(&value) {
            if asked >= QUESTIONS {
                return value;
            }
            let candidate = without(&value, &path);
            asked = asked.saturating_add(1);
            if is_wrong(&candidate) {
                smaller = Some(candidate);
                break;
            }
        }
        match smaller {
            Some(candidate) => value = candidate,
            None => return value,
        }
    }
}

/// A way down: which child at each step, in the order that members and elements have.
type Path = Vec<usize>;

/// Everything inside, the outer before the inner.
fn paths(value: &Value) -> Vec<Path> {
    let mut level: Vec<(Path, &Value)> = vec![(Vec::new(), value)];
    let mut found = Vec::new();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (path, value) in level {
            for (index, child) in children(value).into_iter().enumerate() {
                let inner: Path = path.iter().copied().chain([index]).collect();
                found.push(inner.clone());
                next.push((inner, child));
            }
        }
        level = next;
    }
    found
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(members) => members.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn without(value: &Value, path: &[usize]) -> Value {
    let Some((first, rest)) = path.split_first() else {
        return value.clone();
    };
    let kept = |(index, child): (usize, &Value)| {
        if index != *first {
            Some(child.clone())
        } else if rest.is_empty() {
            None
        } else {
            Some(without(child, rest))
        }
    };
    match value {
        Value::Array(list) => list.iter().enumerate().filter_map(kept).collect(),
        Value::Object(members) => {
            let names = members.keys().cloned().enumerate();
            let values = members.values().enumerate().map(kept);
            names.zip(values).filter_map(|((_, name), value)| Some((name, value?))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_matters_is_left() {
        let case = json!({"a": [1, {"b": 2, "bad": true}, 3], "c": {"d": "e"}});
        let small = shrink(case, |value| value.to_string().contains("bad"));
        assert_eq!(small, json!({"a": [{"bad": true}]}));
    }

    #[test]
    fn a_case_that_needs_everything_stays() {
        let case = json!([1, 2]);
        assert_eq!(shrink(case.clone(), |value| *value == json!([1, 2])), case);
    }
}
