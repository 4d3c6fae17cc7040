//! Whether two patterns have something in common, and how resources cover each other, read segment by segment as the
//! host reads them. Errs on the side of saying that there is something in common, and of saying that nothing is covered.
//! Plain matching is in [`crate::pattern`].

use crate::pattern;

/// Parts of an ARN.
const PARTS: usize = 6;

/// Whether some action can match both; case does not matter.
pub fn overlaps_action(one: &str, other: &str) -> bool {
    overlap(one, other, |a, b| a.eq_ignore_ascii_case(&b), pattern::matches_action)
}

/// Whether some text can match both; case matters.
pub fn overlaps(one: &str, other: &str) -> bool {
    overlap(one, other, |a, b| a == b, pattern::matches)
}

/// Whether some resource can match both `Resource` entries. A policy variable may be any text.
pub fn overlaps_resource(one: &str, other: &str) -> bool {
    let (one, other) = (without_variables(one), without_variables(other));
    match (split(&one), split(&other)) {
        (Some(one), Some(other)) => one.iter().zip(other).all(|(one, other)| overlaps(one, other)),
        (Some(_) | None, Some(_) | None) => overlaps(&one, &other),
    }
}

/// Whether `outer` certainly matches every resource that `inner` matches. A variable in `inner` may be any text.
pub fn covers_resource(outer: &str, inner: &str) -> bool {
    let inner = without_variables(inner);
    match (split(outer), split(&inner)) {
        (Some(outer), Some(inner)) => {
            outer.iter().zip(inner).all(|(outer, inner)| pattern::covers(outer, inner))
        }
        (Some(_), None) => false,
        (None, Some(_) | None) => pattern::covers(outer, &inner),
    }
}

/// With a `*` for each policy variable.
pub fn without_variables(text: &str) -> String {
    let mut open = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, after)) = after.split_once('}') else {
            break;
        };
        open.push_str(before);
        open.push('*');
        rest = after;
    }
    open.push_str(rest);
    open
}

fn split(text: &str) -> Option<[&str; PARTS]> {
    let mut parts = text.splitn(PARTS, ':');
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?])
}

/// Asks the cheap questions first: most pairs of a long policy differ at their beginning.
fn overlap(
    one: &str,
    other: &str,
    same: impl Fn(char, char) -> bool + Copy,
    matches: impl Fn(&str, &str) -> bool,
) -> bool {
    if !may_meet(one.chars(), other.chars(), same) {
        return false;
    }
    match (pattern::has_wildcard(one), pattern::has_wildcard(other)) {
        (_, false) => matches(one, other),
        (false, true) => matches(other, one),
        (true, true) => {
            may_meet(one.chars().rev(), other.chars().rev(), same) && common(one, other, same)
        }
    }
}

/// Whether two patterns agree up to the first `*` of either.
fn may_meet(
    one: impl Iterator<Item = char>,
    other: impl Iterator<Item = char>,
    same: impl Fn(char, char) -> bool,
) -> bool {
    one.zip(other)
        .take_while(|(one, other)| *one != '*' && *other != '*')
        .all(|(one, other)| one == '?' || other == '?' || same(one, other))
}

/// Whether the two patterns have a text in common. Row by row: whether the beginnings of both up to here have one.
/// A `*` either takes nothing or one more character of the other side, so either neighbour will do.
fn common(one: &str, other: &str, same: impl Fn(char, char) -> bool) -> bool {
    let others: Vec<char> = other.chars().collect();
    let mut row = vec![true];
    row.extend(others.iter().scan(true, |all, character| {
        *all = *all && *character == '*';
        Some(*all)
    }));
    for character in one.chars() {
        let mut above = row.iter().copied();
        let mut diagonal = above.next().unwrap_or(false);
        let mut left = diagonal && character == '*';
        let mut next = vec![left];
        for (other, up) in others.iter().zip(above) {
            let here = if character == '*' || *other == '*' {
                up || left
            } else {
                diagonal && (character == '?' || *other == '?' || same(character, *other))
            };
            next.push(here);
            (diagonal, left) = (up, here);
        }
        if !next.contains(&true) {
            return false;
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_a_text_in_common_overlap() {
        for (one, other, expected) in [
            ("s3:Get*", "S3:*Object", true),
            ("s3:Get*", "s3:Put*", false),
            ("s3:GetObject", "s3:GetObject", true),
            ("s3:GetObject", "s3:GetObjectAcl", false),
            ("*", "iam:CreateUser", true),
            ("iam:Create?ser", "iam:*User", true),
            ("iam:?", "iam:CreateUser", false),
            ("a*b", "b*a", false),
            ("a*b*", "*c*b", true),
            ("", "*", true),
            ("", "a", false),
        ] {
            assert_eq!(overlaps_action(one, other), expected, "{one} and {other}");
            assert_eq!(overlaps_action(other, one), expected, "{other} and {one}");
        }
    }

    #[test]
    fn resources_are_read_segment_by_segment() {
        assert!(overlaps_resource("arn:aws:s3:::a*", "arn:aws:s3:::*b"));
        assert!(!overlaps_resource("arn:aws:s3:::a*", "arn:aws:s3:::b*"));
        assert!(overlaps_resource("*", "arn:aws:iam::1:role/x"));
        assert!(!overlaps_resource("arn:aws:*:::b", "arn:aws:sqs:eu-west-1:1:b"));
        assert!(overlaps_resource("arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/a"));
        assert!(!overlaps_resource("arn:aws:s3:::Bucket", "arn:aws:s3:::bucket"));
    }

    #[test]
    fn only_what_is_certain_is_covered() {
        assert!(covers_resource("*", "arn:aws:s3:::b/*"));
        assert!(covers_resource("arn:aws:s3:::b*", "arn:aws:s3:::b/*"));
        assert!(!covers_resource("arn:aws:s3:::b/*", "arn:aws:s3:::b*"));
        assert!(!covers_resource("arn:aws:s3:::*", "*"));
        assert!(!covers_resource("arn:aws:iam::1:user/a", "arn:aws:iam::1:user/${aws:username}"));
    }
}
