//! `denied-action` and `denied-service`: an Allow that covers an action of a list, in any spelling, unless a Deny without
//! conditions takes it away. Where an entry and the list are both patterns, it counts what actions there are: the
//! catalogue is asked, and what it cannot say in full counts as there.

use leasehold_guardrail_sdk::overlap::overlaps_action;
use leasehold_guardrail_sdk::words::listed;
use leasehold_guardrail_sdk::{Denies, Finding, KnownRule, Location, Patch, catalogue, pattern};

use crate::settings::Settings;
use crate::{Allowing, rules};

/// Names asked of the catalogue at once; the host gives no more.
const MAX_NAMES: u32 = 500;

/// The known actions that a pattern covers, or `None` where there are more than can be told.
pub(crate) type Known = dyn Fn(&str) -> Option<Vec<String>>;

/// Asks the host's catalogue.
pub(crate) fn known(pattern: &str) -> Option<Vec<String>> {
    let expansion = catalogue::expand(pattern, MAX_NAMES);
    let told = u32::try_from(expansion.actions.len()).unwrap_or(u32::MAX);
    (told == expansion.total).then_some(expansion.actions)
}

/// Findings of both rules in one statement.
pub(crate) fn findings(
    allowed: &Allowing<'_>,
    refusals: &Denies<'_>,
    settings: &Settings,
    known: &Known,
) -> Vec<Finding> {
    let services: Vec<String> =
        settings.denied_services.iter().map(|service| format!("{service}:*")).collect();
    [(rules::DENIED_ACTION, &settings.denied_actions), (rules::DENIED_SERVICE, &services)]
        .into_iter()
        .filter_map(|(rule, denied)| in_statement(&rule, allowed, refusals, denied, known))
        .collect()
}

fn in_statement(
    rule: &KnownRule,
    allowed: &Allowing<'_>,
    refusals: &Denies<'_>,
    denied: &[String],
    known: &Known,
) -> Option<Finding> {
    let denied: Vec<&str> =
        denied.iter().map(String::as_str).filter(|one| !refusals.take(one)).collect();
    let hits = Hits::of(allowed, refusals, &denied, known);
    let first = hits.entries.first().copied();
    let (subject, places) = if allowed.statement.not_actions.is_empty() {
        let first = allowed.statement.actions.get(first?)?;
        let places = hits.entries.iter().map(|index| allowed.statement.action_pointer(*index));
        (format!("`{}`", first.text), places.collect())
    } else {
        let place = allowed.statement.element_pointer("NotAction");
        ("`NotAction`".to_owned(), vec![place])
    };
    let (first_denied, _) = hits.denied.split_first()?;
    let same = subject.trim_matches('`').eq_ignore_ascii_case(first_denied);
    let message = if same && hits.denied.len() == 1 {
        format!("{subject} is denied here")
    } else {
        format!("{subject} allows {}, denied here", listed(&hits.denied))
    };
    let mut finding = rule
        .finding(message)
        .remediation("remove the entry, or add a Deny without conditions for what is denied here");
    for pointer in places {
        finding = finding.at(Location { document: allowed.index, pointer });
    }
    finding.patch = patch(allowed, &hits);
    Some(finding)
}

/// What of a statement meets a list.
#[derive(Debug, Default)]
struct Hits<'a> {
    /// Indices of the `Action` entries.
    entries: Vec<usize>,
    /// Entries of the list.
    denied: Vec<&'a str>,
    /// Whether every such entry is within the list, so that taking it out takes nothing else away.
    within: bool,
}

impl<'a> Hits<'a> {
    fn of(
        allowed: &Allowing<'_>,
        refusals: &Denies<'_>,
        denied: &[&'a str],
        known: &Known,
    ) -> Self {
        let mut hits = Self { within: true, ..Self::default() };
        let statement = allowed.statement;
        if !statement.not_actions.is_empty() {
            hits.within = false;
            let open = denied.iter().filter(|one| is_left_open(allowed, refusals, one, known));
            hits.denied.extend(open);
            return hits;
        }
        for (index, action) in statement.actions.iter().enumerate() {
            let meets = |one: &&&str| meets(&action.text, refusals, one, known);
            let met: Vec<&str> = denied.iter().filter(meets).copied().collect();
            if met.is_empty() || refusals.take(&action.text) {
                continue;
            }
            hits.entries.push(index);
            hits.within &= met.iter().any(|one| pattern::covers_action(one, &action.text));
            for one in met {
                if !hits.denied.contains(&one) {
                    hits.denied.push(one);
                }
            }
        }
        hits
    }
}

/// Whether an entry that is not taken away as a whole allows something of a denied name or pattern that is not either.
fn meets(entry: &str, refusals: &Denies<'_>, denied: &str, known: &Known) -> bool {
    if !overlaps_action(entry, denied) {
        return false;
    }
    if !pattern::has_wildcard(entry) || !pattern::has_wildcard(denied) {
        return true;
    }
    if pattern::is_everything(entry) || pattern::covers_action(denied, entry) {
        return true;
    }
    match known(entry) {
        Some(names) => {
            names.iter().any(|name| pattern::matches_action(denied, name) && !refusals.take(name))
        }
        None => true,
    }
}

/// Whether `NotAction` leaves something of a denied name or pattern allowed.
fn is_left_open(
    allowed: &Allowing<'_>,
    refusals: &Denies<'_>,
    denied: &str,
    known: &Known,
) -> bool {
    let spared = &allowed.statement.not_actions;
    let is_out = |name: &str| {
        refusals.take(name) || spared.iter().any(|one| pattern::covers_action(&one.text, name))
    };
    if spared.iter().any(|one| pattern::covers_action(&one.text, denied)) {
        return false;
    }
    if !pattern::has_wildcard(denied) {
        return true;
    }
    known(denied).is_none_or(|names| names.iter().any(|name| !is_out(name)))
}

/// Takes entries out that are denied as a whole; denies beside the others what is denied here.
fn patch(allowed: &Allowing<'_>, hits: &Hits<'_>) -> Option<Patch> {
    let patch = Patch::on(allowed.index);
    let out = hits
        .within
        .then(|| patch.clone().without_actions(allowed.document, allowed.statement, &hits.entries))
        .flatten();
    out.or_else(|| {
        let denied = writable(allowed, hits)?;
        let denied: Vec<&str> = denied.iter().map(String::as_str).collect();
        patch.with_deny(allowed.document, &denied, &["*"])
    })
}

/// What is denied as a document may have it: no wildcard stands in a service, so those of the entries stand there.
fn writable(allowed: &Allowing<'_>, hits: &Hits<'_>) -> Option<Vec<String>> {
    let entries = || hits.entries.iter().filter_map(|index| allowed.statement.actions.get(*index));
    let mut written = Vec::new();
    for denied in &hits.denied {
        let (service, name) = denied.split_once(':')?;
        if !pattern::has_wildcard(service) {
            written.push((*denied).to_owned());
            continue;
        }
        if hits.entries.is_empty() {
            return None;
        }
        for entry in entries() {
            let (own, _) = entry.text.split_once(':')?;
            if pattern::matches_action(service, own) {
                written.push(format!("{own}:{name}"));
            }
        }
    }
    written.dedup();
    Some(written)
}
