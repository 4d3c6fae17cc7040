//! Whose policies a call is about: a user's, a group's or a role's. The three kinds have the same
//! twelve actions, so one code serves them. An [`Owner`] exists in the account when it is made.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::AwsError;
use crate::service::Request;
use crate::state::State;
use crate::validate;

/// A user, group or role, by its name as it was created.
#[derive(Debug)]
pub(super) enum Owner {
    User(String),
    Group(String),
    Role(String),
}

impl Owner {
    /// The one that the action and its parameters name.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, AwsError> {
        let state = &request.state;
        if request.action.contains("User") {
            let name = validate::existing_user_name(request.form)?;
            let user = state.user(name).ok_or_else(|| AwsError::no_such_user(name))?;
            return Ok(Self::User(user.name.clone()));
        }
        if request.action.contains("Group") {
            let name = validate::name(request.form, "GroupName", 128)?;
            let group = state.group(name).ok_or_else(|| no_such("group", name))?;
            return Ok(Self::Group(group.name.clone()));
        }
        let name = validate::name(request.form, "RoleName", 64)?;
        let role = state.role(name).ok_or_else(|| no_such("role", name))?;
        Ok(Self::Role(role.name.clone()))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Group(name) | Self::Role(name) => name,
        }
    }

    /// The kind as IAM's sentences have it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Role(_) => "role",
        }
    }

    /// `user alice`.
    pub(super) fn in_words(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }

    /// The name of the parameter and the tag that hold its name.
    pub(super) fn name_tag(&self) -> &'static str {
        match self {
            Self::User(_) => "UserName",
            Self::Group(_) => "GroupName",
            Self::Role(_) => "RoleName",
        }
    }

    pub(super) fn inline<'a>(&self, state: &'a State) -> &'a BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        match self {
            Self::User(name) => state.user(name).map_or(&NONE, |user| &user.inline),
            Self::Group(name) => state.group(name).map_or(&NONE, |group| &group.inline),
            Self::Role(name) => state.role(name).map_or(&NONE, |role| &role.inline),
        }
    }

    pub(super) fn inline_mut<'a>(
        &self,
        state: &'a mut State,
    ) -> Option<&'a mut BTreeMap<String, String>> {
        match self {
            Self::User(name) => state.user_mut(name).map(|user| &mut user.inline),
            Self::Group(name) => state.group_mut(name).map(|group| &mut group.inline),
            Self::Role(name) => state.role_mut(name).map(|role| &mut role.inline),
        }
    }

    pub(super) fn attached<'a>(&self, state: &'a State) -> &'a BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        match self {
            Self::User(name) => state.user(name).map_or(&NONE, |user| &user.attached),
            Self::Group(name) => state.group(name).map_or(&NONE, |group| &group.attached),
            Self::Role(name) => state.role(name).map_or(&NONE, |role| &role.attached),
        }
    }

    pub(super) fn attached_mut<'a>(
        &self,
        state: &'a mut State,
    ) -> Option<&'a mut BTreeSet<String>> {
        match self {
            Self::User(name) => state.user_mut(name).map(|user| &mut user.attached),
            Self::Group(name) => state.group_mut(name).map(|group| &mut group.attached),
            Self::Role(name) => state.role_mut(name).map(|role| &mut role.attached),
        }
    }
}

/// Refusal of a name that nothing of that kind has.
pub(super) fn no_such(kind: &str, name: &str) -> AwsError {
    AwsError::no_such_entity(format!("The {kind} with name {name} cannot be found."))
}
