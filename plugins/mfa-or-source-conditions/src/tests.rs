//! Bounds that hold, and bounds that do not.

use leasehold_guardrail_sdk::samples::{condition, deny, role};
use leasehold_guardrail_sdk::testing::{action, allow, annotated, grant};
use leasehold_guardrail_sdk::{
    AccessLevels, ActionTraits, Condition, Finding, Statement, serde_json,
};

use super::*;

fn sensitive() -> Statement {
    let levels = AccessLevels::WRITE | AccessLevels::PERMISSIONS_MANAGEMENT;
    allow([annotated("iam:PutRolePolicy", levels, ActionTraits::empty())], ["*"])
}

fn with(condition: Condition) -> Statement {
    Statement { conditions: vec![condition], ..sensitive() }
}

fn of_type(kind: &str, statements: Vec<Statement>, settings: &str) -> Vec<Finding> {
    let settings: Settings = serde_json::from_str(settings).unwrap();
    let role = (!kind.is_empty()).then(|| role(kind, &[]));
    let grant = Grant { role, ..grant(statements) };
    MfaOrSourceConditions::evaluate(&grant, &settings).unwrap().findings
}

fn rules_of(kind: &str, statements: Vec<Statement>, settings: &str) -> Vec<String> {
    of_type(kind, statements, settings).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn sensitive_actions_need_one_of_the_two() {
    assert_eq!(rules_of("", vec![sensitive()], "{}"), ["mfa-or-source-missing"]);
    assert_eq!(rules_of("", vec![allow([action("s3:GetObject")], ["*"])], "{}"), [""; 0]);
    for bound in [
        condition("Bool", "aws:MultiFactorAuthPresent", &["true"]),
        condition("NumericLessThan", "aws:multifactorauthage", &["3600"]),
        condition("IpAddress", "aws:SourceIp", &["203.0.113.0/24"]),
        condition("StringEquals", "aws:SourceVpce", &["vpce-1a2b3c4d"]),
    ] {
        assert_eq!(rules_of("", vec![with(bound.clone())], "{}"), [""; 0], "{bound:?}");
    }
}

#[test]
fn what_holds_on_an_absent_key_is_no_bound() {
    for (weak, trap) in [
        (condition("BoolIfExists", "aws:MultiFactorAuthPresent", &["true"]), "mfa-holds-without"),
        (
            condition("IpAddressIfExists", "aws:SourceIp", &["203.0.113.0/24"]),
            "source-holds-without",
        ),
        (condition("StringEqualsIfExists", "aws:SourceVpc", &["vpc-1"]), "source-holds-without"),
    ] {
        assert_eq!(rules_of("", vec![with(weak)], "{}"), ["mfa-or-source-missing", trap]);
    }
    let anything = condition("StringLike", "aws:SourceVpc", &["*"]);
    assert_eq!(rules_of("", vec![with(anything)], "{}"), ["mfa-or-source-missing"]);
}

#[test]
fn a_deny_bounds_where_it_fires_without_the_key() {
    let refused = |conditions: Vec<Condition>| {
        let deny = Statement { conditions, ..deny([action("*")], ["*"]) };
        rules_of("", vec![sensitive(), deny], "{}")
    };
    let mfa = |operator: &str| condition(operator, "aws:MultiFactorAuthPresent", &["false"]);
    assert_eq!(refused(vec![mfa("BoolIfExists")]), [""; 0]);
    assert_eq!(refused(vec![mfa("Bool")]), ["mfa-or-source-missing", "mfa-deny-misses-keys"]);
    let elsewhere = || condition("NotIpAddress", "aws:SourceIp", &["203.0.113.0/24"]);
    assert_eq!(refused(vec![elsewhere()]), [""; 0]);
    let own = condition("Bool", "aws:ViaAWSService", &["false"]);
    assert_eq!(refused(vec![elsewhere(), own]), [""; 0]);
    let tagged = condition("StringEquals", "aws:PrincipalTag/team", &["data"]);
    assert_eq!(refused(vec![elsewhere(), tagged]), ["mfa-or-source-missing"]);
}

#[test]
fn only_session_tokens_carry_mfa() {
    let mfa = || with(condition("Bool", "aws:MultiFactorAuthPresent", &["true"]));
    assert_eq!(rules_of("session_token", vec![mfa()], "{}"), [""; 0]);
    for kind in ["iam_user", "assumed_role", "federation_token"] {
        assert_eq!(rules_of(kind, vec![mfa()], "{}"), ["mfa-never-present"], "{kind}");
    }
}

#[test]
fn settings_say_what_is_required_and_of_what() {
    let mfa = || with(condition("Bool", "aws:MultiFactorAuthPresent", &["true"]));
    assert_eq!(rules_of("", vec![mfa()], r#"{"require":"source"}"#), ["source-missing"]);
    assert_eq!(rules_of("", vec![mfa()], r#"{"require":"both"}"#), ["source-missing"]);
    assert_eq!(rules_of("", vec![sensitive()], r#"{"require":"mfa"}"#), ["mfa-missing"]);
    assert_eq!(rules_of("", vec![sensitive()], r#"{"require":"nothing"}"#), [""; 0]);
    assert_eq!(rules_of("", vec![sensitive()], r#"{"exempt_actions":["iam:Put*"]}"#), [""; 0]);
    let read = || allow([action("kms:Decrypt")], ["*"]);
    let listed = r#"{"sensitive_actions":["kms:*"]}"#;
    assert_eq!(rules_of("", vec![read()], listed), ["mfa-or-source-missing"]);
    let by_tag = r#"{"sources":{"aws:PrincipalTag/site":["office"]}}"#;
    let tagged = with(condition("StringEquals", "aws:PrincipalTag/site", &["office"]));
    assert_eq!(rules_of("", vec![tagged], by_tag), [""; 0]);
}

#[test]
fn networks_must_be_known_and_public() {
    let from = |network: &str| with(condition("IpAddress", "aws:SourceIp", &[network]));
    assert_eq!(
        rules_of("", vec![from("0.0.0.0/0")], "{}"),
        ["mfa-or-source-missing", "source-too-wide"]
    );
    assert_eq!(rules_of("", vec![from("10.0.0.0/8")], "{}"), ["source-private"]);
    let office = r#"{"networks":["203.0.113.0/24"]}"#;
    assert_eq!(rules_of("", vec![from("203.0.113.16/28")], office), [""; 0]);
    assert_eq!(
        rules_of("", vec![from("198.51.100.0/24")], office),
        ["mfa-or-source-missing", "source-too-wide"]
    );
}

#[test]
fn the_patch_adds_what_these_credentials_can_meet() {
    let operations = |kind: &str, settings: &str| {
        let mut findings = of_type(kind, vec![sensitive()], settings);
        findings.remove(0).patch.map(|patch| patch.operations).unwrap_or_default()
    };
    assert!(operations("", "{}").contains(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#));
    assert_eq!(operations("iam_user", "{}"), "");
    let office = r#"{"networks":["203.0.113.0/24"]}"#;
    let expected = r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24"]}}"#;
    assert!(operations("iam_user", office).contains(expected));
}

#[test]
fn not_action_is_sensitive_whatever_it_names() {
    let mut statement = allow([], ["*"]);
    statement.not_actions = vec![action("iam:*")];
    let findings = of_type("", vec![statement], "{}");
    assert_eq!(findings[0].at[0].pointer, "/Statement/0/NotAction");
    assert_eq!(
        findings[0].message,
        "`NotAction` allows what is sensitive without MFA and from anywhere"
    );
}

#[test]
fn networks_that_cannot_be_are_an_issue() {
    let settings: Settings =
        serde_json::from_str(r#"{"networks":["1.2.3","0.0.0.0/0","10.0.0.0/8","203.0.113.0/24"],"exempt_actions":["*"]}"#).unwrap();
    let places: Vec<_> = settings.issues().into_iter().map(|issue| issue.pointer).collect();
    assert_eq!(places, ["/networks/0", "/networks/1", "/networks/2", "/exempt_actions/0"]);
}
