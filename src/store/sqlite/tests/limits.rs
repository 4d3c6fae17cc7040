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
    let wanted =
        CapReached { cap: LeaseCap::Role, account: None, limit: 3, live: 3, most: Some(most) };
    assert_eq!(refused, Some(wanted));
    assert_eq!(store.lease(&named(4, "r", "x").id).await.unwrap(), None);
    let own = store.begin_lease_within(&named(4, "r", "x"), caps(0, 1)).await.unwrap().unwrap();
    assert_eq!((own.cap, own.live), (LeaseCap::RolePerCaller, 1));
    let other = store.begin_lease_within(&named(4, "other", "x"), caps(1, 1)).await.unwrap();
    assert_eq!(other, None);
}

/// The counts of accounts as they are kept, and as a count of the leases gives them.
fn in_accounts(store: &Sqlite) -> [Vec<(String, i64, i64)>; 2] {
    let rows = |sql: &str| {
        let read = |db: &rusqlite::Connection| {
            let mut query = db.prepare(sql)?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        store.readers.point(read).unwrap()
    };
    [
        rows("SELECT account, holder, live FROM live_in_account ORDER BY account, holder"),
        rows(
            "SELECT account, holder, count(*) FROM (
                 SELECT account, holder FROM lease WHERE state < 3
                 UNION ALL SELECT account, 0 FROM lease WHERE state < 3)
             WHERE account IN (SELECT account FROM account_limits)
             GROUP BY account, holder ORDER BY account, holder",
        ),
    ]
}

#[tokio::test]
async fn counts_of_accounts_are_right_whatever_becomes_of_the_leases() {
    let store = store().await;
    let limits = LeaseLimits { max_leases: 100, max_leases_per_caller: 0 };
    let accounts = [Some("111111111111"), Some("222222222222"), Some("333333333333"), None];
    let mut rows = Vec::new();
    let holders = ["x", "y"].into_iter().cycle();
    for ((number, account), holder) in (0..16).zip(accounts.into_iter().cycle()).zip(holders) {
        let lease = Lease { account: account.map(str::to_owned), ..named(number, "r", holder) };
        store.begin_lease(&lease).await.unwrap();
        rows.push(lease);
        match number {
            2 => store.put_account_limits("111111111111", limits).await.unwrap(),
            9 => store.put_account_limits("222222222222", limits).await.unwrap(),
            _ => {}
        }
        let [kept, counted] = in_accounts(&store);
        assert_eq!(kept, counted, "{number}");
    }
    assert_eq!(in_accounts(&store)[0].len(), 4, "each of the two accounts has one caller, and all");

    // Their account is found out, or another one; then they end, live again and end.
    for (at, lease) in rows.iter_mut().enumerate() {
        let account = accounts[(at / 4) % 4].map(str::to_owned);
        *lease = Lease { account, ..active(u32::try_from(at).unwrap(), "x", super::at(70)) };
        lease.id = named(u32::try_from(at).unwrap(), "r", "x").id;
        lease.holder = accessor(if at % 2 == 0 { "x" } else { "y" });
        store.save_lease(lease).await.unwrap();
        lease.revision += 1;
        let [kept, counted] = in_accounts(&store);
        assert_eq!(kept, counted, "{at}");
    }
    for becomes in [revoking, revoked, revoking, revoked] {
        for lease in &mut rows {
            *lease = becomes(lease.clone());
            store.save_lease(lease).await.unwrap();
            lease.revision += 1;
            let [kept, counted] = in_accounts(&store);
            assert_eq!(kept, counted, "{:?}", lease.id);
        }
    }
    assert_eq!(in_accounts(&store)[0], []);
    store.remove_account_limits("111111111111").await.unwrap();
    assert_eq!(store.account_limits().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_holds_no_more_than_its_cap_whatever_the_mount() {
    let store = store().await;
    let second = Mount { id: MountId("second".into()), path: "two/".parse().unwrap(), ..mount() };
    store.put_mount(&second).await.unwrap();
    let limits = LeaseLimits { max_leases: 2, max_leases_per_caller: 1 };
    store.put_account_limits("111111111111", limits).await.unwrap();
    assert_eq!(store.account_limits().await.unwrap().get("111111111111"), Some(&limits));
    let begin = async |number, mount: &Mount, account: &str, holder| {
        let lease = Lease {
            mount: mount.id.clone(),
            account: Some(account.to_owned()),
            ..named(number, "r", holder)
        };
        let caps = LeaseCaps { account: limits, ..LeaseCaps::default() };
        store.begin_lease_within(&lease, caps).await.unwrap()
    };
    assert_eq!(begin(1, &mount(), "111111111111", "x").await, None);
    let own = begin(2, &second, "111111111111", "x").await.unwrap();
    assert_eq!((own.cap, own.live), (LeaseCap::AccountPerCaller, 1));
    assert_eq!(begin(3, &second, "111111111111", "y").await, None);
    let all = begin(4, &mount(), "111111111111", "z").await.unwrap();
    assert_eq!((all.cap, all.limit, all.live), (LeaseCap::Account, 2, 2));
    assert_eq!(all.account.as_deref(), Some("111111111111"));
    assert!(all.most.is_some_and(|most| most.live == 1));
    assert_eq!(begin(5, &mount(), "222222222222", "x").await, None);
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
