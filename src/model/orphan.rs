//! An IAM user, or a managed policy, that carries this installation's tag while no lease that is not gone knows of it:
//! something that somebody has to decide about. How one is found is in [`crate::engine::reconcile`].

use super::{LeaseTag, MountId, PolicyArn, Timestamp, UserName};

/// A user of ours without a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// AWS's unique id of the user.
    pub user_id: String,
    /// Its name.
    pub user: UserName,
    /// Its path.
    pub path: String,
    /// A mount whose account it was found in.
    pub mount: MountId,
    /// The lease that its tag names; `None` where the tag is missing or is none of ours.
    pub lease: Option<LeaseTag>,
    /// When AWS made it.
    pub created_at: Timestamp,
    /// When it was first found.
    pub found_at: Timestamp,
    /// When it was last found.
    pub seen_at: Timestamp,
    /// Nobody is to be told of it until then.
    pub ignored_until: Option<Timestamp>,
}

impl Orphan {
    /// Whether somebody asked not to be told of it now.
    pub fn is_ignored(&self, now: Timestamp) -> bool {
        self.ignored_until.is_some_and(|until| until > now)
    }
}

/// A managed policy of a lease's own that no lease names. It lies under the path of its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanPolicy {
    /// AWS's unique id of the policy, `ANPA…`.
    pub policy_id: String,
    /// Its ARN, which ends in its name.
    pub arn: PolicyArn,
    /// A mount whose account it was found in.
    pub mount: MountId,
    /// The lease that its path and its tag name.
    pub lease: LeaseTag,
    /// When AWS made it.
    pub created_at: Timestamp,
    /// When it was first found.
    pub found_at: Timestamp,
    /// When it was last found.
    pub seen_at: Timestamp,
    /// Nobody is to be told of it until then.
    pub ignored_until: Option<Timestamp>,
}

impl OrphanPolicy {
    /// Its name, without the path.
    pub fn name(&self) -> &str {
        self.arn.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// Whether somebody asked not to be told of it now.
    pub fn is_ignored(&self, now: Timestamp) -> bool {
        self.ignored_until.is_some_and(|until| until > now)
    }
}

/// What of a lease matters where users are compared with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The lease.
    pub lease: super::LeaseId,
    /// Its mount.
    pub mount: MountId,
    /// The name of its user.
    pub user: UserName,
    /// The account that the user is in, where AWS said it.
    pub account: Option<String>,
    /// When the row was written.
    pub issued_at: Timestamp,
    /// When it ends, where it is active.
    pub active_until: Option<Timestamp>,
}
