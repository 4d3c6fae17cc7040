//! `region-not-confined`: an Allow must be bound to the allowed Regions: by a condition on `aws:RequestedRegion`, by the
//! Region in every ARN, or by a Deny for everything else, as AWS's example has it. Global services are not asked.
//! What holds without the key (`IfExists`, negated operators) binds nothing.

use leasehold_guardrail_sdk::overlap::overlaps_action;
use leasehold_guardrail_sdk::serde_json::json;
use leasehold_guardrail_sdk::words::{listed, verb};
use leasehold_guardrail_sdk::{
    Denies, Finding, Location, Patch, Statement, pattern, string_operator,
};

use crate::settings::Settings;
use crate::{Allowing, rules};

const REQUESTED_REGION: &str = "aws:RequestedRegion";

/// The finding of one statement, if it is not confined.
pub(crate) fn finding(
    allowed: &Allowing<'_>,
    refusals: &Denies<'_>,
    settings: &Settings,
) -> Option<Finding> {
    let statement = allowed.statement;
    if settings.allowed_regions.is_empty() || is_bound(statement, settings) {
        return None;
    }
    let mut regional: Vec<usize> = Vec::new();
    for (index, action) in statement.actions.iter().enumerate() {
        if !is_global(&action.text, settings)
            && !is_denied_elsewhere(&action.text, refusals, settings)
        {
            regional.push(index);
        }
    }
    let negated =
        !statement.not_actions.is_empty() && !is_denied_elsewhere("*", refusals, settings);
    if regional.is_empty() && !negated {
        return None;
    }
    let names: Vec<&str> = regional
        .iter()
        .filter_map(|index| statement.actions.get(*index))
        .map(|action| action.text.as_str())
        .collect();
    let subject = if negated { "`NotAction`".to_owned() } else { listed(&names) };
    let message = format!(
        "{subject} {} in every Region, not only in {}",
        if negated { "allows" } else { verb(&names, "is allowed", "are allowed") },
        listed(&settings.allowed_regions.iter().map(String::as_str).collect::<Vec<_>>())
    );
    let mut finding = rules::REGION_NOT_CONFINED.finding(message).remediation(
        "add a condition on `aws:RequestedRegion`, or name the Region in every resource",
    );
    let places: Vec<String> = if negated {
        vec![statement.element_pointer("NotAction")]
    } else {
        regional.iter().map(|index| statement.action_pointer(*index)).collect()
    };
    for pointer in places {
        finding = finding.at(Location { document: allowed.index, pointer });
    }
    // A condition binds the whole statement, so only where all of it has a Region.
    if !negated && regional.len() == statement.actions.len() && !has_condition(statement) {
        let regions = &settings.allowed_regions;
        let operator = string_operator(regions.iter().map(String::as_str));
        let patch = Patch::on(allowed.index);
        finding = finding.patch(patch.with_condition(
            statement,
            operator,
            REQUESTED_REGION,
            &json!(regions),
        ));
    }
    Some(finding)
}

fn has_condition(statement: &Statement) -> bool {
    statement.condition_on(REQUESTED_REGION).is_some()
}

/// Whether the statement itself says where.
fn is_bound(statement: &Statement, settings: &Settings) -> bool {
    let by_condition = statement
        .conditions
        .iter()
        .any(|one| one.bounds(REQUESTED_REGION, |region| settings.allows_region(region)));
    let by_arn = !statement.resources.is_empty()
        && statement.resources.iter().all(|resource| {
            let region = resource.split(':').nth(3);
            // Fewer parts than an ARN has, or none at all, may be anywhere.
            resource.splitn(6, ':').count() == 6
                && region.is_some_and(|region| !region.is_empty() && settings.allows_region(region))
        });
    by_condition || by_arn
}

/// Whether the entry is of one service, and that has no Regions.
fn is_global(action: &str, settings: &Settings) -> bool {
    action
        .split_once(':')
        .is_some_and(|(service, _)| !pattern::has_wildcard(service) && settings.is_global(service))
}

/// Whether a Deny refuses the entry outside of the allowed Regions. What such a Deny spares must be global.
fn is_denied_elsewhere(action: &str, refusals: &Denies<'_>, settings: &Settings) -> bool {
    let mut elsewhere = refusals.statements().filter(|deny| is_only_elsewhere(deny, settings));
    refusals.take(action)
        || elsewhere.any(|deny| {
            if deny.not_actions.is_empty() {
                deny.actions.iter().any(|one| pattern::covers_action(&one.text, action))
            } else {
                deny.not_actions.iter().all(|spared| {
                    is_global(&spared.text, settings) || !overlaps_action(&spared.text, action)
                })
            }
        })
}

/// Whether a Deny fires for every resource whenever the Region is not an allowed one.
fn is_only_elsewhere(deny: &Statement, settings: &Settings) -> bool {
    let spares = |region: &str| settings.allows_region(region);
    !deny.conditions.is_empty()
        && deny.conditions.iter().all(|one| one.spares_only(REQUESTED_REGION, spares))
        && deny.resources.iter().any(|one| pattern::is_everything(one))
}
