//! `mfa-or-source-missing`, `mfa-missing` and `source-missing`: sensitive entries that no bound holds, one finding for
//! each statement. A patch is offered where a condition would bind nothing but what is found.

use leasehold_guardrail_sdk::serde_json::json;
use leasehold_guardrail_sdk::words::{listed, verb};
use leasehold_guardrail_sdk::{Denies, Finding, Grant, KnownRule, Location, Patch, Statement};

use crate::guards::{self, MFA_PRESENT, SOURCE_IP};
use crate::rules;
use crate::settings::{Require, Settings};

/// The one credential type that can carry MFA: the others are made by the broker, which has no device.
pub(crate) const WITH_MFA: &str = "session_token";

/// What of a bound is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Either,
    Mfa,
    Source,
}

/// Every finding.
pub(crate) fn findings(grant: &Grant, settings: &Settings) -> Vec<Finding> {
    let denies = Denies::of(grant);
    let allowing = grant.statements().filter(|(_, statement)| statement.allows());
    allowing
        .flat_map(|(document, statement)| {
            in_statement(grant, document, statement, &denies, settings)
        })
        .collect()
}

fn in_statement(
    grant: &Grant,
    document: u32,
    statement: &Statement,
    denies: &Denies<'_>,
    settings: &Settings,
) -> Vec<Finding> {
    let kinds: &[Missing] = match settings.require {
        Require::Either => &[Missing::Either],
        Require::Mfa => &[Missing::Mfa],
        Require::Source => &[Missing::Source],
        Require::Both => &[Missing::Mfa, Missing::Source],
        Require::Nothing => &[],
    };
    let lacks = |missing: Missing, action: &str| {
        let mfa = || guards::has_mfa(statement, action, denies);
        let source = || guards::has_source(statement, action, denies, settings);
        !match missing {
            Missing::Either => mfa() || source(),
            Missing::Mfa => mfa(),
            Missing::Source => source(),
        }
    };
    let of = |missing: Missing| {
        if !statement.not_actions.is_empty() {
            // Grants whatever it does not name, sensitive or not.
            let open = !denies.take("*") && lacks(missing, "*");
            return open.then(|| {
                let place = Location { document, pointer: statement.element_pointer("NotAction") };
                found(grant, missing, "`NotAction`", "allows").at(place)
            });
        }
        let mut entries = Vec::new();
        for (index, action) in statement.actions.iter().enumerate() {
            let text = action.text.as_str();
            if settings.is_sensitive(action) && !denies.take(text) && lacks(missing, text) {
                entries.push(index);
            }
        }
        let texts = entries.iter().filter_map(|index| statement.actions.get(*index));
        let names: Vec<&str> = texts.map(|action| action.text.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        let mut finding =
            found(grant, missing, &listed(&names), verb(&names, "is allowed", "are allowed"));
        for index in &entries {
            let pointer = statement.action_pointer(*index);
            finding = finding.at(Location { document, pointer });
        }
        let whole = entries.len() == statement.actions.len();
        finding.patch =
            whole.then(|| patch(grant, document, statement, missing, settings)).flatten();
        Some(finding)
    };
    kinds.iter().copied().filter_map(of).collect()
}

fn found(grant: &Grant, missing: Missing, subject: &str, verb: &str) -> Finding {
    let without_mfa = grant.role.as_ref().is_some_and(|role| role.credential_type != WITH_MFA);
    let (rule, what, help): (KnownRule, _, _) = match missing {
        Missing::Either if without_mfa => (
            rules::MFA_OR_SOURCE_MISSING,
            "from anywhere",
            "add a condition on `aws:SourceIp`, `aws:SourceVpc` or `aws:SourceVpce`; credentials of this type carry no MFA",
        ),
        Missing::Either => (
            rules::MFA_OR_SOURCE_MISSING,
            "without MFA and from anywhere",
            "add a condition `Bool` on `aws:MultiFactorAuthPresent`, or one on `aws:SourceIp`, `aws:SourceVpc` or `aws:SourceVpce`",
        ),
        Missing::Mfa if without_mfa => (
            rules::MFA_MISSING,
            "without MFA",
            "give this to a role of type `session_token`: credentials of this type carry no MFA",
        ),
        Missing::Mfa => (
            rules::MFA_MISSING,
            "without MFA",
            "add a condition `Bool` on `aws:MultiFactorAuthPresent` with `true`",
        ),
        Missing::Source => (
            rules::SOURCE_MISSING,
            "from anywhere",
            "add a condition on `aws:SourceIp`, `aws:SourceVpc` or `aws:SourceVpce`",
        ),
    };
    let noun = if subject == "`NotAction`" { " what is sensitive" } else { "" };
    rule.finding(format!("{subject} {verb}{noun} {what}")).remediation(help)
}

/// A condition with the known networks, else with MFA where these credentials can carry it.
fn patch(
    grant: &Grant,
    document: u32,
    statement: &Statement,
    missing: Missing,
    settings: &Settings,
) -> Option<Patch> {
    let can_mfa = grant.role.as_ref().is_none_or(|role| role.credential_type == WITH_MFA);
    let known = !settings.networks.is_empty() && statement.condition_on(SOURCE_IP).is_none();
    let with_mfa = can_mfa && statement.condition_on(MFA_PRESENT).is_none();
    let patch = Patch::on(document);
    match missing {
        Missing::Either | Missing::Source if known => {
            let networks = json!(settings.networks);
            Some(patch.with_condition(statement, "IpAddress", SOURCE_IP, &networks))
        }
        Missing::Either | Missing::Mfa if with_mfa => {
            Some(patch.with_condition(statement, "Bool", MFA_PRESENT, &json!("true")))
        }
        Missing::Either | Missing::Mfa | Missing::Source => None,
    }
}
