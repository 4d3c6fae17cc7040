//! `identity/entity`, `identity/entity-alias` and the look-up of entities. Only shapes live here; what an entity adds
//! to a token is decided in [`crate::auth::identity`]. Groups: [`super::identity_groups`].

use serde_json::{Map, Value, json};

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::auth::AuthError;
use crate::auth::identity::{AliasChange, EntityChange, EntityKey, Identity, IdentityError};
use crate::model::{Entity, EntityAlias, EntityId, Group};

/// What writing an entity takes.
pub(super) const ENTITY: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("metadata", Kind::Pairs),
    field("policies", Kind::List),
    field("disabled", Kind::Bool),
];

/// What writing an alias takes; `entity_id` is an old name.
pub(super) const ALIAS: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("canonical_id", Kind::Text),
    field("entity_id", Kind::Text),
    field("mount_accessor", Kind::Text),
    field("custom_metadata", Kind::Pairs),
];

/// What looking an entity up takes.
pub(super) const LOOKUP: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("alias_id", Kind::Text),
    field("alias_name", Kind::Text),
    field("alias_mount_accessor", Kind::Text),
];

fn change(fields: &mut Fields) -> EntityChange {
    EntityChange {
        name: fields.filled_text("name"),
        metadata: fields.pairs("metadata").map(Option::unwrap_or_default),
        policies: fields.list("policies"),
        disabled: fields.bool("disabled"),
    }
}

/// POST and PUT `identity/entity`: by `id`, else by `name`, else a new one.
pub(super) async fn write(mut call: Call) -> Answered {
    let id = call.fields.filled_text("id");
    let change = change(&mut call.fields);
    let name = change.name.clone();
    let key = id.as_deref().map(EntityKey::Id).or(name.as_deref().map(EntityKey::Name));
    written(&call, key, change).await
}

/// POST and PUT `identity/entity/id/:id`.
pub(super) async fn write_by_id(mut call: Call) -> Answered {
    let change = change(&mut call.fields);
    written(&call, Some(EntityKey::Id(&call.captured)), change).await
}

/// POST and PUT `identity/entity/name/:name`.
pub(super) async fn write_by_name(mut call: Call) -> Answered {
    // The name is the path's.
    let change = EntityChange { name: None, ..change(&mut call.fields) };
    written(&call, Some(EntityKey::Name(&call.captured)), change).await
}

async fn written(call: &Call, key: Option<EntityKey<'_>>, change: EntityChange) -> Answered {
    let (entity, is_new) = call.wire.auth.write_entity(key, change).await?;
    if !is_new {
        return Ok(Answer::nothing());
    }
    Answer::data(&json!({ "id": entity.id, "name": entity.name, "aliases": null }))
}

/// GET `identity/entity/id/:id`.
pub(super) async fn read_by_id(call: Call) -> Answered {
    shown(&call, EntityKey::Id(&call.captured)).await
}

/// GET `identity/entity/name/:name`.
pub(super) async fn read_by_name(call: Call) -> Answered {
    shown(&call, EntityKey::Name(&call.captured)).await
}

async fn shown(call: &Call, key: EntityKey<'_>) -> Answered {
    let found = call.wire.auth.entity(key).await.map_err(AuthError::from)?;
    whole(call, &found.ok_or(ApiError::NotFound)?.id).await
}

/// An entity with its groups.
async fn whole(call: &Call, id: &EntityId) -> Answered {
    let found = call.wire.auth.identity(id).await.map_err(AuthError::from)?;
    let identity = found.ok_or(ApiError::NotFound)?;
    let mut aliases = Vec::new();
    for alias in &identity.entity().aliases {
        aliases.push(alias_view(call, alias, id).await?);
    }
    Answer::data(&view(&identity, &aliases))
}

fn view(identity: &Identity, aliases: &[Value]) -> Value {
    let entity: &Entity = identity.entity();
    let ids = |groups: &[Group]| groups.iter().map(|group| group.id.clone()).collect::<Vec<_>>();
    let (direct, inherited) = identity.groups();
    let all = [ids(direct), ids(inherited)].concat();
    json!({
        "aliases": aliases,
        "creation_time": entity.created_at.rfc3339(),
        "direct_group_ids": ids(direct),
        "disabled": entity.disabled,
        "group_ids": all,
        "id": entity.id,
        "inherited_group_ids": ids(inherited),
        "last_update_time": entity.updated_at.rfc3339(),
        "merged_entity_ids": null,
        "metadata": or_null(&entity.metadata),
        "name": entity.name,
        "namespace_id": "root",
        "policies": entity.policies,
    })
}

/// Empty metadata reads back as null, as in Vault.
pub(super) fn or_null(pairs: &std::collections::BTreeMap<String, String>) -> Value {
    if pairs.is_empty() { Value::Null } else { json!(pairs) }
}

/// LIST `identity/entity/id`.
pub(super) async fn list_ids(call: Call) -> Answered {
    let all = call.wire.auth.entity_names().await.map_err(AuthError::from)?;
    let info: Map<String, Value> =
        all.iter().map(|(id, name)| (id.0.clone(), json!({ "name": name }))).collect();
    listed(&all.into_iter().map(|(id, _)| id.0).collect::<Vec<_>>(), &info)
}

/// LIST `identity/entity/name`.
pub(super) async fn list_names(call: Call) -> Answered {
    let all = call.wire.auth.entity_names().await.map_err(AuthError::from)?;
    let mut names: Vec<String> = all.into_iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    Ok(Answer::keys(names))
}

/// Keys with something about each; nothing to list is 404.
pub(super) fn listed(keys: &[String], info: &Map<String, Value>) -> Answered {
    if keys.is_empty() {
        return Err(ApiError::NotFound);
    }
    Answer::data(&json!({ "keys": keys, "key_info": info }))
}

/// DELETE `identity/entity/id/:id`.
pub(super) async fn delete_by_id(call: Call) -> Answered {
    call.wire.auth.remove_entity(EntityKey::Id(&call.captured)).await?;
    Ok(Answer::nothing())
}

/// DELETE `identity/entity/name/:name`.
pub(super) async fn delete_by_name(call: Call) -> Answered {
    call.wire.auth.remove_entity(EntityKey::Name(&call.captured)).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `identity/lookup/entity`; 204 where there is none.
pub(super) async fn lookup(mut call: Call) -> Answered {
    let mut text = |name: &str| call.fields.filled_text(name);
    let (id, name, alias_id) = (text("id"), text("name"), text("alias_id"));
    let by_alias = text("alias_mount_accessor").zip(text("alias_name"));
    let auth = &call.wire.auth;
    let found = match (id, name, alias_id, by_alias) {
        (Some(id), _, _, _) => auth.entity(EntityKey::Id(&id)).await,
        (None, Some(name), _, _) => auth.entity(EntityKey::Name(&name)).await,
        (None, None, Some(id), _) => auth.alias(&id).await.map(|found| found.map(|(own, _)| own)),
        (None, None, None, Some((accessor, name))) => auth.entity_of_alias(&accessor, &name).await,
        (None, None, None, None) => return Err(IdentityError::NothingToLookFor.into()),
    };
    match found.map_err(AuthError::from)? {
        Some(entity) => whole(&call, &entity.id).await,
        None => Ok(Answer::nothing()),
    }
}

async fn alias_view(call: &Call, alias: &EntityAlias, of: &EntityId) -> Result<Value, ApiError> {
    let found = call.wire.auth.mount_of_accessor(&alias.mount_accessor).await;
    let (kind, path) = found.map_err(AuthError::from)?.unwrap_or_default();
    Ok(json!({
        "canonical_id": of,
        "creation_time": alias.created_at.rfc3339(),
        "custom_metadata": or_null(&alias.custom_metadata),
        "id": alias.id,
        "last_update_time": alias.updated_at.rfc3339(),
        "local": false,
        "merged_from_canonical_ids": null,
        "metadata": or_null(&alias.metadata),
        "mount_accessor": alias.mount_accessor,
        "mount_path": path,
        "mount_type": kind,
        "name": alias.name,
        "namespace_id": "root",
    }))
}

fn alias_change(fields: &mut Fields) -> AliasChange {
    let (canonical, old) = (fields.filled_text("canonical_id"), fields.filled_text("entity_id"));
    AliasChange {
        name: fields.filled_text("name"),
        mount_accessor: fields.filled_text("mount_accessor"),
        entity: canonical.or(old).map(EntityId),
        custom_metadata: fields.pairs("custom_metadata").map(Option::unwrap_or_default),
    }
}

/// POST and PUT `identity/entity-alias`.
pub(super) async fn write_alias(mut call: Call) -> Answered {
    let id = call.fields.filled_text("id");
    let change = alias_change(&mut call.fields);
    alias_written(&call, id.as_deref(), change).await
}

/// POST and PUT `identity/entity-alias/id/:id`.
pub(super) async fn write_alias_by_id(mut call: Call) -> Answered {
    let change = alias_change(&mut call.fields);
    alias_written(&call, Some(&call.captured), change).await
}

async fn alias_written(call: &Call, id: Option<&str>, change: AliasChange) -> Answered {
    let (id, entity) = call.wire.auth.write_alias(id, change).await?;
    Answer::data(&json!({ "id": id, "canonical_id": entity }))
}

/// GET `identity/entity-alias/id/:id`.
pub(super) async fn read_alias(call: Call) -> Answered {
    let found = call.wire.auth.alias(&call.captured).await.map_err(AuthError::from)?;
    let (entity, alias) = found.ok_or(ApiError::NotFound)?;
    Answer::data(&alias_view(&call, &alias, &entity.id).await?)
}

/// LIST `identity/entity-alias/id`.
pub(super) async fn list_aliases(call: Call) -> Answered {
    Ok(Answer::keys(call.wire.auth.alias_ids().await.map_err(AuthError::from)?))
}

/// DELETE `identity/entity-alias/id/:id`.
pub(super) async fn delete_alias(call: Call) -> Answered {
    call.wire.auth.remove_alias(&call.captured).await?;
    Ok(Answer::nothing())
}
