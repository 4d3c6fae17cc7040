//! Forgetting what is over: rows of leases that are gone, tokens that ended, mounts that nobody needs.
//! In small steps, so that no other write waits long; never a row that something unfinished needs.
//! What counts as old is the caller's.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::cache::Stale;
use super::values::count;
use super::writer::Writing;
use crate::model::{MountId, Timestamp, TokenDigest};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Rows in one step, as the statements below say too: other writes wait for one step at most.
pub(super) const STEP: u64 = 1000;

pub(super) const OLD_LEASES: &str = "DELETE FROM lease WHERE key IN
     (SELECT key FROM lease WHERE revoked_at < ?1 ORDER BY revoked_at LIMIT 1000) RETURNING holder";

/// Deletes at most [`STEP`] leases that were gone before `before`, and holders that held nothing else.
pub(super) fn leases(db: &Connection, before: Timestamp) -> Result<u64> {
    let holders: Vec<i64> = db
        .prepare_cached(OLD_LEASES)?
        .query_map([before.as_millis()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let deleted = count(holders.len());
    let mut forget = db.prepare_cached(
        "DELETE FROM holder WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM lease WHERE holder = ?1)",
    )?;
    for holder in BTreeSet::from_iter(holders) {
        forget.execute([holder])?;
    }
    Ok(deleted)
}

pub(super) const OLD_TOKENS: &str = "DELETE FROM token WHERE digest IN (
         SELECT digest FROM token WHERE ended_at < ?1 AND NOT EXISTS (
             SELECT 1 FROM lease
             WHERE holder = (SELECT key FROM holder WHERE holder.accessor = token.accessor)
                 AND +due_at IS NOT NULL)
         ORDER BY ended_at LIMIT 1000)
     RETURNING digest";

/// Deletes at most [`STEP`] tokens that ended before `before` and hold no unfinished lease.
pub(super) fn tokens(writing: &mut Writing<'_>, before: Timestamp) -> Result<u64> {
    let digests: Vec<String> = writing
        .db
        .prepare_cached(OLD_TOKENS)?
        .query_map([before.as_millis()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let deleted = count(digests.len());
    for digest in digests {
        writing.outdates(Stale::Token(TokenDigest(digest)));
    }
    Ok(deleted)
}

/// Removed mounts without an unfinished lease, and without a rotated key that is still to be seen to. None can come back: a removed mount gets no lease.
pub(super) fn tombstones(db: &Connection) -> Result<Vec<(i64, MountId)>> {
    // The plus keeps SQLite from walking the index of all due leases instead of the mount's own.
    let mut query = db.prepare_cached(
        "SELECT key, id FROM mount WHERE state = 2 AND NOT EXISTS (
             SELECT 1 FROM lease WHERE lease.mount = mount.key AND +due_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM static_role WHERE static_role.mount = mount.key)
         AND NOT EXISTS (SELECT 1 FROM root_rotation
             WHERE root_rotation.mount = mount.key AND unfinished = 1)",
    )?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, MountId(row.get(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets those mounts with their keys; a bare name stays while records of old leases refer to it.
pub(super) fn mounts(writing: &mut Writing<'_>, gone: Vec<(i64, MountId)>) -> Result<u64> {
    let db = writing.db;
    let mut forgotten: u64 = 0;
    for (key, mount) in gone {
        let changed = db
            .prepare_cached("UPDATE mount SET state = 3, body = '{}' WHERE key = ?1 AND state = 2")?
            .execute([key])?;
        if changed > 0 {
            db.prepare_cached("DELETE FROM account_binding WHERE mount = ?1")?.execute([key])?;
            forgotten = forgotten.saturating_add(1);
            writing.outdates(Stale::Binding(mount));
        }
    }
    db.prepare_cached(
        "DELETE FROM mount WHERE state = 3
             AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.mount = mount.key)",
    )?
    .execute([])?;
    writing.outdates(Stale::Mounts);
    Ok(forgotten)
}
