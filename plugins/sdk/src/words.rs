//! Sentences from names. Short whatever the document holds: three names, then a number.
//! No judgement here.

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b`, `c` and 4 more ``.
pub fn listed(names: &[&str]) -> String {
    let quoted = |names: &[&str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] if names.len() <= 3 => format!("{} and `{last}`", quoted(first)),
        _ => {
            let (shown, rest) = names.split_at(3.min(names.len()));
            format!("{} and {} more", quoted(shown), rest.len())
        }
    }
}

/// The form of the verb that goes with so many names.
pub fn verb(names: &[&str], singular: &'static str, plural: &'static str) -> &'static str {
    if names.len() == 1 { singular } else { plural }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_three_and_counts_the_rest() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b"]), "`a` and `b`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
    }
}
