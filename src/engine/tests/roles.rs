//! Writing roles: what is stored, what is refused, what the gate says.

use super::support::{Bench, NARROW, WIDE, iam_user, role};
use crate::engine::roles::{RoleChange, RoleError};
use crate::gate::Mode;
use crate::model::Decision;

#[tokio::test]
async fn a_denied_role_is_not_stored_and_says_why() {
    let bench = Bench::with_mount(Mode::Enforce).await;

    let denied = bench.write("wide", iam_user(WIDE)).await.unwrap_err();

    let RoleError::Denied { errors, verdict } = denied else {
        panic!("{denied:?}");
    };
    assert_eq!(verdict.decision, Decision::Deny);
    assert_eq!(errors.len(), verdict.findings.len());
    assert!(errors.iter().any(|error| error.contains("s3:*")), "{errors:?}");
    assert_eq!(bench.engine.list_roles(&bench.mount()).await.unwrap(), []);
    assert!(bench.world.faults.actions().is_empty());
}

#[tokio::test]
async fn the_same_role_is_stored_with_warnings_where_guardrails_warn() {
    let bench = Bench::with_mount(Mode::Warn).await;

    let warnings = bench.write("wide", iam_user(WIDE)).await.unwrap();

    assert!(warnings.iter().any(|warning| warning.contains("s3:*")), "{warnings:?}");
    let stored = bench.engine.read_role(&bench.mount(), &role("wide")).await.unwrap().unwrap();
    assert_eq!((stored.policy_document.as_str(), stored.version), (WIDE, 1));
}

#[tokio::test]
async fn the_document_is_kept_without_its_white_space_and_an_update_merges() {
    let bench = Bench::with_mount(Mode::Enforce).await;
    let pretty = NARROW.replace(",\"", ",\n  \"").replace("\":", "\": ");
    bench.write("r", iam_user(&pretty)).await.unwrap();

    let change = RoleChange { ttl: Some(60), max_ttl: Some(600), ..RoleChange::default() };
    bench.write("r", change).await.unwrap();

    let stored = bench.engine.read_role(&bench.mount(), &role("r")).await.unwrap().unwrap();
    assert_eq!((stored.ttl, stored.max_ttl, stored.version), (60, 600, 2));
    assert_eq!(stored.policy_document, NARROW);
    assert_eq!(stored.policy_arns, None);
    let above = RoleChange { max_ttl: Some(30), ..RoleChange::default() };
    assert!(matches!(bench.write("r", above).await, Err(RoleError::Refused(_))));
    let kept = bench.engine.read_role(&bench.mount(), &role("r")).await.unwrap().unwrap();
    assert_eq!(kept, stored);
}

#[tokio::test]
async fn broken_json_and_bad_documents_are_refused_in_every_mode() {
    let bench = Bench::with_mount(Mode::Off).await;

    let broken = bench.write("r", iam_user("{nope")).await.unwrap_err();
    assert_eq!(broken.to_string(), "cannot parse policy document: \"{nope\"");
    let wrong = bench.write("r", iam_user(r#"{"Statement":[{"Effect":"Maybe"}]}"#)).await;
    let Err(RoleError::DocumentRefused(findings)) = wrong else {
        panic!("{wrong:?}");
    };
    assert!(!findings.is_empty());
    assert_eq!(bench.engine.list_roles(&bench.mount()).await.unwrap(), []);
}

#[tokio::test]
async fn an_unreadable_managed_policy_warns_or_denies_as_the_mode_says() {
    let missing = RoleChange {
        credential_type: Some("iam_user".into()),
        policy_arns: Some(vec!["arn:aws:iam::123456789012:policy/missing".into()]),
        ..RoleChange::default()
    };

    let warned = Bench::with_mount(Mode::Warn).await.write("r", missing.clone()).await.unwrap();
    assert!(warned.iter().any(|warning| warning.contains("policy/missing")), "{warned:?}");
    let bench = Bench::with_mount(Mode::Enforce).await;
    let denied = bench.write("r", missing).await.unwrap_err();
    assert!(matches!(denied, RoleError::Denied { .. }), "{denied:?}");
    assert_eq!(bench.engine.list_roles(&bench.mount()).await.unwrap(), []);
}

#[tokio::test]
async fn documents_behind_arns_groups_and_the_boundary_are_judged() {
    let bench = Bench::with_mount(Mode::Enforce).await;
    let wide = bench.world.aws.create_managed_policy("wide", WIDE).unwrap();
    bench.world.aws.create_group("g", &[("inline", WIDE)], &[]).unwrap();

    let by_arn = RoleChange { policy_arns: Some(vec![wide]), ..iam_user(NARROW) };
    assert!(matches!(bench.write("r", by_arn).await, Err(RoleError::Denied { .. })));
    let by_group = RoleChange { iam_groups: Some(vec!["g".into()]), ..iam_user(NARROW) };
    assert!(matches!(bench.write("r", by_group).await, Err(RoleError::Denied { .. })));
    assert!(bench.write("r", iam_user(NARROW)).await.is_ok());
}

#[tokio::test]
async fn writes_of_one_role_at_once_lose_nothing() {
    let bench = Bench::with_mount(Mode::Enforce).await;
    bench.write("r", iam_user(NARROW)).await.unwrap();

    let ttl = RoleChange { ttl: Some(60), ..RoleChange::default() };
    let path = RoleChange { user_path: Some("/a/".into()), ..RoleChange::default() };
    let (one, other) = tokio::join!(bench.write("r", ttl), bench.write("r", path));

    assert!(one.is_ok() && other.is_ok());
    let stored = bench.engine.read_role(&bench.mount(), &role("r")).await.unwrap().unwrap();
    assert_eq!((stored.ttl, stored.user_path.as_str(), stored.version), (60, "/a/", 3));
}
