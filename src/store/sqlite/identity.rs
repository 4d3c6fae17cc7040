//! Token roles, entities, aliases and groups as rows: a key, the folded name, a body. An alias goes with its
//! entity by its foreign key; who is removed is taken out of groups in the same transaction. The trait is
//! [`IdentityStore`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;

use super::Sqlite;
use super::values::{from_json, to_json};
use crate::model::{Entity, EntityAlias, EntityId, Group, GroupId, TokenRole};
use crate::store::StoreError;
use crate::store::identity::IdentityStore;

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl IdentityStore for Sqlite {
    async fn token_role(&self, name: &str) -> Result<Option<TokenRole>> {
        self.readers.point(|db| body(db, "SELECT body FROM token_role WHERE name = ?1", [name]))
    }

    async fn token_role_names(&self) -> Result<Vec<String>> {
        self.readers.long(|db| texts(db, "SELECT name FROM token_role ORDER BY name")).await
    }

    async fn put_token_role(&self, role: &TokenRole) -> Result<()> {
        let (name, body) = (role.name.clone(), to_json(role)?);
        self.write(move |w| {
            w.db.prepare_cached(
                "INSERT INTO token_role (name, body) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            )?
            .execute((name, body))?;
            Ok(())
        })
        .await
    }

    async fn remove_token_role(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM token_role WHERE name = ?1")?.execute([name])?;
            Ok(())
        })
        .await
    }

    async fn entity(&self, id: &EntityId) -> Result<Option<Entity>> {
        self.readers.point(|db| entity(db, "SELECT body FROM entity WHERE id = ?1", [&id.0]))
    }

    async fn entity_by_name(&self, name: &str) -> Result<Option<Entity>> {
        let sql = "SELECT body FROM entity WHERE folded = ?1";
        self.readers.point(|db| entity(db, sql, [name.to_lowercase()]))
    }

    async fn entity_of_alias(&self, mount_accessor: &str, name: &str) -> Result<Option<Entity>> {
        let sql =
            "SELECT entity.body FROM entity_alias JOIN entity ON entity.id = entity_alias.entity
             WHERE mount = ?1 AND entity_alias.folded = ?2";
        self.readers.point(|db| entity(db, sql, (mount_accessor, name.to_lowercase())))
    }

    async fn entity_of_alias_id(&self, alias: &str) -> Result<Option<Entity>> {
        let sql =
            "SELECT entity.body FROM entity_alias JOIN entity ON entity.id = entity_alias.entity
             WHERE entity_alias.id = ?1";
        self.readers.point(|db| entity(db, sql, [alias]))
    }

    async fn entity_names(&self) -> Result<Vec<(EntityId, String)>> {
        let read = |db: &Connection| {
            let sql = "SELECT id, body ->> 'name' FROM entity ORDER BY id";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map([], |row| Ok((EntityId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        self.readers.long(read).await
    }

    async fn alias_ids(&self) -> Result<Vec<String>> {
        self.readers.long(|db| texts(db, "SELECT id FROM entity_alias ORDER BY id")).await
    }

    async fn put_entity(&self, entity: &Entity) -> Result<()> {
        let entity = entity.clone();
        self.write(move |w| put_entity(w.db, entity)).await
    }

    async fn put_alias(&self, entity: &EntityId, alias: &EntityAlias) -> Result<()> {
        let (entity, alias) = (entity.clone(), alias.clone());
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM entity_alias WHERE id = ?1")?.execute([&alias.id])?;
            put_alias(w.db, &entity, &alias)
        })
        .await
    }

    async fn remove_entity(&self, id: &EntityId) -> Result<()> {
        let id = id.clone();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM entity WHERE id = ?1")?.execute([&id.0])?;
            leave_groups(w.db, |group| {
                let before = group.members.len();
                group.members.retain(|member| *member != id);
                group.members.len() != before
            })
        })
        .await
    }

    async fn remove_mount_aliases(&self, mount_accessor: &str) -> Result<()> {
        let accessor = mount_accessor.to_owned();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM entity_alias WHERE mount = ?1")?
                .execute([accessor])?;
            Ok(())
        })
        .await
    }

    async fn groups(&self) -> Result<Vec<Group>> {
        self.readers.long(groups).await
    }

    async fn group_by_name(&self, name: &str) -> Result<Option<Group>> {
        let sql = "SELECT body FROM entity_group WHERE folded = ?1";
        self.readers.point(|db| body(db, sql, [name.to_lowercase()]))
    }

    async fn put_group(&self, group: &Group) -> Result<()> {
        let group = group.clone();
        self.write(move |w| put_group(w.db, &group)).await
    }

    async fn remove_group(&self, id: &GroupId) -> Result<()> {
        let id = id.clone();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM entity_group WHERE id = ?1")?.execute([&id.0])?;
            leave_groups(w.db, |group| {
                let before = group.member_groups.len();
                group.member_groups.retain(|member| *member != id);
                group.member_groups.len() != before
            })
        })
        .await
    }
}

fn body<T: DeserializeOwned>(
    db: &Connection,
    sql: &str,
    key: impl rusqlite::Params,
) -> Result<Option<T>> {
    let mut query = db.prepare_cached(sql)?;
    let body: Option<String> = query.query_row(key, |row| row.get(0)).optional()?;
    body.map(|body| from_json(&body)).transpose()
}

fn texts(db: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn entity(db: &Connection, sql: &str, key: impl rusqlite::Params) -> Result<Option<Entity>> {
    let Some(mut found) = body::<Entity>(db, sql, key)? else {
        return Ok(None);
    };
    let sql = "SELECT body FROM entity_alias WHERE entity = ?1 ORDER BY mount";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([&found.id.0], |row| row.get::<_, String>(0))?;
    found.aliases = rows.map(|body| from_json(&body?)).collect::<Result<_>>()?;
    Ok(Some(found))
}

/// Refuses a folded name, or an alias, that another has.
fn must_be_free(db: &Connection, sql: &str, key: impl rusqlite::Params) -> Result<()> {
    let taken: bool = db.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
    if taken { Err(StoreError::Conflict) } else { Ok(()) }
}

fn put_entity(db: &Connection, mut entity: Entity) -> Result<()> {
    let aliases = std::mem::take(&mut entity.aliases);
    let folded = entity.name.to_lowercase();
    let taken = "SELECT EXISTS (SELECT 1 FROM entity WHERE folded = ?1 AND id <> ?2)";
    must_be_free(db, taken, (&folded, &entity.id.0))?;
    db.prepare_cached(
        "INSERT INTO entity (id, folded, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, body = excluded.body",
    )?
    .execute((&entity.id.0, &folded, to_json(&entity)?))?;
    db.prepare_cached("DELETE FROM entity_alias WHERE entity = ?1")?.execute([&entity.id.0])?;
    for alias in &aliases {
        put_alias(db, &entity.id, alias)?;
    }
    Ok(())
}

fn put_alias(db: &Connection, entity: &EntityId, alias: &EntityAlias) -> Result<()> {
    let folded = alias.name.to_lowercase();
    let taken = "SELECT EXISTS (SELECT 1 FROM entity_alias WHERE mount = ?1 AND folded = ?2)
             OR EXISTS (SELECT 1 FROM entity_alias WHERE id = ?3)";
    must_be_free(db, taken, (&alias.mount_accessor, &folded, &alias.id))?;
    db.prepare_cached(
        "INSERT INTO entity_alias (id, entity, mount, folded, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((&alias.id, &entity.0, &alias.mount_accessor, &folded, to_json(alias)?))?;
    Ok(())
}

fn groups(db: &Connection) -> Result<Vec<Group>> {
    let bodies = texts(db, "SELECT body FROM entity_group ORDER BY id")?;
    bodies.iter().map(|body| from_json(body)).collect()
}

fn put_group(db: &Connection, group: &Group) -> Result<()> {
    let folded = group.name.to_lowercase();
    let taken = "SELECT EXISTS (SELECT 1 FROM entity_group WHERE folded = ?1 AND id <> ?2)";
    must_be_free(db, taken, (&folded, &group.id.0))?;
    db.prepare_cached(
        "INSERT INTO entity_group (id, folded, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, body = excluded.body",
    )?
    .execute((&group.id.0, &folded, to_json(group)?))?;
    Ok(())
}

/// Writes each group that `leave` changes.
fn leave_groups(db: &Connection, leave: impl Fn(&mut Group) -> bool) -> Result<()> {
    for mut group in groups(db)? {
        if leave(&mut group) {
            put_group(db, &group)?;
        }
    }
    Ok(())
}
