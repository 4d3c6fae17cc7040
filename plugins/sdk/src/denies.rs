//! What a grant's Deny statements certainly take away. Only certainty counts: a Deny under a condition, or on some
//! resources, may not apply when it matters, so an Allow stands against it.
//! Exact decisions on one request are the host's: [`crate::analysis`].

use std::collections::BTreeSet;

use crate::overlap::{covers_resource, overlaps_action, overlaps_resource};
use crate::{Condition, Effect, Grant, Statement, pattern};

/// The Deny statements of all documents.
#[derive(Debug, Clone)]
pub struct Denies<'a>(Vec<Deny<'a>>);

/// One of them, with its actions sorted for look-ups: most are plain names, and long lists of them are common.
#[derive(Debug, Clone)]
struct Deny<'a> {
    statement: &'a Statement,
    /// Plain names of `Action` or `NotAction`, in lower case.
    names: BTreeSet<String>,
    /// The entries with wildcards.
    patterns: Vec<&'a str>,
    is_on_everything: bool,
}

impl<'a> Denies<'a> {
    /// Those of a grant.
    pub fn of(grant: &'a Grant) -> Self {
        let denies = grant.statements().map(|(_, statement)| statement);
        Self(denies.filter(|statement| statement.effect == Effect::Deny).map(Deny::new).collect())
    }

    /// Whether all of `action`, a name or a pattern, is taken away on every resource, under all conditions.
    pub fn take(&self, action: &str) -> bool {
        self.take_unless(action, <[Condition]>::is_empty)
    }

    /// Whether all of `action` is taken away on all that `resource` matches.
    pub fn take_on(&self, action: &str, resource: &str) -> bool {
        self.0.iter().any(|deny| {
            deny.statement.conditions.is_empty()
                && is_on_all_of(deny.statement, resource)
                && deny.reaches_all_of(action)
        })
    }

    /// Whether all of `action` is taken away on every resource unless something holds: `unless` gets all conditions of
    /// a Deny and says whether they fire whenever it does not hold.
    pub fn take_unless(&self, action: &str, unless: impl Fn(&[Condition]) -> bool) -> bool {
        self.0.iter().any(|deny| {
            deny.is_on_everything
                && unless(&deny.statement.conditions)
                && deny.reaches_all_of(action)
        })
    }

    /// The statements.
    pub fn statements(&self) -> impl Iterator<Item = &'a Statement> {
        self.0.iter().map(|deny| deny.statement)
    }
}

impl<'a> Deny<'a> {
    fn new(statement: &'a Statement) -> Self {
        let entries = || statement.actions.iter().chain(&statement.not_actions);
        let texts = || entries().map(|entry| entry.text.as_str());
        Self {
            statement,
            names: texts()
                .filter(|text| !pattern::has_wildcard(text))
                .map(str::to_ascii_lowercase)
                .collect(),
            patterns: texts().filter(|text| pattern::has_wildcard(text)).collect(),
            is_on_everything: statement.resources.iter().any(|one| pattern::is_everything(one)),
        }
    }

    /// Whether the actions certainly hold all of `action`.
    fn reaches_all_of(&self, action: &str) -> bool {
        let is_name = !pattern::has_wildcard(action);
        let is_named = || is_name && self.names.contains(&action.to_ascii_lowercase());
        if self.statement.not_actions.is_empty() {
            is_named() || self.patterns.iter().any(|one| pattern::covers_action(one, action))
        } else {
            let names_meet =
                || !is_name && self.names.iter().any(|one| pattern::matches_action(action, one));
            let spared = is_named()
                || names_meet()
                || self.patterns.iter().any(|one| overlaps_action(one, action));
            !spared
        }
    }
}

fn is_on_all_of(deny: &Statement, resource: &str) -> bool {
    if deny.not_resources.is_empty() {
        deny.resources.iter().any(|denied| covers_resource(denied, resource))
    } else {
        !deny.not_resources.iter().any(|spared| overlaps_resource(spared, resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{condition, deny};
    use crate::testing::{action, grant};

    #[test]
    fn a_deny_takes_what_it_covers_on_what_it_names() {
        let everywhere = grant(vec![deny([action("s3:*")], ["*"])]);
        let denies = Denies::of(&everywhere);
        assert!(denies.take("s3:Get*") && denies.take_on("S3:GetObject", "arn:aws:s3:::b/*"));
        assert!(!denies.take("*") && !denies.take("ec2:RunInstances"));

        let named = grant(vec![deny([action("s3:*")], ["arn:aws:s3:::b/*"])]);
        let denies = Denies::of(&named);
        assert!(!denies.take("s3:GetObject"));
        assert!(denies.take_on("s3:GetObject", "arn:aws:s3:::b/k"));
        assert!(!denies.take_on("s3:GetObject", "arn:aws:s3:::*"));
    }

    #[test]
    fn what_a_deny_spares_is_not_taken() {
        let mut statement = deny([], ["*"]);
        statement.not_actions = vec![action("iam:*"), action("s3:Get*")];
        let grant = grant(vec![statement]);
        let denies = Denies::of(&grant);
        assert!(denies.take("ec2:*") && denies.take("s3:PutObject"));
        assert!(!denies.take("s3:*") && !denies.take("iam:GetUser"));
    }

    #[test]
    fn a_deny_by_resources_that_it_spares() {
        let mut statement = deny([action("*")], []);
        statement.not_resources = vec!["arn:aws:s3:::open/*".to_owned()];
        let grant = grant(vec![statement]);
        let denies = Denies::of(&grant);
        assert!(denies.take_on("s3:GetObject", "arn:aws:s3:::b/*"));
        assert!(!denies.take_on("s3:GetObject", "arn:aws:s3:::open/a*"));
        assert!(!denies.take("s3:GetObject"));
    }

    #[test]
    fn a_condition_takes_nothing_by_itself() {
        let mut statement = deny([action("*")], ["*"]);
        statement.conditions = vec![condition("StringNotEquals", "aws:RequestedRegion", &["a"])];
        let grant = grant(vec![statement]);
        let denies = Denies::of(&grant);
        assert!(!denies.take("s3:GetObject"));
        let in_region = |conditions: &[Condition]| {
            conditions.iter().all(|one| one.spares_only("aws:RequestedRegion", |one| one == "a"))
        };
        assert!(denies.take_unless("s3:GetObject", in_region));
        assert!(!denies.take_unless("s3:GetObject", |_| false));
    }
}
