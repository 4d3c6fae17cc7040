//! Roles. A write must name the version that follows the stored one, so that of two writers who read
//! the same role one learns that the other was faster. What a role may say is the engine's.

use rusqlite::{Connection, OptionalExtension};

use super::cache::Stale;
use super::limits::settle;
use super::mounts::live_key;
use super::values::{from_json, int, parsed, to_json};
use super::writer::Writing;
use crate::model::{MountId, Role, RoleName};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn role(db: &Connection, mount: &MountId, name: &RoleName) -> Result<Option<Role>> {
    let mut query = db.prepare_cached(
        "SELECT body FROM role WHERE mount = (SELECT key FROM mount WHERE id = ?1) AND name = ?2",
    )?;
    let body: Option<String> =
        query.query_row((&mount.0, name.as_str()), |row| row.get(0)).optional()?;
    body.map(|body| from_json(&body)).transpose()
}

pub(super) fn role_names(db: &Connection, mount: &MountId) -> Result<Vec<RoleName>> {
    let mut query = db.prepare_cached(
        "SELECT name FROM role WHERE mount = (SELECT key FROM mount WHERE id = ?1) ORDER BY name",
    )?;
    let mut rows = query.query([&mount.0])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        names.push(parsed(row.get_ref(0)?.as_str().unwrap_or_default())?);
    }
    Ok(names)
}

pub(super) fn put_role(writing: &mut Writing<'_>, role: &Role) -> Result<()> {
    let mount = live_key(writing.db, &role.mount)?;
    let (version, body) = (int(role.version), to_json(role)?);
    let capped = !role.limits.is_unlimited();
    let written = if role.version == 1 {
        // A role of that name already there is a conflict by its primary key.
        writing
            .db
            .prepare_cached(
                "INSERT INTO role (mount, name, version, body, capped) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((mount, role.name.as_str(), version, body, capped))?
    } else {
        writing
            .db
            .prepare_cached(
                "UPDATE role SET version = ?3, body = ?4, capped = ?5
                 WHERE mount = ?1 AND name = ?2 AND version = ?3 - 1",
            )?
            .execute((mount, role.name.as_str(), version, body, capped))?
    };
    if written == 0 {
        return Err(StoreError::Conflict);
    }
    settle(writing.db, mount)?;
    writing.outdates(Stale::Role(role.mount.clone(), role.name.clone()));
    Ok(())
}

pub(super) fn remove_role(
    writing: &mut Writing<'_>,
    mount: &MountId,
    name: &RoleName,
) -> Result<()> {
    let removed: Option<i64> = writing
        .db
        .prepare_cached(
            "DELETE FROM role WHERE mount = (SELECT key FROM mount WHERE id = ?1) AND name = ?2
             RETURNING mount",
        )?
        .query_row((&mount.0, name.as_str()), |row| row.get(0))
        .optional()?;
    if let Some(mount) = removed {
        settle(writing.db, mount)?;
    }
    writing.outdates(Stale::Role(mount.clone(), name.clone()));
    Ok(())
}
