//! Sentences from names. Short whatever the document holds: three names, then a number.
//! No judgement here.

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b`, `c` and 4 more ``.
pub fn listed(names: &[&str]) -> String {
    let (shown, rest) = names.split_at(3.min(names.len()));
    let mut list = String::new();
    for (index, name) in shown.iter().enumerate() {
        let is_last = rest.is_empty() && index + 1 == shown.len();
        list.push_str(match index {
            0 => "`",
            _ if is_last => " and `",
            _ => ", `",
        });
        list.push_str(name);
        list.push('`');
    }
    if !rest.is_empty() {
        list.push_str(" and ");
        list.push_str(&rest.len().to_string());
        list.push_str(" more");
    }
    list
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
