//! `denied-policy`: managed policies by their ARN, whatever they say; also as the policy of a group that the role joins,
//! where the source names it by ARN. What a policy says is for the other rules.

use leasehold_guardrail_sdk::{Finding, Grant, Location, Source, pattern};

use crate::rules;
use crate::settings::Settings;

/// Every document that comes from a denied policy.
pub(crate) fn findings(grant: &Grant, settings: &Settings) -> Vec<Finding> {
    let in_document = |(document, source): (u32, &Source)| {
        let arn = match source {
            Source::Managed(arn) => arn,
            Source::Group(group) => &group.policy,
            Source::Inline | Source::Session | Source::Bare => return None,
        };
        let denied = settings.denied_policies.iter().find(|one| pattern::matches(one, arn))?;
        let by = if denied == arn { String::new() } else { format!(" by `{denied}`") };
        let finding = rules::DENIED_POLICY
            .finding(format!("the managed policy `{arn}` is denied here{by}"))
            .at(Location { document, pointer: String::new() });
        Some(finding.remediation("attach another policy, or write what the task needs inline"))
    };
    grant
        .indexed_documents()
        .filter_map(|(index, document)| in_document((index, &document.source)))
        .collect()
}
