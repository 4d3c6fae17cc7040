//! The leases of a job, found and marked. A page is found by a reader, since what is long over has to be
//! stepped over, and marked by the writer together with the place it reaches. Must never take a lease that
//! is younger than the job, nor read more rows than a page has. What a mark does is the caller's.

use std::fmt::Write as _;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::lease_row::{COLUMNS, digest_column, from_row};
use super::super::leases::{end_of_prefix, save_lease};
use super::super::values::{count, from_json, int};
use crate::model::{JobFilter, JobId, JobScope, Lease, LeaseState};
use crate::store::{Mark, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Leases to be marked next.
pub(in super::super) struct Page {
    job: i64,
    from: String,
    /// Keys, and the place after each.
    leases: Vec<(i64, String)>,
    is_last: bool,
}

/// The next leases of a running job; `None` when there is nothing to mark.
pub(super) fn page(db: &Connection, id: &JobId, limit: u32) -> Result<Option<Page>> {
    let mut query = db.prepare_cached(
        "SELECT key, scope, marked_to, last_lease FROM job
         WHERE id = ?1 AND state = 0 AND marked_to IS NOT NULL",
    )?;
    let mut rows = query.query([&id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let scope: JobScope = from_json(row.get_ref(1)?.as_str().unwrap_or_default())?;
    let (job, from, last): (i64, String, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
    let leases = candidates(db, &scope, &from, last, limit)?;
    let is_last = count(leases.len()) < u64::from(limit);
    Ok(Some(Page { job, from, leases, is_last }))
}

pub(super) fn has_candidates(db: &Connection, scope: &JobScope) -> Result<bool> {
    Ok(!candidates(db, scope, "", i64::MAX, 1)?.is_empty())
}

pub(in super::super) const BY_PREFIX: &str = "SELECT key, id FROM lease
     WHERE id >= ?1 AND id < ?2 AND id <> ?3 AND key <= ?4 AND state < 3 AND removed_at IS NULL
     ORDER BY id LIMIT ?5";
pub(in super::super) const BY_MOUNT: &str = "SELECT key, key FROM lease
     WHERE mount = (SELECT key FROM mount WHERE mount.id = ?1) AND key > ?2 AND key <= ?3 AND state < 3
         AND removed_at IS NULL
     ORDER BY key LIMIT ?4";

/// Unfinished leases of `scope` beyond the place `from`, none younger than `last`.
fn candidates(
    db: &Connection,
    scope: &JobScope,
    from: &str,
    last: i64,
    limit: u32,
) -> Result<Vec<(i64, String)>> {
    let key = || Value::Integer(from.parse().unwrap_or(0));
    let text = |text: &str| Value::Text(text.to_owned());
    let (last, limit) = (Value::Integer(last), Value::Integer(i64::from(limit)));
    match scope {
        JobScope::Prefix(prefix) => {
            let first = text(from.max(prefix));
            let parameters = vec![first, end_of_prefix(prefix), text(from), last, limit];
            found(db, BY_PREFIX, parameters)
        }
        JobScope::Mount(mount) => found(db, BY_MOUNT, vec![text(&mount.0), key(), last, limit]),
        JobScope::Filter(filter) => {
            let (sql, wanted) = by_filter(filter);
            let mut parameters = vec![key(), last, limit];
            parameters.extend(wanted);
            found(db, &sql, parameters)
        }
    }
}

fn found(db: &Connection, sql: &str, parameters: Vec<Value>) -> Result<Vec<(i64, String)>> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(parameters))?;
    let mut leases = Vec::new();
    while let Some(row) = rows.next()? {
        let place = match row.get(1)? {
            Value::Text(id) => id,
            Value::Integer(key) => key.to_string(),
            Value::Null | Value::Real(_) | Value::Blob(_) => String::new(),
        };
        leases.push((row.get(0)?, place));
    }
    Ok(leases)
}

/// The statement for a filter, and the values from its fourth parameter on.
fn by_filter(filter: &JobFilter) -> (String, Vec<Value>) {
    let text = |text: &String| Value::Text(text.clone());
    let digest = |digest: &String| digest_column(&digest.to_ascii_lowercase());
    let columns = [
        ("caller = ?", filter.caller.as_ref().map(text)),
        (
            "holder = (SELECT key FROM holder WHERE accessor = ?)",
            filter.accessor.as_ref().map(text),
        ),
        // The role is null where it is the last but one part of the id, before a slash and 24 characters.
        (
            "coalesce(role = ?, substr(id, -26 - length(?), length(?) + 2) = '/' || ? || '/')",
            filter.role.as_ref().map(text),
        ),
        ("role_version = ?", filter.role_version.map(|version| Value::Integer(int(version)))),
        ("policy_digest = ?", filter.policy_digest.as_ref().map(digest)),
        ("verdict = ?", filter.verdict.as_ref().map(digest)),
        ("source = ?", filter.source.map(|source| Value::Text(source.to_string()))),
        ("account = ?", filter.account.as_ref().map(text)),
        ("user = ?", filter.user.as_ref().map(text)),
        ("user_id = ?", filter.user_id.as_ref().map(text)),
        ("access_key = ?", filter.access_key.as_ref().map(text)),
        (
            "mount IN (SELECT key FROM mount WHERE path = ? AND mount.state < 2)",
            filter.mount.as_ref().map(|path| Value::Text(path.as_str().to_owned())),
        ),
    ];
    let mut sql = "SELECT key, key FROM lease WHERE key > ?1 AND key <= ?2 AND state < 3
         AND removed_at IS NULL"
        .to_owned();
    let mut values = Vec::new();
    for (condition, value) in columns {
        if let Some(value) = value {
            values.push(value);
            let parameter = format!("?{}", values.len().saturating_add(3));
            // Writing to a text cannot fail.
            let _written = write!(sql, " AND {}", condition.replace('?', &parameter));
        }
    }
    sql.push_str(" ORDER BY key LIMIT ?3");
    (sql, values)
}

/// Marks a page, and moves the job's place behind it; tells whether there is more. Where somebody was
/// faster, or the job is not running any more, nothing happens.
pub(super) fn mark(db: &Connection, page: &Page, mark: &Mark, settling: Duration) -> Result<bool> {
    let still = db
        .prepare_cached("SELECT state = 0 FROM job WHERE key = ?1 AND marked_to = ?2")?
        .query_map((page.job, &page.from), |row| row.get::<_, bool>(0))?
        .next()
        .transpose()?;
    match still {
        Some(true) => {}
        Some(false) => return Ok(false),
        None => return Ok(true),
    }
    let mut marked: u64 = 0;
    for (key, _) in &page.leases {
        marked = marked.saturating_add(u64::from(mark_one(db, page.job, *key, mark, settling)?));
    }
    let to = page.leases.last().filter(|_| !page.is_last).map(|(_, place)| place);
    db.prepare_cached("UPDATE job SET marked_to = ?2, marked = marked + ?3 WHERE key = ?1")?
        .execute((page.job, to, int(marked)))?;
    Ok(!page.is_last)
}

fn mark_one(db: &Connection, job: i64, key: i64, mark: &Mark, settling: Duration) -> Result<bool> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lease JOIN mount ON mount.key = lease.mount
         JOIN holder ON holder.key = lease.holder WHERE lease.key = ?1"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([key])?;
    let Some(lease) = rows.next()?.map(from_row).transpose()? else {
        return Ok(false);
    };
    let Some(attempts) = attempts(&lease) else {
        return Ok(false);
    };
    let new = db
        .prepare_cached(
            "INSERT INTO job_lease (job, lease, attempts, waited) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute((job, key, attempts, lease.is_visible()))?;
    if new == 0 {
        return Ok(false);
    }
    if let Some(changed) = mark(&lease) {
        save_lease(db, &changed, settling)?;
    }
    Ok(true)
}

/// How many passes failed so far; `None` where nothing is left to do.
fn attempts(lease: &Lease) -> Option<u32> {
    match &lease.state {
        LeaseState::Pending | LeaseState::Active { .. } => Some(0),
        LeaseState::Revoking(progress) => {
            progress.removed_at.is_none().then_some(progress.attempts)
        }
        LeaseState::Revoked { .. } => None,
    }
}
