//! `not-action-allow` and `not-resource-allow`: an Allow that says what it leaves out grants everything else, and
//! whatever AWS adds. With Deny both are fine, and are not looked at.

use leasehold_guardrail_sdk::{Finding, Location, Severity, Statement};

use crate::rules;
use crate::view::View;
use leasehold_guardrail_sdk::scope;
use leasehold_guardrail_sdk::words::{listed, verb};

/// Allow with `NotAction`.
pub(super) fn not_action(view: &View<'_>) -> Vec<Finding> {
    view.negated()
        .map(|(document, statement)| {
            let names: Vec<&str> = statement.not_actions.iter().map(|one| one.text.as_str()).collect();
            // Nothing that is known is left out: this is `*`, spelt otherwise.
            let spares_nothing = statement.not_actions.iter().all(|one| one.covers == 0);
            let finding = if spares_nothing && scope::reaches_any(statement) {
                let message = format!(
                    "`NotAction` leaves out {} only, which is no known action: it allows every action on any resource",
                    listed(&names)
                );
                rules::FULL_ADMIN.finding_as(Severity::Critical, message)
            } else {
                let message = format!(
                    "`NotAction` with Allow grants every action but {}, and every action that AWS adds",
                    listed(&names)
                );
                rules::NOT_ACTION_ALLOW.finding_as(Severity::High, message)
            };
            finding
                .at(element(document, statement, "NotAction"))
                .remediation("name the allowed actions in `Action`, or use `NotAction` with Deny")
        })
        .collect()
}

/// Allow with `NotResource`.
pub(super) fn not_resource(view: &View<'_>) -> Vec<Finding> {
    view.by_statement()
        .filter_map(|entries| entries.first())
        .map(|entry| (entry.allowed.document_index, entry.allowed.statement))
        .chain(view.negated())
        .filter(|(_, statement)| !statement.not_resources.is_empty())
        .map(|(document, statement)| {
            let names: Vec<&str> = statement.not_resources.iter().map(String::as_str).collect();
            let message = format!(
                "`NotResource` with Allow grants every resource but {}, which {} left out",
                listed(&names),
                verb(&names, "is", "are")
            );
            rules::NOT_RESOURCE_ALLOW
                .finding_as(Severity::High, message)
                .at(element(document, statement, "NotResource"))
                .remediation(
                    "name the allowed resources in `Resource`, or use `NotResource` with Deny",
                )
        })
        .collect()
}

fn element(document: u32, statement: &Statement, name: &str) -> Location {
    Location { document, pointer: statement.element_pointer(name) }
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::Effect;
    use leasehold_guardrail_sdk::testing::{action, allow, grant};

    use super::*;
    use crate::Settings;

    fn all_but(names: &[&str], covers: u32) -> Statement {
        let mut statement = allow([], ["*"]);
        statement.not_actions = names.iter().map(|name| action(name)).collect();
        statement.not_actions.iter_mut().for_each(|one| one.covers = covers);
        statement
    }

    fn rules_of(statements: Vec<Statement>) -> Vec<String> {
        let grant = grant(statements);
        let settings = Settings::default();
        let view = View::new(&grant, &settings);
        let findings = not_action(&view).into_iter().chain(not_resource(&view));
        findings.map(|finding| finding.rule).collect()
    }

    #[test]
    fn an_allow_that_says_what_it_leaves_out_is_found() {
        assert_eq!(rules_of(vec![all_but(&["iam:*"], 1)]), ["not-action-allow"]);
        let mut statement = allow([action("s3:GetObject")], []);
        statement.not_resources = vec!["arn:aws:s3:::secret/*".to_owned()];
        assert_eq!(rules_of(vec![statement]), ["not-resource-allow"]);
    }

    #[test]
    fn leaving_out_nothing_that_exists_is_full_admin() {
        assert_eq!(rules_of(vec![all_but(&["nothing:*"], 0)]), ["full-admin"]);
    }

    #[test]
    fn a_deny_may_say_what_it_spares() {
        let mut statement = all_but(&["iam:*"], 1);
        statement.effect = Effect::Deny;
        assert_eq!(rules_of(vec![statement]), Vec::<String>::new());
    }
}
