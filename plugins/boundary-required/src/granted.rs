//! What a role may do in IAM that would get around a boundary: make or feed an identity without one, take one off,
//! rewrite the policy that is one. An action counts unless a condition on `iam:PermissionsBoundary` bounds it, or a Deny
//! takes it away, as a whole or wherever the boundary is another. Keys of the service are in AWS's reference of IAM.

use leasehold_guardrail_sdk::overlap::overlaps_resource;
use leasehold_guardrail_sdk::serde_json::{Value, json};
use leasehold_guardrail_sdk::words::{listed, verb};
use leasehold_guardrail_sdk::{
    ActionRef, Denies, Finding, Grant, KnownRule, Location, Patch, Source, Statement, pattern,
    string_operator,
};

use crate::rules;
use crate::settings::Settings;

const KEY: &str = "iam:PermissionsBoundary";

/// Make an identity; the key holds the boundary that the request names.
const CREATE: [&str; 2] = ["iam:CreateRole", "iam:CreateUser"];
/// Give an identity policies; the key holds the boundary that it has.
const GRANT: [&str; 4] =
    ["iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy"];
/// Put a boundary on in place of another; the key holds the one that the request names.
const REPLACE: [&str; 2] = ["iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary"];
/// Take a boundary off: no condition makes that harmless.
const REMOVE: [&str; 2] =
    ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"];
/// Rewrite a policy. (One that is a boundary cannot be deleted.)
const EDIT: [&str; 2] = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"];

/// What gets around a boundary.
#[derive(Debug, Clone, Copy)]
enum Hole {
    Creates,
    Grants,
    Removes,
    Edits,
}

impl Hole {
    fn rule(self) -> KnownRule {
        match self {
            Self::Creates => rules::CREATES_WITHOUT_BOUNDARY,
            Self::Grants => rules::GRANTS_WITHOUT_BOUNDARY,
            Self::Removes => rules::REMOVES_BOUNDARY,
            Self::Edits => rules::EDITS_BOUNDARY,
        }
    }

    /// The end of the sentence that begins with the actions.
    fn does(self, actions: &[&str]) -> String {
        let (verb, object) = match self {
            Self::Creates => (
                verb(actions, "makes an identity", "make identities"),
                "that need have no boundary",
            ),
            Self::Grants => (
                verb(actions, "gives", "give"),
                "policies to identities that need have no boundary",
            ),
            Self::Removes => (verb(actions, "lifts", "lift"), "the boundary of an identity"),
            Self::Edits => (verb(actions, "rewrites", "rewrite"), "the policy that is a boundary"),
        };
        format!("{verb} {object}")
    }

    fn help(self) -> &'static str {
        match self {
            Self::Creates | Self::Grants => {
                "add a condition `StringEquals` on `iam:PermissionsBoundary` with the boundary that they must have"
            }
            Self::Removes => {
                "remove the action, or bound `Put…PermissionsBoundary` by a condition on `iam:PermissionsBoundary`"
            }
            Self::Edits => {
                "name the policies in `Resource` so that no boundary is among them, or add a Deny on the boundaries"
            }
        }
    }
}

/// Every finding, statement by statement.
pub(crate) fn findings(grant: &Grant, settings: &Settings) -> Vec<Finding> {
    if !settings.for_what_is_created {
        return Vec::new();
    }
    let judge = Judge { grant, settings, denies: Denies::of(grant) };
    let allowing = grant.statements().filter(|(_, statement)| statement.allows());
    allowing.flat_map(|(document, statement)| judge.statement(document, statement)).collect()
}

struct Judge<'a> {
    grant: &'a Grant,
    settings: &'a Settings,
    denies: Denies<'a>,
}

impl Judge<'_> {
    fn statement(&self, document: u32, statement: &Statement) -> Vec<Finding> {
        let open = |actions: &[&'static str]| -> Vec<&'static str> {
            actions.iter().copied().filter(|action| self.is_open(statement, action)).collect()
        };
        let mut removing: Vec<&'static str> =
            REMOVE.into_iter().filter(|action| self.is_allowed(statement, action)).collect();
        removing.extend(open(&REPLACE));
        let editing: Vec<&'static str> =
            EDIT.into_iter().filter(|action| self.edits(statement, action)).collect();
        [
            self.finding(Hole::Creates, document, statement, &open(&CREATE)),
            self.finding(Hole::Grants, document, statement, &open(&GRANT)),
            self.finding(Hole::Removes, document, statement, &removing),
            self.finding(Hole::Edits, document, statement, &editing),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether the statement lets an action be done, and no Deny takes it away.
    fn is_allowed(&self, statement: &Statement, action: &str) -> bool {
        let names =
            |list: &[ActionRef]| list.iter().any(|one| pattern::matches_action(&one.text, action));
        let reached = if statement.not_actions.is_empty() {
            names(&statement.actions)
        } else {
            !names(&statement.not_actions)
        };
        reached && reaches_identities(statement) && !self.denies.take(action)
    }

    /// The same, whatever the boundary of the identity is.
    fn is_open(&self, statement: &Statement, action: &str) -> bool {
        let allowed = |boundary: &str| self.settings.allows(boundary);
        self.is_allowed(statement, action)
            && !statement.conditions.iter().any(|one| one.bounds(KEY, allowed))
            && !self.denies.take_unless(action, |conditions| {
                !conditions.is_empty() && conditions.iter().all(|one| one.spares_only(KEY, allowed))
            })
    }

    /// Whether the statement lets a policy be rewritten that is a boundary.
    fn edits(&self, statement: &Statement, action: &str) -> bool {
        let own = self.grant.boundary.iter().filter_map(|boundary| match &boundary.source {
            Source::Managed(arn) => Some(arn),
            Source::Inline | Source::Group(_) | Source::Session | Source::Bare => None,
        });
        let mut boundaries = own.chain(&self.settings.boundaries);
        self.is_allowed(statement, action)
            && boundaries.any(|boundary| {
                !self.denies.take_on(action, boundary)
                    && if statement.not_resources.is_empty() {
                        statement.resources.iter().any(|one| overlaps_resource(one, boundary))
                    } else {
                        !statement.not_resources.iter().any(|out| pattern::covers(out, boundary))
                    }
            })
    }

    fn finding(
        &self,
        hole: Hole,
        document: u32,
        statement: &Statement,
        actions: &[&str],
    ) -> Option<Finding> {
        if actions.is_empty() {
            return None;
        }
        let message = format!("{} {}", listed(actions), hole.does(actions));
        let mut finding = hole.rule().finding(message).remediation(hole.help());
        for pointer in places(statement, actions) {
            finding = finding.at(Location { document, pointer });
        }
        finding.patch = self.patch(hole, document, statement, actions);
        Some(finding)
    }

    /// A condition, where it would bind nothing but what is found; a Deny on what takes boundaries off.
    fn patch(
        &self,
        hole: Hole,
        document: u32,
        statement: &Statement,
        actions: &[&str],
    ) -> Option<Patch> {
        let patch = Patch::on(document);
        let index = usize::try_from(document).ok()?;
        let whole = self.grant.documents.get(index)?;
        match hole {
            Hole::Creates | Hole::Grants => {
                let only_these = !statement.actions.is_empty()
                    && statement.actions.iter().all(|one| {
                        CREATE.iter().chain(&GRANT).any(|name| name.eq_ignore_ascii_case(&one.text))
                    });
                let boundaries = &self.settings.boundaries;
                let free = statement.condition_on(KEY).is_none() && !boundaries.is_empty();
                let operator = string_operator(boundaries.iter().map(String::as_str));
                (only_these && free)
                    .then(|| patch.with_condition(statement, operator, KEY, &value(boundaries)))
            }
            Hole::Edits => {
                let boundaries: Vec<&str> =
                    self.settings.boundaries.iter().map(String::as_str).collect();
                let known = self.grant.boundary.is_none() && !boundaries.is_empty();
                known.then(|| patch.with_deny(whole, &EDIT, &boundaries))?
            }
            Hole::Removes => patch.with_deny(whole, actions, &["*"]),
        }
    }
}

fn value(boundaries: &[String]) -> Value {
    match boundaries {
        [one] => json!(one),
        several => json!(several),
    }
}

/// Whether its resources can be users, roles or policies at all.
fn reaches_identities(statement: &Statement) -> bool {
    !statement.not_resources.is_empty()
        || statement.resources.iter().any(|one| overlaps_resource(one, "arn:*:iam::*:*"))
}

/// The entries that cover one of the actions.
fn places(statement: &Statement, actions: &[&str]) -> Vec<String> {
    if !statement.not_actions.is_empty() {
        return vec![statement.element_pointer("NotAction")];
    }
    let covers = |text: &str| actions.iter().any(|action| pattern::matches_action(text, action));
    let entries = statement.actions.iter().enumerate().filter(|(_, one)| covers(&one.text));
    entries.map(|(index, _)| statement.action_pointer(index)).collect()
}
