//! Rows of rotated keys. A sealed secret has a column of its own, so that no JSON carries one. Who may
//! write a row when is the engine's; here a static role marked as deleted never comes back.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::Sqlite;
use super::mounts::{any_key, live_key, put_account_binding};
use super::values::{from_json, millis, parsed, time, to_json};
use super::writer::Writing;
use crate::model::{
    AccountBinding, KeyChange, MountId, RoleName, RootRotation, RotationProgress, StaticRole,
    Timestamp,
};
use crate::store::{RotationStore, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// The JSON of a root rotation.
#[derive(Serialize, Deserialize)]
struct RootBody {
    progress: RotationProgress,
    change: Option<KeyChange>,
}

fn root_rotation(db: &Connection, mount: &MountId) -> Result<Option<RootRotation>> {
    let mut query = db.prepare_cached(
        "SELECT body, sealed_new_secret FROM root_rotation
         WHERE mount = (SELECT key FROM mount WHERE id = ?1)",
    )?;
    let found: Option<(String, Option<Vec<u8>>)> =
        query.query_row([&mount.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((body, sealed)) = found else {
        return Ok(None);
    };
    let RootBody { progress, mut change } = from_json(&body)?;
    if let Some(change) = &mut change {
        change.sealed_secret_key = sealed;
    }
    Ok(Some(RootRotation { mount: mount.clone(), progress, change }))
}

fn save_root_rotation(writing: &Writing<'_>, rotation: RootRotation) -> Result<()> {
    // A removed mount's key may still have to be finished.
    let mount = any_key(writing.db, &rotation.mount)?;
    let sealed = rotation.change.as_ref().and_then(|change| change.sealed_secret_key.clone());
    let unfinished = rotation.change.is_some();
    let body = to_json(&RootBody { progress: rotation.progress, change: rotation.change })?;
    writing
        .db
        .prepare_cached(
            "INSERT INTO root_rotation (mount, unfinished, sealed_new_secret, body)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (mount) DO UPDATE SET unfinished = excluded.unfinished,
                 sealed_new_secret = excluded.sealed_new_secret, body = excluded.body",
        )?
        .execute((mount, unfinished, sealed, body))?;
    Ok(())
}

pub(super) const UNFINISHED: &str = "SELECT mount.id FROM root_rotation
     JOIN mount ON mount.key = root_rotation.mount WHERE unfinished = 1";

const COLUMNS: &str = "static_role.body, sealed_secret, sealed_new_secret, deleting, due_at";

/// What the columns hold, before the JSON is read.
type Raw = (String, Option<Vec<u8>>, Option<Vec<u8>>, bool, Option<i64>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn read(raw: Raw) -> Result<StaticRole> {
    let (body, sealed, sealed_new, deleting, due_at) = raw;
    let mut role: StaticRole = from_json(&body)?;
    role.sealed_secret_key = sealed;
    role.deleting = deleting;
    role.due_at = due_at.map(time);
    if let Some(change) = &mut role.change {
        change.sealed_secret_key = sealed_new;
    }
    Ok(role)
}

fn static_role(db: &Connection, mount: &MountId, name: &RoleName) -> Result<Option<StaticRole>> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM static_role
         WHERE mount = (SELECT key FROM mount WHERE id = ?1) AND name = ?2"
    ))?;
    let found = query.query_row((&mount.0, name.as_str()), raw).optional()?;
    found.map(read).transpose()
}

fn static_roles(db: &Connection, mount: &MountId) -> Result<Vec<StaticRole>> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM static_role
         WHERE mount = (SELECT key FROM mount WHERE id = ?1) ORDER BY name"
    ))?;
    let rows: Vec<Raw> = query.query_map([&mount.0], raw)?.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(read).collect()
}

fn save_static_role(db: &Connection, role: &StaticRole) -> Result<()> {
    let is_new = static_role(db, &role.mount, &role.name)?.is_none();
    let mount = if is_new { live_key(db, &role.mount)? } else { any_key(db, &role.mount)? };
    let sealed_new = role.change.as_ref().and_then(|change| change.sealed_secret_key.as_ref());
    db.prepare_cached(
        "INSERT INTO static_role
             (mount, name, deleting, due_at, sealed_secret, sealed_new_secret, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (mount, name) DO UPDATE SET deleting = max(deleting, excluded.deleting),
             due_at = excluded.due_at, sealed_secret = excluded.sealed_secret,
             sealed_new_secret = excluded.sealed_new_secret, body = excluded.body",
    )?
    .execute((
        mount,
        role.name.as_str(),
        role.deleting,
        millis(role.due_at),
        &role.sealed_secret_key,
        sealed_new,
        to_json(role)?,
    ))?;
    Ok(())
}

pub(super) const DUE_STATIC: &str = "SELECT mount.id, name FROM static_role
     JOIN mount ON mount.key = static_role.mount WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2";

pub(super) const NEXT_STATIC: &str = "SELECT min(due_at) FROM static_role WHERE due_at IS NOT NULL";

#[async_trait]
impl RotationStore for Sqlite {
    async fn root_rotation(&self, mount: &MountId) -> Result<Option<RootRotation>> {
        self.readers.point(|db| root_rotation(db, mount))
    }

    async fn save_root_rotation(&self, rotation: &RootRotation) -> Result<()> {
        let rotation = rotation.clone();
        self.write(move |w| save_root_rotation(w, rotation)).await
    }

    async fn switch_root_key(
        &self,
        binding: &AccountBinding,
        rotation: &RootRotation,
    ) -> Result<()> {
        let (binding, rotation) = (binding.clone(), rotation.clone());
        self.write(move |w| {
            put_account_binding(w, &rotation.mount, binding)?;
            save_root_rotation(w, rotation)
        })
        .await
    }

    async fn unfinished_root_rotations(&self) -> Result<Vec<MountId>> {
        self.readers.point(|db| {
            let mut query = db.prepare_cached(UNFINISHED)?;
            let rows = query.query_map([], |row| row.get(0).map(MountId))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    async fn static_role(&self, mount: &MountId, name: &RoleName) -> Result<Option<StaticRole>> {
        self.readers.point(|db| static_role(db, mount, name))
    }

    async fn static_roles(&self, mount: &MountId) -> Result<Vec<StaticRole>> {
        let mount = mount.clone();
        self.readers.long(move |db| static_roles(db, &mount)).await
    }

    async fn save_static_role(&self, role: &StaticRole) -> Result<()> {
        let role = role.clone();
        self.write(move |w| save_static_role(w.db, &role)).await
    }

    async fn remove_static_role(&self, mount: &MountId, name: &RoleName) -> Result<()> {
        let (mount, name) = (mount.clone(), name.clone());
        self.write(move |w| {
            w.db.prepare_cached(
                "DELETE FROM static_role
                 WHERE mount = (SELECT key FROM mount WHERE id = ?1) AND name = ?2",
            )?
            .execute((&mount.0, name.as_str()))?;
            Ok(())
        })
        .await
    }

    async fn due_static_roles(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MountId, RoleName)>> {
        self.readers
            .long(move |db| {
                let mut query = db.prepare_cached(DUE_STATIC)?;
                let mut rows = query.query((now.as_millis(), limit))?;
                let mut due = Vec::new();
                while let Some(row) = rows.next()? {
                    due.push((MountId(row.get(0)?), parsed(&row.get::<_, String>(1)?)?));
                }
                Ok(due)
            })
            .await
    }

    async fn next_static_role(&self) -> Result<Option<Timestamp>> {
        self.readers.point(|db| {
            let next: Option<i64> =
                db.prepare_cached(NEXT_STATIC)?.query_row([], |row| row.get(0))?;
            Ok(next.map(time))
        })
    }
}
