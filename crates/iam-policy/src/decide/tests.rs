//! Tests of the decision: matching, conditions, variables, boundaries.

use super::*;

fn document(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

fn allow(rest: &str) -> String {
    format!(r#"{{"Effect":"Allow",{rest}}}"#)
}

const NOTHING_KNOWN: [(&str, &str); 0] = [];

/// The outcome for `s3:GetObject` on `arn:aws:s3:::b/k`.
fn outcome(statements: &str, context: &[(&str, &str)]) -> Outcome {
    let context = Context::from_pairs(context.iter().copied());
    decide(&[&document(statements)], None, "s3:GetObject", "arn:aws:s3:::b/k", &context).outcome
}

fn with_condition(condition: &str, context: &[(&str, &str)]) -> Outcome {
    let rest = format!(r#""Action":"s3:*","Resource":"*","Condition":{condition}"#);
    outcome(&allow(&rest), context)
}

#[test]
fn an_allow_grants_and_names_its_statement() {
    let wide = document(&allow(r#""Action":"S3:get*","Resource":"arn:aws:s3:::b/*""#));
    let other = document(&allow(r#""Action":"ec2:*","Resource":"*""#));
    let decision =
        decide(&[&other, &wide], None, "s3:GetObject", "arn:aws:s3:::b/k", &Context::unknown());
    assert_eq!(
        decision,
        Decision { outcome: Outcome::Allowed, statements: vec![(1, "/Statement/0".to_owned())] }
    );
}

#[test]
fn what_nothing_grants_is_refused() {
    let found =
        outcome(&allow(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::B/*""#), &NOTHING_KNOWN);
    assert_eq!(found, Outcome::NotAllowed);
}

#[test]
fn a_deny_wins_over_an_allow() {
    let statements = format!(
        r#"{},{{"Effect":"Deny","NotAction":"ec2:*","Resource":"*"}}"#,
        allow(r#""Action":"*","Resource":"*""#)
    );
    assert_eq!(outcome(&statements, &NOTHING_KNOWN), Outcome::ExplicitlyDenied);
}

#[test]
fn a_deny_that_rests_on_the_unknown_makes_the_answer_conditional() {
    let statements = format!(
        r#"{},{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#,
        allow(r#""Action":"*","Resource":"*""#)
    );
    assert_eq!(outcome(&statements, &NOTHING_KNOWN), Outcome::ConditionallyAllowed);
    assert_eq!(outcome(&statements, &[("aws:securetransport", "true")]), Outcome::Allowed);
    assert_eq!(
        outcome(&statements, &[("aws:SecureTransport", "false")]),
        Outcome::ExplicitlyDenied
    );
}

#[test]
fn not_resource_is_the_rest() {
    let statement = |resource: &str| allow(&format!(r#""Action":"*","NotResource":"{resource}""#));
    assert_eq!(outcome(&statement("arn:aws:s3:::b/*"), &NOTHING_KNOWN), Outcome::NotAllowed);
    assert_eq!(outcome(&statement("arn:aws:s3:::c/*"), &NOTHING_KNOWN), Outcome::Allowed);
    assert_eq!(
        outcome(&statement("arn:aws:s3:::b/${aws:username}"), &NOTHING_KNOWN),
        Outcome::ConditionallyAllowed
    );
}

#[test]
fn variables_are_filled_in_as_plain_text() {
    let statement = allow(r#""Action":"*","Resource":"arn:aws:s3:::b/${aws:username}""#);
    assert_eq!(outcome(&statement, &[("aws:username", "k")]), Outcome::Allowed);
    assert_eq!(outcome(&statement, &[("aws:username", "*")]), Outcome::NotAllowed);
    assert_eq!(outcome(&statement, &NOTHING_KNOWN), Outcome::ConditionallyAllowed);
    let elsewhere = allow(r#""Action":"*","Resource":"arn:aws:s3:::c/${aws:username}""#);
    assert_eq!(outcome(&elsewhere, &NOTHING_KNOWN), Outcome::NotAllowed);
}

#[test]
fn a_variable_without_a_value_takes_its_default_or_matches_nothing() {
    let absent = Context::unknown().with_absent("aws:username");
    let ask = |resource: &str| {
        let statement = allow(&format!(r#""Action":"*","Resource":"{resource}""#));
        decide(&[&document(&statement)], None, "s3:GetObject", "arn:aws:s3:::b/k", &absent).outcome
    };
    assert_eq!(ask("arn:aws:s3:::b/${aws:username}"), Outcome::NotAllowed);
    let beside =
        allow(r#""Action":"*","Resource":["arn:aws:s3:::b/k","arn:aws:s3:::c/${aws:username}"]"#);
    let found =
        decide(&[&document(&beside)], None, "s3:GetObject", "arn:aws:s3:::b/k", &absent).outcome;
    assert_eq!(found, Outcome::ConditionallyAllowed, "the statement may be void");
    assert_eq!(ask("arn:aws:s3:::b/${aws:username, 'k'}"), Outcome::Allowed);
}

#[test]
fn the_old_language_has_no_variables() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}"#;
    let document = Document::parse(text).unwrap();
    let ask = |resource: &str| {
        decide(&[&document], None, "s3:GetObject", resource, &Context::unknown()).outcome
    };
    assert_eq!(ask("arn:aws:s3:::b/${aws:username}"), Outcome::Allowed);
    assert_eq!(ask("arn:aws:s3:::b/k"), Outcome::NotAllowed);
}

/// A condition, a key with its value, and whether it holds.
const COMPARISONS: [(&str, &str, &str, bool); 15] = [
    (r#"{"StringEquals":{"aws:username":"a*"}}"#, "aws:username", "ab", false),
    (r#"{"StringEquals":{"aws:username":"a*"}}"#, "aws:username", "a*", true),
    (r#"{"StringLike":{"aws:username":"a*"}}"#, "aws:username", "ab", true),
    (r#"{"StringEqualsIgnoreCase":{"aws:username":"AB"}}"#, "aws:username", "ab", true),
    (r#"{"StringNotEquals":{"aws:username":["a","b"]}}"#, "aws:username", "b", false),
    (r#"{"StringNotEquals":{"aws:username":["a","b"]}}"#, "aws:username", "c", true),
    (r#"{"NumericLessThanEquals":{"s3:max-keys":5}}"#, "s3:max-keys", "5.0", true),
    (r#"{"NumericGreaterThan":{"s3:max-keys":"5"}}"#, "s3:max-keys", "5", false),
    (
        r#"{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01"}}"#,
        "aws:CurrentTime",
        "2030-01-01T00:00:01Z",
        true,
    ),
    (r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "aws:SourceIp", "203.0.113.9", true),
    (r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "aws:SourceIp", "203.0.113.9", false),
    (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}"#, "aws:SourceArn", "arn:aws:s3:::b", true),
    (r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:*"}}"#, "aws:SourceArn", "arn:aws:s3:::b", false),
    (r#"{"Bool":{"aws:SecureTransport":true}}"#, "aws:SecureTransport", "TRUE", true),
    (r#"{"Null":{"aws:username":"false"}}"#, "aws:username", "x", true),
];

#[test]
fn operators_compare_as_iam_does() {
    for (condition, key, value, holds) in COMPARISONS {
        let expected = if holds { Outcome::Allowed } else { Outcome::NotAllowed };
        assert_eq!(with_condition(condition, &[(key, value)]), expected, "{condition} {value}");
    }
}

#[test]
fn an_absent_key_fails_positive_tests_and_passes_negated_ones() {
    for (condition, holds) in [
        (r#"{"StringEquals":{"aws:username":"a"}}"#, false),
        (r#"{"StringEqualsIfExists":{"aws:username":"a"}}"#, true),
        (r#"{"StringNotEquals":{"aws:username":"a"}}"#, true),
        (r#"{"Null":{"aws:username":"true"}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"aws:username":"a"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"aws:username":"a"}}"#, false),
    ] {
        let statement = allow(&format!(r#""Action":"*","Resource":"*","Condition":{condition}"#));
        let absent = Context::unknown().with_absent("aws:UserName");
        let found = decide(&[&document(&statement)], None, "s3:GetObject", "*", &absent).outcome;
        let expected = if holds { Outcome::Allowed } else { Outcome::NotAllowed };
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn set_operators_look_at_every_value() {
    let tags = [("aws:TagKeys", "a"), ("aws:TagKeys", "b")];
    let ask = |operator: &str, values: &str| {
        with_condition(
            &format!(r#"{{"{operator}:StringEquals":{{"aws:TagKeys":{values}}}}}"#),
            &tags,
        )
    };
    assert_eq!(ask("ForAllValues", r#"["a","b"]"#), Outcome::Allowed);
    assert_eq!(ask("ForAllValues", r#"["a"]"#), Outcome::NotAllowed);
    assert_eq!(ask("ForAnyValue", r#"["b"]"#), Outcome::Allowed);
    assert_eq!(ask("ForAnyValue", r#"["c"]"#), Outcome::NotAllowed);
}

#[test]
fn a_boundary_caps_what_is_granted() {
    let all = document(&allow(r#""Action":"*","Resource":"*""#));
    let ask = |boundary: &str, granted: &Document| {
        let boundary = document(boundary);
        decide(&[granted], Some(&boundary), "s3:GetObject", "arn:aws:s3:::b/k", &Context::unknown())
            .outcome
    };
    let ec2 = allow(r#""Action":"ec2:*","Resource":"*""#);
    assert_eq!(ask(&ec2, &all), Outcome::NotAllowed);
    assert_eq!(
        ask(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#, &all),
        Outcome::ExplicitlyDenied
    );
    let conditional =
        allow(r#""Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#);
    assert_eq!(ask(&conditional, &all), Outcome::ConditionallyAllowed);
    assert_eq!(ask(&allow(r#""Action":"*","Resource":"*""#), &all), Outcome::Allowed);
    assert_eq!(ask(&allow(r#""Action":"*","Resource":"*""#), &document(&ec2)), Outcome::NotAllowed);
}
