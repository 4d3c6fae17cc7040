//! Patterns in which `*` stands for any text: what roles bind of claims and accounts, which policies and aliases a token
//! role lets through, `glob` of user names. Not IAM's wildcards, which know `?` as well: those are `iam_policy::wildcard`.

/// Whether `text` fits `pattern`, in which each `*` stands for any text and everything else for itself.
pub fn matches(pattern: &str, text: &str) -> bool {
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
            ("a*a", "a", false),
            ("a*b*c", "a--c", false),
            ("*d*", "abc", false),
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
}
