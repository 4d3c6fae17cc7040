//! Every look-up is an index's, whatever the number of rows; and what a row costs on disk.

use super::*;
use crate::model::LeaseFilter;
use crate::store::sqlite::jobs::{due, marking, progress};
use crate::store::sqlite::{
    account_limits as account_sql, leases as lease_sql, limits as limit_sql, purge as purge_sql,
    reconcile as reconcile_sql, rotation as rotation_sql, schedule as schedule_sql,
    tokens as token_sql,
};

pub(super) fn plan(store: &Sqlite, sql: &str) -> Vec<String> {
    let read = |db: &rusqlite::Connection| {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let parameters = vec![rusqlite::types::Null; explain.parameter_count()];
        let rows = explain.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    store.readers.point(read).unwrap()
}

#[tokio::test]
async fn every_look_up_is_one_range_of_an_index() {
    let store = store().await;
    for (sql, wanted) in [
        (lease_sql::DUE, "SEARCH lease USING INDEX lease_by_due (due_at<?)"),
        (due::DUE_BESIDE, "SEARCH lease USING INDEX lease_by_due (due_at<?)"),
        (marking::BY_PREFIX, "SEARCH lease USING INDEX sqlite_autoindex_lease_1 (id>? AND id<?)"),
        (
            marking::BY_MOUNT,
            "SEARCH lease USING INDEX lease_by_mount (mount=? AND rowid>? AND rowid<?)",
        ),
        (progress::UNTRIED, "SEARCH mine USING PRIMARY KEY (job=? AND lease>?)"),
        (lease_sql::NEXT_LEASE, "SEARCH lease USING COVERING INDEX lease_by_due"),
        (lease_sql::NEXT_TOKEN, "SEARCH token USING INDEX token_by_expiry (expires_at>?)"),
        (
            lease_sql::VISIBLE_IDS,
            "SEARCH lease USING INDEX sqlite_autoindex_lease_1 (id>? AND id<?)",
        ),
        (
            lease_sql::UNFINISHED_IDS,
            "SEARCH lease USING INDEX sqlite_autoindex_lease_1 (id>? AND id<?)",
        ),
        (lease_sql::ABANDON, "SCAN lease USING INDEX lease_pending"),
        (schedule_sql::PENDING_FORWARD, "SCAN lease USING INDEX lease_pending"),
        (schedule_sql::ENDING_FORWARD, "SCAN lease USING INDEX lease_in_teardown"),
        (reconcile_sql::STUCK_COUNT, "SCAN lease USING INDEX lease_in_teardown"),
        (purge_sql::OLD_LEASES, "SEARCH lease USING COVERING INDEX lease_by_end (revoked_at<?)"),
        (purge_sql::OLD_TOKENS, "SEARCH token USING INDEX token_by_end (ended_at<?)"),
        (purge_sql::OLD_TOKENS, "SEARCH lease USING INDEX lease_by_holder (holder=?)"),
        (limit_sql::LIVE, "SEARCH live_lease USING PRIMARY KEY (mount=? AND role=? AND holder=?)"),
        (
            limit_sql::MOST,
            "SEARCH live_lease USING COVERING INDEX live_lease_most (mount=? AND role=?)",
        ),
        (account_sql::LIVE, "SEARCH live_in_account USING PRIMARY KEY (account=? AND holder=?)"),
        (
            account_sql::MOST,
            "SEARCH live_in_account USING COVERING INDEX live_in_account_most (account=?)",
        ),
        (limit_sql::NAME, "SEARCH lease USING INDEX lease_by_holder (holder=?)"),
        (token_sql::EXPIRED, "SEARCH token USING INDEX token_by_expiry (expires_at<?)"),
        (token_sql::END_TREE, "SEARCH child USING INDEX token_by_parent (parent=?)"),
        (
            rotation_sql::DUE_STATIC,
            "SEARCH static_role USING COVERING INDEX static_role_by_due (due_at<?)",
        ),
        (rotation_sql::NEXT_STATIC, "SEARCH static_role USING COVERING INDEX static_role_by_due"),
        (rotation_sql::UNFINISHED, "SCAN root_rotation USING"),
        (token_sql::MAKE_DUE, "SEARCH lease USING INDEX lease_by_holder (holder=?)"),
    ] {
        let steps = plan(&store, sql);
        assert!(steps.iter().any(|step| step.starts_with(wanted)), "{sql}\n{steps:#?}");
        let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorted, "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn every_query_walks_its_index_in_the_order_of_issue() {
    let store = store().await;
    let statements = super::super::query::statements(&LeaseFilter::default());
    let indexes = [
        "SEARCH lease USING INDEX lease_by_access_key (access_key=? AND rowid>?",
        "SEARCH lease USING INDEX sqlite_autoindex_lease_1 (id=?",
        "SEARCH lease USING INDEX lease_by_holder (holder=? AND rowid>?",
        "SEARCH lease USING INDEX lease_by_mount (mount=? AND rowid>?",
        "SEARCH lease USING INDEX lease_stuck",
        "SEARCH lease USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ];
    for (sql, wanted) in statements.iter().zip(indexes) {
        let steps = plan(&store, sql);
        assert!(steps[0].starts_with(wanted), "{sql}\n{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn a_lease_costs_less_than_four_hundred_bytes_with_all_its_indexes() {
    let store = store().await;
    let number_of = 20_000;
    store
        .write(move |w| {
            let settling = Duration::from_mins(5);
            // Ids in no order, as random ones come.
            (0..number_of).try_for_each(|number: u32| {
                let scattered = number.wrapping_mul(2_654_435_761);
                let lease =
                    active(scattered, &format!("t{}", number % 1000), at(i64::from(number)));
                lease_sql::begin_lease(w.db, &lease, settling)
            })
        })
        .await
        .unwrap();
    let pages: i64 =
        store.readers.point(|db| Ok(db.query_row("PRAGMA page_count", [], |r| r.get(0))?)).unwrap();
    let bytes = pages * 4096 / i64::from(number_of);
    assert!(bytes < 400, "{bytes} bytes a lease");
}

#[tokio::test]
async fn no_statement_is_planned_again_for_another_parameter() {
    let store = store().await;
    store.begin_lease(&active(1, "t", at(70))).await.unwrap();
    let one = lease_sql::lease_sql();
    for sql in [one.as_str(), lease_sql::DUE, lease_sql::VISIBLE_IDS, token_sql::EXPIRED] {
        let planned_again = |db: &rusqlite::Connection| {
            let mut statement = db.prepare_cached(sql)?;
            for round in ["a", "b", "c"] {
                let parameters = vec![round; statement.parameter_count()];
                let rows = statement.query(rusqlite::params_from_iter(parameters));
                drop(rows?.next());
            }
            Ok(statement.get_status(rusqlite::StatementStatus::RePrepare))
        };
        assert_eq!(store.readers.point(planned_again).unwrap(), 0, "{sql}");
    }
}
