//! Rules built in: what needs the whole grant and no component. A document that could not be read denies where anything
//! enforces, since nobody judged it; whoever can change the tags of users can hide them from the broker. What AWS's
//! quotas refuse whatever the mode is in [`over_quota`]; what one document alone gets wrong is in `document`.

use async_trait::async_trait;
use iam_policy::document::{Effect, Entry, Statement};
use iam_policy::quota::{GROUPS_PER_USER, MANAGED_POLICIES_PER_USER};
use iam_policy::wildcard::{is_everything, matches_action, overlaps_resource};

use super::guardrail::{Guardrail, Trouble, role_finding};
use super::subject::{Judged, Subject, Unread};
use crate::model::{Finding, Severity};

/// What the quota of managed policies can be raised to (IAM quotas: adjustable to 20).
const MOST_MANAGED_POLICIES: usize = 20;
/// Users are known by their tags: whoever changes these takes a user out of the broker's sight.
const TAG_ACTIONS: [&str; 2] = ["iam:TagUser", "iam:UntagUser"];

/// The rules built in, as one guardrail.
#[derive(Debug)]
pub(super) struct BuiltIn;

impl BuiltIn {
    /// The first part of the ids of its rules.
    pub(super) const NAME: &str = "grant";
    /// Raises with the rules, so that an older verdict does not stand for theirs.
    pub(super) const VERSION: &str = "built in 1";
}

#[async_trait]
impl Guardrail for BuiltIn {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> String {
        Self::VERSION.to_owned()
    }

    async fn judge(&self, subject: &Subject) -> Result<Vec<Finding>, Trouble> {
        let unread = subject.unread.iter().map(unreadable);
        let tags = subject.documents.iter().flat_map(|judged| broker_tags(judged, subject));
        Ok(unread.chain(tags).collect())
    }
}

/// The rule of a policy that nobody judged, because it could not be read.
pub const UNREADABLE: &str = "grant/unreadable-policy";

fn unreadable(unread: &Unread) -> Finding {
    let Unread { label, reason } = unread;
    let message = format!("this policy cannot be read, so nobody judged it: {reason}");
    Finding {
        source: label.clone(),
        remediation: Some(
            "let the broker read it (see the IAM policy in the README), or take it off the role"
                .to_owned(),
        ),
        ..role_finding(UNREADABLE.to_owned(), Severity::High, message)
    }
}

/// Statements that let the holder change the tags of the users that the role makes.
fn broker_tags(judged: &Judged, subject: &Subject) -> Vec<Finding> {
    let path = subject.role.as_ref().map_or("/", |role| role.path.as_str());
    let users = format!("arn:*:iam::*:user{}*", if path.is_empty() { "/" } else { path });
    let reaches = |resource: &Entry| overlaps_resource(&resource.text, &users);
    let open = |statement: &&Statement| {
        statement.effect == Effect::Allow
            && statement.conditions.is_empty()
            && statement.resources.iter().any(reaches)
    };
    let statements = judged.held.document.statements().iter();
    statements
        .filter(open)
        .filter_map(tagging_action)
        .map(|action| {
            let message =
                format!("`{}` can change the tags by which Leasehold knows its users", action.text);
            Finding {
                remediation: Some(format!("deny {} on `{users}`", TAG_ACTIONS.join(" and "))),
                denies: false,
                ..judged.finding(
                    "grant/broker-tags".to_owned(),
                    Severity::Medium,
                    message,
                    &action.pointer,
                )
            }
        })
        .collect()
}

/// `*` is left to the guardrails: who may do everything may do this too, and is told so already.
fn tagging_action(statement: &Statement) -> Option<&Entry> {
    let covers = |entry: &&Entry| {
        !is_everything(&entry.text)
            && TAG_ACTIONS.iter().any(|action| matches_action(&entry.text, action))
    };
    statement.actions.iter().find(covers)
}

/// What AWS would refuse however the guardrails are set.
pub(super) fn over_quota(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (attached, joined) = (subject.attached, subject.joined);
    if attached > MANAGED_POLICIES_PER_USER {
        let message = format!(
            "the role attaches {attached} managed policies; AWS allows {MANAGED_POLICIES_PER_USER}, or up to {MOST_MANAGED_POLICIES} on request"
        );
        let denies = attached > MOST_MANAGED_POLICIES;
        let severity = if denies { Severity::High } else { Severity::Low };
        let finding = role_finding("quota/managed-policies".to_owned(), severity, message);
        findings.push(Finding { denies, ..finding });
    }
    if joined > GROUPS_PER_USER {
        let message = format!("the role joins {joined} groups; AWS allows {GROUPS_PER_USER}");
        findings.push(role_finding("quota/groups".to_owned(), Severity::High, message));
    }
    findings
}
