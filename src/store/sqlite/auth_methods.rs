//! Auth mounts, roles, users and secret ids as rows. Whatever belongs to a mount goes with it by its foreign
//! keys; the tokens that were made there end in the same transaction. The trait is [`AuthMethodStore`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::values::{count, from_json, millis, time, to_json};
use super::writer::Writing;
use super::{Sqlite, tokens};
use crate::model::{
    Accessor, AppRole, AuthMount, AuthMountId, LoginUser, SecretIdDigest, StoredSecretId,
    Timestamp, TokenDigest,
};
use crate::store::StoreError;
use crate::store::auth_methods::AuthMethodStore;

type Result<T> = std::result::Result<T, StoreError>;

/// Expired secret ids that a new one takes away: more than it brings, so that they cannot pile up.
const SWEPT: u32 = 100;

#[async_trait]
impl AuthMethodStore for Sqlite {
    async fn auth_mounts(&self) -> Result<Vec<AuthMount>> {
        self.readers
            .long(|db| {
                let mut query = db.prepare_cached("SELECT body FROM auth_mount ORDER BY path")?;
                let rows = query.query_map([], |row| row.get::<_, String>(0))?;
                rows.map(|body| from_json(&body?)).collect()
            })
            .await
    }

    async fn put_auth_mount(&self, mount: &AuthMount) -> Result<()> {
        let (id, path, body) = (mount.id.clone(), mount.path.to_string(), to_json(mount)?);
        self.write(move |w| {
            let taken: bool =
                w.db.prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM auth_mount WHERE path = ?1 AND id <> ?2)",
                )?
                .query_row((&path, &id.0), |row| row.get(0))?;
            if taken {
                return Err(StoreError::Conflict);
            }
            w.db.prepare_cached(
                "INSERT INTO auth_mount (id, path, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET path = excluded.path, body = excluded.body",
            )?
            .execute((id.0, path, body))?;
            Ok(())
        })
        .await
    }

    async fn remove_auth_mount(&self, mount: &AuthMountId, now: Timestamp) -> Result<u64> {
        let mount = mount.clone();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM auth_mount WHERE id = ?1")?.execute([&mount.0])?;
            end_tokens(w, &mount, now)
        })
        .await
    }

    async fn login_names(&self, mount: &AuthMountId) -> Result<Vec<String>> {
        let mount = mount.clone();
        self.readers
            .long(move |db| {
                let mut query = db
                    .prepare_cached("SELECT name FROM auth_login WHERE mount = ?1 ORDER BY name")?;
                let names = query.query_map([&mount.0], |row| row.get(0))?;
                Ok(names.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    async fn remove_login(&self, mount: &AuthMountId, name: &str) -> Result<()> {
        let (mount, name) = (mount.clone(), name.to_owned());
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM auth_login WHERE mount = ?1 AND name = ?2")?
                .execute((mount.0, name))?;
            Ok(())
        })
        .await
    }

    async fn app_role(&self, mount: &AuthMountId, name: &str) -> Result<Option<AppRole>> {
        self.readers.point(|db| login(db, mount, name))
    }

    async fn app_role_by_id(&self, mount: &AuthMountId, role_id: &str) -> Result<Option<AppRole>> {
        self.readers.point(|db| {
            body(
                db,
                "SELECT body FROM auth_login WHERE mount = ?1 AND role_id = ?2",
                (&mount.0, role_id),
            )
        })
    }

    async fn put_app_role(&self, mount: &AuthMountId, role: &AppRole) -> Result<()> {
        let (mount, role) = (mount.clone(), role.clone());
        self.write(move |w| {
            let taken: bool =
                w.db.prepare_cached(
                    "SELECT EXISTS (
                     SELECT 1 FROM auth_login WHERE mount = ?1 AND role_id = ?2 AND name <> ?3)",
                )?
                .query_row((&mount.0, &role.role_id, &role.name), |row| row.get(0))?;
            if taken {
                return Err(StoreError::Conflict);
            }
            put_login(w.db, &mount, &role.name, Some(&role.role_id), &role)
        })
        .await
    }

    async fn put_secret_id(
        &self,
        mount: &AuthMountId,
        secret_id: &StoredSecretId,
        now: Timestamp,
    ) -> Result<()> {
        let (mount, one) = (mount.clone(), secret_id.clone());
        self.write(move |w| {
            sweep(w.db, &mount, now, SWEPT)?;
            if secret_id_of(w.db, &mount, &one.role, &one.digest)?.is_some() {
                return Err(StoreError::Conflict);
            }
            w.db.prepare_cached(
                "INSERT INTO auth_secret_id
                     (mount, role, digest, accessor, uses_left, expires_at, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(rusqlite::params![
                mount.0,
                one.role,
                one.digest.0,
                one.accessor.0,
                one.uses_left,
                millis(one.expires_at),
                to_json(&one)?
            ])?;
            Ok(())
        })
        .await
    }

    async fn secret_id(
        &self,
        mount: &AuthMountId,
        role: &str,
        digest: &SecretIdDigest,
    ) -> Result<Option<StoredSecretId>> {
        self.readers.point(|db| secret_id_of(db, mount, role, digest))
    }

    async fn secret_id_by_accessor(
        &self,
        mount: &AuthMountId,
        role: &str,
        accessor: &Accessor,
    ) -> Result<Option<StoredSecretId>> {
        self.readers.point(|db| {
            let sql = "SELECT body, uses_left, expires_at FROM auth_secret_id
                 WHERE mount = ?1 AND role = ?2 AND accessor = ?3";
            read_secret_id(db, sql, (&mount.0, role, &accessor.0))
        })
    }

    async fn secret_id_accessors(
        &self,
        mount: &AuthMountId,
        role: &str,
        now: Timestamp,
    ) -> Result<Vec<Accessor>> {
        let (mount, role) = (mount.clone(), role.to_owned());
        self.readers
            .long(move |db| {
                let mut query = db.prepare_cached(
                    "SELECT accessor FROM auth_secret_id WHERE mount = ?1 AND role = ?2
                         AND (expires_at IS NULL OR expires_at > ?3) ORDER BY accessor",
                )?;
                let rows = query.query_map((&mount.0, &role, now.as_millis()), |row| {
                    row.get(0).map(Accessor)
                })?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    async fn use_secret_id(
        &self,
        mount: &AuthMountId,
        role: &str,
        digest: &SecretIdDigest,
        now: Timestamp,
    ) -> Result<bool> {
        let (mount, role, digest) = (mount.clone(), role.to_owned(), digest.clone());
        self.write(move |w| {
            let found = secret_id_of(w.db, &mount, &role, &digest)?;
            let Some(found) = found.filter(|one| one.expires_at.is_none_or(|end| now < end)) else {
                return Ok(false);
            };
            let key = (&mount.0, &role, &digest.0);
            match found.uses_left {
                0 => {}
                1 => delete_secret_id(w.db, key)?,
                _ => {
                    w.db.prepare_cached(
                        "UPDATE auth_secret_id SET uses_left = uses_left - 1
                         WHERE mount = ?1 AND role = ?2 AND digest = ?3",
                    )?
                    .execute(key)?;
                }
            }
            Ok(true)
        })
        .await
    }

    async fn remove_secret_id(
        &self,
        mount: &AuthMountId,
        role: &str,
        digest: &SecretIdDigest,
    ) -> Result<()> {
        let (mount, role, digest) = (mount.clone(), role.to_owned(), digest.clone());
        self.write(move |w| delete_secret_id(w.db, (&mount.0, &role, &digest.0))).await
    }

    async fn tidy_secret_ids(&self, mount: &AuthMountId, now: Timestamp) -> Result<u64> {
        let mount = mount.clone();
        self.write(move |w| sweep(w.db, &mount, now, u32::MAX)).await
    }

    async fn login_user(&self, mount: &AuthMountId, name: &str) -> Result<Option<LoginUser>> {
        self.readers.point(|db| login(db, mount, name))
    }

    async fn put_login_user(&self, mount: &AuthMountId, user: &LoginUser) -> Result<()> {
        let (mount, user) = (mount.clone(), user.clone());
        self.write(move |w| put_login(w.db, &mount, &user.name, None, &user)).await
    }
}

/// Ends every token that was made at a mount, with its descendants.
fn end_tokens(writing: &mut Writing<'_>, mount: &AuthMountId, now: Timestamp) -> Result<u64> {
    let mut query = writing
        .db
        .prepare_cached("SELECT digest FROM token WHERE auth_mount = ?1 AND ended_at IS NULL")?;
    let made: Vec<String> =
        query.query_map([&mount.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut ended: u64 = 0;
    for digest in made {
        let tree = tokens::end_token_tree(writing, &TokenDigest(digest), now)?;
        ended = ended.saturating_add(tree);
    }
    Ok(ended)
}

pub(super) fn login<T: DeserializeOwned>(
    db: &Connection,
    mount: &AuthMountId,
    name: &str,
) -> Result<Option<T>> {
    body(db, "SELECT body FROM auth_login WHERE mount = ?1 AND name = ?2", (&mount.0, name))
}

pub(super) fn body<T: DeserializeOwned>(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<T>> {
    let mut query = db.prepare_cached(sql)?;
    let body: Option<String> = query.query_row(key, |row| row.get(0)).optional()?;
    body.map(|body| from_json(&body)).transpose()
}

pub(super) fn put_login(
    db: &Connection,
    mount: &AuthMountId,
    name: &str,
    role_id: Option<&str>,
    body: &impl Serialize,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO auth_login (mount, name, role_id, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (mount, name) DO UPDATE SET role_id = excluded.role_id, body = excluded.body",
    )?
    .execute((&mount.0, name, role_id, to_json(body)?))?;
    Ok(())
}

fn secret_id_of(
    db: &Connection,
    mount: &AuthMountId,
    role: &str,
    digest: &SecretIdDigest,
) -> Result<Option<StoredSecretId>> {
    let sql = "SELECT body, uses_left, expires_at FROM auth_secret_id
         WHERE mount = ?1 AND role = ?2 AND digest = ?3";
    read_secret_id(db, sql, (&mount.0, role, &digest.0))
}

/// The columns win over the body: uses go down in them alone.
fn read_secret_id(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<StoredSecretId>> {
    let mut query = db.prepare_cached(sql)?;
    let row = query.query_row(key, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
    });
    let Some((body, uses_left, expires_at)) = row.optional()? else {
        return Ok(None);
    };
    let stored: StoredSecretId = from_json(&body)?;
    Ok(Some(StoredSecretId { uses_left, expires_at: expires_at.map(time), ..stored }))
}

fn delete_secret_id(db: &Connection, key: (&String, &String, &String)) -> Result<()> {
    db.prepare_cached("DELETE FROM auth_secret_id WHERE mount = ?1 AND role = ?2 AND digest = ?3")?
        .execute(key)?;
    Ok(())
}

/// Forgets at most `limit` expired secret ids of a mount.
fn sweep(db: &Connection, mount: &AuthMountId, now: Timestamp, limit: u32) -> Result<u64> {
    let gone = db
        .prepare_cached(
            "DELETE FROM auth_secret_id WHERE mount = ?1 AND digest IN (
                 SELECT digest FROM auth_secret_id WHERE mount = ?1 AND expires_at <= ?2 LIMIT ?3)
             AND expires_at <= ?2",
        )?
        .execute((&mount.0, now.as_millis(), limit))?;
    Ok(count(gone))
}
