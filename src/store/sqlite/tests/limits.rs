//! Counts of live leases, and keys of requests.

use super::*;
use crate::model::{
    CapReached, EndReason, LeaseCap, LeaseCaps, LeaseLimits, MostLeases, TeardownProgress,
};
use crate::store::{LimitStore, RequestStore};

fn named(number: u32, role: &str, holder: &str) -> Lease {
    Lease {
        id: format!("aws/creds/{role}/{number:024}").parse().unwrap(),
        role: role.parse().unwrap(),
        origin: Origin { caller: format!("token-{holder}"), ..Origin::default() },
        ..pending(number, holder)
    }
}

fn revoked(lease: Lease) -> Lease {
    Lease { state: LeaseState::Revoked { at: at(50), record: None }, ..lease }
}

fn revoking(lease: Lease) -> Lease {
    let progress = TeardownProgress {
        reason: EndReason::Abandoned,
        since: at(20),
        access_key: None,
        expires_at: None,
        contained_at: None,
        removed_at: None,
        looks: 0,
        attempts: 0,
        next_attempt_at: at(20),
        last_failure: None,
    };
    Lease { state: LeaseState::Revoking(progress), ..lease }
}

fn caps(role: u64, per_caller: u64) -> LeaseCaps {
    let role = LeaseLimits { max_leases: role, max_leases_per_caller: per_caller };
    LeaseCaps { role, ..LeaseCaps::default() }
}

/// The counts as they are kept, and as a count of the leases gives them.
fn counts(store: &Sqlite) -> [Vec<(String, i64, i64)>; 2] {
    let rows = |sql: &str| {
        let read = |db: &rusqlite::Connection| {
            let mut query = db.prepare(sql)?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        store.readers.point(read).unwrap()
    };
    [
        rows("SELECT role, holder, live FROM live_lease ORDER BY role, holder"),
        rows(
            "SELECT role, holder, count(*) FROM (
                 SELECT role, holder FROM lease_scope WHERE state < 3
                 UNION ALL SELECT role, 0 FROM lease_scope WHERE state < 3
                 UNION ALL SELECT '', holder FROM lease_scope WHERE state < 3
                 UNION ALL SELECT '', 0 FROM lease_scope WHERE state < 3)
             GROUP BY role, holder ORDER BY role, holder",
        ),
    ]
}

#[tokio::test]
async fn counts_are_right_whatever_becomes_of_the_leases() {
    let store = store().await;
    let mut rows = Vec::new();
    let roles = ["a", "b.c"].into_iter().cycle();
    let holders = ["x", "y", "z"].into_iter().cycle();
    for (number, (role, holder)) in (0..12).zip(roles.zip(holders)) {
        let lease = named(number, role, holder);
        store.begin_lease(&lease).await.unwrap();
        rows.push(lease);
        if number == 5 {
            assert_eq!(counts(&store)[0], [], "nothing is counted without a cap");
            let limits = LeaseLimits { max_leases: 100, max_leases_per_caller: 0 };
            store.put_lease_limits(&mount().id, limits).await.unwrap();
        }
    }
    // A lease whose id names another role than its row.
    let odd = Lease { role: "odd".parse().unwrap(), ..named(99, "a", "x") };
    store.begin_lease(&odd).await.unwrap();
    let [kept, counted] = counts(&store);
    assert_eq!(kept, counted);

    // pending → revoking → revoked → revoking again, at different times.
    for (step, becomes) in [revoking, revoked, revoking, revoked].into_iter().enumerate() {
        for lease in rows.iter_mut().skip(step) {
            *lease = becomes(lease.clone());
            store.save_lease(lease).await.unwrap();
            lease.revision += 1;
            let [kept, counted] = counts(&store);
            assert_eq!(kept, counted, "{:?}", lease.id);
        }
    }
    store.purge(at(1000)).await.unwrap();
    let [kept, counted] = counts(&store);
    assert_eq!(kept, counted);
    store.put_lease_limits(&mount().id, LeaseLimits::default()).await.unwrap();
    assert_eq!(counts(&store)[0], []);
}

#[tokio::test]
async fn counting_begins_and_ends_with_the_last_cap() {
    let store = store().await;
    store.begin_lease(&named(1, "r", "x")).await.unwrap();
    let capped = |version, max_leases| Role {
        limits: LeaseLimits { max_leases, max_leases_per_caller: 0 },
        ..role("r", version)
    };
    store.put_role(&capped(1, 5)).await.unwrap();
    assert_eq!(counts(&store)[0].len(), 4);
    store.put_role(&capped(2, 0)).await.unwrap();
    assert_eq!(counts(&store)[0], []);
    store.put_role(&capped(3, 5)).await.unwrap();
    store.remove_role(&mount().id, &"r".parse().unwrap()).await.unwrap();
    assert_eq!(counts(&store)[0], []);
    store.put_role(&capped(1, 5)).await.unwrap();
    store.remove_mount(&mount().id).await.unwrap();
    assert_eq!(counts(&store)[0], []);
    assert_eq!(store.lease_limits(&mount().id).await.unwrap(), None);
}

#[tokio::test]
async fn a_cap_that_is_reached_writes_nothing_and_names_who_holds_the_most() {
    let store = store().await;
    let limits = LeaseLimits { max_leases: 2, max_leases_per_caller: 0 };
    store.put_role(&Role { limits, ..role("r", 1) }).await.unwrap();
    for (number, holder) in [(1, "x"), (2, "y"), (3, "y")] {
        let begun = store.begin_lease_within(&named(number, "r", holder), caps(3, 0)).await;
        assert_eq!(begun.unwrap(), None);
    }
    let most = MostLeases { caller: "token-y".to_owned(), accessor: accessor("y"), live: 2 };
    let refused = store.begin_lease_within(&named(4, "r", "x"), caps(3, 0)).await.unwrap();
    let wanted = CapReached { cap: LeaseCap::Role, limit: 3, live: 3, most: Some(most) };
    assert_eq!(refused, Some(wanted));
    assert_eq!(store.lease(&named(4, "r", "x").id).await.unwrap(), None);
    let own = store.begin_lease_within(&named(4, "r", "x"), caps(0, 1)).await.unwrap().unwrap();
    assert_eq!((own.cap, own.live), (LeaseCap::RolePerCaller, 1));
    let other = store.begin_lease_within(&named(4, "other", "x"), caps(1, 1)).await.unwrap();
    assert_eq!(other, None);
}

#[tokio::test]
async fn a_lease_that_was_never_handed_out_gives_its_request_key_back() {
    let store = store().await;
    let key = Some(vec![7; 32]);
    let of_request = |number| Lease { request_key: key.clone(), ..pending(number, "t") };
    let found = async || store.lease_of_request(&[7; 32]).await.unwrap().map(|lease| lease.id);
    // Left by a process that died: the next one takes the key.
    store.begin_lease(&of_request(1)).await.unwrap();
    store.begin_lease(&of_request(2)).await.unwrap();
    assert_eq!(found().await, Some(lease_id(2)));
    store.save_lease(&revoking(of_request(2))).await.unwrap();
    assert_eq!(found().await, None);

    store.begin_lease(&of_request(3)).await.unwrap();
    let handed_out = Lease { request_key: key.clone(), ..active(3, "t", at(70)) };
    store.save_lease(&handed_out).await.unwrap();
    assert!(matches!(store.begin_lease(&of_request(4)).await, Err(StoreError::Conflict)));
    store.save_lease(&revoked(Lease { revision: 1, ..handed_out })).await.unwrap();
    assert_eq!(found().await, Some(lease_id(3)), "also when it is gone");
}
