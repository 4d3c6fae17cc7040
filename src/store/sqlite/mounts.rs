//! Settings, mounts and what is configured once per mount. A mount keeps one small number for life,
//! under which all its rows hang. A removed mount takes no new roles, configuration or leases.

use rusqlite::{Connection, OptionalExtension};

use super::cache::Stale;
use super::limits::stop_counting;
use super::values::{from_json, to_json};
use super::writer::Writing;
use crate::model::{AccountBinding, LeaseConfig, Mount, MountId, MountState};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn setting(db: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    let mut query = db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

pub(super) fn put_setting(db: &Connection, name: &str, value: &[u8]) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO setting (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((name, value))?;
    Ok(())
}

/// All or none; false when one of them was there.
pub(super) fn init_settings(db: &Connection, values: &[(String, Vec<u8>)]) -> Result<bool> {
    for (name, _) in values {
        if setting(db, name)?.is_some() {
            return Ok(false);
        }
    }
    for (name, value) in values {
        put_setting(db, name, value)?;
    }
    Ok(true)
}

const fn state_code(state: MountState) -> i64 {
    match state {
        MountState::Active => 0,
        MountState::Tainted => 1,
        MountState::Removed => 2,
    }
}

/// The number under which a mount's rows hang, and whether it is removed.
fn key_of(db: &Connection, mount: &MountId) -> Result<Option<(i64, bool)>> {
    let mut query = db.prepare_cached("SELECT key, state >= 2 FROM mount WHERE id = ?1")?;
    let found = query.query_row([&mount.0], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// The key of a mount that may get new rows; [`StoreError::Conflict`] when it was removed meanwhile.
pub(super) fn live_key(db: &Connection, mount: &MountId) -> Result<i64> {
    match key_of(db, mount)? {
        Some((key, false)) => Ok(key),
        Some((_, true)) => Err(StoreError::Conflict),
        None => Err(unknown(mount)),
    }
}

/// The key of a mount, removed or not.
pub(super) fn any_key(db: &Connection, mount: &MountId) -> Result<i64> {
    key_of(db, mount)?.map(|(key, _)| key).ok_or_else(|| unknown(mount))
}

fn unknown(mount: &MountId) -> StoreError {
    StoreError::Failed(format!("mount `{}` is not in the store", mount.0))
}

pub(super) fn mounts(db: &Connection) -> Result<Vec<Mount>> {
    let mut query =
        db.prepare_cached("SELECT body, state FROM mount WHERE state < 3 ORDER BY path, key")?;
    let mut rows = query.query([])?;
    let mut mounts = Vec::new();
    while let Some(row) = rows.next()? {
        let mut mount: Mount = from_json(row.get_ref(0)?.as_str().unwrap_or_default())?;
        // The column is what counts: removing a mount changes it alone.
        mount.state = match row.get::<_, i64>(1)? {
            0 => MountState::Active,
            1 => MountState::Tainted,
            _ => MountState::Removed,
        };
        mounts.push(mount);
    }
    Ok(mounts)
}

pub(super) fn put_mount(writing: &mut Writing<'_>, mount: &Mount) -> Result<()> {
    let body = to_json(mount)?;
    let written = writing
        .db
        .prepare_cached(
            "INSERT INTO mount (id, path, state, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE
             SET path = excluded.path, state = excluded.state, body = excluded.body
             WHERE state < 3",
        )?
        .execute((&mount.id.0, mount.path.as_str(), state_code(mount.state), body))?;
    if written == 0 {
        return Err(StoreError::Conflict);
    }
    writing.outdates(Stale::Mounts);
    Ok(())
}

pub(super) fn remove_mount(writing: &mut Writing<'_>, mount: &MountId) -> Result<()> {
    let Some((key, _)) = key_of(writing.db, mount)? else {
        return Ok(());
    };
    for sql in [
        "UPDATE mount SET state = 2 WHERE key = ?1 AND state < 2",
        "DELETE FROM role WHERE mount = ?1",
        "DELETE FROM lease_config WHERE mount = ?1",
        "DELETE FROM lease_limits WHERE mount = ?1",
        // They go when their keys are gone.
        "UPDATE static_role SET deleting = 1, due_at = 0 WHERE mount = ?1",
    ] {
        writing.db.prepare_cached(sql)?.execute([key])?;
    }
    stop_counting(writing.db, key)?;
    writing.outdates(Stale::Mounts);
    writing.outdates(Stale::AllRoles);
    writing.outdates(Stale::LeaseLimits(mount.clone()));
    writing.outdates(Stale::LeaseConfig(mount.clone()));
    Ok(())
}

pub(super) fn account_binding(db: &Connection, mount: &MountId) -> Result<Option<AccountBinding>> {
    let mut query = db.prepare_cached(
        "SELECT body, sealed_secret_key FROM account_binding
         WHERE mount = (SELECT key FROM mount WHERE id = ?1)",
    )?;
    let found: Option<(String, Option<Vec<u8>>)> =
        query.query_row([&mount.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((body, sealed_secret_key)) = found else {
        return Ok(None);
    };
    let binding: AccountBinding = from_json(&body)?;
    Ok(Some(AccountBinding { sealed_secret_key, ..binding }))
}

pub(super) fn put_account_binding(
    writing: &mut Writing<'_>,
    mount: &MountId,
    binding: AccountBinding,
) -> Result<()> {
    // A removed mount's binding may still change: its leases need keys that work.
    let key = any_key(writing.db, mount)?;
    let mut rest = binding;
    let sealed = rest.sealed_secret_key.take();
    writing
        .db
        .prepare_cached(
            "INSERT INTO account_binding (mount, sealed_secret_key, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (mount) DO UPDATE
             SET sealed_secret_key = excluded.sealed_secret_key, body = excluded.body",
        )?
        .execute((key, sealed, to_json(&rest)?))?;
    writing.outdates(Stale::Binding(mount.clone()));
    Ok(())
}

pub(super) fn lease_config(db: &Connection, mount: &MountId) -> Result<Option<LeaseConfig>> {
    let mut query = db.prepare_cached(
        "SELECT lease, lease_max FROM lease_config
         WHERE mount = (SELECT key FROM mount WHERE id = ?1)",
    )?;
    let found = query.query_row([&mount.0], |row| {
        Ok(LeaseConfig { lease: row.get(0)?, lease_max: row.get(1)? })
    });
    Ok(found.optional()?)
}

pub(super) fn put_lease_config(
    writing: &mut Writing<'_>,
    mount: &MountId,
    config: LeaseConfig,
) -> Result<()> {
    let key = live_key(writing.db, mount)?;
    writing
        .db
        .prepare_cached(
            "INSERT INTO lease_config (mount, lease, lease_max) VALUES (?1, ?2, ?3)
             ON CONFLICT (mount) DO UPDATE SET lease = excluded.lease, lease_max = excluded.lease_max",
        )?
        .execute((key, config.lease, config.lease_max))?;
    writing.outdates(Stale::LeaseConfig(mount.clone()));
    Ok(())
}
