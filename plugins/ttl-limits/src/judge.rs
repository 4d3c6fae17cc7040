//! Compares the longest life of a role's credentials with the limits that its grant falls under. Of the limits by grade
//! only the worst that is broken is reported; its places are the entries that put the grant there. What a Deny takes
//! away as a whole does not count.

use leasehold_guardrail_sdk::grade::{self, Grade};
use leasehold_guardrail_sdk::overlap::overlaps_action;
use leasehold_guardrail_sdk::words::listed;
use leasehold_guardrail_sdk::{Denies, Finding, Grant, KnownRule, Location, RoleContext};

use crate::rules;
use crate::settings::Settings;

/// Places of one finding; more say nothing new.
const MAX_PLACES: usize = 16;

/// Every limit that is broken.
pub(crate) fn findings(grant: &Grant, role: &RoleContext, settings: &Settings) -> Vec<Finding> {
    let Some(ttl) = role.max_ttl_seconds.or(settings.when_not_set_seconds) else {
        let message =
            format!("nothing says how long credentials of role `{}` live at most", role.name);
        let help = format!("set `{}` on the role", field(role));
        return vec![rules::TTL_NOT_SET.finding(message).remediation(help)];
    };
    let worst = grade::worst(grant);
    let by_grade = [
        (
            Grade::Permissions,
            rules::TTL_TOO_LONG_FOR_PERMISSIONS,
            "credentials that manage permissions",
        ),
        (Grade::Writes, rules::TTL_TOO_LONG_TO_WRITE, "credentials that write"),
        (Grade::Reads, rules::TTL_TOO_LONG, "credentials"),
    ];
    let broken = by_grade.into_iter().filter(|(grade, _, _)| *grade <= worst).find_map(
        |(grade, rule, whose)| {
            let limit = settings.limit(&role.credential_type, grade)?;
            (ttl > limit)
                .then(|| found(&rule, (ttl, limit), field(role), whose, places(grant, grade)))
        },
    );
    let by_action =
        settings.actions.iter().filter(|limit| ttl > limit.max_ttl_seconds).filter_map(|limit| {
            let places = places_of(grant, &limit.actions);
            let names: Vec<&str> = limit.actions.iter().map(String::as_str).collect();
            let whose = format!("credentials with {}", listed(&names));
            let broken = rules::TTL_TOO_LONG_FOR_ACTIONS;
            (!places.is_empty())
                .then(|| found(&broken, (ttl, limit.max_ttl_seconds), field(role), &whose, places))
        });
    broken.into_iter().chain(by_action).collect()
}

/// What the role sets it by: sessions have a field of their own.
fn field(role: &RoleContext) -> &'static str {
    if role.credential_type == "iam_user" { "max_ttl" } else { "max_sts_ttl" }
}

fn found(
    rule: &KnownRule,
    (ttl, limit): (u64, u64),
    field: &str,
    whose: &str,
    places: Vec<Location>,
) -> Finding {
    let message = format!("{whose} may live {} at most, these live {}", words(limit), words(ttl));
    let finding = rule
        .finding(message)
        .remediation(format!("set `{field}` on the role to {limit}s or less, or grant less"));
    places.into_iter().take(MAX_PLACES).fold(finding, Finding::at)
}

/// The entries of this grade or worse; for reading alone the role as a whole.
fn places(grant: &Grant, least: Grade) -> Vec<Location> {
    if least == Grade::Reads {
        return Vec::new();
    }
    let entries = grade::in_force(grant).into_iter().filter(|one| grade::of(one.action) >= least);
    negated(grant).chain(entries.map(|one| one.location())).collect()
}

/// The entries that allow something of a list.
fn places_of(grant: &Grant, actions: &[String]) -> Vec<Location> {
    let denies = Denies::of(grant);
    let left: Vec<&String> = actions.iter().filter(|action| !denies.take(action)).collect();
    let entries = grade::in_force(grant)
        .into_iter()
        .filter(|one| left.iter().any(|action| overlaps_action(&one.action.text, action)));
    let out = grant.statements().filter(|(_, statement)| {
        statement.allows()
            && !statement.not_actions.is_empty()
            && left.iter().any(|action| {
                !statement
                    .not_actions
                    .iter()
                    .any(|out| leasehold_guardrail_sdk::pattern::covers_action(&out.text, action))
            })
    });
    let out =
        out.map(|(document, one)| Location { document, pointer: one.element_pointer("NotAction") });
    out.chain(entries.map(|one| one.location())).collect()
}

fn negated(grant: &Grant) -> impl Iterator<Item = Location> + '_ {
    grant
        .statements()
        .filter(|(_, statement)| statement.allows() && !statement.not_actions.is_empty())
        .map(|(document, statement)| Location {
            document,
            pointer: statement.element_pointer("NotAction"),
        })
}

/// `90 s`, `15 min`, `12 h`, `30 days`.
fn words(seconds: u64) -> String {
    for (unit, name) in [(86_400, "days"), (3_600, "h"), (60, "min")] {
        if seconds >= 2 * unit && seconds.is_multiple_of(unit) || seconds == unit && name != "days"
        {
            return format!("{} {name}", seconds / unit);
        }
    }
    format!("{seconds} s")
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_life_is_said_in_its_largest_whole_unit() {
        let said = [90, 900, 3_600, 43_200, 86_400, 2_592_000].map(words);
        assert_eq!(said, ["90 s", "15 min", "1 h", "12 h", "24 h", "30 days"]);
    }
}
