//! Through which resources an action leads upward.
//!
//! On any resource it does. Services' actions on named resources are a task's own (deploying one function), and
//! so are roles that are named. What matters in IAM is whether the holder's own permissions, or another user, can be
//! changed: the user is made later, so any pattern of users may be itself, while a single name is not; groups and
//! managed policies are known from the grant.

use leasehold_guardrail_sdk::{Grant, Source, Statement, pattern, scope};

/// Whether `action` leads upward through what the statement names.
pub fn leads_upward(grant: &Grant, statement: &Statement, action: &str) -> bool {
    if scope::is_narrowed(statement) {
        return false;
    }
    scope::reaches_any(statement)
        || statement.resources.iter().any(|resource| resource_leads(grant, resource, action))
}

/// Whether `action` leads upward through what a `Resource` entry matches.
pub fn resource_leads(grant: &Grant, resource: &str, action: &str) -> bool {
    if scope::is_any(resource) {
        return true;
    }
    let Some(name) = action.strip_prefix("iam:") else {
        return false;
    };
    match kind(name) {
        Kind::Role => scope::is_any_role(resource),
        Kind::User => reaches_users(resource, name),
        Kind::Group => names_kind(resource, "group/") && reaches_group(grant, resource, name),
        Kind::Policy => names_kind(resource, "policy/") && reaches_policy(grant, resource),
    }
}

/// What an IAM action works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// A managed policy.
    Policy,
}

/// What the IAM action with this name (without `iam:`) works on, of those that ways are made of.
pub fn kind(name: &str) -> Kind {
    if name.contains("Group") {
        Kind::Group
    } else if name.contains("Role") {
        Kind::Role
    } else if name.contains("PolicyVersion") {
        Kind::Policy
    } else {
        Kind::User
    }
}

fn reaches_users(resource: &str, name: &str) -> bool {
    if !names_kind(resource, "user/") {
        return false;
    }
    if resource.to_ascii_lowercase().ends_with("/${aws:username}") {
        // Keys and passwords of one's own give nothing new.
        return !matches!(name, "CreateAccessKey" | "CreateLoginProfile" | "UpdateLoginProfile");
    }
    pattern::has_wildcard(resource) || resource.contains("${")
}

fn reaches_group(grant: &Grant, resource: &str, name: &str) -> bool {
    if name == "AddUserToGroup" {
        return pattern::has_wildcard(resource);
    }
    let joined = grant.role.iter().flat_map(|role| &role.groups);
    let judged = grant.documents.iter().filter_map(|document| match &document.source {
        Source::Group(group) => Some(&group.group),
        Source::Inline | Source::Managed(_) | Source::Session | Source::Bare => None,
    });
    // A group's ARN holds its path, which is not known here.
    joined.chain(judged).any(|group| {
        scope::last_part(resource).is_some_and(|part| {
            part.rsplit('/').next().is_some_and(|last| pattern::matches(last, group))
        })
    })
}

fn reaches_policy(grant: &Grant, resource: &str) -> bool {
    let everywhere =
        scope::last_part(resource).is_some_and(|part| part == "policy/*" || part == "policy*");
    everywhere
        || grant.documents.iter().any(|document| match &document.source {
            Source::Managed(arn) => pattern::matches(resource, arn),
            Source::Group(_) | Source::Inline | Source::Session | Source::Bare => false,
        })
}

/// Whether an ARN can name things of this kind, such as `user/`.
pub fn names_kind(resource: &str, kind: &str) -> bool {
    scope::last_part(resource).is_some_and(|part| {
        let fixed = part.split(['*', '?']).next().unwrap_or(part);
        fixed.starts_with(kind) || (fixed.len() < part.len() && kind.starts_with(fixed))
    })
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::testing::grant;

    use super::*;

    #[test]
    fn a_pattern_of_users_may_be_oneself_and_a_name_is_not() {
        let grant = grant(Vec::new());
        let leads = |resource: &str| resource_leads(&grant, resource, "iam:PutUserPolicy");
        assert!(leads("*") && leads("arn:aws:iam::1:user/vault-*"));
        assert!(!leads("arn:aws:iam::1:user/alice") && !leads("arn:aws:iam::1:role/vault-*"));
    }

    #[test]
    fn ones_own_keys_are_nothing_new_but_ones_own_policy_is() {
        let grant = grant(Vec::new());
        let own = "arn:aws:iam::*:user/${aws:username}";
        assert!(!resource_leads(&grant, own, "iam:CreateAccessKey"));
        assert!(resource_leads(&grant, own, "iam:AttachUserPolicy"));
    }

    #[test]
    fn a_policy_leads_upward_where_the_grant_rests_on_it() {
        let arn = "arn:aws:iam::1:policy/app";
        let mut grant = grant(vec![]);
        assert!(!resource_leads(&grant, arn, "iam:CreatePolicyVersion"));
        grant.documents[0].source = Source::Managed(arn.to_owned());
        assert!(resource_leads(&grant, arn, "iam:CreatePolicyVersion"));
    }

    #[test]
    fn what_services_do_on_named_things_is_a_task() {
        let grant = grant(Vec::new());
        let function = "arn:aws:lambda:eu-west-1:1:function:app";
        assert!(!resource_leads(&grant, function, "lambda:UpdateFunctionCode"));
        assert!(resource_leads(&grant, "arn:aws:lambda:*:*:*", "lambda:UpdateFunctionCode"));
        assert!(!resource_leads(&grant, "arn:aws:iam::1:role/app-*", "iam:PassRole"));
        assert!(resource_leads(&grant, "arn:aws:iam::1:role/*", "iam:PassRole"));
    }
}
