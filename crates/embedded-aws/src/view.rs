//! What tests and the dev mode may look at: plain copies of users and groups.
//! Never holds a secret key. Where they come from: [`crate::EmbeddedAws::users`].

use std::collections::BTreeMap;

use crate::state::{Group, User};

/// An IAM user as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// The name, in the case it was created with.
    pub name: String,
    /// The path, with both slashes.
    pub path: String,
    /// The ARN.
    pub arn: String,
    /// The unique id (`AIDA…`).
    pub id: String,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
    /// Access keys, oldest first.
    pub keys: Vec<KeyView>,
    /// Inline policy documents by name, as they were sent.
    pub inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies, sorted.
    pub attached: Vec<String>,
    /// Names of groups, sorted.
    pub groups: Vec<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Whether the user has a console password.
    pub login_profile: bool,
}

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// The id (`AKIA…`).
    pub access_key_id: String,
    /// `Active`, not `Inactive`.
    pub active: bool,
}

/// An IAM group as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// The name.
    pub name: String,
    /// The path, with both slashes.
    pub path: String,
    /// Inline policy documents by name.
    pub inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies, sorted.
    pub attached: Vec<String>,
    /// Names of member users, sorted.
    pub members: Vec<String>,
}

impl UserView {
    pub(crate) fn of(user: &User, account: &str) -> Self {
        Self {
            name: user.name.clone(),
            path: user.path.clone(),
            arn: user.arn(account),
            id: user.id.clone(),
            tags: user.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
            keys: user
                .keys
                .iter()
                .map(|key| KeyView { access_key_id: key.id.clone(), active: key.active })
                .collect(),
            inline: user.inline.clone(),
            attached: user.attached.iter().cloned().collect(),
            groups: user.groups.iter().cloned().collect(),
            boundary: user.boundary.clone(),
            login_profile: user.login_profile.is_some(),
        }
    }
}

impl GroupView {
    pub(crate) fn of(group: &Group, members: Vec<String>) -> Self {
        Self {
            name: group.name.clone(),
            path: group.path.clone(),
            inline: group.inline.clone(),
            attached: group.attached.iter().cloned().collect(),
            members,
        }
    }
}
