//! Caps on how many leases live at once, and what is told when one is reached. A lease lives from its
//! row until that is `revoked`: pending and revoking ones count, since AWS may hold something of them.
//! Counting is the store's: [`crate::store::LimitStore`].

use serde::{Deserialize, Serialize};

use super::Accessor;

/// How many leases may live at once; 0 = as many as are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeaseLimits {
    /// All together.
    pub max_leases: u64,
    /// Of one caller, which is one token.
    pub max_leases_per_caller: u64,
}

impl LeaseLimits {
    /// Whether there is no cap at all.
    pub const fn is_unlimited(&self) -> bool {
        self.max_leases == 0 && self.max_leases_per_caller == 0
    }
}

/// All that has a say in whether one more lease may begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeaseCaps {
    /// Of the role.
    pub role: LeaseLimits,
    /// Of the mount.
    pub mount: LeaseLimits,
    /// Of the AWS account that the lease says, over all mounts.
    pub account: LeaseLimits,
}

impl LeaseCaps {
    /// Whether there is no cap at all.
    pub const fn is_unlimited(&self) -> bool {
        self.role.is_unlimited() && self.mount.is_unlimited() && self.account.is_unlimited()
    }
}

/// Which cap is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseCap {
    /// `max_leases_per_caller` of the role.
    RolePerCaller,
    /// `max_leases` of the role.
    Role,
    /// `max_leases_per_caller` of `config/limits`.
    MountPerCaller,
    /// `max_leases` of `config/limits`.
    Mount,
    /// `max_leases_per_caller` of the AWS account.
    AccountPerCaller,
    /// `max_leases` of the AWS account.
    Account,
}

impl LeaseCap {
    /// The setting that says so, for people.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::RolePerCaller => "max_leases_per_caller of the role",
            Self::Role => "max_leases of the role",
            Self::MountPerCaller => "max_leases_per_caller of config/limits",
            Self::Mount => "max_leases of config/limits",
            Self::AccountPerCaller => "max_leases_per_caller of the AWS account",
            Self::Account => "max_leases of the AWS account",
        }
    }
}

/// A cap that leaves no room for one more lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapReached {
    /// Which one.
    pub cap: LeaseCap,
    /// The AWS account, where the cap is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What it allows.
    pub limit: u64,
    /// How many live.
    pub live: u64,
    /// Who holds the most of them, under the same role, mount or account.
    pub most: Option<MostLeases>,
}

/// Who holds the most live leases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MostLeases {
    /// Display name of the token, e.g. `token-ci`.
    pub caller: String,
    /// The token's public handle.
    pub accessor: Accessor,
    /// How many.
    pub live: u64,
}
