//! Groups and who is in them. Membership is kept with the user, so a deleted user is in no group.
//! Their policies are in [`super::inline`] and [`super::attachments`].

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::quota::GROUPS_PER_USER;

use super::owner::no_such;
use super::users::{self, Detail, existing};
use super::{moment, unique_id};
use crate::error::AwsError;
use crate::page::Page;
use crate::service::Request;
use crate::state::{Entity, EntityRef, Group, State, fold};
use crate::validate;
use crate::xml::{Answer, Xml};

pub(super) fn create(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::name(request.form, "GroupName", 128)?;
    let path = validate::path(request.form)?;
    if request.state.group(name).is_some() {
        return Err(AwsError::entity_already_exists(format!(
            "Group with name {name} already exists."
        )));
    }
    let group = Group {
        name: name.to_owned(),
        path: path.to_owned(),
        id: unique_id("AGPA", request.rng),
        created: request.now,
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
    };
    let mut xml = Xml::new();
    xml.tag("Group", |xml| write(xml, &group, request.account));
    request.state.put(Entity::Group(group));
    Ok(Some(xml))
}

pub(super) fn get(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let group = named(request)?;
    let members =
        request.state.users().iter().filter(|(_, user)| user.groups.contains(&group.name));
    let page = Page::of(request.form, members.map(|(key, user)| (key.as_str(), user)))?;
    let mut xml = Xml::new();
    xml.tag("Group", |xml| write(xml, group, request.account));
    xml.tag("Users", |list| {
        for user in &page.items {
            users::write(list, "member", user, request.account, Detail::Brief);
        }
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn delete(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let group = named(request)?;
    let in_it = request.state.users().values().any(|user| user.groups.contains(&group.name));
    let conflicts = [
        (in_it, "remove users from group"),
        (!group.inline.is_empty(), "delete policies"),
        (!group.attached.is_empty(), "detach all policies"),
    ];
    if let Some((_, must)) = conflicts.iter().find(|(holds, _)| *holds) {
        return Err(AwsError::delete_conflict(must));
    }
    let key = fold(&group.name);
    request.state.remove(EntityRef::Group(key));
    Ok(None)
}

pub(super) fn list_for_user(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    let user = existing(request.state, name)?;
    let groups = user.groups.iter().filter_map(|name| request.state.group(name));
    let page = Page::of(request.form, groups.map(|group| (group.name.as_str(), group)))?;
    let mut xml = Xml::new();
    xml.members("Groups", &page.items, |xml, group| {
        write(xml, group, request.account);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn add_user(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let (group, user) = group_and_user(request)?;
    let user = existing(request.state, &user)?;
    if user.groups.contains(&group) {
        return Ok(None);
    }
    if user.groups.len() >= GROUPS_PER_USER {
        return Err(AwsError::quota("GroupsPerUser", GROUPS_PER_USER));
    }
    let user = user.name.clone();
    if let Some(user) = request.state.user_mut(&user) {
        user.groups.insert(group);
    }
    Ok(None)
}

pub(super) fn remove_user(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let (group, user) = group_and_user(request)?;
    if !existing(request.state, &user)?.groups.contains(&group) {
        return Err(AwsError::no_such_entity(format!("User {user} is not in group {group}.")));
    }
    if let Some(user) = request.state.user_mut(&user) {
        user.groups.remove(&group);
    }
    Ok(None)
}

fn group_and_user(request: &Request<'_>) -> Result<(String, String), AwsError> {
    let user = validate::existing_user_name(request.form)?;
    let group = named(request)?.name.clone();
    Ok((group, user.to_owned()))
}

fn named<'a>(request: &'a Request<'_>) -> Result<&'a Group, AwsError> {
    let name = validate::name(request.form, "GroupName", 128)?;
    find(request.state, name)
}

fn find<'a>(state: &'a State, name: &str) -> Result<&'a Group, AwsError> {
    state.group(name).ok_or_else(|| no_such("group", name))
}

fn write(xml: &mut Xml, group: &Group, account: &str) {
    xml.text("Path", &group.path)
        .text("GroupName", &group.name)
        .text("GroupId", &group.id)
        .text("Arn", format!("arn:aws:iam::{account}:group{}{}", group.path, group.name))
        .text("CreateDate", moment(group.created));
}
