//! The IAM policy that the broker itself needs for the roles there are, and the questions to AWS's simulator that go
//! with it: both are read from the same statements. For the usual roles it is the text that the README gives. Must
//! never ask for more than some role needs.

use std::collections::BTreeSet;

use super::needs::Needs;
use crate::aws::Identity;

/// What the README gives: for roles of IAM users, with `<account_id>`, `<boundary>` and `<broker>` to be filled in.
pub const BROKER_POLICY: &str = include_str!("../broker-policy.json");

/// Characters of a line.
const WIDTH: usize = 110;
/// Stands for what a wildcard may be in a question.
const NOBODY: &str = "doctor-asks-about-nobody";
/// What AWS is told to do with a key of its own user, or of a static role's (`docs/OPERATIONS.md`).
const ROTATES: [&str; 5] = [
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
];

/// Whose policy it is, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Whose<'a>(pub Option<&'a Identity>);

impl Whose<'_> {
    /// `arn:aws:iam::<account>:` and the rest, in the partition of the broker's own principal.
    fn iam(self, rest: &str) -> String {
        let account = self.0.map_or("<account_id>", |identity| identity.account.as_str());
        let partition = self.0.and_then(|identity| identity.arn.split(':').nth(1)).unwrap_or("aws");
        format!("arn:{partition}:iam::{account}:{rest}")
    }

    /// The broker's own user or role.
    fn broker(self) -> String {
        let arn = self.0.map(|identity| principal(&identity.arn));
        let known = arn.filter(|arn| arn.contains(":user/") || arn.contains(":role/"));
        known.unwrap_or_else(|| self.iam("user/<broker>"))
    }
}

/// The simulator knows users and roles; a session is asked about as its role.
pub(super) fn principal(arn: &str) -> String {
    let Some((front, session)) = arn.split_once(":assumed-role/") else {
        return arn.to_owned();
    };
    let role = session.split('/').next().unwrap_or_default();
    format!("{}:role/{role}", front.replacen(":sts:", ":iam:", 1))
}

/// A statement of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    sid: &'static str,
    pub(super) actions: Vec<&'static str>,
    pub(super) resources: Vec<String>,
    /// Of `iam:PermissionsBoundary`; empty where there is no condition.
    boundaries: Vec<String>,
    /// How many resources after one another are places where one thing may be: to be allowed at one is enough.
    places: usize,
}

/// Of a name whose path nobody knows: at none, and at any.
const PATHS: [&str; 2] = ["", "*/"];

impl Statement {
    /// `None` where it would be about nothing.
    fn of(sid: &'static str, actions: &[&'static str], resources: Vec<String>) -> Option<Self> {
        let is_idle = actions.is_empty() || resources.is_empty();
        let statement =
            Self { sid, actions: actions.to_vec(), resources, boundaries: Vec::new(), places: 1 };
        (!is_idle).then_some(statement)
    }

    /// About what is known by its name alone, at each of [`PATHS`].
    fn named(sid: &'static str, actions: &[&'static str], resources: Vec<String>) -> Option<Self> {
        Some(Self { places: PATHS.len(), ..Self::of(sid, actions, resources)? })
    }

    /// What is asked about: each slice is one thing, at one of these places.
    pub(super) fn things(&self) -> impl Iterator<Item = &[String]> {
        self.resources.chunks(self.places)
    }

    /// The boundaries that a question about it names, one after the other; nothing where it has none.
    pub(super) fn asked_with(&self) -> Vec<Option<String>> {
        if self.boundaries.is_empty() {
            return vec![None];
        }
        self.boundaries.iter().cloned().map(Some).collect()
    }

    /// A resource of its, as something that a question can be about.
    pub(super) fn example(resource: &str) -> String {
        if resource == "*" { resource.to_owned() } else { resource.replace('*', NOBODY) }
    }
}

/// All that is needed.
pub(super) fn statements(needs: &Needs, whose: Whose<'_>) -> Vec<Statement> {
    let users: Vec<String> =
        needs.users.iter().map(|user| whose.iam(&format!("user{user}*"))).collect();
    let listed = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
    // A role knows a name, and AWS asks about the ARN, which has the path.
    let named = |kind: &str, names: &BTreeSet<String>| {
        let placed = |name: &String| PATHS.map(|path| format!("{kind}/{path}{name}"));
        names.iter().flat_map(placed).map(|resource| whose.iam(&resource)).collect::<Vec<_>>()
    };
    let alone = |is_needed: bool, resource: String| {
        if is_needed { vec![resource] } else { Vec::new() }
    };
    let reads: &[&'static str] = if needs.reads_policies { &READS } else { &FINDS };
    let found = [
        making(needs, whose, users),
        Statement::of("UsersOfTheBroker", &OF_USERS, or_gone(needs, whose)),
        Statement::named(
            "GroupsThatUsersJoin",
            &["iam:AddUserToGroup", "iam:RemoveUserFromGroup"],
            named("group", &needs.joined),
        ),
        Statement::of("WhatTheGateReadsAndWhatFindsOrphans", reads, vec!["*".to_owned()]),
        Statement::named(
            "GroupsThatTheGateReads",
            &["iam:ListGroupPolicies", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies"],
            named("group", &needs.read_groups),
        ),
        Statement::of(
            "PoliciesOfLeases",
            &OF_POLICIES,
            alone(needs.own_policies, whose.iam("policy/leasehold/*")),
        ),
        Statement::of("RolesThatAreAssumed", &["sts:AssumeRole"], listed(&needs.assumed)),
        Statement::of("RolesWhoseSessionsHaveTags", &["sts:TagSession"], listed(&needs.tagged)),
        Statement::of("RolesWhoseSessionsAreCutOff", &OF_CUT_ROLES, listed(&needs.cut)),
        Statement::of(
            "FederatedUsers",
            &["sts:GetFederationToken"],
            alone(needs.federates, "*".to_owned()),
        ),
        Statement::of("ItsOwnKey", &ROTATES, alone(needs.rotates_itself, whose.broker())),
        Statement::named("KeysOfStaticRoles", &ROTATES, named("user", &needs.rotated)),
        Statement::of("WhatTheDoctorAsks", &["iam:SimulatePrincipalPolicy"], vec![whose.broker()]),
    ];
    found.into_iter().flatten().collect()
}

/// Users as they are called, and without their path: of a user that is gone IAM knows no path, and asks about the name.
fn or_gone(needs: &Needs, whose: Whose<'_>) -> Vec<String> {
    let bare = |user: &str| format!("/{}", user.rsplit('/').next().unwrap_or_default());
    let names: BTreeSet<String> =
        needs.users.iter().flat_map(|user| [user.clone(), bare(user)]).collect();
    names.iter().map(|user| whose.iam(&format!("user{user}*"))).collect()
}

const OF_USERS: [&str; 12] = [
    "iam:DeleteUser",
    "iam:TagUser",
    "iam:ListUserTags",
    "iam:DeleteUserPolicy",
    "iam:ListUserPolicies",
    "iam:DetachUserPolicy",
    "iam:ListAttachedUserPolicies",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:ListAccessKeys",
    "iam:ListGroupsForUser",
];
const READS: [&str; 4] =
    ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListUsers", "iam:ListPolicies"];
const FINDS: [&str; 2] = ["iam:ListUsers", "iam:ListPolicies"];
const OF_POLICIES: [&str; 7] = [
    "iam:CreatePolicy",
    "iam:TagPolicy",
    "iam:DeletePolicy",
    "iam:ListPolicyVersions",
    "iam:DeletePolicyVersion",
    "iam:ListPolicyTags",
    "iam:ListEntitiesForPolicy",
];
const OF_CUT_ROLES: [&str; 4] =
    ["iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"];

/// What makes users. `PutUserPolicy` also contains one whose key cannot be made inactive.
fn making(needs: &Needs, whose: Whose<'_>, users: Vec<String>) -> Option<Statement> {
    let actions: &[&str] = if needs.attaches {
        &["iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy"]
    } else {
        &["iam:CreateUser", "iam:PutUserPolicy"]
    };
    if needs.unbounded {
        return Statement::of("MakesUsers", actions, users);
    }
    let usual = whose.iam("policy/<boundary>");
    let boundaries = needs.boundaries.iter();
    let boundaries = boundaries.map(|arn| if arn.contains('<') { &usual } else { arn }).cloned();
    let boundaries = boundaries.collect();
    let statement = Statement::of("GivesOnlyWhatTheBoundaryLetsThrough", actions, users)?;
    Some(Statement { boundaries, ..statement })
}

/// The policy as text.
pub fn text(needs: &Needs, whose: Whose<'_>) -> String {
    let statements: Vec<String> = statements(needs, whose).iter().map(shown).collect();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}\n",
        statements.join(",\n")
    )
}

fn shown(statement: &Statement) -> String {
    let Statement { sid, actions, resources, boundaries, places: _ } = statement;
    let actions: Vec<String> = actions.iter().map(|action| quoted(action)).collect();
    let mut members = vec![
        format!("      \"Sid\": {}", quoted(sid)),
        "      \"Effect\": \"Allow\"".to_owned(),
        format!("      \"Action\": {}", list(&actions)),
        format!("      \"Resource\": {}", one_or_list(resources)),
    ];
    if !boundaries.is_empty() {
        let boundaries = one_or_list(boundaries);
        members.push(format!(
            "      \"Condition\": {{\n        \"StringEquals\": {{ \"iam:PermissionsBoundary\": {boundaries} }}\n      }}"
        ));
    }
    format!("    {{\n{}\n    }}", members.join(",\n"))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn one_or_list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    match items.as_slice() {
        [one] => one.clone(),
        many => list(many),
    }
}

/// On one line where there is room.
fn list(items: &[String]) -> String {
    let line = format!("[{}]", items.join(", "));
    if line.len().saturating_add("      \"Resource\": ,".len()) <= WIDTH {
        return line;
    }
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(last) if has_room(last, item) => {
                last.push_str(", ");
                last.push_str(item);
            }
            Some(_) | None => lines.push(item.clone()),
        }
    }
    format!("[\n        {}\n      ]", lines.join(",\n        "))
}

fn has_room(line: &str, item: &str) -> bool {
    [line.len(), item.len(), "        , ,".len()].iter().sum::<usize>() <= WIDTH
}

#[cfg(test)]
mod tests;
