//! Lists against hand-made grants; the catalogue is a short one here.

use leasehold_guardrail_sdk::samples::{condition, deny, role};
use leasehold_guardrail_sdk::testing::{action, allow, grant};
use leasehold_guardrail_sdk::{Finding, Statement, Verdict, pattern, serde_json};

use super::*;

/// A catalogue of a few actions, which cannot tell all of them at once.
fn some(pattern: &str) -> Option<Vec<String>> {
    let all = ["s3:GetObject", "s3:DeleteBucket", "iam:GetUser", "iam:CreateUser"];
    let covered = all.iter().filter(|name| pattern::matches_action(pattern, name));
    let names: Vec<String> = covered.map(|name| (*name).to_owned()).collect();
    (names.len() < all.len()).then_some(names)
}

fn settings(text: &str) -> Settings {
    serde_json::from_str(text).unwrap()
}

fn found(statements: Vec<Statement>, text: &str) -> Vec<Finding> {
    judge(&grant(statements), &settings(text), &some).findings
}

fn places(findings: &[Finding]) -> Vec<&str> {
    findings.iter().flat_map(|finding| &finding.at).map(|at| at.pointer.as_str()).collect()
}

fn patched(findings: &[Finding]) -> &str {
    findings[0].patch.as_ref().map_or("", |patch| patch.operations.as_str())
}

const CREATE_USER: &str = r#"{"denied_actions":["iam:CreateUser"]}"#;

#[test]
fn without_settings_everything_passes() {
    let everything = grant(vec![allow([action("*")], ["*"])]);
    let report = judge(&everything, &Settings::default(), &some);
    assert_eq!(report.verdict, Verdict::Pass);
}

#[test]
fn a_denied_action_is_found_in_every_spelling_and_its_entry_taken_out() {
    for text in ["iam:CreateUser", "IAM:createuser", "iam:Create?ser", "iam:*", "*"] {
        let findings =
            found(vec![allow([action("s3:GetObject"), action(text)], ["*"])], CREATE_USER);
        assert_eq!(places(&findings), ["/Statement/0/Action/1"], "{text}");
    }
    assert_eq!(found(vec![allow([action("iam:GetUser")], ["*"])], CREATE_USER), []);
    let findings =
        found(vec![allow([action("s3:GetObject"), action("iam:createUser")], ["*"])], CREATE_USER);
    assert_eq!(findings[0].message, "`iam:createUser` is denied here");
    assert_eq!(patched(&findings), r#"[{"op":"remove","path":"/Statement/0/Action/1"}]"#);
}

#[test]
fn beside_a_wider_entry_the_patch_denies() {
    let findings = found(vec![allow([action("iam:*")], ["*"])], CREATE_USER);
    assert_eq!(findings[0].message, "`iam:*` allows `iam:CreateUser`, denied here");
    assert_eq!(
        patched(&findings),
        r#"[{"op":"add","path":"/Statement/-","value":{"Action":["iam:CreateUser"],"Effect":"Deny","Resource":["*"]}}]"#
    );
}

#[test]
fn a_deny_takes_it_away_and_one_with_a_condition_does_not() {
    let allowed = || allow([action("iam:*")], ["*"]);
    let taken = vec![allowed(), deny([action("iam:Create*")], ["*"])];
    assert_eq!(found(taken, CREATE_USER), []);
    let mut conditional = deny([action("iam:Create*")], ["*"]);
    conditional.conditions = vec![condition("Bool", "aws:MultiFactorAuthPresent", &["false"])];
    assert_eq!(found(vec![allowed(), conditional], CREATE_USER).len(), 1);
}

#[test]
fn two_patterns_meet_where_an_action_is_in_both() {
    let deletes = r#"{"denied_actions":["*:Delete*"]}"#;
    let findings = found(vec![allow([action("s3:*Bucket")], ["*"])], deletes);
    // A document may not have a wildcard in the service.
    assert!(patched(&findings).contains(r#""Action":["s3:Delete*"]"#), "{}", patched(&findings));
    assert_eq!(found(vec![allow([action("iam:*User")], ["*"])], deletes), []);
}

#[test]
fn what_not_action_leaves_open_is_found() {
    let all_but = |names: &[&str]| {
        let mut statement = allow([], ["*"]);
        statement.not_actions = names.iter().map(|name| action(name)).collect();
        statement
    };
    let findings = found(vec![all_but(&["s3:*"])], CREATE_USER);
    assert_eq!(places(&findings), ["/Statement/0/NotAction"]);
    assert_eq!(found(vec![all_but(&["iam:Create*"])], CREATE_USER), []);
}

#[test]
fn a_denied_service_is_all_of_its_actions() {
    let settings = r#"{"denied_services":["iam"]}"#;
    let findings = found(vec![allow([action("iam:GetUser")], ["*"])], settings);
    assert_eq!(findings[0].rule, "denied-service");
    assert_eq!(findings[0].message, "`iam:GetUser` allows `iam:*`, denied here");
    assert_eq!(found(vec![allow([action("s3:GetObject")], ["*"])], settings), []);
}

const AUDIT: &str = r#"{"denied_resources":["arn:aws:s3:::audit*"]}"#;

#[test]
fn a_denied_resource_is_found_where_the_action_can_reach_it() {
    let reaches =
        |text: &str, resource: &str| found(vec![allow([action(text)], [resource])], AUDIT).len();
    assert_eq!(reaches("s3:GetObject", "arn:aws:s3:::audit-2026/*"), 1);
    assert_eq!(reaches("s3:GetObject", "*"), 1);
    assert_eq!(reaches("*", "*"), 1);
    assert_eq!(reaches("s3:GetObject", "arn:aws:s3:::reports/*"), 0);
    assert_eq!(reaches("ec2:RunInstances", "*"), 0);
}

#[test]
fn a_deny_on_the_resource_takes_it_away_and_is_what_the_patch_adds() {
    let allowed = || allow([action("s3:GetObject")], ["*"]);
    let findings = found(vec![allowed()], AUDIT);
    assert_eq!(
        patched(&findings),
        r#"[{"op":"add","path":"/Statement/-","value":{"Action":["*"],"Effect":"Deny","Resource":["arn:aws:s3:::audit*"]}}]"#
    );
    let taken = vec![allowed(), deny([action("*")], ["arn:aws:s3:::audit*"])];
    assert_eq!(found(taken, AUDIT), []);
}

#[test]
fn a_session_of_a_denied_role_is_found_on_the_role() {
    let mut grant = grant(vec![]);
    let mut context = role("assumed_role", &[]);
    context.assumes = vec!["arn:aws:iam::123456789012:role/admin".to_owned()];
    grant.role = Some(context);
    let settings = settings(r#"{"denied_resources":["arn:aws:iam::*:role/admin"]}"#);
    let findings = judge(&grant, &settings, &some).findings;
    assert_eq!((findings.len(), findings[0].at.len()), (1, 0));
}

const EUROPE: &str = r#"{"allowed_regions":["eu-west-1","eu-central-1"]}"#;

#[test]
fn a_condition_an_arn_or_a_deny_confines_to_the_regions() {
    let open = || allow([action("ec2:RunInstances")], ["*"]);
    let findings = found(vec![open()], EUROPE);
    assert_eq!(
        findings[0].message,
        "`ec2:RunInstances` is allowed in every Region, not only in `eu-west-1` and `eu-central-1`"
    );
    assert_eq!(
        patched(&findings),
        r#"[{"op":"add","path":"/Statement/0/Condition","value":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}}]"#
    );
    let mut bound = open();
    bound.conditions = vec![condition("StringEquals", "aws:requestedregion", &["eu-west-1"])];
    assert_eq!(found(vec![bound.clone()], EUROPE), []);
    bound.conditions = vec![condition("StringEquals", "aws:RequestedRegion", &["us-east-1"])];
    assert_eq!(found(vec![bound.clone()], EUROPE).len(), 1);
    bound.conditions =
        vec![condition("StringEqualsIfExists", "aws:RequestedRegion", &["eu-west-1"])];
    assert_eq!(found(vec![bound], EUROPE).len(), 1);
    let by_arn = allow([action("sqs:SendMessage")], ["arn:aws:sqs:eu-west-1:1:q"]);
    assert_eq!(found(vec![by_arn], EUROPE), []);
    let elsewhere = allow([action("sqs:SendMessage")], ["arn:aws:sqs:us-east-1:1:q"]);
    assert_eq!(found(vec![elsewhere], EUROPE).len(), 1);
    let mut refused = deny([], ["*"]);
    refused.not_actions = vec![action("iam:*"), action("support:*")];
    refused.conditions =
        vec![condition("StringNotEquals", "aws:RequestedRegion", &["eu-west-1", "eu-central-1"])];
    assert_eq!(found(vec![open(), refused], EUROPE), []);
}

#[test]
fn global_services_have_no_region() {
    assert_eq!(found(vec![allow([action("iam:GetUser")], ["*"])], EUROPE), []);
    let own = r#"{"allowed_regions":["eu-*"],"global_services":["ec2"]}"#;
    assert_eq!(found(vec![allow([action("ec2:RunInstances")], ["*"])], own), []);
}

#[test]
fn lists_that_name_everything_are_an_issue() {
    let issues = settings(r#"{"denied_actions":["iam:*","*"],"allowed_regions":["*"]}"#).issues();
    let places: Vec<_> = issues.into_iter().map(|issue| issue.pointer).collect();
    assert_eq!(places, ["/denied_actions/1", "/allowed_regions/0"]);
}
