//! Label values that operators choose, mounts' paths, kept to a number: whoever mounts and unmounts in a
//! loop must not fill the memory of the broker and of whoever scrapes it.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// Mounts with a label of their own; far more than any installation has.
const MOST: usize = 256;
/// What all others share.
const OTHER: &str = "other";

/// The values that were seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounded(Arc<RwLock<HashSet<Box<str>>>>);

impl Bounded {
    /// The label value for `text`.
    pub(super) fn label<'a>(&self, text: &'a str) -> &'a str {
        if self.0.read().unwrap_or_else(PoisonError::into_inner).contains(text) {
            return text;
        }
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST && !seen.contains(text) {
            return OTHER;
        }
        seen.insert(text.into());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_many_values_the_rest_share_one() {
        let bounded = Bounded::default();
        for number in 0..1_000 {
            let path = format!("aws-{number}/");
            let wanted = if number < MOST { path.as_str() } else { OTHER };
            assert_eq!(bounded.label(&path), wanted);
        }
        assert_eq!(bounded.label("aws-0/"), "aws-0/", "who has a label keeps it");
    }
}
