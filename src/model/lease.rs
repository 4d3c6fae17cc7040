//! A lease: one credential that was, or may have been, handed out, from before AWS first heard of it
//! until it is provably gone. The rules of its life are pure and live in [`crate::leases`]; the
//! secret half of the credential is never part of it.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    AccessKeyId, Accessor, CredentialType, LeaseId, MountId, RoleName, SessionRevocation,
    Timestamp, UserName,
};

/// Who asked for a credential and on what grounds: what people look for it by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Display name of the token, e.g. `token-ci`.
    pub caller: String,
    /// Where the request came from.
    pub source: Option<IpAddr>,
    /// Digest over everything that the credential may do, hex; empty where it was not worked out.
    pub policy_digest: String,
}

/// What has to be undone in AWS beside the user, written down before it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Beside {
    /// A managed policy of this lease's own may exist.
    pub managed_policy: bool,
    /// How sessions of this lease are cut off.
    pub session: Option<SessionCut>,
}

/// How a session of an assumed role is cut off before AWS ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCut {
    /// By which statement on the role.
    pub by: SessionRevocation,
    /// The role that was assumed.
    pub role_arn: String,
    /// When AWS began the session, by AWS's clock; before it answered, when it was asked.
    pub begun_at: Timestamp,
    /// When AWS ends it by itself; before it answered, the latest that this can be.
    pub ends_at: Timestamp,
}

/// A stored lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Its id.
    pub id: LeaseId,
    /// The mount, whose account binding tears it down.
    pub mount: MountId,
    /// The role it was issued from.
    pub role: RoleName,
    /// The role's write that was current then.
    pub role_version: u64,
    /// What was handed out.
    pub credential_type: CredentialType,
    /// The token that holds it.
    pub holder: Accessor,
    /// The IAM user's name, fixed before the first AWS call; `None` for STS types.
    pub user: Option<UserName>,
    /// When the row was written: before the first AWS call.
    pub issued_at: Timestamp,
    /// The role's own TTL at issue, for renewals; `None` = `config/lease` and the mount decide.
    pub role_ttl: Option<Duration>,
    /// The role's own maximum at issue.
    pub role_max_ttl: Option<Duration>,
    /// When it was last renewed.
    pub last_renewal: Option<Timestamp>,
    /// Digest of the verdict that let it through, hex.
    pub verdict: String,
    /// Who asked, from where, for what.
    pub origin: Origin,
    /// The AWS account that it was made in, where known.
    pub account: Option<String>,
    /// AWS's unique id of the user, e.g. `AIDA…`, where known.
    pub user_id: Option<String>,
    /// What has to be undone beside the user.
    pub beside: Beside,
    /// Keyed digest of the caller's `Idempotency-Key`.
    pub request_key: Option<Vec<u8>>,
    /// When the credential was seen to work.
    pub proven_at: Option<Timestamp>,
    /// `revoke-force` took it out of sight; its teardown goes on.
    pub forced: bool,
    /// Where it is in its life.
    pub state: LeaseState,
    /// Counts the writes of this row; a save with an old number is refused.
    pub revision: u64,
}

/// Where a lease is in its life (design, section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// Written, AWS not yet done: nobody was given anything.
    Pending,
    /// The credential was handed out and works.
    Active {
        /// The key that was handed out.
        access_key: AccessKeyId,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// Being torn down, for as long as it takes.
    Revoking(TeardownProgress),
    /// Gone; kept for a while as a record.
    Revoked {
        /// When it was seen to be gone for good.
        at: Timestamp,
        /// How it ended; `None` where nothing was ever made.
        record: Option<EndRecord>,
    },
}

/// What is kept of a teardown that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndRecord {
    /// Why it ended.
    pub reason: EndReason,
    /// Since when it was torn down.
    pub since: Timestamp,
    /// The key that was handed out, when one is known.
    pub access_key: Option<AccessKeyId>,
    /// When the lease would have ended by itself, if it was active.
    pub expires_at: Option<Timestamp>,
    /// The credential stopped working.
    pub contained_at: Option<Timestamp>,
    /// The user was deleted, or seen absent when old enough.
    pub removed_at: Option<Timestamp>,
}

/// How far a teardown is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeardownProgress {
    /// Why it ends.
    pub reason: EndReason,
    /// Since when.
    pub since: Timestamp,
    /// The key that was handed out, when one is known.
    pub access_key: Option<AccessKeyId>,
    /// When the lease would have ended by itself, if it was active.
    pub expires_at: Option<Timestamp>,
    /// The credential stopped working.
    pub contained_at: Option<Timestamp>,
    /// The user was deleted, or seen absent when old enough; or the session was cut off.
    pub removed_at: Option<Timestamp>,
    /// How many later looks found nothing.
    pub looks: u32,
    /// How many passes failed in a row.
    pub attempts: u32,
    /// When to try or look again.
    pub next_attempt_at: Timestamp,
    /// What the last failed pass met: its class, and one sentence.
    pub last_failure: Option<(FailureClass, String)>,
}

impl From<TeardownProgress> for EndRecord {
    fn from(progress: TeardownProgress) -> Self {
        Self {
            reason: progress.reason,
            since: progress.since,
            access_key: progress.access_key,
            expires_at: progress.expires_at,
            contained_at: progress.contained_at,
            removed_at: progress.removed_at,
        }
    }
}

/// Why a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its time was over.
    Expired,
    /// Somebody revoked it.
    Revoked,
    /// The token that held it ended.
    TokenEnded,
    /// It was never handed out: issuing failed or was cut short.
    Abandoned,
}

/// What kind of trouble a teardown pass met, for back-off, metrics and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// AWS asked to slow down.
    Throttled,
    /// AWS says the broker may not.
    AccessDenied,
    /// The broker's own keys do not work, or the account binding is missing.
    BadCredentials,
    /// The user still owns something that the teardown did not remove.
    StillOwns,
    /// The user of that name does not carry this lease's tags: it is not ours to touch.
    NotOurs,
    /// No answer, a broken one, or a server error: AWS may have acted.
    Unclear,
    /// Anything else that AWS refused.
    Refused,
    /// Too young to take an absent user for gone.
    Settling,
    /// The keys that the mount has now are another account's, or it is not known whose they are: that they see
    /// no user says nothing.
    WrongAccount,
}

impl Lease {
    /// When the reaper must look at it next; `None` once it is gone.
    pub fn due_at(&self, settling: Duration) -> Option<Timestamp> {
        match &self.state {
            LeaseState::Pending => Some(self.issued_at.after(settling)),
            LeaseState::Active { expires_at, .. } => Some(*expires_at),
            LeaseState::Revoking(progress) => Some(progress.next_attempt_at),
            LeaseState::Revoked { .. } => None,
        }
    }

    /// Whether a caller may see it: it was handed out, and is neither removed nor forced away.
    pub fn is_visible(&self) -> bool {
        match &self.state {
            LeaseState::Active { .. } => !self.forced,
            LeaseState::Revoking(progress) => {
                !self.forced && progress.removed_at.is_none() && progress.expires_at.is_some()
            }
            LeaseState::Pending | LeaseState::Revoked { .. } => false,
        }
    }
}
