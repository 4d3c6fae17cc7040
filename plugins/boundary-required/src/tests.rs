//! Boundaries of roles and of what they create, by hand-made grants.

use leasehold_guardrail_sdk::samples::{condition, deny, role};
use leasehold_guardrail_sdk::testing::{action, allow, annotated, grant};
use leasehold_guardrail_sdk::{
    AccessLevels, ActionTraits, Document, Finding, Source, Statement, Verdict, serde_json,
};

use super::*;

const LISTED: &str = r#"{"boundaries":["arn:aws:iam::1:policy/boundary"]}"#;
const BOUNDARY: &str = "arn:aws:iam::1:policy/boundary";

fn settings(text: &str) -> Settings {
    serde_json::from_str(text).unwrap()
}

fn found(grant: &Grant, text: &str) -> Vec<Finding> {
    BoundaryRequired::evaluate(grant, &settings(text)).unwrap().findings
}

fn rules_of(statements: Vec<Statement>) -> Vec<String> {
    found(&grant(statements), LISTED).into_iter().map(|finding| finding.rule).collect()
}

fn managed(arn: &str) -> Document {
    Document { source: Source::Managed(arn.to_owned()), ..grant(vec![]).documents.remove(0) }
}

#[test]
fn a_user_needs_a_boundary_of_the_list() {
    let mut grant = grant(vec![allow([action("s3:GetObject")], ["arn:aws:s3:::b/*"])]);
    assert_eq!(found(&grant, "{}"), []);
    grant.role = Some(role("iam_user", &[]));
    let findings = found(&grant, LISTED);
    assert_eq!(findings[0].message, "the users of role `tested` have no permissions boundary");
    assert!(findings[0].at.is_empty());
    grant.boundary = Some(managed("arn:aws:iam::1:policy/other"));
    assert_eq!(found(&grant, LISTED)[0].rule, "boundary-not-allowed");
    assert_eq!(found(&grant, "{}"), []);
    grant.boundary = Some(managed(BOUNDARY));
    assert_eq!(found(&grant, LISTED), []);
}

#[test]
fn sessions_have_no_boundary_of_their_own() {
    let mut grant = grant(vec![]);
    for kind in ["assumed_role", "federation_token", "session_token"] {
        grant.role = Some(role(kind, &[]));
        let report = BoundaryRequired::evaluate(&grant, &settings(LISTED)).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{kind}");
    }
}

#[test]
fn settings_say_which_grants_need_one() {
    let write = annotated("s3:PutObject", AccessLevels::WRITE, ActionTraits::empty());
    let mut reading = grant(vec![allow([action("s3:GetObject")], ["arn:aws:s3:::b/*"])]);
    reading.role = Some(role("iam_user", &[]));
    let mut writing = grant(vec![allow([write], ["arn:aws:s3:::b/*"])]);
    writing.role = Some(role("iam_user", &[]));
    assert_eq!(found(&reading, r#"{"required":"write"}"#), []);
    assert_eq!(found(&writing, r#"{"required":"write"}"#).len(), 1);
    assert_eq!(found(&writing, r#"{"required":"permissions-management"}"#), []);
    assert_eq!(found(&writing, r#"{"required":"never"}"#), []);
}

#[test]
fn what_is_created_needs_the_condition() {
    let create = || allow([action("iam:CreateRole")], ["arn:aws:iam::1:role/app/*"]);
    let findings = found(&grant(vec![create()]), LISTED);
    assert_eq!(findings[0].rule, "creates-without-boundary");
    assert_eq!(
        findings[0].patch.as_ref().unwrap().operations,
        r#"[{"op":"add","path":"/Statement/0/Condition","value":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::1:policy/boundary"}}}]"#
    );
    let with = |operator: &str, value: &str| {
        let mut statement = create();
        statement.conditions = vec![condition(operator, "iam:PermissionsBoundary", &[value])];
        rules_of(vec![statement])
    };
    assert_eq!(with("StringEquals", BOUNDARY), [""; 0]);
    assert_eq!(with("ArnLike", BOUNDARY), [""; 0]);
    assert_eq!(with("StringEqualsIfExists", BOUNDARY), ["creates-without-boundary"]);
    assert_eq!(with("StringEquals", "arn:aws:iam::1:policy/other"), ["creates-without-boundary"]);
    assert_eq!(with("StringLike", "*"), ["creates-without-boundary"]);
}

#[test]
fn a_deny_on_every_other_boundary_is_as_good() {
    let create = || allow([action("iam:CreateUser"), action("iam:PutUserPolicy")], ["*"]);
    assert_eq!(rules_of(vec![create()]), ["creates-without-boundary", "grants-without-boundary"]);
    let mut refused = deny([action("iam:*User*")], ["*"]);
    refused.conditions = vec![condition("StringNotEquals", "iam:PermissionsBoundary", &[BOUNDARY])];
    assert_eq!(rules_of(vec![create(), refused]), [""; 0]);
}

#[test]
fn taking_a_boundary_off_is_critical_and_a_deny_settles_it() {
    let findings = found(&grant(vec![allow([action("iam:*Boundary")], ["*"])]), LISTED);
    assert_eq!(findings[0].rule, "removes-boundary");
    assert!(findings[0].patch.as_ref().unwrap().operations.contains("/Statement/-"));
    let taken = deny([action("iam:*Boundary")], ["*"]);
    assert_eq!(rules_of(vec![allow([action("iam:*Boundary")], ["*"]), taken]), [""; 0]);
}

#[test]
fn rewriting_the_boundary_is_found_by_its_arn() {
    let edit = |resource: &str| allow([action("iam:CreatePolicyVersion")], [resource]);
    assert_eq!(rules_of(vec![edit("arn:aws:iam::1:policy/*")]), ["edits-boundary"]);
    assert_eq!(rules_of(vec![edit("arn:aws:iam::1:policy/app/*")]), [""; 0]);
    let mut grant = grant(vec![edit("arn:aws:iam::1:policy/own")]);
    grant.boundary = Some(managed("arn:aws:iam::1:policy/own"));
    assert_eq!(found(&grant, "{}")[0].rule, "edits-boundary");
    let kept = deny([action("iam:*")], [BOUNDARY]);
    assert_eq!(rules_of(vec![edit("*"), kept]), [""; 0]);
}

#[test]
fn it_can_be_left_to_others() {
    let create = grant(vec![allow([action("iam:*")], ["*"])]);
    assert_eq!(found(&create, r#"{"for_what_is_created":false}"#), []);
}
