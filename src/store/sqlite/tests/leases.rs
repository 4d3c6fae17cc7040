//! Leases: rows, lists, due times, purging.

use super::*;
use crate::model::{
    EndReason, EndRecord, FailureClass, SessionCut, SessionRevocation, TeardownProgress,
};

fn revoking(number: u32, next_attempt_at: Timestamp) -> Lease {
    let progress = TeardownProgress {
        reason: EndReason::Revoked,
        since: at(20),
        access_key: Some("AKIAIOSFODNN7EXAMPLE".parse().unwrap()),
        expires_at: Some(at(5000)),
        contained_at: Some(at(21)),
        removed_at: None,
        looks: 2,
        attempts: 7,
        next_attempt_at,
        last_failure: Some((FailureClass::Throttled, "slow down".to_owned())),
    };
    Lease { state: LeaseState::Revoking(progress), ..pending(number, "t") }
}

fn revoked(number: u32, gone: i64) -> Lease {
    let record = EndRecord {
        reason: EndReason::Expired,
        since: at(gone.saturating_sub(2)),
        access_key: Some("AKIAIOSFODNN7EXAMPLE".parse().unwrap()),
        expires_at: Some(at(gone.saturating_sub(3))),
        contained_at: Some(at(gone.saturating_sub(2))),
        removed_at: Some(at(gone.saturating_sub(1))),
    };
    let state = LeaseState::Revoked { at: at(gone), record: Some(record) };
    Lease { state, ..pending(number, "t") }
}

#[tokio::test]
async fn a_lease_reads_back_in_every_state() {
    let store = store().await;
    let bare = Lease {
        id: "aws/sts/other/aaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
        user: None,
        verdict: String::new(),
        role_ttl: None,
        role_max_ttl: Some(Duration::from_millis(1500)),
        last_renewal: Some(at(15)),
        forced: true,
        credential_type: CredentialType::SessionToken,
        origin: Origin {
            caller: "token-ci".to_owned(),
            source: Some("2001:db8::1".parse().unwrap()),
            policy_digest: "0b".repeat(32),
        },
        account: Some("123456789012".to_owned()),
        user_id: Some("AIDAQWERTYUIOPASDFGHJ".to_owned()),
        beside: Beside {
            managed_policy: true,
            session: Some(SessionCut {
                by: SessionRevocation::Tag,
                role_arn: "arn:aws:iam::123456789012:role/x".to_owned(),
                begun_at: at(9),
                ends_at: at(99),
            }),
        },
        request_key: Some(vec![1, 2, 3]),
        proven_at: Some(at(12)),
        ..pending(9, "t")
    };
    for (lease, revision) in [
        (pending(1, "t"), 0),
        (active(2, "t", at(70)), 0),
        (revoking(3, at(80)), 0),
        (revoked(4, 90), 0),
        (bare, 0),
    ] {
        store.begin_lease(&lease).await.unwrap();
        let stored = store.lease(&lease.id).await.unwrap().unwrap();
        assert_eq!(stored, Lease { revision, ..lease });
    }
    assert_eq!(store.lease(&lease_id(99)).await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_walks_through_its_life() {
    let store = store().await;
    store.begin_lease(&pending(1, "t")).await.unwrap();
    for (revision, next) in (0..).zip([active(1, "t", at(70)), revoking(1, at(80)), revoked(1, 90)])
    {
        store.save_lease(&Lease { revision, ..next.clone() }).await.unwrap();
        let stored = store.lease(&next.id).await.unwrap().unwrap();
        assert_eq!(stored, Lease { revision: revision + 1, ..next });
    }
    assert_eq!(store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn a_stale_save_is_a_conflict_and_changes_nothing() {
    let store = store().await;
    store.begin_lease(&pending(1, "t")).await.unwrap();
    store.save_lease(&active(1, "t", at(70))).await.unwrap();
    let stale = store.save_lease(&revoking(1, at(80))).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    let again = store.begin_lease(&pending(1, "t")).await;
    assert!(matches!(again, Err(StoreError::Conflict)));
    let unknown = store.save_lease(&pending(2, "t")).await;
    assert!(matches!(unknown, Err(StoreError::Conflict)));
    let stored = store.lease(&lease_id(1)).await.unwrap().unwrap();
    assert_eq!(stored, Lease { revision: 1, ..active(1, "t", at(70)) });
}

#[tokio::test]
async fn the_longest_due_comes_first() {
    let store = store().await;
    store.begin_lease(&active(1, "t", at(70))).await.unwrap();
    store.begin_lease(&pending(2, "t")).await.unwrap(); // due at 10 s + 300 s
    store.begin_lease(&revoking(3, at(60))).await.unwrap();
    store.begin_lease(&revoked(4, 5)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(60)));
    assert_eq!(due(&store, at(59)).await, []);
    assert_eq!(due(&store, at(70)).await, [(lease_id(3), false), (lease_id(1), false)]);
    assert_eq!(due(&store, at(309)).await.len(), 2);
    assert_eq!(due(&store, at(310)).await.len(), 3);
    assert_eq!(store.due_leases(at(310), 1).await.unwrap()[0].id, lease_id(3));
}

#[tokio::test]
async fn settling_is_what_the_store_was_told() {
    let settings = Settings { settling: Duration::from_secs(5) };
    let store = Sqlite::temporary_with(settings).unwrap();
    store.put_mount(&mount()).await.unwrap();
    store.begin_lease(&pending(1, "t")).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(15)));
}

#[tokio::test]
async fn a_lease_that_turns_active_after_its_holder_ended_is_due_at_once() {
    let store = store().await;
    store.create_token(&token("a", None)).await.unwrap();
    store.begin_lease(&pending(1, "a")).await.unwrap();
    store.end_token_tree(&digest("a"), at(20)).await.unwrap();
    assert_eq!(due(&store, at(30)).await, []); // the issue is still under way
    store.save_lease(&active(1, "a", at(5000))).await.unwrap();
    assert_eq!(due(&store, at(30)).await, [(lease_id(1), true)]);
    let renewed = Lease { revision: 1, ..active(1, "a", at(9000)) };
    store.save_lease(&renewed).await.unwrap();
    assert_eq!(due(&store, at(30)).await, [(lease_id(1), true)]);
}

#[tokio::test]
async fn pending_leases_of_an_earlier_process_are_due_at_once() {
    let store = store().await;
    store.begin_lease(&pending(1, "t")).await.unwrap();
    store.begin_lease(&active(2, "t", at(5000))).await.unwrap();
    assert_eq!(store.abandon_pending(at(12)).await.unwrap(), 1);
    assert_eq!(due(&store, at(12)).await, [(lease_id(1), false)]);
}

#[tokio::test]
async fn lists_are_by_prefix_in_order_and_page_by_page() {
    let store = store().await;
    for number in [3, 1, 2] {
        store.begin_lease(&active(number, "t", at(70))).await.unwrap();
    }
    for id in
        ["aws/creds/deploy2/aaaaaaaaaaaaaaaaaaaaaaaa", "aws2/creds/x/aaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        let other = Lease { id: id.parse().unwrap(), ..active(0, "t", at(70)) };
        store.begin_lease(&other).await.unwrap();
    }
    let deploy = ids(&store, "aws/creds/deploy/", Show::Visible).await;
    assert_eq!(deploy, [lease_id(1), lease_id(2), lease_id(3)]);
    assert_eq!(ids(&store, "aws/", Show::Visible).await.len(), 4);
    assert_eq!(ids(&store, "", Show::Visible).await.len(), 5);
    assert_eq!(ids(&store, lease_id(2).as_str(), Show::Visible).await, [lease_id(2)]);
    assert_eq!(ids(&store, "b", Show::Visible).await, []);
    let page = LeaseQuery {
        prefix: "aws/creds/deploy/",
        after: Some(&lease_id(1)),
        limit: 1,
        show: Show::Visible,
    };
    assert_eq!(store.lease_ids(page).await.unwrap(), [lease_id(2)]);
}

#[tokio::test]
async fn what_nobody_was_given_or_is_gone_is_not_listed() {
    let store = store().await;
    let forced = Lease { forced: true, ..active(2, "t", at(70)) };
    for lease in [pending(1, "t"), forced, revoking(3, at(80)), revoked(4, 90)] {
        store.begin_lease(&lease).await.unwrap();
    }
    assert_eq!(ids(&store, "aws/", Show::Visible).await, [lease_id(3)]);
    let unfinished = ids(&store, "aws/", Show::Unfinished).await;
    assert_eq!(unfinished, [lease_id(1), lease_id(2), lease_id(3)]);
}

#[tokio::test]
async fn purging_keeps_all_that_something_unfinished_needs() {
    let store = store().await;
    for name in ["t", "idle", "alive"] {
        store.create_token(&token(name, None)).await.unwrap();
    }
    store.put_account_binding(&mount().id, &AccountBinding::default()).await.unwrap();
    for lease in [revoked(1, 50), revoked(2, 150), revoking(3, at(80))] {
        store.begin_lease(&lease).await.unwrap();
    }
    for name in ["t", "idle"] {
        store.end_token_tree(&digest(name), at(40)).await.unwrap();
    }
    store.remove_mount(&mount().id).await.unwrap();
    assert!(store.token(&digest("idle")).await.unwrap().is_some());

    // One lease and the idle token: the other token and the mount have an unfinished lease.
    assert_eq!(store.purge(at(100)).await.unwrap(), 2);
    assert_eq!(store.lease(&lease_id(1)).await.unwrap(), None);
    assert!(store.lease(&lease_id(2)).await.unwrap().is_some());
    assert_eq!(store.token(&digest("idle")).await.unwrap(), None);
    assert!(store.token(&digest("t")).await.unwrap().is_some());
    assert!(store.token(&digest("alive")).await.unwrap().is_some());
    assert_eq!(store.mounts().await.unwrap().len(), 1);
    assert!(store.account_binding(&mount().id).await.unwrap().is_some());

    // The last unfinished lease is gone: token, tombstone and keys go, the records stay.
    store.save_lease(&revoked(3, 160)).await.unwrap();
    assert_eq!(store.purge(at(100)).await.unwrap(), 2);
    assert_eq!(store.token(&digest("t")).await.unwrap(), None);
    assert_eq!(store.mounts().await.unwrap(), []);
    assert_eq!(store.account_binding(&mount().id).await.unwrap(), None);
    assert_eq!(store.lease(&lease_id(3)).await.unwrap().unwrap().mount, mount().id);

    assert_eq!(store.purge(at(200)).await.unwrap(), 2);
    for table in ["lease", "holder", "mount"] {
        let rows: i64 = store
            .readers
            .point(|db| {
                Ok(db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))?)
            })
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn a_damaged_row_hides_no_other_that_is_due() {
    let store = store().await;
    for number in 1..=2 {
        store.begin_lease(&active(number, "t", at(70))).await.unwrap();
    }
    let damage = |w: &mut Writing<'_>| {
        w.db.execute("UPDATE lease SET access_key = '' WHERE id = ?1", [lease_id(1).as_str()])?;
        Ok(())
    };
    store.write(damage).await.unwrap();
    store.lease(&lease_id(1)).await.unwrap_err();
    assert_eq!(due(&store, at(70)).await, [(lease_id(1), false), (lease_id(2), false)]);
}
