//! What the comparison with AWS reads and leaves behind.

use super::*;
use crate::model::{Orphan, OrphanPolicy, Quarantine};
use crate::store::ReconcileStore as _;

fn orphan(id: &str, mount: &str) -> Orphan {
    Orphan {
        user_id: id.to_owned(),
        user: format!("vault-{id}").parse().unwrap(),
        path: "/".to_owned(),
        mount: MountId(mount.to_owned()),
        lease: Some("abcdefghijklmnopqrstuvwx".parse().unwrap()),
        created_at: at(1),
        found_at: at(2),
        seen_at: at(2),
        ignored_until: None,
    }
}

#[tokio::test]
async fn rows_with_a_user_are_read_page_by_page() {
    let store = store().await;
    for number in 0..5 {
        store.begin_lease(&active(number, "t", at(70))).await.unwrap();
    }
    let (mut found, mut after) = (Vec::new(), 0);
    while let Some((rows, last)) = store.user_rows(at(0), after, 2).await.unwrap() {
        assert!(rows.len() <= 2);
        found.extend(rows);
        after = last;
    }
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|row| row.active_until == Some(at(70))));
    let one = store.lease_by_tag(&found[0].lease.tag()).await.unwrap().unwrap();
    assert_eq!(one.id, found[0].lease);
    assert_eq!(store.lease_by_tag(&"z".repeat(24).parse().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn orphans_of_other_mounts_stay_and_known_ones_keep_what_was_decided() {
    let store = store().await;
    let (first, other) = (MountId("m1".into()), MountId("m2".into()));
    store
        .put_orphans(std::slice::from_ref(&first), &[orphan("a", "m1"), orphan("b", "m1")])
        .await
        .unwrap();
    store.put_orphans(&[other], &[orphan("c", "m2")]).await.unwrap();
    assert!(store.ignore_orphan("a", Some(at(99))).await.unwrap());
    assert!(!store.ignore_orphan("x", None).await.unwrap());
    let again = Orphan { found_at: at(9), seen_at: at(9), ..orphan("a", "m1") };
    store.put_orphans(&[first], &[again]).await.unwrap();
    let all = store.orphans().await.unwrap();
    let ids: Vec<_> = all.iter().map(|one| one.user_id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!((all[0].found_at, all[0].seen_at), (at(2), at(9)));
    assert_eq!(all[0].ignored_until, Some(at(99)));
    store.forget_orphan("a").await.unwrap();
    assert_eq!(store.orphans().await.unwrap().len(), 1);
}

#[tokio::test]
async fn policies_are_kept_beside_users_and_decided_about_by_their_own_id() {
    let store = store().await;
    let mount = MountId("m1".into());
    let policy = |id: &str, seen| OrphanPolicy {
        policy_id: id.to_owned(),
        arn: format!("arn:aws:iam::123456789012:policy/leasehold/b/l/{id}").parse().unwrap(),
        mount: mount.clone(),
        lease: "abcdefghijklmnopqrstuvwx".parse().unwrap(),
        created_at: at(1),
        found_at: seen,
        seen_at: seen,
        ignored_until: None,
    };
    let mounts = std::slice::from_ref(&mount);
    store.put_orphans(mounts, &[orphan("a", "m1")]).await.unwrap();
    let both = [policy("p", at(2)), policy("q", at(2))];
    store.put_orphan_policies(mounts, &both).await.unwrap();
    assert!(store.ignore_orphan("p", Some(at(99))).await.unwrap());
    store.put_orphan_policies(mounts, &[policy("p", at(9))]).await.unwrap();
    let kept = OrphanPolicy { found_at: at(2), ignored_until: Some(at(99)), ..policy("p", at(9)) };
    assert_eq!(store.orphan_policies().await.unwrap(), [kept]);
    assert_eq!(store.orphans().await.unwrap()[0].ignored_until, None, "the user's is its own");
    store.forget_orphan("p").await.unwrap();
    assert!(store.orphan_policies().await.unwrap().is_empty());
    assert_eq!(store.orphans().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_setting_can_be_forgotten() {
    let store = store().await;
    store.put_setting(Quarantine::SETTING, b"{}").await.unwrap();
    store.remove_setting(Quarantine::SETTING).await.unwrap();
    assert_eq!(store.setting(Quarantine::SETTING).await.unwrap(), None);
}
