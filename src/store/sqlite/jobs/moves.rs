//! A mount at another path. One transaction: after a crash it is at the one or at the other, and the record
//! says which. Everything of a mount hangs under its number, so nothing else has to move.

use rusqlite::{Connection, OptionalExtension};

use super::super::mounts;
use super::super::values::{count, parsed, time};
use super::super::writer::Writing;
use crate::model::{Mount, MountMove, Timestamp};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn move_mount(writing: &mut Writing<'_>, mount: &Mount, made: &MountMove) -> Result<()> {
    mounts::put_mount(writing, mount)?;
    writing
        .db
        .prepare_cached(
            "INSERT INTO mount_move (id, source, target, moved_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((
            &made.id,
            made.source.as_str(),
            made.target.as_str(),
            made.moved_at.as_millis(),
        ))?;
    Ok(())
}

pub(super) fn mount_move(db: &Connection, id: &str) -> Result<Option<MountMove>> {
    let mut query =
        db.prepare_cached("SELECT id, source, target, moved_at FROM mount_move WHERE id = ?1")?;
    let found: Option<(String, String, String, i64)> = query
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((id, source, target, at)) = found else {
        return Ok(None);
    };
    let (source, target) = (parsed(&source)?, parsed(&target)?);
    Ok(Some(MountMove { id, source, target, moved_at: time(at) }))
}

pub(super) fn forget_old(db: &Connection, before: Timestamp) -> Result<u64> {
    let old = "DELETE FROM mount_move WHERE moved_at < ?1";
    Ok(count(db.prepare_cached(old)?.execute([before.as_millis()])?))
}
