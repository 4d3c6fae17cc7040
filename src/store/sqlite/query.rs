//! Leases by what is known of them. Each page follows one index, or the order of issue, from where the last one ended,
//! over at most [`SCAN`] rows: it never sorts, and never runs long. What can be asked:
//! [`crate::store::query`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

use super::Sqlite;
use super::lease_row::{COLUMNS, digest_column, from_row};
use super::values::{int, uint};
use crate::model::{Lease, LeaseFilter, MountId, Stage};
use crate::store::{Page, Position, QueryStore, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Rows that one page looks at: some tens of milliseconds on a reader, so that nobody waits long behind it.
pub(super) const SCAN: u32 = 20_000;

#[async_trait]
impl QueryStore for Sqlite {
    async fn leases_matching(
        &self,
        filter: &LeaseFilter,
        after: Position,
        limit: u32,
    ) -> Result<Page<Lease>> {
        let filter = filter.clone();
        self.readers.long(move |db| page(db, &filter, after, limit)).await
    }

    async fn stuck_leases(&self) -> Result<Vec<(MountId, u64)>> {
        self.readers.long(stuck).await
    }
}

/// Which rows are walked through, always by ascending key.
#[derive(Debug, Clone, Copy)]
enum Walk {
    /// Those with this access key: a handful at most.
    AccessKey,
    /// That one.
    Id,
    /// Those of a holder, by its key.
    Holder(i64),
    /// Those of a mount, by its key.
    Mount(i64),
    /// Those that are stuck.
    Stuck,
    /// All.
    Everything,
}

impl Walk {
    const fn index(self) -> &'static str {
        match self {
            Self::AccessKey => "INDEXED BY lease_by_access_key",
            Self::Id => "INDEXED BY sqlite_autoindex_lease_1",
            Self::Holder(_) => "INDEXED BY lease_by_holder",
            Self::Mount(_) => "INDEXED BY lease_by_mount",
            Self::Stuck => "INDEXED BY lease_stuck",
            Self::Everything => "NOT INDEXED",
        }
    }
}

/// What must hold of a row, as SQL, and the values in it.
#[derive(Default)]
struct Conditions {
    sql: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// `?` in the text is the value.
    fn add(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        self.sql.push(sql.replace('?', &format!("?{}", self.values.len())));
    }

    fn add_some(&mut self, sql: &str, value: Option<impl ToSql + 'static>) {
        if let Some(value) = value {
            self.add(sql, value);
        }
    }
}

fn stuck(db: &Connection) -> Result<Vec<(MountId, u64)>> {
    let mut query = db.prepare_cached(
        "SELECT mount.id, count(*) FROM lease INDEXED BY lease_stuck
         CROSS JOIN mount ON mount.key = lease.mount WHERE lease.attempts >= 6 GROUP BY mount.id",
    )?;
    let rows = query.query_map([], |row| Ok((MountId(row.get(0)?), uint(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn page(db: &Connection, filter: &LeaseFilter, after: Position, limit: u32) -> Result<Page<Lease>> {
    walked(db, filter, (after, limit), None, COLUMNS, from_row)
}

/// The keys of those that a job over the filter takes: not yet removed, and none younger than `youngest`.
pub(super) fn keys_of_job(
    db: &Connection,
    filter: &LeaseFilter,
    after: Position,
    limit: u32,
    youngest: i64,
) -> Result<Page<i64>> {
    walked(db, filter, (after, limit), Some(youngest), "lease.key", |row| Ok(row.get(0)?))
}

fn walked<T>(
    db: &Connection,
    filter: &LeaseFilter,
    (after, limit): (Position, u32),
    youngest: Option<i64>,
    columns: &str,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Page<T>> {
    let Some(walk) = walk(db, filter)? else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let until = stop(db, walk, after)?;
    let mut conditions = conditions(filter, walk, after, until);
    if let Some(youngest) = youngest {
        conditions.add("lease.key <= ?", youngest);
        conditions.sql.push("lease.state < 3 AND lease.removed_at IS NULL".to_owned());
    }
    let mut statement = db.prepare(&statement(walk, columns, &conditions, limit))?;
    let mut rows = statement.query(rusqlite::params_from_iter(&conditions.values))?;
    let (mut items, mut last) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        last = Position(row.get("position")?);
        items.push(read(row)?);
    }
    let is_full = u32::try_from(items.len()).is_ok_and(|count| count >= limit);
    Ok(Page { items, next: if is_full { Some(last) } else { until } })
}

fn statement(walk: Walk, columns: &str, conditions: &Conditions, limit: u32) -> String {
    // CROSS: SQLite must walk the leases, not all leases of each mount.
    format!(
        "SELECT {columns}, lease.key AS position FROM lease {} CROSS JOIN mount ON mount.key = lease.mount
         CROSS JOIN holder ON holder.key = lease.holder WHERE {} ORDER BY lease.key LIMIT {limit}",
        walk.index(),
        conditions.sql.join(" AND ")
    )
}

/// The narrowest way through the rows; `None` where no row can fit.
fn walk(db: &Connection, filter: &LeaseFilter) -> Result<Option<Walk>> {
    if filter.id.is_some() {
        return Ok(Some(Walk::Id));
    }
    if filter.access_key.is_some() {
        return Ok(Some(Walk::AccessKey));
    }
    if filter.stage == Some(Stage::Stuck) {
        return Ok(Some(Walk::Stuck));
    }
    let key = |sql: &str, name: &str| {
        db.prepare_cached(sql)?.query_row([name], |row| row.get::<_, i64>(0)).optional()
    };
    if let Some(accessor) = &filter.accessor {
        let found = key("SELECT key FROM holder WHERE accessor = ?1", &accessor.0)?;
        return Ok(found.map(Walk::Holder));
    }
    if let Some(mount) = &filter.mount {
        return Ok(key("SELECT key FROM mount WHERE id = ?1", &mount.0)?.map(Walk::Mount));
    }
    Ok(Some(Walk::Everything))
}

/// The last row that one page looks at, where there are more behind it.
fn stop(db: &Connection, walk: Walk, after: Position) -> Result<Option<Position>> {
    let nth = |column: &str, key: i64| {
        // Covered by the index: the rows themselves are not read.
        let sql = format!(
            "SELECT key FROM lease {} WHERE {column} = ?1 AND key > ?2 ORDER BY key LIMIT 1 OFFSET ?3",
            walk.index()
        );
        let mut query = db.prepare_cached(&sql)?;
        query.query_row((key, after.0, SCAN), |row| row.get(0).map(Position)).optional()
    };
    match walk {
        Walk::AccessKey | Walk::Id | Walk::Stuck => Ok(None),
        Walk::Holder(key) => Ok(nth("holder", key)?),
        Walk::Mount(key) => Ok(nth("mount", key)?),
        Walk::Everything => {
            // Keys are handed out one after the other; where many were purged the walk begins behind them.
            let sql =
                "SELECT (SELECT min(key) FROM lease WHERE key > ?1), (SELECT max(key) FROM lease)";
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (first, last): (Option<i64>, Option<i64>) =
                db.prepare_cached(sql)?.query_row([after.0], read)?;
            let until = first.map(|first| first.saturating_add(i64::from(SCAN)));
            Ok(until.filter(|until| last.is_some_and(|last| last > *until)).map(Position))
        }
    }
}

fn conditions(
    filter: &LeaseFilter,
    walk: Walk,
    after: Position,
    until: Option<Position>,
) -> Conditions {
    let mut all = Conditions::default();
    all.add("lease.key > ?", after.0);
    all.add_some("lease.key <= ?", until.map(|until| until.0));
    match walk {
        Walk::Holder(key) => all.add("lease.holder = ?", key),
        Walk::Mount(key) => all.add("lease.mount = ?", key),
        Walk::AccessKey | Walk::Id | Walk::Stuck | Walk::Everything => {}
    }
    let text = |value: &Option<String>| value.clone();
    let digest = |value: &Option<String>| {
        value.as_ref().map(|value| digest_column(&value.to_ascii_lowercase()))
    };
    all.add_some("lease.id = ?", filter.id.as_ref().map(|id| id.as_str().to_owned()));
    all.add_some("lease.access_key = ?", text(&filter.access_key));
    all.add_some("lease.user = ?", text(&filter.user));
    all.add_some("lease.user_id = ?", text(&filter.user_id));
    all.add_some("lease.caller = ?", text(&filter.caller));
    all.add_some("lease.account = ?", text(&filter.account));
    all.add_some("lease.source = ?", filter.source.map(|source| source.to_string()));
    all.add_some("lease.role_version = ?", filter.role_version.map(int));
    all.add_some("lease.policy_digest = ?", digest(&filter.policy_digest));
    all.add_some("lease.verdict = ?", digest(&filter.verdict));
    all.add_some("holder.accessor = ?", filter.accessor.as_ref().map(|by| by.0.clone()));
    all.add_some("mount.id = ?", filter.mount.as_ref().map(|mount| mount.0.clone()));
    if let Some(role) = &filter.role {
        // The id names the role where the column does not: in front of its last 24 characters and a slash.
        all.add(
            "CASE WHEN lease.role IS NULL
                 THEN substr(lease.id, -length(?) - 26, length(?) + 2) = '/' || ? || '/'
                 ELSE lease.role = ? END",
            role.as_str().to_owned(),
        );
    }
    if let Some(stage) = filter.stage {
        all.sql.push(stage_sql(stage).to_owned());
    }
    all
}

const fn stage_sql(stage: Stage) -> &'static str {
    match stage {
        Stage::Pending => "lease.state = 0",
        Stage::Active => "lease.state = 1",
        Stage::Revoking => "lease.state = 2",
        Stage::Revoked => "lease.state = 3",
        Stage::Unfinished => "lease.state < 3",
        Stage::Stuck => "lease.attempts >= 6",
    }
}

/// Every statement that a walk may use: what the tests of plans look at.
#[cfg(test)]
pub(super) fn statements(filter: &LeaseFilter) -> Vec<String> {
    let walks =
        [Walk::AccessKey, Walk::Id, Walk::Holder(1), Walk::Mount(1), Walk::Stuck, Walk::Everything];
    let of = |walk| {
        let filter = match walk {
            Walk::AccessKey => LeaseFilter { access_key: Some(String::new()), ..filter.clone() },
            Walk::Id => {
                LeaseFilter { id: "a/abcdefghijklmnopqrstuvwx".parse().ok(), ..filter.clone() }
            }
            Walk::Stuck => LeaseFilter { stage: Some(Stage::Stuck), ..filter.clone() },
            Walk::Holder(_) | Walk::Mount(_) | Walk::Everything => filter.clone(),
        };
        let conditions = conditions(&filter, walk, Position(0), Some(Position(1)));
        statement(walk, COLUMNS, &conditions, 10)
    };
    walks.into_iter().map(of).collect()
}
