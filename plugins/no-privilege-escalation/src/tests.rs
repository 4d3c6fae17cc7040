//! Ways by hand-made grants. The evaluator here knows no conditions: what needs the host's is for the vectors.

use leasehold_guardrail_sdk::overlap::covers_resource;
use leasehold_guardrail_sdk::samples::{condition, deny, role};
use leasehold_guardrail_sdk::testing::{action, allow, grant};
use leasehold_guardrail_sdk::{
    Document, Finding, Location, Source, Statement, pattern, serde_json,
};

use super::*;

/// IAM's answer as far as these tests need it; an Allow with a condition is allowed under conditions.
fn evaluator(grant: &Grant) -> impl Fn(&str, &str, &[(&str, &str)]) -> Decided + use<> {
    let statements: Vec<(u32, Statement)> =
        grant.statements().map(|(document, statement)| (document, statement.clone())).collect();
    let cap: Option<Vec<Statement>> = grant.boundary.as_ref().map(|one| one.statements.clone());
    move |action, resource, _| {
        let matches = |statement: &Statement| {
            let fill = |one: &String| one.replace("${aws:username}", "leasehold-probe");
            statement.actions.iter().any(|one| pattern::matches_action(&one.text, action))
                && statement.resources.iter().any(|one| covers_resource(&fill(one), resource))
        };
        let denied = statements.iter().any(|(_, one)| !one.allows() && matches(one));
        let capped = cap.as_ref().is_some_and(|cap| !cap.iter().any(&matches));
        let allowing: Vec<&(u32, Statement)> =
            statements.iter().filter(|(_, one)| one.allows() && matches(one)).collect();
        if denied || capped || allowing.is_empty() {
            return Decided::Refused;
        }
        let certain = allowing.iter().any(|(_, one)| one.conditions.is_empty());
        let at = allowing
            .iter()
            .map(|(document, one)| Location { document: *document, pointer: one.pointer.clone() });
        if certain {
            Decided::Allowed(at.collect())
        } else {
            Decided::UnderConditions(at.collect())
        }
    }
}

fn judged(grant: &Grant, settings: &str) -> Vec<Finding> {
    let settings: Settings = serde_json::from_str(settings).unwrap();
    judge(grant, &settings, &evaluator(grant)).findings
}

fn found(statements: Vec<Statement>) -> Vec<Finding> {
    judged(&grant(statements), "{}")
}

fn rules_of(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

fn managed(arn: &str, statements: Vec<Statement>) -> Document {
    Document { source: Source::Managed(arn.to_owned()), ..grant(statements).documents.remove(0) }
}

#[test]
fn a_way_is_named_with_all_that_makes_it() {
    let findings = found(vec![
        allow([action("iam:PassRole")], ["*"]),
        allow([action("s3:GetObject"), action("ec2:RunInstances")], ["*"]),
    ]);
    assert_eq!(rules_of(&findings), ["passes-a-role"]);
    let places: Vec<_> = findings[0].at.iter().map(|at| at.pointer.as_str()).collect();
    assert_eq!(places, ["/Statement/0/Action", "/Statement/1/Action/1"]);
    assert_eq!(
        findings[0].message,
        "`iam:PassRole` and `ec2:RunInstances` together let the holder start an instance with any role that may be passed (way `pass-role-to-ec2-instance`)"
    );
    assert_eq!(findings[0].extras[0].value, "pass-role-to-ec2-instance");
}

#[test]
fn half_a_way_and_named_roles_are_none() {
    assert_eq!(found(vec![allow([action("iam:PassRole")], ["*"])]), []);
    let named = "arn:aws:iam::123456789012:role/app-*";
    let both =
        vec![allow([action("iam:PassRole")], [named]), allow([action("ec2:RunInstances")], ["*"])];
    assert_eq!(found(both), []);
}

#[test]
fn a_boundary_that_does_not_allow_it_closes_the_way() {
    let mut capped = grant(vec![allow([action("iam:*")], ["*"])]);
    assert!(!judged(&capped, "{}").is_empty());
    capped.boundary =
        Some(managed("arn:aws:iam::1:policy/b", vec![allow([action("s3:*")], ["*"])]));
    assert_eq!(judged(&capped, "{}"), []);
    let leaky = allow([action("iam:PutUserPolicy")], ["arn:aws:iam::*:user/vault-*"]);
    capped.boundary = Some(managed("arn:aws:iam::1:policy/b", vec![leaky]));
    assert_eq!(rules_of(&judged(&capped, "{}")), ["rewrites-own-permissions"]);
}

#[test]
fn a_deny_on_the_resources_closes_the_way_and_one_beside_does_not() {
    let change = || allow([action("iam:PutUserPolicy")], ["*"]);
    let on = |resource: &str| deny([action("iam:PutUserPolicy")], [resource]);
    assert_eq!(found(vec![change(), on("arn:aws:iam::*:user/*")]), []);
    let beside = found(vec![change(), on("arn:aws:iam::*:user/alice")]);
    assert_eq!(rules_of(&beside), ["rewrites-own-permissions"]);
}

#[test]
fn families_have_rules_of_their_own() {
    for (name, rule) in [
        ("iam:AttachUserPolicy", "rewrites-own-permissions"),
        ("iam:AddUserToGroup", "rewrites-own-permissions"),
        ("iam:CreatePolicyVersion", "rewrites-own-permissions"),
        ("iam:CreateAccessKey", "takes-another-identity"),
        ("iam:UpdateAssumeRolePolicy", "takes-another-identity"),
        ("lambda:UpdateFunctionCode", "runs-code-under-a-role"),
        ("sts:AssumeRole", "assumes-any-role"),
    ] {
        assert_eq!(rules_of(&found(vec![allow([action(name)], ["*"])])), [rule], "{name}");
    }
}

#[test]
fn ways_that_the_same_entry_makes_are_one_finding() {
    let findings = found(vec![allow([action("iam:*")], ["*"])]);
    assert_eq!(rules_of(&findings), ["takes-another-identity", "rewrites-own-permissions"]);
    assert!(findings[0].message.contains(", and "), "{}", findings[0].message);
    assert!(findings[1].extras[0].value.contains("put-user-policy"));
}

#[test]
fn conditions_are_said_and_do_not_lessen_it() {
    let mut statement = allow([action("iam:PutUserPolicy")], ["*"]);
    statement.conditions = vec![condition("StringEquals", "aws:RequestedRegion", &["eu-west-1"])];
    let findings = found(vec![statement]);
    assert!(findings[0].message.contains(" where their conditions hold (way"));
    assert_eq!(findings[0].severity, rules::REWRITES_OWN_PERMISSIONS.severity);
}

#[test]
fn the_boundary_itself_must_not_be_rewritten() {
    let arn = "arn:aws:iam::123456789012:policy/boundary";
    let edit = || allow([action("iam:CreatePolicyVersion")], [arn]);
    let mut capped = grant(vec![edit()]);
    assert_eq!(judged(&capped, "{}"), []);
    capped.boundary = Some(managed(arn, vec![allow([action("*")], ["*"])]));
    let findings = judged(&capped, "{}");
    assert_eq!(rules_of(&findings), ["rewrites-the-boundary"]);
    assert!(findings[0].message.ends_with("(way `create-boundary-version`)"));
}

#[test]
fn a_deny_that_can_be_shed_is_found_for_users() {
    let mut whole = grant(vec![allow([action("iam:DetachUserPolicy")], ["*"])]);
    let arn = "arn:aws:iam::123456789012:policy/keep-out";
    whole.documents.push(managed(arn, vec![deny([action("s3:*")], ["*"])]));
    assert_eq!(rules_of(&judged(&whole, "{}")), ["sheds-a-deny"]);
    whole.role = Some(role("assumed_role", &[]));
    assert_eq!(judged(&whole, "{}"), []);
    whole.role = Some(role("iam_user", &[]));
    whole.documents.truncate(1);
    assert_eq!(judged(&whole, "{}"), []);
}

#[test]
fn settings_let_ways_and_resources_be() {
    let pass = grant(vec![allow([action("iam:PassRole"), action("ecs:RunTask")], ["*"])]);
    assert_eq!(judged(&pass, r#"{"allowed_ways":["pass-role-to-ecs-run-task"]}"#), []);
    let users = "arn:aws:iam::123456789012:user/sandbox/*";
    let change = grant(vec![allow([action("iam:PutUserPolicy")], [users])]);
    assert_eq!(judged(&change, "{}").len(), 1);
    let allowed = r#"{"allowed_resources":["arn:aws:iam::*:user/sandbox/*"]}"#;
    assert_eq!(judged(&change, allowed), []);
}

#[test]
fn a_way_that_there_is_not_is_an_issue() {
    let settings =
        r#"{"allowed_ways":["put-user-policy","assume-any-role","x"],"allowed_resources":["*"]}"#;
    let settings: Settings = serde_json::from_str(settings).unwrap();
    let places: Vec<_> = settings.issues().into_iter().map(|issue| issue.pointer).collect();
    assert_eq!(places, ["/allowed_ways/2", "/allowed_resources/0"]);
}
