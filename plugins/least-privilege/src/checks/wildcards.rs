//! `full-admin` and `service-wildcard`: entries that cover all that there is, or all of a service, today and with
//! every action that AWS adds. Patterns that cover less are for `writes`.

use leasehold_guardrail_sdk::{Finding, Severity};

use super::{changes_something, with_places};
use crate::rules;
use crate::view::{Breadth, Entry, View};
use leasehold_guardrail_sdk::words::{listed, verb};

/// `*` on `*`, in any spelling.
pub(super) fn full_admin(view: &View<'_>) -> Vec<Finding> {
    view.by_statement()
        .filter_map(|entries| entries.iter().find(|entry| entry.is_full_admin()))
        .map(|entry| {
            let message = format!("`{}` allows every action on any resource", entry.text());
            rules::FULL_ADMIN
                .finding_as(Severity::Critical, message)
                .at(entry.location())
                .remediation("name the actions and the resources that the task needs")
        })
        .collect()
}

/// `service:*`, in any spelling; and `*` where the resources are named.
pub(super) fn services(view: &View<'_>) -> Vec<Finding> {
    view.by_statement().filter_map(in_statement).collect()
}

fn in_statement(entries: &[Entry<'_>]) -> Option<Finding> {
    if entries.iter().any(Entry::is_full_admin) {
        return None;
    }
    let wide: Vec<&Entry<'_>> =
        entries.iter().filter(|entry| entry.breadth != Breadth::Some).collect();
    let first = wide.first()?;
    let names: Vec<&str> = wide.iter().map(|entry| entry.text()).collect();
    let everything = wide.iter().any(|entry| entry.breadth == Breadth::Everything);
    let on_any = first.on_any && !first.narrowed;
    let what = match (everything, names.len()) {
        (true, _) => "every action of every service",
        (false, 1) => "every action of the service",
        (false, _) => "every action of their services",
    };
    let severity =
        if everything || (on_any && wide.iter().any(|one| changes_something(one.allowed.action))) {
            Severity::High
        } else {
            Severity::Medium
        };
    let message = format!(
        "{} {} {what} on {}",
        listed(&names),
        verb(&names, "allows", "allow"),
        if on_any { "any resource" } else { "the named resources" }
    );
    let finding = rules::SERVICE_WILDCARD
        .finding_as(severity, message)
        .remediation("name the actions that the task needs");
    Some(with_places(finding, wide))
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::testing::{allow, annotated, grant};
    use leasehold_guardrail_sdk::{AccessLevels, ActionTraits, Statement};

    use super::*;
    use crate::Settings;

    fn found(statements: Vec<Statement>, check: fn(&View<'_>) -> Vec<Finding>) -> Vec<Finding> {
        let grant = grant(statements);
        let settings = Settings::default();
        check(&View::new(&grant, &settings))
    }

    fn writing(text: &str) -> leasehold_guardrail_sdk::ActionRef {
        annotated(text, AccessLevels::READ | AccessLevels::WRITE, ActionTraits::empty())
    }

    #[test]
    fn everything_on_everything_is_one_critical_finding() {
        let statement =
            || allow([writing("s3:*"), writing("*:*")], ["arn:aws:s3:::b", "arn:aws:*"]);
        let findings = found(vec![statement()], full_admin);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Critical);
        assert_eq!(findings[0].at[0].pointer, "/Statement/0/Action/1");
        assert_eq!(found(vec![statement()], services), []);
    }

    #[test]
    fn a_service_on_any_resource_is_high_and_on_named_ones_medium() {
        let any = found(vec![allow([writing("s3:*")], ["*"])], services);
        assert_eq!(any[0].severity, Severity::High);
        assert_eq!(any[0].message, "`s3:*` allows every action of the service on any resource");
        let named = found(vec![allow([writing("s3:*")], ["arn:aws:s3:::b/*"])], services);
        assert_eq!(named[0].severity, Severity::Medium);
    }

    #[test]
    fn services_of_one_statement_are_one_finding() {
        let findings = found(vec![allow([writing("s3:*"), writing("ec2:*")], ["*"])], services);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].at.len(), 2);
        assert_eq!(
            findings[0].message,
            "`s3:*` and `ec2:*` allow every action of their services on any resource"
        );
    }
}
