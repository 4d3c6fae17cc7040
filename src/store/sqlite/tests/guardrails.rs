//! Guardrails: each write is the next of its version, what is bound to a plugin is known, and of kept verdicts the
//! oldest go first.

use super::*;
use crate::model::{
    Binding, Guardrail, GuardrailName, KeptVerdict, Mode, PluginDigest, PluginRef, Suspension,
};
use crate::store::{GuardrailStore, VerdictBounds};

fn guardrail(name: &str, version: u64, plugin: Option<&PluginDigest>) -> Guardrail {
    let mut binding = Binding::shipped("least-privilege", Mode::Warn);
    if let Some(digest) = plugin {
        binding.plugin = PluginRef::Digest(digest.clone());
    }
    Guardrail {
        name: name.parse().unwrap(),
        version,
        binding,
        written_at: at(1),
        written_by: "token-ci".to_owned(),
    }
}

fn named(name: &str) -> GuardrailName {
    name.parse().unwrap()
}

#[tokio::test]
async fn a_guardrail_is_written_as_the_next_version_or_not_at_all() {
    let store = store().await;
    let first = guardrail("a", 1, None);
    store.put_guardrail(&first).await.unwrap();
    for stale in [1, 3] {
        let refused = store.put_guardrail(&guardrail("a", stale, None)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{stale}");
    }
    let second = Guardrail { binding: Binding::shipped("x", Mode::Off), ..guardrail("a", 2, None) };
    store.put_guardrail(&second).await.unwrap();
    store.put_guardrail(&guardrail("b", 1, None)).await.unwrap();
    assert_eq!(store.guardrail(&named("a")).await.unwrap(), Some(second.clone()));
    assert_eq!(store.guardrails().await.unwrap(), [second, guardrail("b", 1, None)]);
    assert!(store.remove_guardrail(&named("a")).await.unwrap());
    assert!(!store.remove_guardrail(&named("a")).await.unwrap());
    store.put_guardrail(&first).await.unwrap();
}

#[tokio::test]
async fn a_guardrail_of_a_plugin_that_is_not_stored_is_not_written() {
    let store = store().await;
    let digest: PluginDigest = format!("sha256:{}", "ab".repeat(32)).parse().unwrap();
    let refused = store.put_guardrail(&guardrail("a", 1, Some(&digest))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    assert_eq!(store.guardrails_of(&digest).await.unwrap(), []);
}

#[tokio::test]
async fn a_suspension_goes_with_its_guardrail() {
    let store = store().await;
    let suspension = |minutes: i64| Suspension {
        name: named("a"),
        until: at(minutes),
        reason: "it is broken".to_owned(),
        since: at(0),
        by: "root".to_owned(),
        accessor: "x".to_owned(),
    };
    store.put_suspension(&suspension(5)).await.unwrap();
    store.put_suspension(&suspension(9)).await.unwrap();
    assert_eq!(store.suspensions().await.unwrap(), [suspension(9)]);
    assert!(store.remove_suspension(&named("a")).await.unwrap());
    assert!(!store.remove_suspension(&named("a")).await.unwrap());
    store.put_guardrail(&guardrail("a", 1, None)).await.unwrap();
    store.put_suspension(&suspension(5)).await.unwrap();
    store.remove_guardrail(&named("a")).await.unwrap();
    assert_eq!(store.suspensions().await.unwrap(), []);
    // Nothing was written of it: it is the configuration's, and goes on being suspended.
    store.put_suspension(&suspension(5)).await.unwrap();
    assert!(!store.remove_guardrail(&named("a")).await.unwrap());
    assert_eq!(store.suspensions().await.unwrap(), [suspension(5)]);
}

#[tokio::test]
async fn of_kept_verdicts_the_oldest_go_first_and_sets_go_with_the_last_of_theirs() {
    let store = store().await;
    let kept = |digest: &str, minute: i64, set: &str| KeptVerdict {
        digest: digest.to_owned(),
        reached_at: at(minute),
        verdict: "v".repeat(40),
        input: "i".repeat(60),
        set: set.to_owned(),
    };
    for (digest, minute, set) in [("a", 1, "s"), ("b", 2, "t"), ("c", 3, "t")] {
        store.keep_verdict(&kept(digest, minute, set), &format!("{set} body")).await.unwrap();
    }
    let found = store.kept_verdict("b").await.unwrap();
    assert_eq!(found, Some((kept("b", 2, "t"), "t body".to_owned())));
    let bounds = |oldest: i64, bytes: u64| VerdictBounds { oldest: at(oldest), bytes };
    assert_eq!(store.prune_verdicts(bounds(0, 300)).await.unwrap(), 0);
    assert_eq!(store.prune_verdicts(bounds(0, 200)).await.unwrap(), 1);
    assert_eq!(store.kept_verdict("a").await.unwrap(), None);
    store.keep_verdict(&kept("b", 9, "t"), "t body").await.unwrap();
    assert_eq!(store.prune_verdicts(bounds(5, 300)).await.unwrap(), 1);
    assert!(store.kept_verdict("c").await.unwrap().is_none());
    assert!(store.kept_verdict("b").await.unwrap().is_some());
}
