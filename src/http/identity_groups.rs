//! `identity/group` and the look-up of groups. Only shapes live here; what a group adds to the tokens of its members
//! is decided in [`crate::auth::identity`].

use serde_json::{Map, Value, json};

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::identity::{listed, or_null};
use super::pipeline::{Answered, Call};
use crate::auth::AuthError;
use crate::auth::identity::{GroupChange, GroupKey, IdentityError};
use crate::model::{EntityId, Group, GroupId};

/// What writing a group takes.
pub(super) const GROUP: &[Field] = &[
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("type", Kind::Text),
    field("metadata", Kind::Pairs),
    field("policies", Kind::List),
    field("member_entity_ids", Kind::List),
    field("member_group_ids", Kind::List),
];

/// What looking a group up takes.
pub(super) const LOOKUP: &[Field] = &[field("id", Kind::Text), field("name", Kind::Text)];

fn change(fields: &mut Fields) -> GroupChange {
    GroupChange {
        name: fields.filled_text("name"),
        kind: fields.text("type"),
        metadata: fields.pairs("metadata").map(Option::unwrap_or_default),
        policies: fields.list("policies"),
        members: ids(fields, "member_entity_ids", EntityId),
        member_groups: ids(fields, "member_group_ids", GroupId),
    }
}

fn ids<T>(fields: &mut Fields, name: &str, id: fn(String) -> T) -> Option<Vec<T>> {
    let sent = fields.list(name)?;
    Some(sent.into_iter().filter(|text| !text.is_empty()).map(id).collect())
}

/// POST and PUT `identity/group`: by `id`, else by `name`, else a new one.
pub(super) async fn write(mut call: Call) -> Answered {
    let id = call.fields.filled_text("id");
    let change = change(&mut call.fields);
    let name = change.name.clone();
    let key = id.as_deref().map(GroupKey::Id).or(name.as_deref().map(GroupKey::Name));
    written(&call, key, change).await
}

/// POST and PUT `identity/group/id/:id`.
pub(super) async fn write_by_id(mut call: Call) -> Answered {
    let change = change(&mut call.fields);
    written(&call, Some(GroupKey::Id(&call.captured)), change).await
}

/// POST and PUT `identity/group/name/:name`.
pub(super) async fn write_by_name(mut call: Call) -> Answered {
    // The name is the path's.
    let change = GroupChange { name: None, ..change(&mut call.fields) };
    written(&call, Some(GroupKey::Name(&call.captured)), change).await
}

async fn written(call: &Call, key: Option<GroupKey<'_>>, change: GroupChange) -> Answered {
    let (group, is_new) = call.wire.auth.write_group(key, change).await?;
    if !is_new {
        return Ok(Answer::nothing());
    }
    Answer::data(&json!({ "id": group.id, "name": group.name }))
}

/// GET `identity/group/id/:id`.
pub(super) async fn read_by_id(call: Call) -> Answered {
    let found =
        call.wire.auth.group(GroupKey::Id(&call.captured)).await.map_err(AuthError::from)?;
    Answer::data(&view(&found.ok_or(ApiError::NotFound)?))
}

/// GET `identity/group/name/:name`.
pub(super) async fn read_by_name(call: Call) -> Answered {
    let found = call.wire.auth.group(GroupKey::Name(&call.captured)).await;
    Answer::data(&view(&found.map_err(AuthError::from)?.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `identity/lookup/group`; 204 where there is none.
pub(super) async fn lookup(mut call: Call) -> Answered {
    let (id, name) = (call.fields.filled_text("id"), call.fields.filled_text("name"));
    let key = id.as_deref().map(GroupKey::Id).or(name.as_deref().map(GroupKey::Name));
    let key = key.ok_or(IdentityError::NothingToLookFor)?;
    match call.wire.auth.group(key).await.map_err(AuthError::from)? {
        Some(found) => Answer::data(&view(&found)),
        None => Ok(Answer::nothing()),
    }
}

fn view((group, parents): &(Group, Vec<GroupId>)) -> Value {
    json!({
        "alias": {},
        "creation_time": group.created_at.rfc3339(),
        "id": group.id,
        "last_update_time": group.updated_at.rfc3339(),
        "member_entity_ids": group.members,
        "member_group_ids": group.member_groups,
        "metadata": or_null(&group.metadata),
        "name": group.name,
        "namespace_id": "root",
        "parent_group_ids": parents,
        "policies": group.policies,
        "type": "internal",
    })
}

/// LIST `identity/group/id`.
pub(super) async fn list_ids(call: Call) -> Answered {
    let all = call.wire.auth.groups().await.map_err(AuthError::from)?;
    let info: Map<String, Value> = all
        .iter()
        .map(|group| {
            let members = group.members.len();
            (group.id.0.clone(), json!({ "name": group.name, "num_member_entities": members }))
        })
        .collect();
    listed(&all.into_iter().map(|group| group.id.0).collect::<Vec<_>>(), &info)
}

/// LIST `identity/group/name`.
pub(super) async fn list_names(call: Call) -> Answered {
    let all = call.wire.auth.groups().await.map_err(AuthError::from)?;
    let mut names: Vec<String> = all.into_iter().map(|group| group.name).collect();
    names.sort_unstable();
    Ok(Answer::keys(names))
}

/// DELETE `identity/group/id/:id`.
pub(super) async fn delete_by_id(call: Call) -> Answered {
    call.wire.auth.remove_group(GroupKey::Id(&call.captured)).await?;
    Ok(Answer::nothing())
}

/// DELETE `identity/group/name/:name`.
pub(super) async fn delete_by_name(call: Call) -> Answered {
    call.wire.auth.remove_group(GroupKey::Name(&call.captured)).await?;
    Ok(Answer::nothing())
}
