//! `pass-role-unscoped`: `iam:PassRole` decides which roles can be handed to a service, and with a service that runs
//! code it is as much as having the role. Which service may take it (`iam:PassedToService`) does not bound which role.
//! Entries that are reported as wildcards are not reported here again.

use leasehold_guardrail_sdk::{Finding, Severity};

use super::with_places;
use crate::rules;
use crate::view::{Breadth, Entry, View};
use leasehold_guardrail_sdk::scope;

/// The action.
const PASS_ROLE: &str = "iam:PassRole";

/// `iam:PassRole` on any role.
pub(super) fn unscoped(view: &View<'_>) -> Vec<Finding> {
    if view.is_denied(PASS_ROLE) || view.settings.allows(PASS_ROLE) {
        return Vec::new();
    }
    view.by_statement().filter_map(in_statement).collect()
}

fn in_statement(entries: &[Entry<'_>]) -> Option<Finding> {
    let passing: Vec<&Entry<'_>> = entries.iter().filter(|entry| passes_any_role(entry)).collect();
    let first = passing.first()?;
    let message = format!("`{}` allows passing any role to a service", first.text());
    let finding = rules::PASS_ROLE_UNSCOPED.finding_as(Severity::High, message).remediation(
        "name the roles in `Resource`, such as `arn:aws:iam::<account>:role/app-*`, and the service in a condition on `iam:PassedToService`",
    );
    Some(with_places(finding, passing))
}

/// Whether this entry, and none wider, is the reason that any role can be passed.
pub(super) fn passes_any_role(entry: &Entry<'_>) -> bool {
    let statement = entry.allowed.statement;
    entry.breadth == Breadth::Some
        && entry.allowed.matches(PASS_ROLE)
        && !entry.narrowed
        && (entry.on_any || statement.resources.iter().any(|one| scope::is_any_role(one)))
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::testing::{action, allow, grant};

    use super::*;
    use crate::Settings;

    fn found(action_text: &str, resource: &str) -> Vec<String> {
        let grant = grant(vec![allow([action(action_text)], [resource])]);
        let settings = Settings::default();
        let findings = unscoped(&View::new(&grant, &settings));
        findings.into_iter().map(|finding| finding.at[0].pointer.clone()).collect()
    }

    #[test]
    fn any_role_is_found_and_named_roles_are_not() {
        assert_eq!(found("iam:PassRole", "*"), ["/Statement/0/Action"]);
        assert_eq!(found("IAM:Pass*", "arn:aws:iam::123456789012:role/*"), ["/Statement/0/Action"]);
        assert_eq!(found("iam:PassRole", "arn:aws:iam::123456789012:role/app-*"), [""; 0]);
        assert_eq!(found("iam:GetRole", "*"), [""; 0]);
    }
}
