//! What people look for leases by: for a question and for a job that revokes what it finds, in the same terms. A
//! mount is named by its id, so that it is the same one wherever it was moved meanwhile. Plain data; over
//! which rows it goes is the store's.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Accessor, LeaseId, MountId, RoleName};

/// How many failed passes in a row make a lease stuck. 6: after so many Vault gives up and calls a lease
/// irrevocable (contract 5.3); here the teardown goes on.
pub const STUCK_ATTEMPTS: u32 = 6;

/// What leases are looked for by: all that is set must fit, exactly. Nothing set: every lease.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeaseFilter {
    /// This one.
    #[serde(rename = "lease_id", skip_serializing_if = "Option::is_none")]
    pub id: Option<LeaseId>,
    /// The public half that was handed out, e.g. `AKIA…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The IAM user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// AWS's id of the user, e.g. `AIDA…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Display name of the token that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Accessor of the token that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accessor: Option<Accessor>,
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// The role's write that was current.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_version: Option<u64>,
    /// Digest over all that it may do, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_digest: Option<String>,
    /// Digest of the verdict that let it through, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Where it was asked from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// The AWS account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<MountId>,
    /// Where in its life it is.
    #[serde(rename = "state", skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
}

impl LeaseFilter {
    /// The names that leases can be asked for by, as they are written.
    pub const TERMS: [&'static str; 14] = [
        "lease_id",
        "access_key",
        "user",
        "user_id",
        "caller",
        "accessor",
        "role",
        "role_version",
        "policy_digest",
        "verdict",
        "source",
        "account",
        "mount",
        "state",
    ];

    /// Whether it names nothing that sets some leases apart from others: a state alone does not.
    pub fn is_of_all(&self) -> bool {
        Self { stage: None, ..self.clone() } == Self::default()
    }
}

/// Where in its life a lease is, as people ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Being issued.
    Pending,
    /// Handed out and working.
    Active,
    /// Being torn down.
    Revoking,
    /// Gone.
    Revoked,
    /// Any of the first three.
    Unfinished,
    /// Being torn down, and failing for [`STUCK_ATTEMPTS`] passes or more.
    Stuck,
}

impl Stage {
    /// All of them, as they are written.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("pending", Self::Pending),
        ("active", Self::Active),
        ("revoking", Self::Revoking),
        ("revoked", Self::Revoked),
        ("unfinished", Self::Unfinished),
        ("stuck", Self::Stuck),
    ];
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, UnknownStage> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, stage)| *stage).ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

/// Not one of [`Stage::NAMES`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no state of a lease\nhelp: pending, active, revoking, revoked, unfinished or stuck"
)]
pub struct UnknownStage(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_reads_by_its_name_and_nothing_else_does() {
        for (name, stage) in Stage::NAMES {
            assert_eq!(name.parse(), Ok(stage));
        }
        assert!("Active".parse::<Stage>().is_err());
    }

    #[test]
    fn a_state_alone_is_of_all_leases() {
        let active = LeaseFilter { stage: Some(Stage::Active), ..LeaseFilter::default() };
        assert!(active.is_of_all());
        assert!(!LeaseFilter { user: Some("u".to_owned()), ..active }.is_of_all());
    }
}
