//! What a decision depends on: modes, failures, what could not be read, quotas; and what is kept of it.

use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn an_allowed_grant_carries_the_bytes_that_were_judged() {
    let gate = scripted(Mode::Enforce, vec![Ok(Vec::new())]);
    let spaced = SCOPED.replace("\":", "\" : ").replace(',', ",\n");
    let judgement = gate.judge(grant(&gate, Some(&spaced))).await;
    let vetted = judgement.vetted.clone().unwrap();
    assert_eq!(vetted.document(), Some(SCOPED));
    assert_eq!(vetted.verdict(), &*judgement.verdict);
    assert_eq!((judgement.warnings(), judgement.errors()), (vec![], vec![]));
    assert_eq!(judgement.verdict.digest.len(), 64);
}

#[test]
fn a_judgement_may_move_between_threads() {
    fn moves<T: Send>(value: T) -> T {
        value
    }
    let gate = scripted(Mode::Enforce, vec![Ok(Vec::new())]);
    drop(moves(gate.judge(grant(&gate, None))));
    drop(moves(Arc::new(gate)));
}

#[tokio::test]
async fn a_mode_decides_what_a_denial_and_a_failure_lead_to() {
    let cases = [
        (Mode::Off, Ok(vec![refusal()]), Decision::Allow, vec![]),
        (Mode::Audit, Ok(vec![refusal()]), Decision::Allow, vec![]),
        (Mode::Warn, Ok(vec![refusal()]), Decision::Allow, vec!["scripted/no: no"]),
        (Mode::Enforce, Ok(vec![refusal()]), Decision::Deny, vec!["scripted/no: no"]),
        (Mode::Audit, Err(trouble()), Decision::Allow, vec![]),
        (Mode::Warn, Err(trouble()), Decision::Allow, vec!["scripted/failure: limit/fuel"]),
        (Mode::Enforce, Err(trouble()), Decision::Deny, vec!["scripted/failure: limit/fuel"]),
    ];
    for (mode, answer, decision, told) in cases {
        let gate = scripted(mode, vec![answer]);
        let judgement = gate.judge(grant(&gate, Some(SCOPED))).await;
        assert_eq!(judgement.verdict.decision, decision, "{mode}");
        assert_eq!(judgement.vetted.is_some(), decision == Decision::Allow);
        let (shown, other) = match decision {
            Decision::Allow => (judgement.warnings(), judgement.errors()),
            Decision::Deny => (judgement.errors(), judgement.warnings()),
        };
        assert_eq!(shown, told, "{mode}");
        assert_eq!(other, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_verdict_is_kept_and_a_failure_is_tried_again() {
    let gate = scripted(Mode::Enforce, vec![Err(trouble()), Ok(Vec::new()), Ok(vec![refusal()])]);
    let decision = async || gate.judge(grant(&gate, Some(SCOPED))).await.verdict.decision;
    assert_eq!(decision().await, Decision::Deny, "the failure");
    assert_eq!(decision().await, Decision::Allow, "asked again");
    assert_eq!(decision().await, Decision::Allow, "kept: the third answer is never asked for");
    let other = gate.judge(with_managed(grant(&gate, Some(SCOPED)), ADMIN_ARN, Ok(ADMIN))).await;
    assert_eq!(other.verdict.decision, Decision::Deny, "another grant is judged afresh");
}

#[tokio::test]
async fn the_time_is_not_part_of_the_digest_and_everything_else_is() {
    let gate = scripted(Mode::Warn, vec![Ok(Vec::new())]);
    let digest = async |grant: Grant| gate.judge(grant).await.verdict.digest.clone();
    let first = digest(grant(&gate, Some(SCOPED))).await;
    let later = Grant { now: Timestamp::from_millis(9_999), ..grant(&gate, Some(SCOPED)) };
    assert_eq!(digest(later).await, first);
    let spaced = SCOPED.replace("{\"Effect", "{\n\"Effect");
    assert_eq!(digest(grant(&gate, Some(&spaced))).await, first, "white space grants nothing");
    let mut others = vec![
        grant(&gate, None),
        grant(&gate, Some(S3_STAR)),
        Grant { trigger: Trigger::Issue, ..grant(&gate, Some(SCOPED)) },
        with_managed(grant(&gate, Some(SCOPED)), ADMIN_ARN, Ok(ADMIN)),
        with_managed(grant(&gate, Some(SCOPED)), ADMIN_ARN, Err("throttled")),
    ];
    let mut tagged = grant(&gate, Some(SCOPED));
    tagged.role.tags.insert("team".to_owned(), "a".to_owned());
    others.push(tagged);
    for other in others {
        assert_ne!(digest(other).await, first);
    }
    // Guests see which boundary it is, not only what is in it.
    let bounded = |arn: &str| {
        let (boundary, boundary_text) = (Some(arn.parse().unwrap()), Some(Ok(SCOPED.to_owned())));
        Grant { boundary, boundary_text, ..grant(&gate, Some(SCOPED)) }
    };
    let one = digest(bounded("arn:aws:iam::111122223333:policy/one")).await;
    assert_ne!(one, digest(bounded("arn:aws:iam::111122223333:policy/other")).await);
    let stricter = scripted(Mode::Enforce, vec![Ok(Vec::new())]);
    assert_ne!(stricter.judge(grant(&stricter, Some(SCOPED))).await.verdict.digest, first);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_denies_where_anything_enforces() {
    for (mode, decision) in [(Mode::Enforce, Decision::Deny), (Mode::Warn, Decision::Allow)] {
        let gate = scripted(mode, vec![Ok(Vec::new())]);
        let reason = "AWS is not configured: config/root has no keys";
        let judgement = gate.judge(with_managed(grant(&gate, None), ADMIN_ARN, Err(reason))).await;
        assert_eq!(judgement.verdict.decision, decision);
        let sentence = format!(
            "{UNREADABLE}: this policy cannot be read, so nobody judged it: {reason} (policy {ADMIN_ARN})"
        );
        assert_eq!(sentences(&judgement.verdict.findings), [sentence]);
    }
    let gate = scripted(Mode::Enforce, vec![Ok(Vec::new())]);
    let mut untold = grant(&gate, None);
    untold.policy_arns.push(ADMIN_ARN.parse().unwrap());
    untold.boundary = Some(ADMIN_ARN.parse().unwrap());
    let verdict = gate.judge(untold).await.verdict;
    let sources: Vec<&str> =
        verdict.findings.iter().map(|finding| finding.source.as_str()).collect();
    assert_eq!(sources, [ADMIN_ARN, "boundary"], "what was never fetched counts as unread");
    let broken = with_managed(grant(&gate, None), ADMIN_ARN, Ok("{"));
    assert_eq!(gate.judge(broken).await.verdict.decision, Decision::Deny);
}

#[tokio::test]
async fn quotas_of_a_user_are_refused_in_every_mode() {
    let gate = scripted(Mode::Off, vec![Ok(Vec::new())]);
    for (count, decision, told) in
        [(10, Decision::Allow, 0), (11, Decision::Allow, 1), (21, Decision::Deny, 1)]
    {
        let mut many = grant(&gate, None);
        for index in 0..count {
            many = with_managed(many, &format!("arn:aws:iam::aws:policy/P{index}"), Ok(SCOPED));
        }
        let verdict = gate.judge(many).await.verdict;
        assert_eq!((verdict.decision, verdict.findings.len()), (decision, told), "{count}");
    }
    let mut joined = grant(&gate, None);
    joined.groups = (0..11).map(|index| format!("g{index}").parse().unwrap()).collect();
    assert_eq!(gate.judge(joined).await.verdict.decision, Decision::Deny);
}

#[tokio::test]
async fn whoever_can_change_the_tags_of_our_users_is_told_so() {
    let gate = scripted(Mode::Enforce, vec![Ok(Vec::new())]);
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:GetUser","iam:Untag*"],"Resource":"arn:aws:iam::111122223333:user/ci/*"}}"#;
    let mut under_path = grant(&gate, Some(text));
    under_path.role.path = "/ci/".to_owned();
    let judgement = gate.judge(under_path).await;
    insta::assert_snapshot!(judgement.warnings().join("\n"), @"grant/broker-tags: `iam:Untag*` can change the tags by which Leasehold knows its users (inline document, at /Statement/Action/1)");
    let mut elsewhere = grant(&gate, Some(text));
    elsewhere.role.path = "/other/".to_owned();
    assert_eq!(gate.judge(elsewhere).await.verdict.findings, []);
}

proptest! {
    // Each case compiles the schema.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_allowed_when_an_enforcing_guardrail_denied(
        bound in prop::collection::vec((0_u8..4, 0_u8..3), 0..5),
    ) {
        let modes = [Mode::Off, Mode::Audit, Mode::Warn, Mode::Enforce];
        let mut denied = false;
        let guardrails = bound.iter().enumerate().map(|(index, (mode, answer))| {
            let mode = modes[usize::from(*mode)];
            denied |= mode == Mode::Enforce && *answer > 0;
            let answer = match answer {
                0 => Ok(Vec::new()),
                1 => Ok(vec![refusal()]),
                _ => Err(trouble()),
            };
            let guardrail = Box::new(Scripted::new(&format!("g{index}"), vec![answer]));
            Bound::everywhere(guardrail, mode)
        }).collect();
        let gate = judging(guardrails);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for _ in 0..2 {
            let judgement = runtime.block_on(gate.judge(grant(&gate, Some(SCOPED))));
            prop_assert_eq!(judgement.vetted.is_none(), denied);
            prop_assert_eq!(judgement.verdict.decision == Decision::Deny, denied);
        }
    }
}
