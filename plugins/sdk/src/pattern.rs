//! IAM's wildcards: `*` is any text, `?` one character. Exact, without regular expressions, and linear in memory.
//! Never guesses: [`covers`] says yes only where it is certain. Actions are compared without regard to case, ARNs with.

use std::str::Chars;

/// Whether `pattern` matches `action`; case does not matter.
pub fn matches_action(pattern: &str, action: &str) -> bool {
    glob(pattern, action, |one, other| one == '?' || one.eq_ignore_ascii_case(&other))
}

/// Whether every action that `inner` matches is matched by `outer`; case does not matter.
pub fn covers_action(outer: &str, inner: &str) -> bool {
    glob(outer, inner, |one, other| {
        other != '*' && (one == '?' || one.eq_ignore_ascii_case(&other))
    })
}

/// Whether `pattern` matches `text`; case matters.
pub fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern, text, |one, other| one == '?' || one == other)
}

/// Whether every text that `inner` matches is certainly matched by `outer`; case matters.
pub fn covers(outer: &str, inner: &str) -> bool {
    // A `*` of the inner pattern is a letter that only a `*` of the outer one takes.
    glob(outer, inner, |one, other| other != '*' && (one == '?' || one == other))
}

/// Whether it has a wildcard.
pub fn has_wildcard(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'*' | b'?'))
}

/// Whether it has a `*` and nothing that would narrow it, save a `?` or the colons of an action.
pub fn is_everything(pattern: &str) -> bool {
    pattern.bytes().all(|byte| matches!(byte, b'*' | b'?' | b':')) && pattern.contains('*')
}

/// Greedy with one point to come back to: the last `*` seen. Enough for wildcards, since an earlier `*` never
/// needs to take more once a later one was reached.
fn glob(pattern: &str, text: &str, takes: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut back: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let here = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = here.clone();
                back = Some((pattern.clone(), here));
            }
            (Some(one), Some(other)) if takes(one, other) => {}
            (None, Some(_)) | (Some(_), _) => {
                // The last `*` takes one character more.
                let Some((after_star, mut from)) = back else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                text = from.clone();
                back = Some((after_star, from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_iam_has_them() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("s3:*", "s3:GetObject", true),
            ("S3:get*", "s3:GetObject", true),
            ("s3:?etObject", "s3:GetObject", true),
            ("s3:?GetObject", "s3:GetObject", false),
            ("*Object", "s3:GetObjectAcl", false),
            ("*e*e*", "delete", true),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "axxbyyczzb", false),
            ("", "a", false),
            ("a", "", false),
        ] {
            assert_eq!(matches_action(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_it_certainly_takes() {
        for (outer, inner, expected) in [
            ("*", "s3:*", true),
            ("s3:*", "s3:Get*", true),
            ("s3:Get*", "s3:*", false),
            ("s3:*Object", "s3:Get*Object", true),
            ("s3:?*", "s3:Get*", true),
            ("s3:Get?", "s3:Get*", false),
            ("s3:Get*", "s3:Get?", true),
        ] {
            assert_eq!(covers_action(outer, inner), expected, "{outer} over {inner}");
        }
    }

    #[test]
    fn everything_has_many_spellings() {
        for text in ["*", "**", "*:*", "?*"] {
            assert!(is_everything(text), "{text}");
        }
        for text in ["s3:*", "?", "arn:*", ""] {
            assert!(!is_everything(text), "{text}");
        }
    }
}
