//! Ways up by hand-made grants. The tables and what leads upward are checked in `escalation-ways`.

use leasehold_guardrail_sdk::testing::{allow, annotated, grant};
use leasehold_guardrail_sdk::{AccessLevels, ActionRef, ActionTraits, Grant, Source};

use super::*;
use crate::Settings;

fn writing(text: &str) -> ActionRef {
    annotated(text, AccessLevels::WRITE, ActionTraits::empty())
}

fn found(grant: &Grant) -> Vec<Finding> {
    let settings = Settings::default();
    ways(&View::new(grant, &settings))
}

fn single(action: &str, resource: &str) -> Vec<Finding> {
    found(&grant(vec![allow([writing(action)], [resource])]))
}

#[test]
fn a_way_may_be_spread_over_statements_and_its_places_are_all_named() {
    let findings = found(&grant(vec![
        allow([writing("iam:PassRole")], ["*"]),
        allow([writing("ec2:RunInstances")], ["*"]),
    ]));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::High);
    let places: Vec<_> = findings[0].at.iter().map(|at| at.pointer.as_str()).collect();
    assert_eq!(places, ["/Statement/0/Action", "/Statement/1/Action"]);
}

#[test]
fn passing_named_roles_is_no_way_up() {
    let findings = found(&grant(vec![
        allow([writing("iam:PassRole")], ["arn:aws:iam::123456789012:role/app-*"]),
        allow([writing("ec2:RunInstances")], ["*"]),
    ]));
    assert_eq!(findings, []);
}

#[test]
fn a_pattern_of_users_may_be_oneself_and_a_name_is_not() {
    let any = single("iam:PutUserPolicy", "arn:aws:iam::123456789012:user/vault-*");
    assert_eq!(any[0].severity, Severity::Critical);
    assert_eq!(
        any[0].message,
        "`iam:PutUserPolicy` lets the holder write an inline policy for oneself"
    );
    assert_eq!(single("iam:PutUserPolicy", "arn:aws:iam::123456789012:user/alice"), []);
    assert_eq!(single("iam:PutUserPolicy", "arn:aws:iam::123456789012:role/vault-*"), []);
}

#[test]
fn ones_own_keys_are_nothing_new_but_ones_own_policy_is() {
    let own = "arn:aws:iam::*:user/${aws:username}";
    assert_eq!(single("iam:CreateAccessKey", own), []);
    assert_eq!(single("iam:AttachUserPolicy", own).len(), 1);
}

#[test]
fn a_policy_that_the_grant_rests_on_must_not_be_rewritten() {
    let arn = "arn:aws:iam::123456789012:policy/app";
    let mut grant = grant(vec![allow([writing("iam:CreatePolicyVersion")], [arn])]);
    assert_eq!(found(&grant), []);
    grant.documents[0].source = Source::Managed(arn.to_owned());
    assert_eq!(found(&grant).len(), 1);
}

#[test]
fn many_ways_are_one_finding_that_counts_them() {
    let findings = single("iam:*Policy", "*");
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.ends_with("other ways up)"), "{}", findings[0].message);
    assert!(findings[0].extras[0].value.contains("put-role-policy"));
    assert_eq!(findings[0].at.len(), 1);
}

#[test]
fn a_not_action_opens_every_way_that_it_does_not_leave_out() {
    let mut statement = allow([], ["*"]);
    statement.not_actions = vec![writing("iam:*")];
    let findings = found(&grant(vec![statement]));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Medium);
    assert_eq!(findings[0].at[0].pointer, "/Statement/0/NotAction");
}
