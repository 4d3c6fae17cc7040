//! The shipped guardrails through the whole gate: what people read, and that it never differs.

use std::sync::LazyLock;

use super::*;

static ENFORCING: LazyLock<Gate> = LazyLock::new(|| shipped(Mode::Enforce));
static WARNING: LazyLock<Gate> = LazyLock::new(|| shipped(Mode::Warn));

fn shipped(default_mode: Mode) -> Gate {
    Gate::new(GateConfig::for_tests(default_mode)).unwrap()
}

#[tokio::test]
async fn the_walk_through_is_warned_of_and_denied_where_it_is_enforced() {
    let judgement = WARNING.judge(grant(&WARNING, Some(S3_STAR))).await;
    assert!(judgement.vetted.is_some());
    let warnings = judgement.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.starts_with("least-privilege/service-wildcard: `s3:*`")
                && warning.ends_with("(inline document, line 6, column 17)")),
        "{warnings:#?}"
    );
    let judgement = ENFORCING.judge(grant(&ENFORCING, Some(S3_STAR))).await;
    assert!(judgement.vetted.is_none());
    assert_eq!(judgement.errors(), warnings);
}

#[tokio::test]
async fn a_role_cannot_walk_around_the_gate_by_naming_a_policy() {
    let judgement =
        ENFORCING.judge(with_managed(grant(&ENFORCING, None), ADMIN_ARN, Ok(ADMIN))).await;
    assert_eq!(judgement.verdict.decision, Decision::Deny);
    assert!(judgement.verdict.findings.iter().all(|finding| finding.source == ADMIN_ARN));
    assert!(
        judgement.errors()[0].starts_with("least-privilege/full-admin: "),
        "{:?}",
        judgement.errors()
    );
}

#[tokio::test]
async fn a_kept_verdict_is_a_fresh_one_and_the_same_input_gives_the_same_bytes() {
    let fresh = shipped(Mode::Enforce);
    let bytes = |judgement: &Judgement| serde_json::to_string(&*judgement.verdict).unwrap();
    for document in [SCOPED, S3_STAR] {
        let first = ENFORCING.judge(grant(&ENFORCING, Some(document))).await;
        let kept = ENFORCING.judge(grant(&ENFORCING, Some(document))).await;
        let afresh = fresh.judge(grant(&fresh, Some(document))).await;
        assert!(Arc::ptr_eq(&first.verdict, &kept.verdict));
        assert_eq!(bytes(&first), bytes(&afresh));
    }
}

#[tokio::test]
async fn findings_keep_their_places_when_only_the_white_space_differs() {
    let compact: String = ENFORCING.read(S3_STAR).unwrap().canonical().to_owned();
    let one = ENFORCING.judge(grant(&ENFORCING, Some(S3_STAR))).await.verdict;
    let other = ENFORCING.judge(grant(&ENFORCING, Some(&compact))).await.verdict;
    assert_eq!(one.digest, other.digest);
    assert_eq!((one.findings[0].line, other.findings[0].line), (Some(6), Some(1)));
}

#[tokio::test]
async fn what_is_no_policy_at_all_is_denied_with_a_finding() {
    for text in ["", "5", "{}", "[]", "not json", r#"{"Statement": "x"}"#] {
        let verdict = WARNING.judge_bare(text, Timestamp::from_millis(1)).await;
        assert_eq!(verdict.decision, Decision::Deny, "{text}");
        assert!(!verdict.findings.is_empty(), "{text}");
    }
}
