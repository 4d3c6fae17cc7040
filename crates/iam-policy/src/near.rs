//! Near misses: which known word someone probably meant.
//! Suggestions only; nothing may be accepted because it is near to something. Inputs are bounded by the callers.
//! Used for element names, condition operators and action names.

/// Longest word worth comparing: the longest action name of the catalogue has fewer characters than this.
const MAX_WORD: usize = 96;

/// The candidate nearest to `word`, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded: Vec<u8> = word.trim().bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    if folded.is_empty() || folded.len() > MAX_WORD {
        return None;
    }
    // A third of the word may differ: `Actions`, `resource`, `Efect` are near, `Comment` is near to nothing.
    let allowed = folded.len().div_euclid(3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(folded.len()) <= allowed)
        .map(|candidate| (distance(&folded, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, remove, replace) between the words, case ignored.
fn distance(folded: &[u8], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=folded.len()).collect();
    for (line, byte) in other.bytes().map(|byte| byte.to_ascii_lowercase()).enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, expected) in cells.zip(folded) {
            let replaced = diagonal.saturating_add(usize::from(*expected != byte));
            diagonal = *cell;
            left = replaced.min(left.saturating_add(1)).min(cell.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELEMENTS: [&str; 4] = ["Action", "Resource", "Effect", "Condition"];

    #[test]
    fn plurals_cases_and_slips_are_near() {
        for (written, meant) in
            [("Actions", "Action"), ("resource", "Resource"), ("Efect", "Effect")]
        {
            assert_eq!(nearest(written, ELEMENTS), Some(meant));
        }
    }

    #[test]
    fn another_word_is_near_to_nothing() {
        assert_eq!(nearest("Comment", ELEMENTS), None);
        assert_eq!(nearest("", ELEMENTS), None);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance(b"kitten", "sitting"), 3);
        assert_eq!(distance(b"", "abc"), 3);
    }
}
