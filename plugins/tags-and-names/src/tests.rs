//! Roles that follow house rules, and roles that do not.

use leasehold_guardrail_sdk::samples::role;
use leasehold_guardrail_sdk::testing::grant;
use leasehold_guardrail_sdk::{RoleContext, serde_json};

use super::*;

fn found(role: RoleContext, settings: &str) -> Vec<(String, String)> {
    let settings: Settings = serde_json::from_str(settings).unwrap();
    let grant = Grant { role: Some(role), ..grant(vec![]) };
    let findings = TagsAndNames::evaluate(&grant, &settings).unwrap().findings;
    findings.into_iter().map(|finding| (finding.rule, finding.message)).collect()
}

fn named(name: &str, tags: &[(&str, &str)]) -> RoleContext {
    RoleContext { name: name.to_owned(), ..role("iam_user", tags) }
}

#[test]
fn a_bare_document_is_skipped() {
    let report = TagsAndNames::evaluate(&grant(vec![]), &Settings::default()).unwrap();
    assert!(matches!(report.verdict, Verdict::Skip(_)));
}

#[test]
fn a_name_must_fit_a_pattern_and_its_placeholders() {
    let settings = r#"{"names":["{tag:team}-*","{mount}-shared"]}"#;
    assert_eq!(found(named("data-etl", &[("team", "data")]), settings), []);
    assert_eq!(found(named("aws-shared", &[]), settings), []);
    for role in [named("web-etl", &[("team", "data")]), named("-etl", &[])] {
        let findings = found(role, settings);
        assert_eq!(findings[0].0, "role-name");
        assert!(findings[0].1.ends_with("any of the patterns `{tag:team}-*` and `{mount}-shared`"));
    }
}

#[test]
fn a_path_is_asked_of_users_only() {
    let settings = r#"{"paths":["/leasehold/*"]}"#;
    let findings = found(named("a", &[]), settings);
    assert_eq!(
        findings[0].1,
        "the path `/` of its users does not follow the pattern `/leasehold/*`"
    );
    let set = RoleContext { path: Some("/leasehold/data/".to_owned()), ..named("a", &[]) };
    assert_eq!(found(set, settings), []);
    assert_eq!(found(role("assumed_role", &[]), settings), []);
}

#[test]
fn tags_must_be_there_with_a_value_that_fits() {
    let settings = r#"{"required_tags":{"env":["prod","dev-*"],"team":["*"]}}"#;
    assert_eq!(found(named("a", &[("env", "dev-1"), ("team", "x")]), settings), []);
    let findings = found(named("a", &[("env", "test"), ("Team", "x")]), settings);
    assert_eq!(
        findings,
        [
            (
                "tag-value".to_owned(),
                "the tag `env` is `test`, not one of `prod` and `dev-*`".to_owned()
            ),
            ("missing-tag".to_owned(), "the tag `team` is missing; it has `Team`".to_owned()),
        ]
    );
    let empty = found(named("a", &[("env", "prod"), ("team", "")]), settings);
    assert_eq!(empty[0].0, "tag-value");
    assert_eq!(found(role("session_token", &[]), settings), []);
}

#[test]
fn further_tags_may_be_closed_off() {
    let settings = r#"{"required_tags":{"team":["*"]},"allowed_tags":["cost-*"]}"#;
    let tags = [("team", "x"), ("cost-centre", "1"), ("admin", "yes")];
    let findings = found(named("a", &tags), settings);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].1, "the tag `admin` is not one that a role may have");
}

#[test]
fn a_placeholder_that_there_is_not_is_an_issue() {
    let settings = r#"{"names":["{tag:}-*","{mount}","{team}","a{"],"paths":["/*"]}"#;
    let settings: Settings = serde_json::from_str(settings).unwrap();
    let places: Vec<_> = settings.issues().into_iter().map(|issue| issue.pointer).collect();
    assert_eq!(places, ["/names/0", "/names/2", "/names/3"]);
}
