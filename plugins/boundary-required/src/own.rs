//! `boundary-missing` and `boundary-not-allowed`: the boundary of the role's own users. Sessions have none, and a bare
//! document has no role around it: neither is asked.

use leasehold_guardrail_sdk::words::listed;
use leasehold_guardrail_sdk::{Finding, Grant, Source};

use crate::rules;
use crate::settings::Settings;

/// The one credential type whose identity the broker makes, so that it can have a boundary.
const IAM_USER: &str = "iam_user";

/// What is wrong with the role's own boundary.
pub(crate) fn finding(grant: &Grant, settings: &Settings) -> Option<Finding> {
    let role = grant.role.as_ref().filter(|role| role.credential_type == IAM_USER)?;
    let names: Vec<&str> = settings.boundaries.iter().map(String::as_str).collect();
    let help = if names.is_empty() {
        "set `permissions_boundary_arn` on the role".to_owned()
    } else {
        format!("set `permissions_boundary_arn` on the role to {}", listed(&names))
    };
    let Some(boundary) = &grant.boundary else {
        return settings.requires(grant).then(|| {
            let message = format!("the users of role `{}` have no permissions boundary", role.name);
            rules::BOUNDARY_MISSING.finding(message).remediation(help)
        });
    };
    match &boundary.source {
        Source::Managed(arn) if !settings.allows(arn) => {
            let message = format!("the permissions boundary `{arn}` is not on the list");
            Some(rules::BOUNDARY_NOT_ALLOWED.finding(message).remediation(help))
        }
        Source::Managed(_) | Source::Inline | Source::Group(_) | Source::Session | Source::Bare => {
            None
        }
    }
}
