//! How much an action changes, from its annotations: reading, writing, permissions. Doubt counts as writing.
//! What may be done with it is the guardrail's to say.

use crate::{AccessLevels, ActionRef, ActionTraits, AllowedAction, Denies, Grant};

/// How much an action changes, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Lists and reads.
    Reads,
    /// Changes things or tags, or is not known.
    Writes,
    /// Changes permissions, or leads to more of them.
    Permissions,
}

/// The grade of one `Action` entry.
pub fn of(action: &ActionRef) -> Grade {
    let writes = AccessLevels::WRITE | AccessLevels::TAGGING | AccessLevels::UNKNOWN;
    if reads_by_name(&action.text) {
        Grade::Reads
    } else if action.levels.contains(AccessLevels::PERMISSIONS_MANAGEMENT)
        || action.traits.contains(ActionTraits::ESCALATES)
    {
        Grade::Permissions
    } else if action.levels.intersects(writes) {
        Grade::Writes
    } else {
        Grade::Reads
    }
}

/// The worst grade of what a grant allows. An Allow with `NotAction` grants whatever it does not name.
pub fn worst(grant: &Grant) -> Grade {
    let negated = grant.statements().any(|(_, one)| one.allows() && !one.not_actions.is_empty());
    if negated {
        return Grade::Permissions;
    }
    in_force(grant).iter().map(|one| of(one.action)).max().unwrap_or(Grade::Reads)
}

/// The allowed entries that no Deny takes away as a whole.
pub fn in_force(grant: &Grant) -> Vec<AllowedAction<'_>> {
    let denies = Denies::of(grant);
    grant.allowed_actions().filter(|allowed| !denies.take(&allowed.action.text)).collect()
}

/// The catalogue gives some actions a level that their name belies (`iot:List*` covers one that "writes"), and a
/// pattern has the levels of all that it covers. What gets, lists or describes does not change.
pub fn reads_by_name(text: &str) -> bool {
    const VERBS: [&str; 6] = ["get", "list", "describe", "batchget", "view", "search"];
    let name = text.split_once(':').map_or(text, |(_, name)| name).as_bytes();
    VERBS.iter().any(|verb| {
        name.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::deny;
    use crate::testing::{action, allow, annotated, grant};

    #[test]
    fn grades_rise_from_reading_to_permissions() {
        let grade = |text: &str, levels| of(&annotated(text, levels, ActionTraits::empty()));
        assert_eq!(grade("s3:GetObject", AccessLevels::READ), Grade::Reads);
        assert_eq!(grade("iot:List*", AccessLevels::WRITE), Grade::Reads);
        assert_eq!(grade("s3:PutObject", AccessLevels::WRITE), Grade::Writes);
        assert_eq!(grade("new:Thing", AccessLevels::UNKNOWN), Grade::Writes);
        assert_eq!(
            grade("s3:*", AccessLevels::WRITE | AccessLevels::PERMISSIONS_MANAGEMENT),
            Grade::Permissions
        );
        let pass = annotated("iam:PassRole", AccessLevels::WRITE, ActionTraits::ESCALATES);
        assert_eq!(of(&pass), Grade::Permissions);
    }

    #[test]
    fn what_a_deny_takes_away_is_not_in_force() {
        let write = || annotated("s3:PutObject", AccessLevels::WRITE, ActionTraits::empty());
        let both = grant(vec![
            allow([action("s3:GetObject"), write()], ["*"]),
            deny([action("s3:Put*")], ["*"]),
        ]);
        assert_eq!(worst(&both), Grade::Reads);
        assert_eq!(worst(&grant(vec![allow([write()], ["*"])])), Grade::Writes);
        let mut all_but = allow([], ["*"]);
        all_but.not_actions = vec![action("iam:*")];
        assert_eq!(worst(&grant(vec![all_but])), Grade::Permissions);
    }
}
