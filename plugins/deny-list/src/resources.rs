//! `denied-resource`: an Allow that reaches a resource of the list: by an entry that has something in common with it,
//! or by `*` with an action that works on such resources. Also a role that the session may be.
//! A Deny without conditions that covers the resource takes it away.

use leasehold_guardrail_sdk::overlap::{covers_resource, overlaps_resource};
use leasehold_guardrail_sdk::words::listed;
use leasehold_guardrail_sdk::{
    ActionTraits, Denies, Finding, Grant, Location, Patch, pattern, scope,
};

use crate::settings::Settings;
use crate::{Allowing, rules};

/// Services whose actions also work on resources of another service's: prefix of the ARN, prefix of the actions.
const ALSO: [(&str, &str); 10] = [
    ("iam", "sts"),
    ("ec2", "ssm"),
    ("ec2", "ebs"),
    ("ec2", "ec2-instance-connect"),
    ("ec2", "autoscaling"),
    ("s3", "s3-object-lambda"),
    ("rds", "rds-data"),
    ("rds", "rds-db"),
    ("es", "aoss"),
    ("lambda", "apigateway"),
];

/// The finding of one statement, if it reaches a denied resource.
pub(crate) fn findings(
    allowed: &Allowing<'_>,
    refusals: &Denies<'_>,
    settings: &Settings,
) -> Option<Finding> {
    let denied: Vec<&str> = settings
        .denied_resources
        .iter()
        .map(String::as_str)
        .filter(|denied| !is_taken(allowed, refusals, denied))
        .collect();
    let statement = allowed.statement;
    let (mut places, mut indices, mut met) = (Vec::new(), Vec::new(), Vec::new());
    if statement.not_resources.is_empty() {
        for (index, resource) in statement.resources.iter().enumerate() {
            let of_entry = denied.iter().filter(|denied| reaches(allowed, resource, denied));
            let before = met.len();
            met.extend(of_entry.copied());
            if met.len() > before {
                indices.push(index);
                places.push(statement.resource_pointer(index));
            }
        }
    } else {
        let left = denied.into_iter().filter(|denied| {
            works_on(allowed, denied)
                && !statement.not_resources.iter().any(|out| covers_resource(out, denied))
        });
        met.extend(left);
        places.push(statement.element_pointer("NotResource"));
    }
    met.sort_unstable();
    met.dedup();
    if met.is_empty() {
        return None;
    }
    let subject = match indices.first().and_then(|index| statement.resources.get(*index)) {
        Some(resource) => format!("`{resource}`"),
        None => "`NotResource`".to_owned(),
    };
    let message = format!("{subject} reaches {}, denied here", listed(&met));
    let mut finding = rules::DENIED_RESOURCE.finding(message).remediation(
        "name resources that are not denied here, or add a Deny without conditions for those that are",
    );
    for pointer in places {
        finding = finding.at(Location { document: allowed.index, pointer });
    }
    finding.patch = patch(allowed, &indices, &met);
    Some(finding)
}

/// Roles of an `assumed_role` that are denied; these stand on the role, not in a document.
pub(crate) fn assumed(grant: &Grant, settings: &Settings) -> Vec<Finding> {
    let arns = grant.role.iter().flat_map(|role| &role.assumes);
    arns.filter_map(|arn| {
        let denied =
            settings.denied_resources.iter().find(|denied| overlaps_resource(denied, arn))?;
        let message = format!("the role assumes `{arn}`, denied here by `{denied}`");
        let finding = rules::DENIED_RESOURCE.finding(message);
        Some(finding.remediation("assume a role that is not denied here"))
    })
    .collect()
}

fn reaches(allowed: &Allowing<'_>, resource: &str, denied: &str) -> bool {
    overlaps_resource(resource, denied) && (!scope::is_any(resource) || works_on(allowed, denied))
}

/// Whether some action of the statement can work on resources of the denied one's service.
fn works_on(allowed: &Allowing<'_>, denied: &str) -> bool {
    let service = denied.split(':').nth(2).unwrap_or("*");
    if pattern::has_wildcard(service) {
        return true;
    }
    let statement = allowed.statement;
    if !statement.not_actions.is_empty() {
        let all_of = format!("{service}:*");
        return !statement.not_actions.iter().any(|out| pattern::covers_action(&out.text, &all_of));
    }
    statement.actions.iter().any(|action| {
        let prefix = action.text.split(':').next().unwrap_or("*").to_ascii_lowercase();
        let also = ALSO.iter().any(|(arn, of)| *arn == service && pattern::matches(&prefix, of));
        !action.traits.contains(ActionTraits::ANY_RESOURCE_ONLY)
            && (also || pattern::matches(&prefix, service))
    })
}

/// Whether a Deny takes the denied resource from every action of the statement.
fn is_taken(allowed: &Allowing<'_>, refusals: &Denies<'_>, denied: &str) -> bool {
    let actions = &allowed.statement.actions;
    if allowed.statement.not_actions.is_empty() {
        actions.iter().all(|action| refusals.take_on(&action.text, denied))
    } else {
        refusals.take_on("*", denied)
    }
}

/// Takes entries out that are denied as a whole; else denies beside them what is denied here.
fn patch(allowed: &Allowing<'_>, indices: &[usize], met: &[&str]) -> Option<Patch> {
    let resources = &allowed.statement.resources;
    let is_within = |index: &usize| {
        resources
            .get(*index)
            .is_some_and(|resource| met.iter().any(|denied| covers_resource(denied, resource)))
    };
    let patch = Patch::on(allowed.index);
    let out = (!indices.is_empty() && indices.iter().all(is_within))
        .then(|| patch.clone().without_resources(allowed.document, allowed.statement, indices))
        .flatten();
    out.or_else(|| patch.with_deny(allowed.document, &["*"], met))
}
