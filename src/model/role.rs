//! A role: what someone may ask for, as it was written (contract 1.4). Validation of a write is in
//! [`crate::engine::roles`]; what a role adds up to is judged by [`crate::gate`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Delivery, GroupName, LeaseLimits, MountId, PolicyArn, RoleName};

/// What kind of credential a role hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialType {
    /// Keys of a fresh IAM user.
    IamUser,
    /// `sts:AssumeRole`.
    AssumedRole,
    /// `sts:GetFederationToken`.
    FederationToken,
    /// `sts:GetSessionToken`.
    SessionToken,
}

impl CredentialType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IamUser => "iam_user",
            Self::AssumedRole => "assumed_role",
            Self::FederationToken => "federation_token",
            Self::SessionToken => "session_token",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::IamUser, Self::AssumedRole, Self::FederationToken, Self::SessionToken]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// What the deprecated parameters `policy` and `arn` made of a role (contract 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegacyRole {
    /// From an ARN: it hands out its one type, by that type's own path alone.
    Arn,
    /// From a document: `creds/` gives an IAM user, `sts/` a federated one.
    Document,
}

/// A stored role. Lists and maps are `None` when never set (read back as null) and empty when
/// cleared (read back as `[]`): clients tell the two apart (contract 7.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The mount it is under.
    pub mount: MountId,
    /// Its name.
    pub name: RoleName,
    /// Counts its writes, from 1.
    pub version: u64,
    /// What it hands out; of a role that was made from a legacy document the first of two, see
    /// [`Self::credential_types`].
    pub credential_type: CredentialType,
    /// Managed policies to attach.
    pub policy_arns: Option<Vec<PolicyArn>>,
    /// Roles that may be assumed.
    pub role_arns: Option<Vec<String>>,
    /// The inline document in canonical form; empty when there is none.
    pub policy_document: String,
    /// Groups that the user joins.
    pub iam_groups: Option<Vec<GroupName>>,
    /// Tags of the user.
    pub iam_tags: Option<BTreeMap<String, String>>,
    /// Session tags of an assumed role.
    pub session_tags: Option<BTreeMap<String, String>>,
    /// External id of an assumed role.
    pub external_id: String,
    /// Seconds; 0 when not set.
    pub default_sts_ttl: u64,
    /// Seconds; 0 when not set.
    pub max_sts_ttl: u64,
    /// Path of the user; empty when not set, `/` then applies at issue.
    pub user_path: String,
    /// Permissions boundary of the user; empty when not set.
    pub permissions_boundary_arn: String,
    /// Serial number for `sts:GetSessionToken`.
    pub mfa_serial_number: String,
    /// Leasehold's own: seconds a lease lasts; 0 when not set (`docs/COMPATIBILITY.md`).
    pub ttl: u64,
    /// Leasehold's own: seconds a lease can be renewed to; 0 when not set.
    pub max_ttl: u64,
    /// How the deprecated parameters made it; `None` for all other roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy: Option<LegacyRole>,
    /// Leasehold's own: refuse where a TTL would be cut.
    #[serde(default)]
    pub strict_ttl: bool,
    /// Leasehold's own: how many of its leases may live at once.
    #[serde(default)]
    pub limits: LeaseLimits,
    /// Leasehold's own: how credentials are made and taken back.
    #[serde(default)]
    pub delivery: Delivery,
}

impl Role {
    /// Every type that it can hand out.
    pub const fn credential_types(&self) -> &[CredentialType] {
        match self.legacy {
            Some(LegacyRole::Document) => {
                &[CredentialType::IamUser, CredentialType::FederationToken]
            }
            Some(LegacyRole::Arn) | None => std::slice::from_ref(&self.credential_type),
        }
    }

    /// The types as a read gives them: joined by commas (contract 1.4).
    pub fn type_names(&self) -> String {
        let names: Vec<_> = self.credential_types().iter().map(|kind| kind.as_str()).collect();
        names.join(",")
    }

    /// The same role where it hands out `kind`.
    #[must_use]
    pub fn handing_out(&self, kind: CredentialType) -> Self {
        Self { credential_type: kind, ..self.clone() }
    }
}
