//! The leases of a job, found and marked. A page is found by a reader, since what is long over has to be
//! stepped over, and marked by the writer together with the place it reaches. Must never take a lease that
//! is younger than the job, nor read more rows than a page has. What a mark does is the caller's.

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::super::lease_row::{COLUMNS, from_row};
use super::super::leases::{end_of_prefix, save_lease};
use super::super::query;
use super::super::values::{count, from_json, int};
use crate::model::{JobId, JobScope, Lease, LeaseState};
use crate::store::{Mark, Position, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Leases to be marked next.
pub(in super::super) struct Page {
    job: i64,
    from: String,
    found: Found,
}

/// What one look found.
struct Found {
    /// Keys.
    leases: Vec<i64>,
    /// Where the next look begins; `None` after the last.
    next: Option<String>,
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
    let found = candidates(db, &scope, &from, last, limit)?;
    Ok(Some(Page { job, from, found }))
}

pub(super) fn has_candidates(db: &Connection, scope: &JobScope) -> Result<bool> {
    let mut from = Some(String::new());
    while let Some(place) = from {
        let found = candidates(db, scope, &place, i64::MAX, 1)?;
        if !found.leases.is_empty() {
            return Ok(true);
        }
        from = found.next;
    }
    Ok(false)
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
) -> Result<Found> {
    let key = || Value::Integer(from.parse().unwrap_or(0));
    let text = |text: &str| Value::Text(text.to_owned());
    let (youngest, wanted) = (Value::Integer(last), Value::Integer(i64::from(limit)));
    match scope {
        JobScope::Prefix(prefix) => {
            let first = text(from.max(prefix));
            let parameters = vec![first, end_of_prefix(prefix), text(from), youngest, wanted];
            found(db, BY_PREFIX, parameters, limit)
        }
        JobScope::Mount(mount) => {
            found(db, BY_MOUNT, vec![text(&mount.0), key(), youngest, wanted], limit)
        }
        JobScope::Filter(filter) => {
            let after = Position(from.parse().unwrap_or(0));
            let page = query::keys_of_job(db, filter, after, limit, last)?;
            Ok(Found { leases: page.items, next: page.next.map(|next| next.to_string()) })
        }
    }
}

fn found(db: &Connection, sql: &str, parameters: Vec<Value>, limit: u32) -> Result<Found> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(parameters))?;
    let (mut leases, mut place) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        leases.push(row.get(0)?);
        place = match row.get(1)? {
            Value::Text(id) => Some(id),
            Value::Integer(key) => Some(key.to_string()),
            Value::Null | Value::Real(_) | Value::Blob(_) => None,
        };
    }
    let is_full = count(leases.len()) >= u64::from(limit);
    Ok(Found { leases, next: place.filter(|_| is_full) })
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
    for key in &page.found.leases {
        marked = marked.saturating_add(u64::from(mark_one(db, page.job, *key, mark, settling)?));
    }
    db.prepare_cached("UPDATE job SET marked_to = ?2, marked = marked + ?3 WHERE key = ?1")?
        .execute((page.job, &page.found.next, int(marked)))?;
    Ok(page.found.next.is_some())
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
