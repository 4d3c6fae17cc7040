//! The checks, in the order of the rules. Each reads the view and returns findings with the rule's own severity;
//! none looks into another, save that an entry that is reported as worse is not reported again for less.
//! Rule ids and titles are in [`crate::rules`].

mod conditions;
mod escalation;
mod exposure;
mod negated;
mod pass_role;
mod wildcards;
mod writes;

use leasehold_guardrail_sdk::{AccessLevels, ActionRef, Finding, Location, Severity};

use crate::view::{Entry, View};

/// Every finding.
pub(crate) fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = wildcards::full_admin(view);
    findings.extend(wildcards::services(view));
    findings.extend(negated::not_action(view));
    findings.extend(negated::not_resource(view));
    findings.extend(pass_role::unscoped(view));
    if !view.is_full_admin() {
        findings.extend(escalation::ways(view));
    }
    let critical = findings.iter().filter(|finding| finding.severity == Severity::Critical);
    let mut reported: Vec<Location> = critical.flat_map(|finding| finding.at.clone()).collect();
    let credentials = exposure::credentials(view, &reported);
    reported.extend(credentials.iter().flat_map(|finding| finding.at.clone()));
    let writes = writes::on_any_resource(view, &reported);
    reported.extend(writes.iter().flat_map(|finding| finding.at.clone()));
    findings.extend(writes);
    findings.extend(exposure::service_linked_roles(view, &reported));
    findings.extend(exposure::data(view, &reported));
    findings.extend(credentials);
    findings.extend(exposure::opening(view, &reported));
    findings.extend(conditions::without_force(view));
    findings
}

/// Whether an entry covers more than listing and reading, as far as is known.
pub(crate) fn changes_something(action: &ActionRef) -> bool {
    action.levels.intersects(
        AccessLevels::WRITE
            | AccessLevels::PERMISSIONS_MANAGEMENT
            | AccessLevels::TAGGING
            | AccessLevels::UNKNOWN,
    )
}

/// A finding with a place for each entry, the first one the main place.
fn with_places<'a>(finding: Finding, entries: impl IntoIterator<Item = &'a Entry<'a>>) -> Finding {
    entries.into_iter().fold(finding, |finding, entry| finding.at(entry.location()))
}
