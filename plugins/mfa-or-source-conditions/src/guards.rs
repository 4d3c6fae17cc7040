//! What counts as a bound: a condition of the Allow that does not hold without MFA, or from elsewhere; or a Deny that
//! fires whenever there is no MFA, or from elsewhere. Whatever also holds on an absent key is no bound of an Allow,
//! and whatever does not fire on an absent key is no bound by a Deny.

use leasehold_guardrail_sdk::{Condition, Denies, Statement, pattern};

use crate::settings::Settings;

pub(crate) const MFA_PRESENT: &str = "aws:MultiFactorAuthPresent";
pub(crate) const MFA_AGE: &str = "aws:MultiFactorAuthAge";
pub(crate) const SOURCE_IP: &str = "aws:SourceIp";
/// Conditions that narrow a Deny by source to calls of the caller's own, as AWS advises: services that call for the
/// caller come from elsewhere.
const OWN_CALLS: [&str; 2] = ["aws:ViaAWSService", "aws:PrincipalIsAWSService"];

/// Whether MFA bounds an action of the statement.
pub(crate) fn has_mfa(statement: &Statement, action: &str, denies: &Denies<'_>) -> bool {
    statement.conditions.iter().any(needs_mfa)
        || denies.take_unless(action, |conditions| match conditions {
            [one] => fires_without_mfa(one),
            _ => false,
        })
}

/// Whether an Allow's condition holds with MFA only.
pub(crate) fn needs_mfa(condition: &Condition) -> bool {
    let test = condition.test();
    condition.bounds(MFA_PRESENT, |value| value == "true")
        || (condition.is_on(MFA_AGE)
            && (test.is("NumericLessThan") || test.is("NumericLessThanEquals"))
            && !test.if_exists
            && !test.for_all)
}

/// Whether a Deny's condition holds whenever there is no MFA, also where the key is absent.
fn fires_without_mfa(condition: &Condition) -> bool {
    let test = condition.test();
    let is = |wanted: &str| condition.values.iter().all(|value| value == wanted);
    condition.is_on(MFA_PRESENT)
        && test.is("Bool")
        && test.if_exists
        && !test.for_any
        && is("false")
}

/// Whether where the caller is bounds an action of the statement.
pub(crate) fn has_source(
    statement: &Statement,
    action: &str,
    denies: &Denies<'_>,
    settings: &Settings,
) -> bool {
    statement.conditions.iter().any(|one| needs_source(one, settings))
        || denies.take_unless(action, |conditions| {
            let mut sources = 0_u32;
            let only_elsewhere = conditions.iter().all(|one| {
                let source = spares_sources(one, settings);
                sources = sources.saturating_add(u32::from(source));
                source || is_own_call(one)
            });
            // All of them must fail at once for the Deny to fire, so each alone lets a known source pass.
            only_elsewhere && sources > 0
        })
}

/// Whether an Allow's condition holds from known sources only.
fn needs_source(condition: &Condition, settings: &Settings) -> bool {
    condition.bounds(SOURCE_IP, |value| settings.allows_network(value))
        || settings.sources.iter().any(|(key, values)| {
            condition.bounds(key, |value| values.iter().any(|one| pattern::covers(one, value)))
        })
}

fn spares_sources(condition: &Condition, settings: &Settings) -> bool {
    condition.spares_only(SOURCE_IP, |value| settings.allows_network(value))
        || settings.sources.iter().any(|(key, values)| {
            condition.spares_only(key, |value| values.iter().any(|one| pattern::covers(one, value)))
        })
}

fn is_own_call(condition: &Condition) -> bool {
    OWN_CALLS.iter().any(|key| condition.is_on(key))
        && condition.test().is("Bool")
        && condition.values.iter().all(|value| value == "false")
}
