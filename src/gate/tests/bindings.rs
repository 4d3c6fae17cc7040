//! What a guardrail is bound to: scope, suspension, order, severities, rules off, threshold, failures; who asks; sets that
//! take each other's place; and verdicts that are reached again.

use std::collections::BTreeSet;

use guardrail_host::Plugin;

use super::component::Component;
use super::*;
use crate::model::{
    Binding, FailureAction, FailureKind, GuardrailName, LoweredLimits, OnFailure, PluginRef, Scope,
    Suspension,
};

static LEAST: LazyLock<Plugin> =
    LazyLock::new(|| HOST.load(shipped("least-privilege").unwrap()).unwrap());

fn enforcing() -> Binding {
    Binding::shipped("least-privilege", Mode::Enforce)
}

fn least(binding: &Binding) -> Gate {
    let component = Component::new("own".to_owned(), LEAST.clone(), binding.clone());
    judging(vec![Bound::bound(Box::new(component), binding, None)])
}

fn saying(name: &str, answer: Result<Vec<Finding>, Trouble>) -> Bound {
    Bound::everywhere(Box::new(Scripted::new(name, vec![answer])), Mode::Enforce)
}

async fn verdict(gate: &Gate, document: &str) -> Arc<Verdict> {
    gate.judge(grant(gate, Some(document))).await.verdict
}

fn rules(verdict: &Verdict) -> Vec<&str> {
    verdict.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[tokio::test]
async fn a_guardrail_has_a_say_about_the_roles_in_its_scope_alone() {
    let scoped = |roles: &str| {
        let scope = Scope { roles: vec![roles.to_owned()], ..Scope::default() };
        judging(vec![Bound { scope, ..saying("scripted", Ok(vec![refusal()])) }])
    };
    assert_eq!(verdict(&scoped("my-*"), SCOPED).await.decision, Decision::Deny);
    assert_eq!(verdict(&scoped("other-*"), SCOPED).await.decision, Decision::Allow);
    // Nobody knows what role a bare document is for.
    let bare = scoped("other-*").judge_bare(SCOPED, Timestamp::from_millis(1)).await;
    assert_eq!(bare.decision, Decision::Deny);
}

#[tokio::test]
async fn what_cannot_be_read_denies_only_where_something_enforces() {
    let scope = Scope { roles: vec!["other".to_owned()], ..Scope::default() };
    let elsewhere = judging(vec![Bound { scope, ..saying("scripted", Ok(Vec::new())) }]);
    let here = judging(vec![saying("scripted", Ok(Vec::new()))]);
    for (gate, decision) in [(here, Decision::Deny), (elsewhere, Decision::Allow)] {
        let unread = with_managed(grant(&gate, None), ADMIN_ARN, Err("throttled"));
        assert_eq!(gate.judge(unread).await.verdict.decision, decision);
    }
}

#[tokio::test]
async fn a_failure_leads_to_what_its_rule_says() {
    let by = |kind: &str, action| OnFailure([(kind.parse().unwrap(), action)].into());
    for (on_failure, decision, told) in [
        (OnFailure::default(), Decision::Deny, 1),
        (by("limit/*", FailureAction::Note), Decision::Allow, 1),
        (by("limit/fuel", FailureAction::Allow), Decision::Allow, 0),
        (by("trap", FailureAction::Allow), Decision::Deny, 1),
    ] {
        let gate = judging(vec![Bound { on_failure, ..saying("scripted", Err(trouble())) }]);
        let judged = verdict(&gate, SCOPED).await;
        assert_eq!((judged.decision, judged.findings.len()), (decision, told));
    }
    assert_eq!(FailureKind::KNOWN.len(), BTreeSet::from(FailureKind::KNOWN).len());
}

/// Never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Guardrail for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn identity(&self) -> String {
        "silent".to_owned()
    }

    async fn judge(&self, _: &Subject) -> Result<Vec<Finding>, Trouble> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_not_answered_within_the_time_of_a_request_has_failed() {
    let silent = Bound::everywhere(Box::new(Silent), Mode::Enforce);
    let gate = judging(vec![silent, saying("scripted", Ok(vec![refusal()]))]);
    let before = Instant::now();
    let judged = verdict(&gate, SCOPED).await;
    assert_eq!(before.elapsed().as_secs(), 1);
    let told = sentences(&judged.findings);
    assert_eq!(told, ["scripted/no: no", "silent/failure: limit/time"], "the others are heard");
}

#[tokio::test]
async fn a_suspended_guardrail_is_not_asked_and_everybody_is_told_until_its_time_is_over() {
    let name: GuardrailName = "scripted".parse().unwrap();
    let suspension = Suspension {
        name,
        until: Timestamp::from_millis(60_000),
        reason: "AWS is down".to_owned(),
        since: Timestamp::from_millis(0),
        by: "token-ops".to_owned(),
        accessor: "x".to_owned(),
    };
    let bound = Bound { suspension: Some(suspension), ..saying("scripted", Ok(vec![refusal()])) };
    let gate = judging(vec![bound]);
    let at = async |millis: i64| {
        let now = Timestamp::from_millis(millis);
        gate.judge(Grant { now, ..grant(&gate, Some(SCOPED)) }).await
    };
    let meanwhile = at(59_999).await;
    assert_eq!(
        meanwhile.warnings(),
        [
            "scripted/suspended: the guardrail is suspended by `token-ops` until 1970-01-01T00:01:00Z: AWS is down"
        ]
    );
    let after = at(60_000).await;
    assert_eq!(after.verdict.decision, Decision::Deny);
    assert_ne!(meanwhile.verdict.digest, after.verdict.digest);
    assert_eq!(at(1).await.verdict, meanwhile.verdict, "the clock alone decides");
}

#[tokio::test]
async fn findings_are_shown_by_order_and_then_by_name() {
    let of = |name: &str| role_finding(format!("{name}/no"), Severity::High, "no".to_owned());
    let bound = |name: &str, order| Bound { order, ..saying(name, Ok(vec![of(name)])) };
    let gate = judging(vec![bound("b", 0), bound("c", -1), bound("a", 0), bound("d", 5)]);
    assert_eq!(rules(&*verdict(&gate, SCOPED).await), ["c/no", "a/no", "b/no", "d/no"]);
}

#[tokio::test]
async fn severities_and_rules_off_are_the_guardrails_to_say() {
    let plain = least(&enforcing());
    let judged = verdict(&plain, S3_STAR).await;
    assert_eq!((judged.decision, rules(&judged)[0]), (Decision::Deny, "own/service-wildcard"));
    let rule = || "service-wildcard".to_owned();
    let off = Binding { rules_off: [rule()].into(), ..enforcing() };
    let judged = verdict(&least(&off), S3_STAR).await;
    assert!(!rules(&judged).contains(&"own/service-wildcard"), "{judged:?}");
    let all = |severity| {
        let rules = LEAST.manifest().rules.iter();
        rules.map(|rule| (rule.id.clone(), severity)).collect()
    };
    let lighter = Binding { severities: all(Severity::Low), ..enforcing() };
    let judged = verdict(&least(&lighter), S3_STAR).await;
    assert_eq!((judged.decision, judged.findings[0].severity), (Decision::Allow, Severity::Low));
    let at_low = Binding { deny_at: Some(Severity::Low), ..lighter };
    assert_eq!(verdict(&least(&at_low), S3_STAR).await.decision, Decision::Deny);
    let never = Binding { deny_at: Some(Severity::Critical), ..enforcing() };
    let judged = verdict(&least(&never), S3_STAR).await;
    assert_eq!(judged.decision, Decision::Allow, "service-wildcard is high: {judged:?}");
}

#[tokio::test]
async fn who_asks_counts_where_a_guardrail_sees_it() {
    let digest = async |gate: &Gate, who: &str| {
        let actor = Some(Actor { id: who.to_owned(), groups: Vec::new() });
        gate.judge(Grant { actor, ..grant(gate, Some(SCOPED)) }).await.verdict.digest.clone()
    };
    let blind = least(&enforcing());
    assert_eq!(digest(&blind, "a").await, digest(&blind, "b").await);
    let seeing = least(&Binding { sees_actor: true, ..enforcing() });
    assert_ne!(digest(&seeing, "a").await, digest(&seeing, "b").await);
}

fn member(name: &str, binding: Binding) -> Member {
    Member { name: name.parse().unwrap(), binding, suspension: None }
}

#[tokio::test]
async fn a_guardrail_without_its_component_stays_and_fails() {
    let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let absent = Binding { plugin: PluginRef::Digest(digest), ..enforcing() };
    let gone = Binding { plugin: PluginRef::Shipped("gone".to_owned()), ..enforcing() };
    let unfit = Binding { settings: r#"{"rules_off": 5}"#.to_owned(), ..enforcing() };
    for (binding, code) in [(absent, "load"), (gone, "load"), (unfit, "failure/settings")] {
        let gate = least(&enforcing());
        let set = gate.prepare(vec![member("own", binding)], &BTreeMap::new(), Mode::Off);
        assert_eq!(set.broken()[0].0, "own");
        gate.swap(set);
        let judged = verdict(&gate, SCOPED).await;
        assert_eq!(sentences(&judged.findings), [format!("own/failure: {code}")]);
        assert_eq!(judged.decision, Decision::Deny);
    }
}

#[tokio::test]
async fn a_guardrail_may_have_less_to_use_than_the_others_and_never_more() {
    let fuel = |fuel: u64| {
        let limits = LoweredLimits { fuel: Some(fuel), ..LoweredLimits::default() };
        Binding { limits, ..enforcing() }
    };
    for (units, told) in [(u64::MAX, vec![]), (1_000, vec!["own/failure: limit/fuel"])] {
        let gate = least(&enforcing());
        gate.swap(gate.prepare(vec![member("own", fuel(units))], &BTreeMap::new(), Mode::Off));
        let judged = verdict(&gate, SCOPED).await;
        assert_eq!(sentences(&judged.findings), told, "{units}");
    }
}

#[tokio::test]
async fn a_verdict_is_reached_again_from_what_was_kept_byte_for_byte() {
    let gate = least(&enforcing());
    let binding = Binding { sees_actor: true, order: 3, ..enforcing() };
    gate.swap(gate.prepare(vec![member("own", binding)], &BTreeMap::new(), Mode::Enforce));
    let mut judged = with_managed(grant(&gate, Some(SCOPED)), ADMIN_ARN, Ok(ADMIN));
    judged = with_managed(judged, "arn:aws:iam::aws:policy/X", Err("throttled"));
    judged.actor = Some(Actor { id: "token-ci".to_owned(), groups: vec!["default".to_owned()] });
    judged.previous = vec![(DocumentSource::Inline, S3_STAR.to_owned())];
    let judgement = gate.judge(judged).await;
    let fresh = judgement.fresh.unwrap();
    let spec: SetSpec = serde_json::from_str(&fresh.spec).unwrap();
    // As another process would, which knows the words alone.
    let other = least(&enforcing());
    let set = other.prepare(spec.members, &BTreeMap::new(), spec.default_mode);
    assert_eq!(set.id(), fresh.set);
    let again = other.replay(&set, &fresh.input).await.unwrap();
    let bytes = |verdict: &Verdict| serde_json::to_string(verdict).unwrap();
    assert_eq!(bytes(&again.verdict), bytes(&judgement.verdict));
    assert_eq!(again.verdict.decision, Decision::Deny);
    assert!(other.replay(&set, "{}").await.is_err());
}

#[test]
fn no_call_ever_sees_half_of_two_sets() {
    let of = |name: &str, set: &str| {
        let finding = role_finding(format!("{name}/{set}"), Severity::Low, set.to_owned());
        Bound { mode: Mode::Warn, ..saying(name, Ok(vec![finding])) }
    };
    let set = |word: &str| Set::of(vec![of("a", word), of("b", word)], Mode::Off, word);
    let gate = Gate::judging_by(set("one"), Plugins::new(HOST.clone()), Mode::Off).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        for worker in 0_u64..2 {
            let (gate, done) = (&gate, &done);
            threads.spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                let mut asked: u64 = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) || asked < 50 {
                    let mut fresh = grant(gate, Some(SCOPED));
                    fresh.role.max_ttl_seconds = asked.saturating_mul(2).saturating_add(worker);
                    let judged = runtime.block_on(gate.judge(fresh)).verdict;
                    let words: BTreeSet<&str> =
                        judged.findings.iter().map(|finding| finding.message.as_str()).collect();
                    assert_eq!((words.len(), judged.findings.len()), (1, 2), "{judged:?}");
                    asked = asked.saturating_add(1);
                }
            });
        }
        for round in 0..500 {
            gate.swap(set(if round % 2 == 0 { "two" } else { "one" }));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
