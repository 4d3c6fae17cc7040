//! Ways that depend on the grant itself: roles that may be assumed in chains, policies whose Deny can be got rid of, and
//! the boundary's own versions.

use leasehold_guardrail_sdk::{Effect, Finding, Grant, KnownRule, Source};

use crate::open::{Open, together};
use crate::reached::{Place, Reached};
use crate::rules;

/// The ids of these ways.
pub(crate) const IDS: [&str; 8] = [
    "assume-any-role",
    "create-boundary-version",
    "set-default-boundary-version",
    "delete-own-deny",
    "detach-own-deny",
    "leave-group-that-denies",
    "delete-group-deny",
    "detach-group-deny",
];

/// One way of this file: its id, its action, its effect, its family.
type Known = (&'static str, &'static str, &'static str, KnownRule);

const ASSUME: Known = (
    "assume-any-role",
    "sts:AssumeRole",
    "become any role that trusts the account, and from there the next",
    rules::ASSUMES_ANY_ROLE,
);
const BOUNDARY: [Known; 2] = [
    (
        "create-boundary-version",
        "iam:CreatePolicyVersion",
        "rewrite the boundary that caps it",
        rules::REWRITES_THE_BOUNDARY,
    ),
    (
        "set-default-boundary-version",
        "iam:SetDefaultPolicyVersion",
        "bring back an older, wider version of the boundary",
        rules::REWRITES_THE_BOUNDARY,
    ),
];
const OWN: Known = (
    "delete-own-deny",
    "iam:DeleteUserPolicy",
    "delete the inline policy that denies it something",
    rules::SHEDS_A_DENY,
);
const MANAGED: Known = (
    "detach-own-deny",
    "iam:DetachUserPolicy",
    "detach the managed policy that denies it something",
    rules::SHEDS_A_DENY,
);
const GROUP: [Known; 3] = [
    (
        "leave-group-that-denies",
        "iam:RemoveUserFromGroup",
        "leave the group that denies it something",
        rules::SHEDS_A_DENY,
    ),
    (
        "delete-group-deny",
        "iam:DeleteGroupPolicy",
        "delete the group's policy that denies it something",
        rules::SHEDS_A_DENY,
    ),
    (
        "detach-group-deny",
        "iam:DetachGroupPolicy",
        "detach the group's policy that denies it something",
        rules::SHEDS_A_DENY,
    ),
];

/// Every such way that is open.
pub(crate) fn findings(reached: &Reached<'_>) -> Vec<Finding> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut add = |known: Known, place: Option<Place>| {
        let (id, action, effect, rule) = known;
        if let Some(place) = place.filter(|_| !reached.settings.allows_way(id)) {
            open.push(Open { id, actions: vec![action], effect, rule, place });
        }
    };
    add(ASSUME, reached.upward(ASSUME.1, &[]));
    if let Some(boundary) = &reached.grant.boundary
        && let Source::Managed(arn) = &boundary.source
    {
        for known in BOUNDARY {
            let allowed = reached.settings.allows_resource(arn);
            add(known, (!allowed).then(|| reached.on(known.1, arn)).flatten());
        }
    }
    for known in shedding(reached.grant) {
        add(known, reached.upward(known.1, &[]));
    }
    together(open.into_iter())
}

/// How the policies that deny something could be got rid of. A session has no policies of its own to change.
fn shedding(grant: &Grant) -> Vec<Known> {
    if grant.role.as_ref().is_some_and(|role| role.credential_type != "iam_user") {
        return Vec::new();
    }
    let mut known: Vec<Known> = Vec::new();
    for document in &grant.documents {
        let denies = document.statements.iter().any(|one| one.effect == Effect::Deny);
        if denies {
            match &document.source {
                Source::Inline => known.push(OWN),
                Source::Managed(_) => known.push(MANAGED),
                Source::Group(_) => known.extend(GROUP),
                Source::Session | Source::Bare => {}
            }
        }
    }
    let mut ids = Vec::new();
    known.retain(|(id, ..)| {
        let new = !ids.contains(id);
        ids.push(*id);
        new
    });
    known
}
