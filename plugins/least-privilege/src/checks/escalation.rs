//! `privilege-escalation`: sets of actions that together lead to more than was given, over all documents of the grant.
//! The list is `crates/iam-policy/data/escalation.txt`, made into tables by `build.rs`. An action counts when an Allow
//! reaches something through which it leads upward, and no Deny takes it away: see [`reaches`].

use leasehold_guardrail_sdk::{Finding, Grant, Location, Severity, Source, Statement, pattern};

use crate::rules;
use crate::scope;
use crate::view::View;
use crate::words::listed;

/// A way up.
#[derive(Debug)]
pub(crate) struct Way {
    id: &'static str,
    /// Indices into `ACTIONS`; all are needed.
    actions: &'static [usize],
    /// The end of the sentence "lets the holder …".
    effect: &'static str,
}

mod tables {
    use super::Way;

    include!(concat!(env!("OUT_DIR"), "/ways.rs"));
}

use tables::{ACTIONS, WAYS};

/// Places of one finding; more say nothing new.
const MAX_PLACES: usize = 16;

/// Every way that the grant opens, one finding for each severity.
pub(super) fn ways(view: &View<'_>) -> Vec<Finding> {
    let reached = reached_actions(view);
    let mut open: Vec<(Severity, Vec<&Way>)> =
        [Severity::Critical, Severity::High, Severity::Medium].map(|one| (one, Vec::new())).into();
    for way in WAYS {
        if way.actions.iter().all(|action| reached.get(*action).is_some_and(Option::is_some)) {
            let severity = severity(way);
            open.iter_mut()
                .filter(|(one, _)| *one == severity)
                .for_each(|(_, ways)| ways.push(way));
        }
    }
    open.into_iter().filter_map(|(severity, ways)| finding(severity, &ways, &reached)).collect()
}

/// For each of `ACTIONS` the first place that allows it, if it is allowed and leads upward there.
fn reached_actions(view: &View<'_>) -> Vec<Option<Location>> {
    let mut reached = vec![None; ACTIONS.len()];
    for entry in view.entries.iter().filter(|entry| super::changes_something(entry.allowed.action))
    {
        for index in named_by(entry.text()) {
            reach(view, &mut reached, index, entry.allowed.statement, || entry.location());
        }
    }
    for (document, statement) in view.negated() {
        for (index, action) in ACTIONS.iter().enumerate() {
            if !statement.not_actions.iter().any(|out| pattern::matches_action(&out.text, action)) {
                let place =
                    || Location { document, pointer: statement.element_pointer("NotAction") };
                reach(view, &mut reached, index, statement, place);
            }
        }
    }
    reached
}

fn reach(
    view: &View<'_>,
    reached: &mut [Option<Location>],
    index: usize,
    statement: &Statement,
    place: impl FnOnce() -> Location,
) {
    let (Some(slot), Some(action)) = (reached.get_mut(index), ACTIONS.get(index)) else {
        return;
    };
    if slot.is_none()
        && reaches(view.grant, statement, action)
        && !view.is_denied(action)
        && !view.settings.allows(action)
    {
        *slot = Some(place());
    }
}

/// Indices of the actions that an entry covers. Most entries are plain names: those are looked up.
fn named_by(text: &str) -> Vec<usize> {
    if pattern::has_wildcard(text) {
        return (0..)
            .zip(ACTIONS)
            .filter(|(_, action)| pattern::matches_action(text, action))
            .map(|(index, _)| index)
            .collect();
    }
    let lower = |name: &str| name.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    let wanted = lower(text);
    ACTIONS.binary_search_by(|action| lower(action).cmp(&wanted)).into_iter().collect()
}

/// Whether an action leads upward through what the statement names.
///
/// On any resource it does. Services' actions on named resources are a task's own (deploying one function), and
/// so are roles that are named. What matters in IAM is whether the holder's own permissions, or another user, can be
/// changed: the user is made later, so any pattern of users may be itself, while a single name is not; groups and
/// managed policies are known from the grant.
fn reaches(grant: &Grant, statement: &Statement, action: &str) -> bool {
    if scope::is_narrowed(statement) {
        return false;
    }
    if scope::reaches_any(statement) {
        return true;
    }
    let Some(name) = action.strip_prefix("iam:") else {
        return false;
    };
    statement.resources.iter().any(|resource| match kind(name) {
        Kind::Role => scope::is_any_role(resource),
        Kind::User => reaches_users(resource, name),
        Kind::Group => names_kind(resource, "group/") && reaches_group(grant, resource, name),
        Kind::Policy => names_kind(resource, "policy/") && reaches_policy(grant, resource),
    })
}

/// What an IAM action works on.
enum Kind {
    User,
    Group,
    Role,
    Policy,
}

fn kind(name: &str) -> Kind {
    if name.contains("Group") {
        Kind::Group
    } else if name.contains("Role") {
        Kind::Role
    } else if name.contains("PolicyVersion") {
        Kind::Policy
    } else {
        Kind::User
    }
}

fn reaches_users(resource: &str, name: &str) -> bool {
    if !names_kind(resource, "user/") {
        return false;
    }
    if resource.to_ascii_lowercase().ends_with("/${aws:username}") {
        // Keys and passwords of one's own give nothing new.
        return !matches!(name, "CreateAccessKey" | "CreateLoginProfile" | "UpdateLoginProfile");
    }
    pattern::has_wildcard(resource) || resource.contains("${")
}

fn reaches_group(grant: &Grant, resource: &str, name: &str) -> bool {
    if name == "AddUserToGroup" {
        return pattern::has_wildcard(resource);
    }
    let joined = grant.role.iter().flat_map(|role| &role.groups);
    let judged = grant.documents.iter().filter_map(|document| match &document.source {
        Source::Group(group) => Some(&group.group),
        Source::Inline | Source::Managed(_) | Source::Session | Source::Bare => None,
    });
    // A group's ARN holds its path, which is not known here.
    joined.chain(judged).any(|group| {
        scope::last_part(resource).is_some_and(|part| {
            part.rsplit('/').next().is_some_and(|last| pattern::matches(last, group))
        })
    })
}

fn reaches_policy(grant: &Grant, resource: &str) -> bool {
    let everywhere =
        scope::last_part(resource).is_some_and(|part| part == "policy/*" || part == "policy*");
    everywhere
        || grant.documents.iter().any(|document| match &document.source {
            Source::Managed(arn) => pattern::matches(resource, arn),
            Source::Group(_) | Source::Inline | Source::Session | Source::Bare => false,
        })
}

/// Whether an ARN can name things of this kind, such as `user/`.
fn names_kind(resource: &str, kind: &str) -> bool {
    scope::last_part(resource).is_some_and(|part| {
        let fixed = part.split(['*', '?']).next().unwrap_or(part);
        fixed.starts_with(kind) || (fixed.len() < part.len() && kind.starts_with(fixed))
    })
}

/// IAM itself gives everything; a role that is passed gives what that role has; the rest depends on what runs there.
fn severity(way: &Way) -> Severity {
    let actions = || way.actions.iter().filter_map(|index| ACTIONS.get(*index));
    if actions().any(|action| *action == "iam:PassRole") {
        Severity::High
    } else if actions().any(|action| action.starts_with("iam:")) {
        Severity::Critical
    } else {
        Severity::Medium
    }
}

fn finding(severity: Severity, ways: &[&Way], reached: &[Option<Location>]) -> Option<Finding> {
    let (first, more) = ways.split_first()?;
    let actions: Vec<&str> =
        first.actions.iter().filter_map(|index| ACTIONS.get(*index).copied()).collect();
    let rest = match more.len() {
        0 => String::new(),
        1 => " (and 1 other way up)".to_owned(),
        count => format!(" (and {count} other ways up)"),
    };
    let verb = crate::words::verb(&actions, "lets", "together let");
    let message = format!("{} {verb} the holder {}{rest}", listed(&actions), first.effect);
    let ids: Vec<&str> = ways.iter().map(|way| way.id).collect();
    let mut finding = Finding::new(rules::PRIVILEGE_ESCALATION, severity, message)
        .remediation(
            "remove one of the actions, or name resources that lead no further than the task",
        )
        .extra("ways", ids.join(" "));
    let places = ways.iter().flat_map(|way| way.actions).filter_map(|index| reached.get(*index));
    for place in places.flatten() {
        if finding.at.len() < MAX_PLACES && !finding.at.contains(place) {
            finding.at.push(place.clone());
        }
    }
    Some(finding)
}

#[cfg(test)]
mod tests;
