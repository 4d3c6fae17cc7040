//! The counts behind the metrics: those of the rows at any time, and found without reading one.

use super::*;
use crate::model::{EndReason, TeardownProgress};
use crate::store::sqlite::tally as tally_sql;
use crate::store::{LeaseTally, TallyStore};

const HOUR: i64 = 3_600;

fn ending(attempts: u32, contained: Option<i64>, removed: Option<i64>) -> LeaseState {
    LeaseState::Revoking(TeardownProgress {
        reason: EndReason::Revoked,
        since: at(20),
        access_key: None,
        expires_at: None,
        contained_at: contained.map(at),
        removed_at: removed.map(at),
        looks: 0,
        attempts,
        next_attempt_at: at(90),
        last_failure: None,
    })
}

async fn save(store: &Arc<Sqlite>, number: u32, state: LeaseState) {
    let stored = store.lease(&lease_id(number)).await.unwrap().unwrap();
    store.save_lease(&Lease { state, ..stored }).await.unwrap();
}

async fn counted(store: &Arc<Sqlite>) -> LeaseTally {
    store.lease_tally(6).await.unwrap()
}

/// The same, by reading every row.
fn active_rows(store: &Sqlite) -> Vec<(Timestamp, u64)> {
    let sql = "SELECT expires_at / 3600000, count(*) FROM lease WHERE state = 1 GROUP BY 1";
    let read = |db: &rusqlite::Connection| {
        let mut query = db.prepare(sql)?;
        let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let rows = rows.map(|row| {
            row.map(|(hour, count)| (at(hour.saturating_mul(HOUR)), count.unsigned_abs()))
        });
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    store.readers.point(read).unwrap()
}

#[tokio::test]
async fn the_counts_follow_every_change_of_a_lease() {
    let store = store().await;
    assert_eq!(counted(&store).await, LeaseTally::default());
    for number in 1..=4 {
        store.begin_lease(&pending(number, "t")).await.unwrap();
    }
    store.begin_lease(&active(5, "t", at(HOUR))).await.unwrap();
    assert_eq!(counted(&store).await.pending, 4);

    for number in 1..=3 {
        let LeaseState::Active { access_key, .. } = active(1, "t", at(0)).state else { panic!() };
        save(&store, number, LeaseState::Active { access_key, expires_at: at(2 * HOUR) }).await;
    }
    let now = counted(&store).await;
    assert_eq!((now.pending, now.active_count()), (1, 4));
    assert_eq!(now.active, [(at(HOUR), 1), (at(2 * HOUR), 3)]);

    // Renewed into another hour, and within its hour.
    save(&store, 1, active(1, "t", at(5 * HOUR)).state).await;
    save(&store, 2, active(2, "t", at(2 * HOUR + 10)).state).await;
    let now = counted(&store).await;
    assert_eq!(now.active, [(at(HOUR), 1), (at(2 * HOUR), 2), (at(5 * HOUR), 1)]);
    assert_eq!(now.active, active_rows(&store));

    save(&store, 5, ending(7, None, None)).await;
    save(&store, 1, ending(1, Some(30), None)).await;
    save(&store, 2, ending(1, Some(30), Some(31))).await;
    let now = counted(&store).await;
    assert_eq!(now.active, [(at(2 * HOUR), 1)]);
    assert_eq!((now.ending, now.uncontained, now.stuck, now.settling), (2, 1, 1, 1));
    assert_eq!(now.uncontained_since, Some(at(20)));

    for number in 1..=5 {
        save(&store, number, LeaseState::Revoked { at: at(40), record: None }).await;
    }
    assert_eq!(counted(&store).await, LeaseTally::default());
    store.purge(at(100)).await.unwrap();
    assert_eq!(counted(&store).await, LeaseTally::default());
}

#[tokio::test]
async fn counting_reads_no_row_of_a_lease_however_many_there_are() {
    let store = store().await;
    for (sql, wanted) in [
        (tally_sql::ACTIVE_BY_HOUR, "SCAN lease_tally"),
        (tally_sql::PENDING_COUNT, "SCAN lease USING COVERING INDEX lease_pending"),
        (tally_sql::IN_TEARDOWN, "SCAN lease USING COVERING INDEX lease_in_teardown"),
    ] {
        let steps = plans::plan(&store, sql);
        assert_eq!(steps.len(), 1, "{sql}\n{steps:#?}");
        assert!(steps.iter().all(|step| step.starts_with(wanted)), "{sql}\n{steps:#?}");
    }
    let many: u32 = 20_000;
    let settling = Duration::from_mins(5);
    let fill = store.write(move |w| {
        (0..many).try_for_each(|number| {
            let lease = active(number, "t", at(i64::from(number % 48) * HOUR));
            crate::store::sqlite::leases::begin_lease(w.db, &lease, settling)
        })
    });
    fill.await.unwrap();
    let now = counted(&store).await;
    assert_eq!((now.active.len(), now.active_count()), (48, u64::from(many)));
    assert_eq!(now.active, active_rows(&store));
}

#[test]
fn a_database_from_before_the_counts_is_counted_once() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    for sql in [
        include_str!("../migrations/0001_init.sql"),
        include_str!("../migrations/0002_lease_origin.sql"),
        "INSERT INTO mount VALUES (1, 'm', 'aws/', 0, '{}'); INSERT INTO holder VALUES (1, 'a');
         INSERT INTO lease (id, mount, holder, role_version, credential_type, issued_at, verdict,
             forced, revision, state, visible, due_at, expires_at)
         VALUES ('a', 1, 1, 1, 0, 0, '', 0, 0, 1, 1, 7200000, 7200000),
                ('b', 1, 1, 1, 0, 0, '', 0, 0, 1, 1, 7200001, 7200001),
                ('c', 1, 1, 1, 0, 0, '', 0, 0, 0, 0, 5, NULL);",
        include_str!("../migrations/0007_lease_tally.sql"),
    ] {
        db.execute_batch(sql).unwrap();
    }
    let tally = tally_sql::lease_tally(&db, 6).unwrap();
    assert_eq!((tally.active, tally.pending), (vec![(at(2 * HOUR), 2)], 1));
    db.execute("DELETE FROM lease", []).unwrap();
    let tally = tally_sql::lease_tally(&db, 6).unwrap();
    assert_eq!(tally, LeaseTally::default());
}
