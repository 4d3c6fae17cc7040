//! Relations of two patterns: is one inside the other, can both match one text?
//! Inclusion is sound (a yes is proved) and may miss cases with `?`; overlap is exact. Both take pattern × pattern steps.
//! The argument for the greedy test: read the inner pattern's stars as a letter that only a star can take.

/// Whether `outer` matches every text that `inner` matches, case kept. A yes is proved.
pub fn covers(outer: &str, inner: &str) -> bool {
    covers_letters(&letters(outer), &letters(inner))
}

/// The same for actions, where case does not matter.
pub fn covers_action(outer: &str, inner: &str) -> bool {
    covers_letters(&letters(&outer.to_ascii_lowercase()), &letters(&inner.to_ascii_lowercase()))
}

/// Whether some text matches both, case kept.
pub fn overlaps(one: &str, other: &str) -> bool {
    overlap_letters(&letters(one), &letters(other))
}

/// The same for actions, where case does not matter.
pub fn overlaps_action(one: &str, other: &str) -> bool {
    overlap_letters(&letters(&one.to_ascii_lowercase()), &letters(&other.to_ascii_lowercase()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Plain(char),
    One,
    Any,
}

/// The pattern in letters; each run of wildcards is rewritten to all its `?` and then one `*`, which means the same.
fn letters(pattern: &str) -> Vec<Letter> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut star = false;
    for character in pattern.chars() {
        match character {
            '*' => star = true,
            '?' => out.push(Letter::One),
            plain => {
                if std::mem::take(&mut star) {
                    out.push(Letter::Any);
                }
                out.push(Letter::Plain(plain));
            }
        }
    }
    if star {
        out.push(Letter::Any);
    }
    out
}

/// The greedy match of `glob`, with the inner pattern as the text.
fn covers_letters(outer: &[Letter], inner: &[Letter]) -> bool {
    let (mut at, mut read) = (0_usize, 0_usize);
    let mut last_star: Option<(usize, usize)> = None;
    loop {
        let fits = match (outer.get(at), inner.get(read)) {
            (None, None) => return true,
            (Some(Letter::Any), _) => {
                at = at.saturating_add(1);
                last_star = Some((at, read));
                continue;
            }
            (Some(Letter::One), Some(Letter::One | Letter::Plain(_))) => true,
            (Some(Letter::Plain(wanted)), Some(Letter::Plain(found))) => wanted == found,
            (Some(Letter::One | Letter::Plain(_)) | None, Some(_) | None) => false,
        };
        if fits {
            at = at.saturating_add(1);
            read = read.saturating_add(1);
            continue;
        }
        match last_star {
            Some((after_star, taken)) if taken < inner.len() => {
                let taken = taken.saturating_add(1);
                last_star = Some((after_star, taken));
                (at, read) = (after_star, taken);
            }
            Some(_) | None => return false,
        }
    }
}

/// Walks the product of both patterns a row at a time: `reached[j]` says that the letters of `one` read so far and
/// the first `j` of `other` can match one text.
fn overlap_letters(one: &[Letter], other: &[Letter]) -> bool {
    let mut reached = Vec::with_capacity(other.len().saturating_add(1));
    reached.push(true);
    for letter in other {
        let before = reached.last().copied().unwrap_or_default();
        reached.push(before && *letter == Letter::Any);
    }
    for letter in one {
        reached = next_row(*letter, other, &reached);
        if !reached.contains(&true) {
            return false;
        }
    }
    reached.last().copied().unwrap_or_default()
}

fn next_row(letter: Letter, other: &[Letter], above: &[bool]) -> Vec<bool> {
    let mut row = Vec::with_capacity(above.len());
    row.push(letter == Letter::Any && above.first().copied().unwrap_or_default());
    for ((found, diagonal), straight) in other.iter().zip(above).zip(above.iter().skip(1)) {
        let left = row.last().copied().unwrap_or_default();
        row.push(match (letter, found) {
            // Either star may be empty, or take what the other reads.
            (Letter::Any, _) | (_, Letter::Any) => left || *straight,
            (Letter::Plain(wanted), Letter::Plain(found)) => *diagonal && wanted == *found,
            (Letter::One, Letter::One | Letter::Plain(_)) | (Letter::Plain(_), Letter::One) => {
                *diagonal
            }
        });
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inclusion_of_common_patterns() {
        assert!(covers("s3:Get*", "s3:GetObject*"));
        assert!(covers("*", "a?b*"));
        assert!(covers("a*c", "a*b*c"));
        assert!(covers("?*", "*?"));
        assert!(covers_action("S3:get*", "s3:GetObject"));
        assert!(!covers("s3:GetObject", "s3:?etObject"));
        assert!(!covers("a?", "a*"));
        assert!(!covers("a*c", "a*"));
    }

    #[test]
    fn overlap_of_common_patterns() {
        assert!(overlaps("a*", "*b"));
        assert!(overlaps("", "*"));
        assert!(overlaps("a?c", "ab*"));
        assert!(overlaps_action("IAM:*Role", "iam:Pass*"));
        assert!(!overlaps("a*", "b*"));
        assert!(!overlaps("?", ""));
        assert!(!overlaps("ab", "a?b"));
    }
}
