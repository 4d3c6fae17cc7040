//! `write-on-any-resource`: actions that change things or permissions, on resources that the statement does not name.
//! Only where the action could name a resource: those that work on `*` alone are no choice of the author's.
//! A condition on the resource's own tags names it well enough.

use leasehold_guardrail_sdk::{
    AccessLevels, ActionForm, ActionTraits, Finding, Location, Severity,
};

use super::{pass_role, with_places};
use crate::rules;
use crate::view::{Breadth, Entry, View};
use leasehold_guardrail_sdk::grade;
use leasehold_guardrail_sdk::words::listed;

/// Writing or managing permissions on any resource, but for entries that are reported as worse.
pub(super) fn on_any_resource(view: &View<'_>, reported: &[Location]) -> Vec<Finding> {
    view.by_statement().filter_map(|entries| in_statement(entries, reported)).collect()
}

fn in_statement(entries: &[Entry<'_>], reported: &[Location]) -> Option<Finding> {
    // With `*` among them the statement is reported as a whole.
    if entries.iter().any(Entry::is_full_admin) {
        return None;
    }
    let writing: Vec<(&Entry<'_>, Weight)> = entries
        .iter()
        .filter(|entry| entry.on_any && !entry.narrowed && entry.breadth == Breadth::Some)
        // A statement with `NotResource` is reported for that.
        .filter(|entry| entry.allowed.statement.not_resources.is_empty())
        .filter(|entry| !pass_role::passes_any_role(entry))
        .filter(|entry| !entry.allowed.is_at(reported))
        .filter_map(|entry| Some((entry, weight(entry)?)))
        .collect();
    let worst = writing.iter().map(|(_, weight)| *weight).max()?;
    // The worst come first, so that the main place and the sentence are about them.
    let (mut main, rest): (Vec<_>, Vec<_>) =
        writing.into_iter().partition(|(_, weight)| *weight == worst);
    main.extend(rest);
    let names: Vec<&str> = main.iter().map(|(entry, _)| entry.text()).collect();
    let (severity, does) = match worst {
        Weight::Permissions => (Severity::High, "permissions of any resource"),
        Weight::Writes => (Severity::High, "any resource"),
        Weight::Unclear => (Severity::Medium, "any resource, as far as is known"),
    };
    let message = format!("{} can change {does}", listed(&names));
    let finding = rules::WRITE_ON_ANY_RESOURCE.finding_as(severity, message).remediation(
        "name the resources in `Resource`, or bound them by a condition on their tags",
    );
    Some(with_places(finding, main.iter().map(|(entry, _)| *entry)))
}

/// How much an entry changes, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Tags only, or an action that the catalogue does not know.
    Unclear,
    Writes,
    Permissions,
}

fn weight(entry: &Entry<'_>) -> Option<Weight> {
    let action = entry.allowed.action;
    if action.traits.contains(ActionTraits::ANY_RESOURCE_ONLY) {
        return None;
    }
    if grade::reads_by_name(&action.text) {
        return None;
    }
    let levels = action.levels;
    if levels.contains(AccessLevels::PERMISSIONS_MANAGEMENT) {
        Some(Weight::Permissions)
    } else if levels.contains(AccessLevels::WRITE) {
        let tags_only = action.form == ActionForm::Exact && levels.contains(AccessLevels::TAGGING);
        Some(if tags_only { Weight::Unclear } else { Weight::Writes })
    } else if levels.intersects(AccessLevels::TAGGING | AccessLevels::UNKNOWN) {
        Some(Weight::Unclear)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::testing::{action, allow, annotated, grant};
    use leasehold_guardrail_sdk::{ActionRef, Condition, Statement};

    use super::*;
    use crate::Settings;

    fn writing(text: &str) -> ActionRef {
        annotated(text, AccessLevels::WRITE, ActionTraits::empty())
    }

    fn found(statement: Statement) -> Vec<Finding> {
        let grant = grant(vec![statement]);
        let settings = Settings::default();
        on_any_resource(&View::new(&grant, &settings), &[])
    }

    #[test]
    fn writes_of_one_statement_are_one_finding_with_the_worst_first() {
        let permissions = annotated(
            "s3:PutBucketPolicy",
            AccessLevels::WRITE | AccessLevels::PERMISSIONS_MANAGEMENT,
            ActionTraits::empty(),
        );
        let findings =
            found(allow([action("s3:GetObject"), writing("s3:PutObject"), permissions], ["*"]));
        assert_eq!(findings.len(), 1);
        let places: Vec<_> = findings[0].at.iter().map(|at| at.pointer.as_str()).collect();
        assert_eq!(places, ["/Statement/0/Action/2", "/Statement/0/Action/1"]);
        assert_eq!(
            findings[0].message,
            "`s3:PutBucketPolicy` and `s3:PutObject` can change permissions of any resource"
        );
    }

    #[test]
    fn reading_named_resources_and_actions_without_resources_pass() {
        assert_eq!(found(allow([action("s3:GetObject")], ["*"])), []);
        assert_eq!(found(allow([writing("s3:PutObject")], ["arn:aws:s3:::b/*"])), []);
        let no_choice = annotated("ec2:X", AccessLevels::WRITE, ActionTraits::ANY_RESOURCE_ONLY);
        assert_eq!(found(allow([no_choice], ["*"])), []);
    }

    #[test]
    fn what_is_named_as_reading_does_not_write() {
        for text in ["iot:List*", "billing:GetResourcePolicy", "x:Describe*", "X:BATCHGET*"] {
            assert_eq!(found(allow([writing(text)], ["*"])), [], "{text}");
        }
        assert_eq!(found(allow([writing("x:G*")], ["*"])).len(), 1);
    }

    #[test]
    fn a_condition_on_the_resources_tags_names_them() {
        let mut statement = allow([writing("ec2:StopInstances")], ["*"]);
        statement.conditions.push(Condition {
            operator: "StringEquals".to_owned(),
            key: "aws:ResourceTag/team".to_owned(),
            values: vec!["data".to_owned()],
        });
        assert_eq!(found(statement), []);
    }

    #[test]
    fn tags_and_unknown_actions_only_warn() {
        let unknown = annotated("new:Thing", AccessLevels::UNKNOWN, ActionTraits::empty());
        assert_eq!(found(allow([unknown], ["*"]))[0].severity, Severity::Medium);
    }
}
