//! Roles by their longest life and by what they grant.

use leasehold_guardrail_sdk::samples::{deny, role};
use leasehold_guardrail_sdk::testing::{action, allow, annotated, grant};
use leasehold_guardrail_sdk::{
    AccessLevels, ActionRef, ActionTraits, Finding, RoleContext, Statement, serde_json,
};

use super::*;

fn writing(text: &str) -> ActionRef {
    annotated(text, AccessLevels::WRITE, ActionTraits::empty())
}

fn permissions(text: &str) -> ActionRef {
    annotated(
        text,
        AccessLevels::WRITE | AccessLevels::PERMISSIONS_MANAGEMENT,
        ActionTraits::empty(),
    )
}

fn found(ttl: Option<u64>, statements: Vec<Statement>, settings: &str) -> Vec<Finding> {
    let settings: Settings = serde_json::from_str(settings).unwrap();
    let role = RoleContext { max_ttl_seconds: ttl, ..role("iam_user", &[]) };
    let grant = Grant { role: Some(role), ..grant(statements) };
    TtlLimits::evaluate(&grant, &settings).unwrap().findings
}

fn rule(ttl: u64, action: ActionRef, settings: &str) -> String {
    let findings = found(Some(ttl), vec![allow([action], ["*"])], settings);
    findings.first().map(|finding| finding.rule.clone()).unwrap_or_default()
}

#[test]
fn the_more_is_granted_the_shorter_it_lives() {
    assert_eq!(rule(86_400, action("s3:GetObject"), "{}"), "");
    assert_eq!(rule(86_401, action("s3:GetObject"), "{}"), "ttl-too-long");
    assert_eq!(rule(43_200, writing("s3:PutObject"), "{}"), "");
    assert_eq!(rule(43_201, writing("s3:PutObject"), "{}"), "ttl-too-long-to-write");
    assert_eq!(rule(3_600, permissions("s3:PutBucketPolicy"), "{}"), "");
    assert_eq!(
        rule(3_601, permissions("s3:PutBucketPolicy"), "{}"),
        "ttl-too-long-for-permissions"
    );
}

#[test]
fn the_places_are_the_entries_that_shorten_it() {
    let statements = vec![allow([action("s3:GetObject"), writing("s3:PutObject")], ["*"])];
    let findings = found(Some(2_592_000), statements, "{}");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].at[0].pointer, "/Statement/0/Action/1");
    assert_eq!(
        findings[0].message,
        "credentials that write may live 12 h at most, these live 30 days"
    );
}

#[test]
fn what_a_deny_takes_away_does_not_count() {
    let statements =
        vec![allow([writing("s3:PutObject")], ["*"]), deny([action("s3:Put*")], ["*"])];
    assert_eq!(found(Some(86_400), statements, "{}"), []);
}

#[test]
fn limits_may_be_by_type_and_none() {
    let short = r#"{"by_credential_type":{"iam_user":{"any":600}}}"#;
    assert_eq!(rule(601, action("s3:GetObject"), short), "ttl-too-long");
    let other = r#"{"by_credential_type":{"assumed_role":{"any":600}}}"#;
    assert_eq!(rule(601, action("s3:GetObject"), other), "");
    let none = r#"{"max_ttl_seconds":{"any":0,"write":0,"permissions_management":0}}"#;
    assert_eq!(rule(2_592_000, permissions("iam:*"), none), "");
}

#[test]
fn listed_actions_have_a_limit_of_their_own() {
    let settings = r#"{"actions":[{"actions":["kms:Decrypt"],"max_ttl_seconds":900}]}"#;
    assert_eq!(rule(901, action("kms:*"), settings), "ttl-too-long-for-actions");
    assert_eq!(rule(901, action("kms:DescribeKey"), settings), "");
    let mut all_but = allow([], ["*"]);
    all_but.not_actions = vec![action("iam:*")];
    let findings = found(Some(901), vec![all_but], settings);
    assert_eq!(findings[0].at[0].pointer, "/Statement/0/NotAction");
}

#[test]
fn a_life_without_end_is_said_or_assumed() {
    let statements = || vec![allow([action("s3:GetObject")], ["*"])];
    assert_eq!(found(None, statements(), "{}")[0].rule, "ttl-not-set");
    let assumed = r#"{"when_not_set_seconds":2764800}"#;
    assert_eq!(found(None, statements(), assumed)[0].rule, "ttl-too-long");
}

#[test]
fn a_longer_limit_for_more_is_an_issue() {
    let settings = r#"{"max_ttl_seconds":{"any":60,"write":3600},"by_credential_type":{"iam_user":{"write":60,"permissions_management":61}}}"#;
    let settings: Settings = serde_json::from_str(settings).unwrap();
    let places: Vec<_> = settings.issues().into_iter().map(|issue| issue.pointer).collect();
    assert_eq!(
        places,
        ["/by_credential_type/iam_user/permissions_management", "/max_ttl_seconds/write"]
    );
}
