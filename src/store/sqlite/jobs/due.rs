//! Leases that are due and not in the way of a busy account, and mounts that still have some. One range of the index, which holds the mount
//! too: the due leases of a busy account are stepped over without reading their rows.

use rusqlite::Connection;

use super::super::values::parsed;
use crate::model::{MountId, Timestamp};
use crate::store::{DueAt, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

pub(in super::super) const DUE_BESIDE: &str =
    "SELECT lease.id, token.ended_at IS NOT NULL, mount.id
     FROM lease CROSS JOIN mount ON mount.key = lease.mount
     CROSS JOIN holder ON holder.key = lease.holder
     LEFT JOIN token ON token.accessor = holder.accessor
     WHERE lease.due_at <= ?1 AND lease.mount NOT IN
         (SELECT key FROM mount WHERE mount.id IN (SELECT value FROM json_each(?3)))
     ORDER BY lease.due_at LIMIT ?2";

/// `busy` is a JSON array of mount ids.
pub(super) fn beside(
    db: &Connection,
    now: Timestamp,
    limit: u32,
    busy: &str,
) -> Result<Vec<DueAt>> {
    let mut query = db.prepare_cached(DUE_BESIDE)?;
    let mut rows = query.query((now.as_millis(), limit, busy))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(DueAt {
            id: parsed(row.get_ref(0)?.as_str().unwrap_or_default())?,
            holder_ended: row.get(1)?,
            mount: MountId(row.get(2)?),
        });
    }
    Ok(due)
}

/// Whether something under the mount will be due: that is whether it is not gone for good.
pub(super) fn in_use(db: &Connection, mount: &MountId) -> Result<bool> {
    // The plus keeps SQLite from walking the index of all due leases instead of the mount's own.
    let mut query = db.prepare_cached(
        "SELECT 1 FROM lease WHERE lease.mount = (SELECT key FROM mount WHERE mount.id = ?1)
             AND +due_at IS NOT NULL LIMIT 1",
    )?;
    Ok(query.exists([&mount.0])?)
}
