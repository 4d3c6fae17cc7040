//! The known ways to gain permissions, for guardrails: the project's list as tables, and on which resources an action
//! leads upward. It finds nothing in a grant by itself, and knows no boundary.
//! The list is `crates/iam-policy/data/escalation.txt`, made into tables by `build.rs`; reach is in [`reach`].

pub mod reach;

use leasehold_guardrail_sdk::pattern;

/// A way up.
#[derive(Debug)]
pub struct Way {
    /// Stable id, in kebab case.
    pub id: &'static str,
    /// Indices into [`ACTIONS`]; all are needed.
    pub actions: &'static [usize],
    /// The end of the sentence "lets the holder …".
    pub effect: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/ways.rs"));

impl Way {
    /// The names of its actions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.actions.iter().filter_map(|index| ACTIONS.get(*index).copied())
    }

    /// Whether it needs this action.
    pub fn needs(&self, action: &str) -> bool {
        self.names().any(|name| name.eq_ignore_ascii_case(action))
    }
}

/// Indices of the actions that an entry covers. Most entries are plain names: those are looked up.
pub fn named_by(text: &str) -> Vec<usize> {
    if pattern::has_wildcard(text) {
        return (0..)
            .zip(ACTIONS)
            .filter(|(_, action)| pattern::matches_action(text, action))
            .map(|(index, _)| index)
            .collect();
    }
    let lower = |name: &'static str| name.bytes().map(|byte| byte.to_ascii_lowercase());
    let wanted = || text.bytes().map(|byte| byte.to_ascii_lowercase());
    ACTIONS.binary_search_by(|action| lower(action).cmp(wanted())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_complete() {
        let lower: Vec<String> = ACTIONS.iter().map(|action| action.to_ascii_lowercase()).collect();
        assert!(lower.is_sorted());
        assert!(WAYS.len() > 50);
        for way in WAYS {
            assert!(!way.actions.is_empty() && way.names().count() == way.actions.len());
        }
        for action in ACTIONS {
            assert_eq!(named_by(&action.to_uppercase()).len(), 1, "{action}");
        }
    }

    #[test]
    fn a_way_knows_what_it_needs() {
        let way = WAYS.iter().find(|way| way.id == "pass-role-to-ec2-instance").unwrap();
        assert!(way.needs("iam:passrole") && way.needs("ec2:RunInstances"));
        assert!(!way.needs("ec2:StopInstances"));
    }
}
