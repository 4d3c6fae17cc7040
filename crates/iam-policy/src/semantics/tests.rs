//! Tests of the semantics; the rows of the shared corpus are run in `tests/corpus.rs`.

use super::*;

fn remarks(version: &str, members: &str) -> Vec<(Severity, &'static str, String)> {
    let text = format!(r#"{{{version}"Statement":[{{"Effect":"Allow",{members}}}]}}"#);
    check(&Document::parse(&text).unwrap())
        .into_iter()
        .map(|remark| (remark.severity, remark.problem.rule, remark.problem.pointer))
        .collect()
}

fn of(members: &str) -> Vec<(Severity, &'static str, String)> {
    remarks(r#""Version":"2012-10-17","#, members)
}

fn of_resource(resource: &str) -> Vec<&'static str> {
    let members = format!(r#""Action":"s3:GetObject","Resource":"{resource}""#);
    of(&members).into_iter().map(|(_, rule, _)| rule).collect()
}

fn of_condition(condition: &str) -> Vec<(Severity, &'static str, String)> {
    of(&format!(r#""Action":"s3:GetObject","Resource":"*","Condition":{condition}"#))
}

#[test]
fn a_plain_document_brings_no_remark() {
    assert_eq!(of(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*""#), []);
}

#[test]
fn a_missing_version_warns_and_makes_variables_text() {
    let found =
        remarks("", r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}""#);
    assert_eq!(
        found,
        [
            (Severity::Reject, "variable-needs-version", "/Statement/0/Resource".to_owned()),
            (Severity::Warn, "missing-version", String::new()),
        ]
    );
}

#[test]
fn repeated_sids_are_refused_at_the_second_one() {
    let one = r#"{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}"#;
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{one},{one}]}}"#);
    let found = check(&Document::parse(&text).unwrap());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].problem.rule, found[0].problem.pointer.as_str()),
        ("repeated-sid", "/Statement/1/Sid")
    );
}

#[test]
fn variables_are_read_inside_their_strings() {
    for (resource, rule) in [
        ("arn:aws:s3:::b/${aws:username", "variable-not-closed"),
        ("arn:aws:s3:::b/${}", "variable-empty"),
        ("arn:aws:s3:::b/${aws: username}", "variable-with-space"),
        ("arn:aws:s3:::b/${aws:username, x}", "variable-default-not-quoted"),
        ("arn:aws:s3:::b/${jndi:x}", "unknown-variable"),
        ("arn:aws:iam::${aws:PrincipalAccount}:user/x", "variable-in-arn"),
    ] {
        assert_eq!(of_resource(resource), [rule], "{resource}");
    }
    assert_eq!(of_resource("arn:aws:s3:::b/${*}${?}${$}${aws:username, 'x'}"), [""; 0]);
}

#[test]
fn an_unknown_action_warns_with_a_suggestion() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObjekt","s3:Nothing*"],"Resource":"*"}}"#;
    let found = check(&Document::parse(text).unwrap());
    let helps: Vec<_> =
        found.iter().map(|one| (one.severity, one.problem.help.clone().unwrap())).collect();
    assert_eq!(helps[0], (Severity::Warn, "did you mean `s3:GetObject`?".to_owned()));
    assert_eq!(found.len(), 2);
}

#[test]
fn values_are_told_at_their_own_place() {
    let found = of_condition(r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","300.1.1.1/24"]}}"#);
    let at = "/Statement/0/Condition/IpAddress/aws:SourceIp/1".to_owned();
    assert_eq!(found, [(Severity::Reject, "invalid-address", at)]);
}

/// Conditions, and what is said of each.
const MISMATCHES: [(&str, Severity, &str); 17] = [
    (
        r#"{"StringEquals":{"aws:PrincipalTag/a":"1","AWS:principaltag/a":"2"}}"#,
        Severity::Reject,
        "repeated-condition-key",
    ),
    (r#"{"StringEquals":{"aws:username":["a",1]}}"#, Severity::Reject, "mixed-value-types"),
    (r#"{"Bool":{"aws:SecureTransport":["true","false"]}}"#, Severity::Reject, "several-booleans"),
    (r#"{"StringEquals":{"aws:TagKeys":"a"}}"#, Severity::Reject, "missing-qualifier"),
    (
        r#"{"NumericLessThan":{"s3:max-keys":"${aws:username}"}}"#,
        Severity::Reject,
        "variable-under-operator",
    ),
    (r#"{"BinaryEquals":{"aws:PrincipalTag/a":"@@"}}"#, Severity::Reject, "invalid-base64"),
    (r#"{"StringEquals":{"aws:SourceVpce":"vpce1234"}}"#, Severity::Reject, "invalid-vpc-id"),
    (r#"{"StringEquals":{"aws:RequestTag/":"x"}}"#, Severity::Reject, "missing-tag-key"),
    (r#"{"ForAllValues:Null":{"aws:TagKeys":"true"}}"#, Severity::Warn, "null-with-qualifier"),
    (r#"{"StringEquals":{"aws:PrincipalTag/a":"ops-*"}}"#, Severity::Warn, "wildcard-without-like"),
    (r#"{"StringLike":{"aws:PrincipalArn":"arn:*"}}"#, Severity::Warn, "string-operator-on-arn"),
    (r#"{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}"#, Severity::Warn, "invalid-date"),
    (r#"{"DateLessThan":{"aws:CurrentTime":"1893456000"}}"#, Severity::Warn, "date-in-seconds"),
    (r#"{"StringEquals":{"zz9:nope":"x"}}"#, Severity::Warn, "unknown-condition-key"),
    (r#"{"StringEquals":{"aws:username":[]}}"#, Severity::Warn, "empty-values"),
    (r#"{"StringEquals":{}}"#, Severity::Warn, "empty-condition"),
    ("{}", Severity::Warn, "empty-condition"),
];

#[test]
fn parts_of_a_condition_must_go_together() {
    for (condition, severity, rule) in MISMATCHES {
        let found: Vec<_> = of_condition(condition)
            .into_iter()
            .map(|(severity, rule, _)| (severity, rule))
            .collect();
        assert_eq!(found, [(severity, rule)], "{condition}");
    }
}

#[test]
fn sound_conditions_bring_no_remark() {
    for condition in [
        r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#,
        r#"{"StringEquals":{"aws:SourceVpc":"vpc-0123456789abcdef0"}}"#,
        r#"{"BinaryEquals":{"aws:PrincipalTag/a":"YQ=="}}"#,
        r#"{"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}"#,
        r#"{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}}"#,
    ] {
        assert_eq!(of_condition(condition), [], "{condition}");
    }
}
