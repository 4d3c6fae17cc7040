//! Leases by what is known of them.

use super::*;
use crate::model::{EndReason, EndRecord, FailureClass, TeardownProgress};
use crate::model::{LeaseFilter, Stage};
use crate::store::sqlite::query::SCAN;
use crate::store::{Position, QueryStore};

/// Three leases that differ in everything, of two holders and two mounts; the last has ended.
async fn filled() -> Arc<Sqlite> {
    let store = store().await;
    store.put_mount(&mount_named("mount-2", "team/")).await.unwrap();
    for lease in [first(), second(), ended()] {
        store.begin_lease(&lease).await.unwrap();
    }
    store
}

fn first() -> Lease {
    Lease {
        origin: Origin {
            caller: "token-ci".to_owned(),
            source: Some("10.0.0.1".parse().unwrap()),
            policy_digest: "0a".repeat(32),
        },
        account: Some("111111111111".to_owned()),
        user_id: Some("AIDAFIRST".to_owned()),
        ..active(1, "a", at(70))
    }
}

fn second() -> Lease {
    Lease {
        id: "team/creds/deploy/bbbbbbbbbbbbbbbbbbbbbbbb".parse().unwrap(),
        mount: MountId("mount-2".to_owned()),
        role_version: 9,
        user: Some("user-2".parse().unwrap()),
        verdict: "0c".repeat(32),
        state: LeaseState::Active { access_key: "AKIASECOND".parse().unwrap(), expires_at: at(70) },
        ..active(2, "b", at(70))
    }
}

fn ended() -> Lease {
    let record = EndRecord {
        reason: EndReason::Revoked,
        since: at(20),
        access_key: Some("AKIAENDED".parse().unwrap()),
        expires_at: Some(at(70)),
        contained_at: Some(at(21)),
        removed_at: Some(at(22)),
    };
    let state = LeaseState::Revoked { at: at(90), record: Some(record) };
    let id = "aws/creds/my-deploy/cccccccccccccccccccccccc".parse().unwrap();
    Lease { id, state, role: "my-deploy".parse().unwrap(), ..pending(3, "b") }
}

async fn found(store: &Sqlite, filter: LeaseFilter) -> Vec<LeaseId> {
    let page = store.leases_matching(&filter, Position::default(), 10).await.unwrap();
    assert_eq!(page.next, None);
    page.items.into_iter().map(|lease| lease.id).collect()
}

fn any() -> LeaseFilter {
    LeaseFilter::default()
}

#[tokio::test]
async fn a_lease_is_found_by_everything_that_is_known_of_it() {
    let store = filled().await;
    let (first, second, ended) = (first(), second(), ended());
    let text = |text: &str| Some(text.to_owned());
    for (filter, wanted) in [
        (any(), vec![&first, &second, &ended]),
        (LeaseFilter { id: Some(second.id.clone()), ..any() }, vec![&second]),
        (LeaseFilter { access_key: text("AKIASECOND"), ..any() }, vec![&second]),
        (LeaseFilter { access_key: text("AKIAENDED"), ..any() }, vec![&ended]),
        (LeaseFilter { user: text("user-2"), ..any() }, vec![&second]),
        (LeaseFilter { user_id: text("AIDAFIRST"), ..any() }, vec![&first]),
        (LeaseFilter { caller: text("token-ci"), ..any() }, vec![&first]),
        (LeaseFilter { accessor: Some(accessor("b")), ..any() }, vec![&second, &ended]),
        (LeaseFilter { accessor: Some(accessor("z")), ..any() }, vec![]),
        (LeaseFilter { role: "deploy".parse().ok(), ..any() }, vec![&first, &second]),
        (LeaseFilter { role: "my-deploy".parse().ok(), ..any() }, vec![&ended]),
        (LeaseFilter { role: "eploy".parse().ok(), ..any() }, vec![]),
        (LeaseFilter { role_version: Some(9), ..any() }, vec![&second]),
        (LeaseFilter { policy_digest: text(&"0A".repeat(32)), ..any() }, vec![&first]),
        (LeaseFilter { verdict: text(&"0c".repeat(32)), ..any() }, vec![&second]),
        (LeaseFilter { source: "10.0.0.1".parse().ok(), ..any() }, vec![&first]),
        (LeaseFilter { account: text("111111111111"), ..any() }, vec![&first]),
        (LeaseFilter { mount: Some(mount().id), ..any() }, vec![&first, &ended]),
        (LeaseFilter { mount: Some(MountId("other".to_owned())), ..any() }, vec![]),
        (LeaseFilter { stage: Some(Stage::Active), ..any() }, vec![&first, &second]),
        (LeaseFilter { stage: Some(Stage::Revoked), ..any() }, vec![&ended]),
        (LeaseFilter { stage: Some(Stage::Unfinished), ..any() }, vec![&first, &second]),
        (
            LeaseFilter { accessor: Some(accessor("b")), stage: Some(Stage::Active), ..any() },
            vec![&second],
        ),
        (LeaseFilter { access_key: text("AKIAENDED"), role_version: Some(9), ..any() }, vec![]),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(|lease| lease.id.clone()).collect();
        assert_eq!(found(&store, filter.clone()).await, wanted, "{filter:?}");
    }
    let page = store.leases_matching(&any(), Position::default(), 10).await.unwrap();
    assert_eq!(page.items, [first, second, ended].map(|lease| Lease { revision: 0, ..lease }));
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let store = filled().await;
    for filter in [any(), LeaseFilter { mount: Some(mount().id), ..any() }] {
        let whole = found(&store, filter.clone()).await;
        let (mut ids, mut after) = (Vec::new(), Position::default());
        loop {
            let page = store.leases_matching(&filter, after, 1).await.unwrap();
            ids.extend(page.items.into_iter().map(|lease| lease.id));
            let Some(next) = page.next else { break };
            after = next;
        }
        assert_eq!(ids, whole);
    }
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_rows_and_says_where_to_go_on() {
    let store = store().await;
    let number_of = SCAN.saturating_mul(2);
    store
        .write(move |w| {
            let settling = Duration::from_mins(5);
            (0..number_of).try_for_each(|number| {
                let lease = active(number, "t", at(70));
                crate::store::sqlite::leases::begin_lease(w.db, &lease, settling)
            })?;
            // A gap, as purging leaves one.
            w.db.execute("DELETE FROM lease WHERE key BETWEEN 2 AND ?1", [SCAN])?;
            Ok(())
        })
        .await
        .unwrap();
    for filter in [
        LeaseFilter { user_id: Some("AIDANOBODY".to_owned()), ..any() },
        LeaseFilter {
            user_id: Some("AIDANOBODY".to_owned()),
            accessor: Some(accessor("t")),
            ..any()
        },
    ] {
        let first = store.leases_matching(&filter, Position::default(), 10).await.unwrap();
        assert_eq!(first.items, []);
        let next = first.next.expect("half of the rows were not looked at");
        let second = store.leases_matching(&filter, next, 10).await.unwrap();
        assert_eq!((second.items, second.next), (vec![], None), "{filter:?}");
    }
}

#[tokio::test]
async fn what_fails_for_long_is_stuck_until_it_is_gone() {
    let store = store().await;
    let failing = |number, attempts| {
        let progress = TeardownProgress {
            reason: EndReason::Revoked,
            since: at(20),
            access_key: None,
            expires_at: Some(at(70)),
            contained_at: None,
            removed_at: None,
            looks: 0,
            attempts,
            next_attempt_at: at(80),
            last_failure: Some((FailureClass::AccessDenied, "no".to_owned())),
        };
        Lease { state: LeaseState::Revoking(progress), ..pending(number, "t") }
    };
    for lease in [failing(1, 5), failing(2, 6), failing(3, 60), active(4, "t", at(70))] {
        store.begin_lease(&lease).await.unwrap();
    }
    let stuck = LeaseFilter { stage: Some(Stage::Stuck), ..any() };
    assert_eq!(found(&store, stuck).await, [lease_id(2), lease_id(3)]);
    assert_eq!(store.stuck_leases().await.unwrap(), [(mount().id, 2)]);
    for number in [2, 3] {
        let gone = LeaseState::Revoked { at: at(90), record: None };
        let lease = Lease { state: gone, revision: 0, ..pending(number, "t") };
        store.save_lease(&lease).await.unwrap();
    }
    assert_eq!(store.stuck_leases().await.unwrap(), []);
}
