//! IAM's wildcards: `*` for any run of characters, `?` for one; nothing else is special.
//! Every question here takes at most time in proportion to one text times the other; none recurses or backtracks twice.
//! ARNs go segment by segment in `arn`; relations of two patterns are in `relation`.

mod arn;
mod relation;

pub use arn::{covers_resource, matches_arn, matches_resource, overlaps_resource};
pub use relation::{covers, covers_action, overlaps, overlaps_action};

/// Whether a pattern matches a text, case kept.
pub fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern, text, |one, other| one == other)
}

/// Whether an action pattern matches an action; case does not matter in actions.
pub fn matches_action(pattern: &str, action: &str) -> bool {
    glob(pattern, action, |one, other| one.eq_ignore_ascii_case(&other))
}

/// Whether a word has wildcards.
pub fn has_wildcard(pattern: &str) -> bool {
    pattern.bytes().any(|byte| matches!(byte, b'*' | b'?'))
}

/// Whether a pattern matches everything: stars only, or stars on both sides of an action's colon.
pub fn is_everything(pattern: &str) -> bool {
    let stars = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    stars(pattern)
        || pattern.split_once(':').is_some_and(|(service, name)| stars(service) && stars(name))
}

/// Matches greedily, coming back to the last star only: earlier stars never need to take more, as whatever they
/// would take the last one can take as well. At most `pattern` × `text` steps.
fn glob(pattern: &str, text: &str, same: impl Fn(u8, u8) -> bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0_usize, 0_usize);
    let mut last_star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), text.get(read)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                at = at.saturating_add(1);
                last_star = Some((at, read));
                continue;
            }
            (Some(b'?'), Some(_)) => {
                at = at.saturating_add(1);
                read = next_character(text, read);
                continue;
            }
            (Some(wanted), Some(found)) if same(*wanted, *found) => {
                at = at.saturating_add(1);
                read = read.saturating_add(1);
                continue;
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        // Let the last star take one more character.
        match last_star {
            Some((after_star, taken)) if taken < text.len() => {
                let taken = next_character(text, taken);
                last_star = Some((after_star, taken));
                (at, read) = (after_star, taken);
            }
            Some(_) | None => return false,
        }
    }
}

/// The start of the next character; the bytes inside a character are `10xxxxxx` (RFC 3629).
fn next_character(text: &[u8], at: usize) -> usize {
    let mut next = at.saturating_add(1);
    while text.get(next).is_some_and(|byte| byte & 0xc0 == 0x80) {
        next = next.saturating_add(1);
    }
    next
}

#[cfg(test)]
mod tests;
