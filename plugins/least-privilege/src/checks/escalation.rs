//! `privilege-escalation`: sets of actions that together lead to more than was given, over all documents of the grant.
//! The list is that of `escalation-ways`. An action counts when an Allow reaches something through which it leads
//! upward, and no Deny takes it away. The boundary and single requests are for the guardrail `no-privilege-escalation`.

use escalation_ways::reach::leads_upward;
use escalation_ways::{ACTIONS, WAYS, Way, named_by};
use leasehold_guardrail_sdk::words::{listed, verb};
use leasehold_guardrail_sdk::{Finding, Location, Severity, Statement, pattern};

use crate::rules;
use crate::view::View;

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
        && leads_upward(view.grant, statement, action)
        && !view.is_denied(action)
        && !view.settings.allows(action)
    {
        *slot = Some(place());
    }
}

/// IAM itself gives everything; a role that is passed gives what that role has; the rest depends on what runs there.
fn severity(way: &Way) -> Severity {
    if way.needs("iam:PassRole") {
        Severity::High
    } else if way.names().any(|action| action.starts_with("iam:")) {
        Severity::Critical
    } else {
        Severity::Medium
    }
}

fn finding(severity: Severity, ways: &[&Way], reached: &[Option<Location>]) -> Option<Finding> {
    let (first, more) = ways.split_first()?;
    let actions: Vec<&str> = first.names().collect();
    let rest = match more.len() {
        0 => String::new(),
        1 => " (and 1 other way up)".to_owned(),
        count => format!(" (and {count} other ways up)"),
    };
    let verb = verb(&actions, "lets", "together let");
    let message = format!("{} {verb} the holder {}{rest}", listed(&actions), first.effect);
    let ids: Vec<&str> = ways.iter().map(|way| way.id).collect();
    let mut finding = rules::PRIVILEGE_ESCALATION
        .finding_as(severity, message)
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
