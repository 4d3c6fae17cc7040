//! The things an account holds, as the journal writes them. Plain data; a field's name and kind may only
//! change with the journal's format. Who holds them and marks their changes: [`crate::state`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::state::fold;

/// An IAM user with everything that hangs on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    /// Seconds since 1970, as all times here.
    pub(crate) created: i64,
    pub(crate) tags: Vec<Tag>,
    pub(crate) boundary: Option<String>,
    pub(crate) keys: Vec<AccessKey>,
    pub(crate) inline: BTreeMap<String, String>,
    pub(crate) attached: BTreeSet<String>,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) login_profile: Option<i64>,
    pub(crate) belongings: BTreeMap<Belonging, BTreeMap<String, i64>>,
}

/// Things of a user that the broker lists and deletes and only people create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Belonging {
    MfaDevice,
    SshPublicKey,
    SigningCertificate,
    ServiceSpecificCredential,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// An access key. The secret is made up and opens nothing.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) active: bool,
    pub(crate) created: i64,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// An IAM group. Membership is kept with the user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) inline: BTreeMap<String, String>,
    pub(crate) attached: BTreeSet<String>,
}

/// An IAM role: enough for `AssumeRole`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) trust: String,
    pub(crate) max_session_seconds: u32,
    pub(crate) inline: BTreeMap<String, String>,
    pub(crate) attached: BTreeSet<String>,
}

/// A managed policy and its versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) default_version: u32,
    /// The number that the next version gets; numbers are never used twice.
    pub(crate) next_version: u32,
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) document: String,
    pub(crate) created: i64,
}

/// Temporary credentials.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires: i64,
    pub(crate) identity: Identity,
    /// Session policies: what the session may do is in these as well. None means no such limit.
    pub(crate) policies: Vec<String>,
    /// Since when; 0 where an old journal does not say.
    #[serde(default)]
    pub(crate) issued: i64,
    /// Tags that the session carries.
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Who temporary credentials speak for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Identity {
    /// `GetSessionToken`: the user itself.
    User { name: String },
    /// `AssumeRole`.
    Role { name: String, role_id: String, session: String },
    /// `GetFederationToken`, and the user that asked for it.
    Federated { name: String, by: String },
}

/// One thing that is kept, as the journal writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entity {
    User(Box<User>),
    Group(Group),
    Role(Role),
    Policy(Policy),
    Session(Session),
    /// A key that belonged to a user and is deleted: it stays refused.
    DeadKey(String),
    /// A key of the administrator that was seen signing.
    AdminKey(String),
    /// A virtual MFA device, by its serial number: it is there before and after a user has it.
    VirtualMfa(String),
}

/// The name of one thing that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntityRef {
    User(String),
    Group(String),
    Role(String),
    Policy(String),
    Session(String),
    DeadKey(String),
    AdminKey(String),
    VirtualMfa(String),
}

/// One line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Put(Entity),
    Gone(EntityRef),
}

impl User {
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:user{}{}", self.path, self.name)
    }
}

impl Role {
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.name)
    }
}

impl Entity {
    /// Its name.
    pub(crate) fn reference(&self) -> EntityRef {
        match self {
            Self::User(user) => EntityRef::User(fold(&user.name)),
            Self::Group(group) => EntityRef::Group(fold(&group.name)),
            Self::Role(role) => EntityRef::Role(fold(&role.name)),
            Self::Policy(policy) => EntityRef::Policy(policy.arn.clone()),
            Self::Session(session) => EntityRef::Session(session.access_key_id.clone()),
            Self::DeadKey(key) => EntityRef::DeadKey(key.clone()),
            Self::AdminKey(key) => EntityRef::AdminKey(key.clone()),
            Self::VirtualMfa(serial) => EntityRef::VirtualMfa(serial.clone()),
        }
    }
}
