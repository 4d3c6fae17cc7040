//! Roles, as far as `AssumeRole` needs them. Their policies are in [`super::inline`] and
//! [`super::attachments`]; who may assume them is read from the trust policy in [`crate::sts`].

use std::collections::{BTreeMap, BTreeSet};

use super::owner::no_such;
use super::{moment, unique_id};
use crate::error::AwsError;
use crate::form::encode;
use crate::service::Request;
use crate::state::{Entity, EntityRef, Role, fold};
use crate::xml::{Answer, Xml};
use crate::{documents, validate};

pub(super) fn create(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::name(request.form, "RoleName", 64)?;
    let path = validate::path(request.form)?;
    let trust = documents::trust(request.form, "AssumeRolePolicyDocument")?;
    // IAM API: MaxSessionDuration is from 3600 to 43200 seconds, 3600 by default.
    let longest = validate::number(request.form, "MaxSessionDuration", 3_600, 43_200)?;
    if request.state.role(name).is_some() {
        return Err(AwsError::entity_already_exists(format!(
            "Role with name {name} already exists."
        )));
    }
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: unique_id("AROA", request.rng),
        created: request.now,
        trust: trust.to_owned(),
        max_session_seconds: longest.unwrap_or(3_600),
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
    };
    let mut xml = Xml::new();
    write(&mut xml, &role, request.account);
    request.state.put(Entity::Role(role));
    Ok(Some(xml))
}

pub(super) fn get(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let role = named(request)?;
    let mut xml = Xml::new();
    write(&mut xml, role, request.account);
    Ok(Some(xml))
}

pub(super) fn delete(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let role = named(request)?;
    let conflicts = [
        (!role.inline.is_empty(), "delete policies"),
        (!role.attached.is_empty(), "detach all policies"),
    ];
    if let Some((_, must)) = conflicts.iter().find(|(holds, _)| *holds) {
        return Err(AwsError::delete_conflict(must));
    }
    let key = fold(&role.name);
    request.state.remove(EntityRef::Role(key));
    Ok(None)
}

fn named<'a>(request: &'a Request<'_>) -> Result<&'a Role, AwsError> {
    let name = validate::name(request.form, "RoleName", 64)?;
    request.state.role(name).ok_or_else(|| no_such("role", name))
}

fn write(xml: &mut Xml, role: &Role, account: &str) {
    xml.tag("Role", |xml| {
        xml.text("Path", &role.path)
            .text("RoleName", &role.name)
            .text("RoleId", &role.id)
            .text("Arn", role.arn(account))
            .text("CreateDate", moment(role.created))
            .text("AssumeRolePolicyDocument", encode(&role.trust))
            .text("MaxSessionDuration", role.max_session_seconds.to_string());
    });
}
