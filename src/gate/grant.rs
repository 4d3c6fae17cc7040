//! What the gate is asked to judge: a whole grant, as the engine brings it. It judges nothing and fetches nothing;
//! a document that could not be had is part of the grant, with the reason. The gate reads it into a `Subject`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::InlineDocument;
use crate::model::{CredentialType, GroupName, MountPath, PolicyArn, RoleName, Timestamp};

/// What made someone ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A role is written for the first time.
    Create,
    /// A role is written again.
    Update,
    /// A credential is about to be issued.
    Issue,
    /// A person or a pipeline asks what would happen.
    Simulate,
}

impl Trigger {
    /// The name in the guardrail contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Issue => "issue",
            Self::Simulate => "simulate",
        }
    }
}

/// Where a document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentSource {
    /// Written on the role itself.
    Inline,
    /// A managed policy, attached to the user or to one of its groups.
    Managed(PolicyArn),
    /// An inline policy of a group.
    Group {
        /// The group.
        group: GroupName,
        /// The policy's name; empty where not even the list of policies could be had.
        policy: String,
    },
}

impl fmt::Display for DocumentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline => f.write_str("inline"),
            Self::Managed(arn) => write!(f, "{arn}"),
            Self::Group { group, policy } if policy.is_empty() => write!(f, "{group}/*"),
            Self::Group { group, policy } => write!(f, "{group}/{policy}"),
        }
    }
}

/// The role that a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleContext {
    /// Its name.
    pub name: RoleName,
    /// Where it is.
    pub mount: MountPath,
    /// IAM path of its users; empty when not set.
    pub path: String,
    /// What it hands out.
    pub credential_type: CredentialType,
    /// Tags of its users.
    pub tags: BTreeMap<String, String>,
    /// Groups that its users join.
    pub groups: Vec<GroupName>,
    /// Longest life of its credentials; 0 when not set.
    pub max_ttl_seconds: u64,
    /// ARNs of the roles that it may assume, for `assumed_role`.
    pub assumes: Vec<String>,
}

/// Who asks, for guardrails that are bound to see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Display name of the token.
    pub id: String,
    /// The token's policies.
    pub groups: Vec<String>,
}

/// Everything that a role would grant.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What made someone ask.
    pub trigger: Trigger,
    /// The role's own document; of a session its whole policy, with what its groups say.
    pub inline: Option<InlineDocument>,
    /// Managed policies to attach.
    pub policy_arns: Vec<PolicyArn>,
    /// Groups to join.
    pub groups: Vec<GroupName>,
    /// Permissions boundary.
    pub boundary: Option<PolicyArn>,
    /// The texts behind `policy_arns` and `groups`, or why one could not be read. A policy without an entry
    /// counts as unread.
    pub fetched: Vec<(DocumentSource, Result<String, String>)>,
    /// The text of the boundary, or why it could not be read.
    pub boundary_text: Option<Result<String, String>>,
    /// What the role granted before, for [`Trigger::Update`].
    pub previous: Vec<(DocumentSource, String)>,
    /// The role.
    pub role: RoleContext,
    /// Who asks, where it is known.
    pub actor: Option<Actor>,
    /// The time. Part of the digest, to the minute, where a guardrail is bound to see it.
    pub now: Timestamp,
}
