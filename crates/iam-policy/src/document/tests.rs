//! Tests of reading documents into statements, and of what is said when that fails.

use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"{
  "Version": "2012-10-17",
  "Statement": {
    "Sid": "One", "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:Put*"],
    "NotResource": "arn:aws:s3:::b/*",
    "Condition": {"NumericLessThan": {"s3:max-keys": 9007199254740993}, "Bool": {"aws:SecureTransport": [true]}}
  }
}"#;

fn problems(text: &str) -> Vec<Problem> {
    Document::parse(text).unwrap_err()
}

fn statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#)
}

/// Rules and pointers of what is wrong with a statement.
fn faults(members: &str) -> Vec<(&'static str, String)> {
    problems(&statement(members)).into_iter().map(|one| (one.rule, one.pointer)).collect()
}

#[test]
fn single_values_become_lists_and_keep_their_pointers() {
    let document = Document::parse(GOOD).unwrap();
    let [statement] = document.statements() else { panic!("one statement") };
    assert_eq!((statement.pointer.as_str(), statement.sid.as_deref()), ("/Statement", Some("One")));
    assert_eq!(statement.effect, Effect::Allow);
    let pointers: Vec<_> = statement.actions.iter().map(|entry| entry.pointer.as_str()).collect();
    assert_eq!(pointers, ["/Statement/Action/0", "/Statement/Action/1"]);
    assert_eq!(statement.not_resources[0].pointer, "/Statement/NotResource");
    assert!(statement.resources.is_empty() && statement.not_actions.is_empty());
    assert_eq!(
        document.position("/Statement/Action/1").map(|at| (at.line, at.column)),
        Some((5, 32))
    );
    assert_eq!(document.version(), Some(Version::V2012));
}

#[test]
fn condition_values_keep_their_digits_and_types() {
    let document = Document::parse(GOOD).unwrap();
    let conditions = &document.statements()[0].conditions;
    assert_eq!(conditions[0].values, ["9007199254740993"]);
    assert_eq!(conditions[0].types, ValueTypes::Numbers);
    assert_eq!(
        (conditions[1].values[0].as_str(), conditions[1].types),
        ("true", ValueTypes::Booleans)
    );
    assert_eq!(conditions[1].pointer, "/Statement/Condition/Bool/aws:SecureTransport");
}

#[test]
fn a_missing_version_reads_as_the_old_language() {
    let text = r#"{"Statement":{"Effect":"Deny","NotAction":"*","Resource":"*"}}"#;
    let document = Document::parse(text).unwrap();
    assert_eq!((document.version(), document.language()), (None, Version::V2008));
    assert_eq!(document.canonical(), text);
}

#[test]
fn a_near_miss_is_one_problem_with_a_suggestion() {
    let text = statement(r#""Effect":"Allow","Actions":"s3:GetObject","Resource":"*""#);
    let [problem] = problems(&text).try_into().unwrap();
    assert_eq!(
        (problem.rule, problem.pointer.as_str()),
        ("unknown-element", "/Statement/0/Actions")
    );
    assert_eq!(problem.message, "a statement has no element `Actions`");
    assert_eq!(problem.help.as_deref(), Some("did you mean `Action`?"));
    assert_eq!(problem.position.unwrap().offset, text.find("\"Actions\"").unwrap());
}

#[test]
fn missing_and_exclusive_elements_are_told_once_each() {
    let at = |rule, pointer: &str| (rule, pointer.to_owned());
    assert_eq!(faults(r#""Effect":"Allow","Action":"*""#), [at("missing-element", "/Statement/0")]);
    assert_eq!(
        faults(r#""Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*""#),
        [at("exclusive-elements", "/Statement/0/NotAction")]
    );
    assert_eq!(
        faults(r#""Effect":"allow","Action":[],"Resource":["*",7]"#),
        [
            at("invalid-effect", "/Statement/0/Effect"),
            at("empty-list", "/Statement/0/Action"),
            at("wrong-type", "/Statement/0/Resource/1")
        ]
    );
}

#[test]
fn other_things_than_policies_are_refused() {
    for (text, rule) in [
        ("7", "wrong-type"),
        ("{}", "missing-statement"),
        (r#"{"Statement":[]}"#, "empty-list"),
        (r#"{"Statement":[]"#, "json-syntax"),
        (
            r#"{"Id":"x","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
            "unknown-element",
        ),
        (
            r#"{"Version":"2012","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
            "unknown-version",
        ),
    ] {
        assert_eq!(problems(text)[0].rule, rule, "{text}");
    }
}

#[test]
fn words_of_the_wrong_form_are_refused() {
    let with = |action: &str, resource: &str| {
        let members = format!(r#""Effect":"Allow","Action":"{action}","Resource":"{resource}""#);
        Document::parse(&statement(&members)).map(|_| ()).map_err(|problems| problems[0].rule)
    };
    for action in ["*", "*:*", "S3:Get*", "a2c:?etX*", "execute-api:Invoke"] {
        assert_eq!(with(action, "*"), Ok(()), "{action}");
    }
    for action in ["GetObject", "s*:Get", "s3:", ":x", "s3:Get Object", "**", "a:b:c"] {
        assert_eq!(with(action, "*"), Err("invalid-action"), "{action}");
    }
    assert_eq!(with("s3:${aws:username}", "*"), Err("variable-in-action"));
    for resource in [
        "arn:aws:s3:::b/*",
        "arn:*:iam::*:role/x:y",
        "arn:aws-cn:s3:::b",
        "arn:aws:organizations::*:",
        "arn:aws:iam::aws:policy/X",
    ] {
        assert_eq!(with("s3:*", resource), Ok(()), "{resource}");
    }
    for resource in [
        "b",
        "arn:aws:s3",
        "arn:amazon:s3:::b",
        "arn:aws:S3:::b",
        "arn:aws:sqs:eu-west-1:123:q",
        "arn:aws:s3:::a\\n",
    ] {
        assert_eq!(with("s3:*", resource), Err("invalid-arn"), "{resource}");
    }
    let stars = "*a".repeat(MAX_STARS.saturating_add(1));
    assert_eq!(with(&format!("s3:{stars}"), "*"), Err("too-many-wildcards"));
}

#[test]
fn operators_and_values_of_conditions_are_read() {
    let condition = |text: &str| {
        let members = format!(r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{text}"#);
        Document::parse(&statement(&members))
            .map(|_| ())
            .map_err(|problems| problems[0].to_string())
    };
    assert_eq!(condition(r#"{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a",""]}}"#), Ok(()));
    for text in [
        r#"{"StringEqual":{"aws:username":"x"}}"#,
        r#"{"NullIfExists":{"aws:username":"true"}}"#,
        r#"{"StringEquals":{"username":"x"}}"#,
        r#"{"Bool":{"aws:SecureTransport":"yes"}}"#,
        r#"{"NumericEquals":{"s3:max-keys":"inf"}}"#,
        r#"{"StringEquals":{"aws:username":null}}"#,
        r#"{"StringEquals":"x"}"#,
        "[]",
    ] {
        assert!(condition(text).is_err(), "{text}");
    }
    let message = condition(r#"{"StringEqual":{"aws:username":"x"}}"#).unwrap_err();
    assert!(message.ends_with("help: did you mean `StringEquals`?"), "{message}");
}

#[test]
fn a_document_with_thousands_of_faults_names_the_first_ones() {
    let text = format!(r#"{{"Statement":[{}7]}}"#, "7,".repeat(20_000));
    assert_eq!(problems(&text).len(), 50);
}

/// A good document with a piece of it replaced by something else.
fn spoilt() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "",
        "7",
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"*\"",
        "\"${\"",
        "\"Effect\":1,",
        ",",
        "[[\"a\"]]",
        "\"s3:*\"",
        "true",
        "\"é\"",
        "{\"Effect\":\"Deny\"}",
        "\"arn:aws:s3:::${aws:x}\"",
        "\"ForAllValues:Bool\":{\"a:b\":[1,true]},",
    ]);
    (0..GOOD.len(), 0..40_usize, pieces).prop_map(|(start, length, piece)| {
        let end = start.saturating_add(length).min(GOOD.len());
        let head = GOOD.get(..start).unwrap_or_default();
        format!("{head}{piece}{}", GOOD.get(end..).unwrap_or_default())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn whatever_is_wrong_with_a_document_is_told_at_a_place_inside_it(text in spoilt()) {
        let problems = match Document::parse(&text) {
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                problems
            }
            Ok(document) => {
                let again = Document::parse(document.canonical()).unwrap();
                prop_assert_eq!(again.statements(), document.statements());
                crate::semantics::check(&document).into_iter().map(|remark| remark.problem).collect()
            }
        };
        for problem in problems {
            prop_assert!(problem.position.is_some_and(|at| at.offset <= text.len()), "{:?}", problem);
        }
    }
}
