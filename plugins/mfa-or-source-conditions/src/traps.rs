//! Conditions that look like a bound and are none: `…IfExists` in an Allow, `Bool` without it in a Deny, MFA of
//! credentials that never carry it, networks that are everything, or that AWS never sees.
//! Each is found wherever it stands, sensitive or not: its author meant it to hold.

use leasehold_guardrail_sdk::{Condition, Finding, Grant, Location};

use crate::cidr::Network;
use crate::guards::{self, MFA_AGE, MFA_PRESENT, SOURCE_IP};
use crate::rules;
use crate::sensitive::WITH_MFA;
use crate::settings::Settings;

/// Every finding.
pub(crate) fn findings(grant: &Grant, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (document, statement) in grant.statements() {
        for condition in &statement.conditions {
            let found = if statement.allows() {
                in_allow(grant, condition, settings)
            } else {
                in_deny(condition)
            };
            let pointer = statement.condition_pointer(condition);
            let place =
                |finding: Finding| finding.at(Location { document, pointer: pointer.clone() });
            findings.extend(found.into_iter().map(place));
        }
    }
    findings
}

fn in_allow(grant: &Grant, condition: &Condition, settings: &Settings) -> Vec<Finding> {
    let test = condition.test();
    let key = condition.key.as_str();
    let operator = condition.operator.as_str();
    let is_mfa = condition.is_on(MFA_PRESENT) || condition.is_on(MFA_AGE);
    let is_source =
        condition.is_on(SOURCE_IP) || settings.sources.keys().any(|one| condition.is_on(one));
    let holds_without = (test.if_exists || test.for_all) && !test.is("Null");
    let mut findings = Vec::new();
    if is_mfa && holds_without {
        let message = format!("`{operator}` on `{key}` also holds for requests without MFA");
        let help = format!("use `{}` in an Allow", test.name);
        findings.push(rules::MFA_HOLDS_WITHOUT.finding(message).remediation(help));
    } else if guards::needs_mfa(condition) {
        findings.extend(never_present(grant));
    }
    if is_source && holds_without && !test.is_negated() {
        let message =
            format!("`{operator}` on `{key}` also holds for requests that have no such key");
        let help = format!("use `{}` in an Allow", test.name);
        findings.push(rules::SOURCE_HOLDS_WITHOUT.finding(message).remediation(help));
    }
    if condition.is_on(SOURCE_IP) && test.is("IpAddress") {
        findings.extend(networks(condition, settings));
    }
    findings
}

fn never_present(grant: &Grant) -> Option<Finding> {
    let role = grant.role.as_ref().filter(|role| role.credential_type != WITH_MFA)?;
    let message = format!(
        "credentials of type `{}` carry no MFA, so that this statement never allows anything",
        role.credential_type
    );
    let help = "remove the statement, give it to a role of type `session_token`, or bound it by where the caller is";
    Some(rules::MFA_NEVER_PRESENT.finding(message).remediation(help))
}

fn networks(condition: &Condition, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let read = |text: &&String| Network::parse(text);
    let values = || condition.values.iter();
    let wide = values().find(|text| {
        !settings.allows_network(text) && read(text).is_some_and(|one| !one.is_private())
    });
    if let Some(wide) = wide {
        let (message, help) = if settings.networks.is_empty() {
            (format!("`{wide}` is every address"), "name the networks that callers are in")
        } else {
            (
                format!("`{wide}` is not within the networks that may be named"),
                "name a network of the settings' list, or have it added there",
            )
        };
        findings.push(rules::SOURCE_TOO_WIDE.finding(message).remediation(help));
    }
    if let Some(private) = values().find(|text| read(text).is_some_and(|one| one.is_private())) {
        let message =
            format!("`{private}` is private: `aws:SourceIp` holds the address that AWS sees");
        let help = "name the address of the gateway, or use `aws:SourceVpc`, `aws:SourceVpce` or `aws:VpcSourceIp`";
        findings.push(rules::SOURCE_PRIVATE.finding(message).remediation(help));
    }
    findings
}

fn in_deny(condition: &Condition) -> Vec<Finding> {
    let test = condition.test();
    let misses = condition.is_on(MFA_PRESENT)
        && test.is("Bool")
        && !test.if_exists
        && condition.values.iter().all(|value| value == "false");
    let finding = misses.then(|| {
        let message =
            "`Bool` does not hold where `aws:MultiFactorAuthPresent` is absent, as it is for access keys";
        rules::MFA_DENY_MISSES_KEYS.finding(message).remediation("use `BoolIfExists` in a Deny")
    });
    finding.into_iter().collect()
}
