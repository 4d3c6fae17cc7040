//! The ways to become more than one is: minimal sets of actions that together let a user gain permissions.
//! Facts only, no judgement of documents; a set that contains another set is never listed.
//! The list with its sources is `data/escalation.txt`; single actions of it carry the trait `escalates` in the catalogue.

use std::sync::LazyLock;

/// The list, one combination a line.
const TEXT: &str = include_str!("../data/escalation.txt");

static COMBINATIONS: LazyLock<Vec<Combination>> = LazyLock::new(|| parse(TEXT));

/// Actions that together are a way up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// Stable id, in kebab case.
    pub id: &'static str,
    /// All of these are needed; canonical spelling.
    pub actions: Vec<&'static str>,
    /// What it lets one do, as the end of the sentence "lets its holder …".
    pub effect: &'static str,
    /// Who described it, by their id for it.
    pub source: &'static str,
}

impl Combination {
    /// Whether every action of the set is allowed.
    pub fn holds(&self, allowed: impl Fn(&str) -> bool) -> bool {
        self.actions.iter().all(|action| allowed(action))
    }
}

/// All combinations.
pub fn combinations() -> &'static [Combination] {
    &COMBINATIONS
}

fn parse(text: &'static str) -> Vec<Combination> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('|').map(str::trim);
            Some(Combination {
                id: columns.next()?,
                actions: columns.next()?.split_whitespace().collect(),
                effect: columns.next()?,
                source: columns.next()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn every_line_is_a_combination() {
        let lines = TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(combinations().len(), lines);
        assert!(combinations().iter().all(|one| !one.actions.is_empty() && !one.effect.is_empty()));
    }

    #[test]
    fn no_combination_contains_another() {
        let sets: Vec<BTreeSet<&str>> =
            combinations().iter().map(|one| one.actions.iter().copied().collect()).collect();
        for (index, one) in sets.iter().enumerate() {
            for (other_index, other) in sets.iter().enumerate() {
                assert!(
                    index == other_index || !one.is_superset(other),
                    "{one:?} contains {other:?}"
                );
            }
        }
    }

    #[test]
    fn every_action_is_in_the_catalogue_in_its_canonical_spelling() {
        for action in combinations().iter().flat_map(|one| &one.actions) {
            let found = Catalogue::bundled().lookup(action).map(|found| found.name);
            assert_eq!(found.as_deref(), Some(*action));
        }
    }

    #[test]
    fn a_combination_holds_only_as_a_whole() {
        let pass_role =
            combinations().iter().find(|one| one.id == "pass-role-to-ec2-instance").unwrap();
        assert!(pass_role.holds(|action| ["iam:PassRole", "ec2:RunInstances"].contains(&action)));
        assert!(!pass_role.holds(|action| action == "iam:PassRole"));
    }
}
