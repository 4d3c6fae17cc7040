//! The guardrail on the developer's own machine, with policies in the settings.

use leasehold_guardrail_sdk::serde_json::{self, Value, json};
use leasehold_guardrail_sdk::testing::{grant_of, run};
use leasehold_guardrail_sdk::{Failure, Report, SettingsIssue, Severity, Verdict};

use super::*;

const GRANT: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:GetObject","iam:Create*"],"Resource":"*"},
    {"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}]}"#;

const NO_USERS: &str = r#"package guardrail

deny contains {"rule": "creates-users", "message": message, "at": action.at} if {
    some document in input.documents
    some statement in document.statements
    statement.effect == "Allow"
    some action in statement.actions
    iam.matches_action(action.text, "iam:CreateUser")
    message := sprintf("`%s` lets the role create users", [action.text])
}
"#;

fn judged(policy: &str) -> Result<Report, Failure> {
    run::<Rego>(&grant_of(GRANT), &json!({ "policy": policy }).to_string())
}

fn issues(settings: &Value) -> Vec<SettingsIssue> {
    Rego::check_settings(settings)
}

#[test]
fn an_entry_of_deny_refuses_at_its_place() {
    let report = judged(NO_USERS).unwrap();
    let message = "`iam:Create*` lets the role create users";
    assert_eq!(report.verdict, Verdict::Deny(message.to_owned()));
    let finding = &report.findings[0];
    assert_eq!((finding.rule.as_str(), finding.severity), ("deny", Severity::High));
    assert_eq!(finding.at[0].pointer, "/Statement/0/Action/1");
    assert_eq!(
        (finding.extras[0].name.as_str(), finding.extras[0].value.as_str()),
        ("rule", "creates-users")
    );
}

#[test]
fn an_entry_of_warn_warns_and_may_be_a_plain_sentence() {
    let report = judged(
        "package guardrail\nwarn contains \"look at this\" if input.trigger == \"simulate\"\n",
    )
    .unwrap();
    assert_eq!(report.verdict, Verdict::Warn);
    assert_eq!(
        (report.findings[0].rule.as_str(), report.findings[0].severity),
        ("warn", Severity::Medium)
    );
    assert_eq!(report.findings[0].message, "look at this");
}

#[test]
fn findings_come_in_the_order_of_their_places_and_are_counted() {
    let policy = "package guardrail\n\
        deny contains {\"message\": a.text, \"at\": a.at} if some a in input.documents[0].statements[_].actions\n";
    let report = judged(policy).unwrap();
    let pointers: Vec<_> = report.findings.iter().map(|one| one.at[0].pointer.as_str()).collect();
    assert_eq!(pointers, ["/Statement/0/Action/0", "/Statement/0/Action/1", "/Statement/1/Action"]);
    assert_eq!(report.verdict, Verdict::Deny("s3:GetObject (and 2 more findings)".to_owned()));
}

#[test]
fn a_policy_may_pass_or_skip_or_offer_a_patch() {
    let nothing = "package guardrail\ndeny contains \"never\" if input.trigger == \"scan\"\n";
    assert_eq!(judged(nothing).unwrap().verdict, Verdict::Pass);
    let skips =
        format!("{NO_USERS}\nskip := \"not for this trigger\" if input.trigger == \"simulate\"\n");
    let report = judged(&skips).unwrap();
    assert_eq!(report.verdict, Verdict::Skip("not for this trigger".to_owned()));
    let patched = "package guardrail\ndeny contains {\"message\": \"m\", \"severity\": \"critical\",\n\
        \"patch\": {\"document\": 0, \"operations\": [{\"op\": \"remove\", \"path\": \"/Statement/0\"}]}}\n";
    let report = judged(patched).unwrap();
    assert_eq!(report.findings[0].severity, Severity::Critical);
    let operations = &report.findings[0].patch.as_ref().unwrap().operations;
    assert_eq!(operations, r#"[{"op":"remove","path":"/Statement/0"}]"#);
}

#[test]
fn data_and_settings_reach_the_policy() {
    let policy =
        "package guardrail\ndeny contains sprintf(\"%s %s\", [data.team, input.settings.level])\n";
    let settings =
        json!({ "policy": policy, "data": { "team": "red" }, "settings": { "level": "two" } });
    let report = run::<Rego>(&grant_of(GRANT), &settings.to_string()).unwrap();
    assert_eq!(report.verdict, Verdict::Deny("red two".to_owned()));
}

#[test]
fn a_mistake_in_the_policy_is_an_issue_with_its_line() {
    let found =
        issues(&json!({ "policy": "package guardrail\n\ndeny contains x if {\n  x := \n}\n" }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].pointer, "/policy");
    assert!(found[0].message.starts_with("policy.rego line 4 column 5: "), "{}", found[0].message);

    let unknown = "package guardrail\ndeny contains \"x\" if {\n  no_such_function(1)\n}\n";
    let found = issues(&json!({ "policy": unknown }));
    assert!(found[0].message.starts_with("policy.rego line 3 column "), "{}", found[0].message);

    let modules = json!({ "modules": [
        { "path": "a.rego", "text": NO_USERS },
        { "path": "b.rego", "text": "package helpers\nx := {\n" },
    ]});
    let found = issues(&modules);
    assert_eq!(found[0].pointer, "/modules/1/text");
    assert!(found[0].message.starts_with("b.rego line "), "{}", found[0].message);
}

#[test]
fn a_list_keeps_the_order_of_the_policy() {
    let report = judged("package guardrail\ndeny := [\"b\", \"a\"]\n").unwrap();
    assert_eq!(report.verdict, Verdict::Deny("b (and 1 more finding)".to_owned()));
}

#[test]
fn a_policy_checks_its_own_settings() {
    let policy = "package guardrail\ndeny contains \"x\" if input.settings.level == 1\n\
        settings_issues contains {\"pointer\": \"/level\", \"message\": \"is too high\"} if input.settings.level > 9\n";
    let settings = |level: u8| json!({ "policy": policy, "settings": { "level": level } });
    assert_eq!(issues(&settings(9)), []);
    let found = issues(&settings(10));
    assert_eq!(
        found,
        [SettingsIssue { pointer: "/settings/level".into(), message: "is too high".into() }]
    );
}

#[test]
fn the_rehearsal_is_a_grant_as_the_policy_sees_it() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"One","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},
        {"Effect":"Deny","NotAction":"iam:Get*","NotResource":"arn:aws:s3:::b/*"}]}"#;
    let mut seen = input::of(&grant_of(text), &json!({}));
    let mut rehearsed: Value = serde_json::from_str(include_str!("rehearsal.json")).unwrap();
    for value in [&mut seen, &mut rehearsed] {
        // What the catalogue and the host would say.
        for field in ["role", "actor", "now_unix_ms"] {
            value[field] = Value::Null;
        }
        for pointer in
            ["/documents/0/statements/0/actions/0", "/documents/0/statements/1/not_actions/0"]
        {
            for field in ["covers", "levels", "traits"] {
                value.pointer_mut(pointer).unwrap()[field] = Value::Null;
            }
        }
    }
    assert_eq!(seen, rehearsed);
}

#[test]
fn a_policy_that_objects_to_nothing_ever_is_an_issue() {
    for policy in ["package other\ndeny contains \"x\"\n", "package guardrail\nallow := true\n"] {
        let found = issues(&json!({ "policy": policy }));
        assert_eq!(
            found[0].message,
            "policy.rego: there is neither a `deny` nor a `warn` in `package guardrail`"
        );
    }
    assert_eq!(issues(&json!({ "policy": NO_USERS })), []);
    assert_eq!(issues(&json!({})).len(), 1);
}

#[test]
fn an_answer_that_makes_no_sense_is_a_failure_and_never_a_pass() {
    for (policy, part) in [
        ("deny contains 7", "an entry of `deny` is neither a sentence nor an object"),
        ("deny contains {\"msg\": \"m\"}", "an entry of `deny` is not understood"),
        ("deny := \"no set\"", "`deny` is neither a set nor a list"),
        (
            "warn contains {\"message\": \"m\", \"severity\": \"awful\"}",
            "has the unknown severity `awful`",
        ),
        ("deny contains \"x\" if to_number(input.trigger) > 1", "policy.rego line 2 column "),
    ] {
        let failed = judged(&format!("package guardrail\n{policy}\n"));
        assert!(matches!(&failed, Err(Failure::Internal(why)) if why.contains(part)), "{failed:?}");
    }
}

#[test]
fn helper_modules_are_found_and_wildcards_are_those_of_iam() {
    let settings = json!({ "modules": [
        { "path": "policy.rego", "text": "package guardrail\nimport data.lib\ndeny contains \"x\" if lib.bad\n" },
        { "path": "lib.rego", "text": "package lib\nbad if {\n  iam.covers_action(\"iam:*\", \"IAM:Create*\")\n\
            \n  not iam.covers_action(\"iam:Get*\", \"iam:*\")\n  iam.matches(\"arn:*:b?cket\", \"arn:x:bucket\")\n}\n" },
    ]});
    let report = run::<Rego>(&grant_of(GRANT), &settings.to_string()).unwrap();
    assert_eq!(report.verdict, Verdict::Deny("x".to_owned()));
}
