//! The text, and the questions that are read from the same statements.

use std::collections::BTreeSet;

use super::*;

fn identity(arn: &str) -> Identity {
    Identity { account: "123456789012".to_owned(), arn: arn.to_owned() }
}

fn one(text: &str) -> BTreeSet<String> {
    BTreeSet::from([text.to_owned()])
}

#[test]
fn for_the_usual_roles_it_is_the_readmes() {
    assert_eq!(text(&Needs::usual(), Whose::default()), BROKER_POLICY);
}

#[test]
fn what_is_known_is_filled_in() {
    let user = identity("arn:aws:iam::123456789012:user/team/broker");
    let filled = text(&Needs::usual(), Whose(Some(&user)));
    assert!(filled.contains("\"arn:aws:iam::123456789012:user/team/broker\""), "{filled}");
    assert!(filled.contains("arn:aws:iam::123456789012:policy/<boundary>"), "{filled}");
    assert!(!filled.contains("<account_id>") && !filled.contains("<broker>"), "{filled}");
    let session = identity("arn:aws-cn:sts::123456789012:assumed-role/broker/i-0abc");
    let filled = text(&Needs::usual(), Whose(Some(&session)));
    assert!(filled.contains("\"arn:aws-cn:iam::123456789012:role/broker\""), "{filled}");
    assert!(filled.contains("\"arn:aws-cn:iam::123456789012:user/vault-*\""), "{filled}");
}

#[test]
fn sessions_alone_need_nothing_of_users() {
    let needs = Needs {
        assumed: one("arn:aws:iam::123456789012:role/deploy"),
        federates: true,
        ..Needs::default()
    };
    let found = statements(&needs, Whose::default());
    let actions: Vec<_> = found.iter().flat_map(|statement| statement.actions.clone()).collect();
    assert_eq!(
        actions,
        [
            "iam:ListUsers",
            "iam:ListPolicies",
            "sts:AssumeRole",
            "sts:GetFederationToken",
            "iam:SimulatePrincipalPolicy"
        ]
    );
}

#[test]
fn every_need_has_its_statement_and_the_text_is_json() {
    let needs = Needs {
        users: BTreeSet::from(["/apps/vault-".to_owned(), "/ci-".to_owned()]),
        boundaries: BTreeSet::from(["arn:aws:iam::1:policy/a".to_owned(), "b\"".to_owned()]),
        unbounded: false,
        attaches: true,
        own_policies: true,
        reads_policies: true,
        joined: one("devs"),
        read_groups: one("devs"),
        assumed: one("arn:aws:iam::1:role/deploy"),
        tagged: one("arn:aws:iam::1:role/deploy"),
        cut: one("arn:aws:iam::1:role/deploy"),
        federates: true,
        rotates_itself: true,
        rotated: one("jane"),
    };
    let shown: serde_json::Value = serde_json::from_str(&text(&needs, Whose::default())).unwrap();
    let listed = shown["Statement"].as_array().unwrap();
    assert_eq!(listed.len(), 13);
    let condition = &listed[0]["Condition"]["StringEquals"]["iam:PermissionsBoundary"];
    assert_eq!(*condition, serde_json::json!(["arn:aws:iam::1:policy/a", "b\""]));
    let users = serde_json::json!([
        "arn:aws:iam::<account_id>:user/apps/vault-*",
        "arn:aws:iam::<account_id>:user/ci-*",
        "arn:aws:iam::<account_id>:user/vault-*"
    ]);
    assert_eq!(listed[1]["Resource"], users);
    let groups = serde_json::json!([
        "arn:aws:iam::<account_id>:group/devs",
        "arn:aws:iam::<account_id>:group/*/devs"
    ]);
    assert_eq!(listed[2]["Resource"], groups, "a group may stand under a path, as a user may");
    let without = Needs { unbounded: true, ..needs };
    let shown: serde_json::Value = serde_json::from_str(&text(&without, Whose::default())).unwrap();
    assert_eq!(shown["Statement"][0]["Sid"], "MakesUsers");
    assert!(shown["Statement"][0]["Condition"].is_null());
}

#[test]
fn a_question_is_about_something_that_may_be() {
    assert_eq!(Statement::example("*"), "*");
    assert_eq!(
        Statement::example("arn:aws:iam::1:user/vault-*"),
        "arn:aws:iam::1:user/vault-doctor-asks-about-nobody"
    );
    let session = "arn:aws-cn:sts::123456789012:assumed-role/broker/i-0abc";
    assert_eq!(principal(session), "arn:aws-cn:iam::123456789012:role/broker");
    let user = "arn:aws:iam::123456789012:user/broker";
    assert_eq!(principal(user), user);
}
