//! Users: creating, finding, tagging, bounding, and deleting what nothing hangs on any more.
//! A user is deleted only when it owns nothing, as at AWS. Their keys are in [`super::keys`], their
//! policies in [`super::inline`] and [`super::attachments`].

use std::collections::{BTreeMap, BTreeSet};

use super::{moment, unique_id};
use crate::ADMIN_USER;
use crate::error::AwsError;
use crate::page::Page;
use crate::service::Request;
use crate::state::{Belonging, Entity, EntityRef, State, Tag, User, fold};
use crate::validate;
use crate::xml::{Answer, Xml};

pub(super) fn create(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::user_name(request.form)?;
    let path = validate::path(request.form)?;
    let tags = validate::tags(request.form)?;
    let boundary = match request.form.get("PermissionsBoundary") {
        Some(_) => Some(boundary(request)?),
        None => None,
    };
    if request.state.user(name).is_some() {
        return Err(AwsError::entity_already_exists(format!(
            "User with name {name} already exists."
        )));
    }
    // The administrator is not the caller's to count.
    if request.state.users().len() > request.user_quota {
        return Err(AwsError::quota("UsersPerAccount", request.user_quota));
    }
    let user = User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: unique_id("AIDA", request.rng),
        created: request.now,
        tags,
        boundary,
        keys: Vec::new(),
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
        groups: BTreeSet::new(),
        login_profile: None,
        belongings: BTreeMap::new(),
    };
    let mut xml = Xml::new();
    write(&mut xml, "User", &user, request.account, Detail::Full);
    request.state.put(Entity::User(Box::new(user)));
    Ok(Some(xml))
}

pub(super) fn get(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    let mut xml = Xml::new();
    write(&mut xml, "User", user, request.account, Detail::Full);
    Ok(Some(xml))
}

pub(super) fn list(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let prefix = validate::path_prefix(request.form)?;
    let users = request.state.users().iter();
    let under = users.filter(|(_, user)| user.path.starts_with(prefix));
    let page = Page::of(request.form, under.map(|(key, user)| (key.as_str(), user)))?;
    let mut xml = Xml::new();
    xml.tag("Users", |list| {
        for user in &page.items {
            write(list, "member", user, request.account, Detail::Brief);
        }
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn delete(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    let user = existing(request.state, name)?;
    let owns = |kind: Belonging| user.belongings.get(&kind).is_some_and(|all| !all.is_empty());
    let conflicts = [
        (!user.keys.is_empty() || user.name == ADMIN_USER, "delete access keys"),
        (!user.inline.is_empty(), "delete policies"),
        (!user.attached.is_empty(), "detach all policies"),
        (!user.groups.is_empty(), "remove users from group"),
        (user.login_profile.is_some(), "delete login profile"),
        (owns(Belonging::MfaDevice), "delete MFA device"),
        (owns(Belonging::SshPublicKey), "delete SSH public keys"),
        (owns(Belonging::SigningCertificate), "delete signing certificates"),
        (owns(Belonging::ServiceSpecificCredential), "delete service specific credentials"),
    ];
    if let Some((_, must)) = conflicts.iter().find(|(holds, _)| *holds) {
        return Err(AwsError::delete_conflict(must));
    }
    request.state.remove(EntityRef::User(fold(name)));
    Ok(None)
}

pub(super) fn tag(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    let fresh = validate::tags(request.form)?;
    if fresh.is_empty() {
        return Err(AwsError::missing("tags"));
    }
    let mut tags = existing(request.state, name)?.tags.clone();
    for tag in fresh {
        match tags.iter_mut().find(|old| validate::same_key(&old.key, &tag.key)) {
            Some(old) => *old = tag,
            None => tags.push(tag),
        }
    }
    if tags.len() > validate::TAGS {
        return Err(AwsError::quota("TagsPerUser", validate::TAGS));
    }
    if let Some(user) = request.state.user_mut(name) {
        user.tags = tags;
    }
    Ok(None)
}

pub(super) fn untag(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    let keys = request.form.list("TagKeys");
    if keys.is_empty() {
        return Err(AwsError::missing("tagKeys"));
    }
    for key in &keys {
        validate::length(key, "TagKeys", 1, 128)?;
    }
    existing(request.state, name)?;
    if let Some(user) = request.state.user_mut(name) {
        user.tags.retain(|tag| !keys.iter().any(|key| validate::same_key(key, &tag.key)));
    }
    Ok(None)
}

pub(super) fn list_tags(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    let mut tags: Vec<&Tag> = existing(request.state, name)?.tags.iter().collect();
    tags.sort_by(|one, other| one.key.cmp(&other.key));
    let page = Page::of(request.form, tags.into_iter().map(|tag| (tag.key.as_str(), tag)))?;
    let mut xml = Xml::new();
    write_tags(&mut xml, page.items.iter().copied());
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn put_boundary(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    existing(request.state, name)?;
    let arn = boundary(request)?;
    if let Some(user) = request.state.user_mut(name) {
        user.boundary = Some(arn);
    }
    Ok(None)
}

pub(super) fn delete_boundary(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::existing_user_name(request.form)?;
    if existing(request.state, name)?.boundary.is_none() {
        return Err(AwsError::no_such_entity(format!(
            "The permissions boundary of user {name} cannot be found."
        )));
    }
    if let Some(user) = request.state.user_mut(name) {
        user.boundary = None;
    }
    Ok(None)
}

/// The user that a call names, or refusal.
pub(super) fn existing<'a>(state: &'a State, name: &str) -> Result<&'a User, AwsError> {
    state.user(name).ok_or_else(|| AwsError::no_such_user(name))
}

/// The name that a call gives, else the caller's own.
pub(super) fn named_or_own(request: &Request<'_>) -> Result<String, AwsError> {
    if request.form.get("UserName").is_some() {
        return validate::existing_user_name(request.form).map(str::to_owned);
    }
    request.caller.user_name().map(str::to_owned).ok_or_else(|| {
        AwsError::validation("Must specify userName when calling with non-User credentials")
    })
}

fn boundary(request: &Request<'_>) -> Result<String, AwsError> {
    let arn = validate::policy_arn(request.form, "PermissionsBoundary")?;
    match request.state.policy(arn) {
        Some(_) => Ok(arn.to_owned()),
        None => Err(AwsError::no_such_entity(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        ))),
    }
}

/// How much of a user an answer tells: lists leave tags and boundary out (IAM API: `ListUsers`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Full,
    Brief,
}

pub(super) fn write(xml: &mut Xml, tag: &str, user: &User, account: &str, detail: Detail) {
    xml.tag(tag, |xml| {
        xml.text("Path", &user.path)
            .text("UserName", &user.name)
            .text("UserId", &user.id)
            .text("Arn", user.arn(account))
            .text("CreateDate", moment(user.created));
        if detail == Detail::Brief {
            return;
        }
        if let Some(arn) = &user.boundary {
            xml.tag("PermissionsBoundary", |xml| {
                xml.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
            });
        }
        if !user.tags.is_empty() {
            write_tags(xml, &user.tags);
        }
    });
}

fn write_tags<'a>(xml: &mut Xml, tags: impl IntoIterator<Item = &'a Tag>) {
    xml.members("Tags", tags, |xml, tag| {
        xml.text("Key", &tag.key).text("Value", &tag.value);
    });
}
