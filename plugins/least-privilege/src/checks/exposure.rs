//! `credentials-exposure`, `data-read-on-any-resource`, `resource-exposure` and `service-linked-role-unscoped`: what an
//! entry gives away rather than changes. Only where the statement names no resource though it could, or cannot name one
//! for what opens a resource. An entry that is reported as worse is not reported here again.

use leasehold_guardrail_sdk::words::{listed, verb};
use leasehold_guardrail_sdk::{
    AccessLevels, ActionForm, ActionTraits, Condition, Finding, Location, Severity, pattern, scope,
};

use super::with_places;
use crate::rules;
use crate::view::{Breadth, Entry, View};

/// The calls by which data is usually taken. A pattern has the traits of all that it covers, so that `athena:Get*`
/// reads data as well; it counts where it covers one of these (five of them are cloudsplaining's list).
const TAKES_DATA: [&str; 12] = [
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "kms:Decrypt",
    "logs:GetLogEvents",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
];
/// Reads measurements, which the catalogue counts as data.
const NO_DATA: [&str; 1] = ["cloudwatch:GetMetricData"];
const CREATE_SERVICE_LINKED_ROLE: &str = "iam:CreateServiceLinkedRole";

/// Credentials of any resource. `reported` are the places that are reported as worse.
pub(super) fn credentials(view: &View<'_>, reported: &[Location]) -> Vec<Finding> {
    let hands_out = |entry: &Entry<'_>| {
        is_open(entry) && entry.allowed.action.traits.contains(ActionTraits::ISSUES_CREDENTIALS)
    };
    let found = |names: &[&str], entries: &[&Entry<'_>]| {
        let writes = entries.iter().any(|entry| {
            entry
                .allowed
                .action
                .levels
                .intersects(AccessLevels::WRITE | AccessLevels::PERMISSIONS_MANAGEMENT)
        });
        // What also writes was reported for that, as high, before this rule was there.
        let severity = if writes { Severity::High } else { Severity::Medium };
        let message = format!(
            "{} {} out credentials of any resource",
            listed(names),
            verb(names, "hands", "hand")
        );
        rules::CREDENTIALS_EXPOSURE.finding_as(severity, message).remediation(
            "name the resources whose credentials the task needs, or remove the action",
        )
    };
    each(view, reported, hands_out, found)
}

/// Data of any resource. A statement that is reported as worse, for naming no resource, is not reported for this as well.
pub(super) fn data(view: &View<'_>, reported: &[Location]) -> Vec<Finding> {
    let takes = |entry: &Entry<'_>| {
        let action = entry.allowed.action;
        is_open(entry)
            && action.traits.contains(ActionTraits::READS_DATA)
            && !NO_DATA.iter().any(|name| name.eq_ignore_ascii_case(&action.text))
            && (action.form == ActionForm::Exact
                || TAKES_DATA.iter().any(|name| entry.allowed.matches(name)))
    };
    let found = |names: &[&str], _: &[&Entry<'_>]| {
        let message =
            format!("{} {} the data of any resource", listed(names), verb(names, "reads", "read"));
        rules::DATA_READ_ON_ANY_RESOURCE.finding(message).remediation(
            "name the resources in `Resource`, or bound them by a condition on their tags",
        )
    };
    let is_alone = |entries: &&[Entry<'_>]| {
        entries.iter().any(takes)
            && !entries
                .iter()
                .any(|one| one.breadth != Breadth::Some || one.allowed.is_at(reported))
    };
    let statements = view.by_statement().filter(is_alone);
    statements.filter_map(|entries| in_statement(entries, &[], takes, found)).collect()
}

/// Sharing and opening where no resource can be named, so that `write-on-any-resource` has nothing to ask for.
pub(super) fn opening(view: &View<'_>, reported: &[Location]) -> Vec<Finding> {
    let opens = |entry: &Entry<'_>| {
        let traits = entry.allowed.action.traits;
        traits.contains(ActionTraits::EXPOSES | ActionTraits::ANY_RESOURCE_ONLY) && !entry.narrowed
    };
    let found = |names: &[&str], _: &[&Entry<'_>]| {
        let message = format!("{} can open resources to other accounts", listed(names));
        rules::RESOURCE_EXPOSURE
            .finding(message)
            .remediation("leave sharing to a role of its own, and remove the action here")
    };
    each(view, reported, opens, found)
}

/// Service-linked roles of any service, on a pattern of roles.
pub(super) fn service_linked_roles(view: &View<'_>, reported: &[Location]) -> Vec<Finding> {
    let creates = |entry: &Entry<'_>| {
        let statement = entry.allowed.statement;
        let bounds = |one: &Condition| {
            one.bounds("iam:AWSServiceName", |name| !pattern::is_everything(name))
        };
        entry.allowed.matches(CREATE_SERVICE_LINKED_ROLE)
            && !statement.conditions.iter().any(bounds)
            && !view.is_denied(CREATE_SERVICE_LINKED_ROLE)
            && statement.resources.iter().any(|one| names_no_service(one))
    };
    let found = |names: &[&str], _: &[&Entry<'_>]| {
        let message =
            format!("{} can create the service-linked role of any service", listed(names));
        rules::SERVICE_LINKED_ROLE_UNSCOPED.finding(message).remediation(
            "name the service in `Resource`, such as `arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/*`, or in a condition on `iam:AWSServiceName`",
        )
    };
    each(view, reported, creates, found)
}

fn names_no_service(resource: &str) -> bool {
    scope::is_any_role(resource)
        || scope::last_part(resource)
            .and_then(|part| part.strip_prefix("role/aws-service-role/"))
            .is_some_and(|rest| rest.starts_with('*'))
}

/// An entry, narrower than a service, whose statement could name a resource and does not.
fn is_open(entry: &Entry<'_>) -> bool {
    entry.on_any
        && !entry.narrowed
        // A statement with `NotResource` is reported for that.
        && entry.allowed.statement.not_resources.is_empty()
        && !entry.allowed.action.traits.contains(ActionTraits::ANY_RESOURCE_ONLY)
}

/// One finding for each statement that has such entries.
fn each(
    view: &View<'_>,
    reported: &[Location],
    is_one: impl Fn(&Entry<'_>) -> bool,
    found: impl Fn(&[&str], &[&Entry<'_>]) -> Finding,
) -> Vec<Finding> {
    let statements = view.by_statement();
    statements.filter_map(|entries| in_statement(entries, reported, &is_one, &found)).collect()
}

fn in_statement(
    entries: &[Entry<'_>],
    reported: &[Location],
    is_one: impl Fn(&Entry<'_>) -> bool,
    found: impl Fn(&[&str], &[&Entry<'_>]) -> Finding,
) -> Option<Finding> {
    if entries.iter().any(Entry::is_full_admin) {
        return None;
    }
    let ones: Vec<&Entry<'_>> = entries
        .iter()
        .filter(|entry| entry.breadth == Breadth::Some && is_one(entry))
        .filter(|entry| !entry.allowed.is_at(reported))
        .collect();
    let names: Vec<&str> = ones.iter().map(|entry| entry.text()).collect();
    (!ones.is_empty()).then(|| with_places(found(&names, &ones), ones))
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::samples::condition;
    use leasehold_guardrail_sdk::testing::{action, allow, annotated, grant};
    use leasehold_guardrail_sdk::{ActionRef, Statement};

    use super::*;
    use crate::Settings;

    type Check = fn(&View<'_>, &[Location]) -> Vec<Finding>;

    fn found(check: Check, statement: Statement) -> Vec<Finding> {
        let grant = grant(vec![statement]);
        let settings = Settings::default();
        check(&View::new(&grant, &settings), &[])
    }

    fn reading(text: &str, traits: ActionTraits) -> ActionRef {
        annotated(text, AccessLevels::READ, traits)
    }

    #[test]
    fn data_counts_on_any_resource_and_by_patterns_that_take_it() {
        let one = |text: &str, resource: &str| {
            found(data, allow([reading(text, ActionTraits::READS_DATA)], [resource])).len()
        };
        assert_eq!(one("s3:GetObject", "*"), 1);
        assert_eq!(one("S3:Get*", "arn:aws:s3:::*"), 1);
        assert_eq!(one("s3:GetObject", "arn:aws:s3:::reports/*"), 0);
        assert_eq!(one("athena:Get*", "*"), 0);
        assert_eq!(found(data, allow([action("s3:ListBucket")], ["*"])), []);
        let no_choice = ActionTraits::READS_DATA | ActionTraits::ANY_RESOURCE_ONLY;
        assert_eq!(found(data, allow([reading("cloudwatch:GetMetricData", no_choice)], ["*"])), []);
    }

    #[test]
    fn credentials_are_worse_where_something_is_written() {
        let traits = ActionTraits::ISSUES_CREDENTIALS;
        let read = found(credentials, allow([reading("ec2:GetPasswordData", traits)], ["*"]));
        assert_eq!(read[0].severity, Severity::Medium);
        assert_eq!(read[0].message, "`ec2:GetPasswordData` hands out credentials of any resource");
        let written = annotated("sts:AssumeRole", AccessLevels::WRITE, traits);
        assert_eq!(found(credentials, allow([written], ["*"]))[0].severity, Severity::High);
    }

    #[test]
    fn opening_is_reported_where_no_resource_can_be_named() {
        let write = |traits| annotated("ram:CreateResourceShare", AccessLevels::WRITE, traits);
        let traits = ActionTraits::EXPOSES | ActionTraits::ANY_RESOURCE_ONLY;
        assert_eq!(found(opening, allow([write(traits)], ["*"])).len(), 1);
        assert_eq!(found(opening, allow([write(ActionTraits::EXPOSES)], ["*"])), []);
    }

    #[test]
    fn a_service_linked_role_needs_its_service() {
        let creates = |resource: &str| allow([action("iam:CreateServiceLinked*")], [resource]);
        let any = "arn:aws:iam::*:role/aws-service-role/*";
        assert_eq!(found(service_linked_roles, creates(any)).len(), 1);
        let named = "arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/*";
        assert_eq!(found(service_linked_roles, creates(named)), []);
        let mut bounded = creates(any);
        bounded.conditions =
            vec![condition("StringLike", "iam:AWSServiceName", &["ecs.amazonaws.com"])];
        assert_eq!(found(service_linked_roles, bounded), []);
    }
}
