//! Keys of users that live on while their access keys are replaced: the root key of a mount, and the
//! users of static roles. What is written down here before a call to AWS is all that a later start
//! needs to finish or undo it. Secrets are here in their sealed form alone; the rules are in
//! [`crate::engine::rotation`].

use serde::{Deserialize, Serialize};

use super::{AccessKeyId, MountId, RoleName, Timestamp, UserName};

/// When a key is replaced; at most one of period and schedule is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RotationTimes {
    /// Seconds from one rotation to the next; 0 = not by period.
    pub period: u64,
    /// Cron expression, in UTC; empty = not by schedule.
    pub schedule: String,
    /// Seconds after a scheduled moment in which the rotation may still begin; 0 = any time later.
    pub window: u64,
}

/// How the last rotations went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RotationProgress {
    /// When the key that is in use was stored; `None` = it was never rotated here.
    pub rotated_at: Option<Timestamp>,
    /// Failures in a row.
    pub attempts: u32,
    /// No automatic try before this moment.
    pub retry_at: Option<Timestamp>,
    /// What the last try failed with, as a caller may read it; `None` after a success.
    pub last_error: Option<String>,
}

/// The replacement of one access key, under way. Durable before `CreateAccessKey` is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// Whose keys.
    pub user: UserName,
    /// When it began: it made no key that is older.
    pub began_at: Timestamp,
    /// When `CreateAccessKey` was last sent: it made no key that is much younger.
    pub tried_at: Timestamp,
    /// The keys that the user had before: none of these was made by this change.
    pub known: Vec<AccessKeyId>,
    /// Our key that the new one takes the place of.
    pub old: Option<AccessKeyId>,
    /// Whether an earlier change may have left a key that no list has shown yet.
    pub doubt: bool,
    /// How far it is.
    pub step: KeyStep,
    /// The new secret key, sealed; while the step is [`KeyStep::Created`].
    #[serde(skip)]
    pub sealed_secret_key: Option<Vec<u8>>,
}

/// How far the replacement of a key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStep {
    /// `CreateAccessKey` may have been sent; what it made is not known.
    Creating,
    /// The new key is there, its secret is sealed in the row; it is not in use yet.
    Created(AccessKeyId),
    /// The new key is in use; the old one is to be removed from then on.
    Retiring {
        /// The new key.
        new: AccessKeyId,
        /// Not before this moment.
        not_before: Timestamp,
    },
}

/// How the root key of a mount is rotated. The key itself is in `config/root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRotation {
    /// Whose `config/root`.
    pub mount: MountId,
    /// How it went.
    pub progress: RotationProgress,
    /// What is under way.
    pub change: Option<KeyChange>,
}

/// A static role: an IAM user that somebody else made, and the one access key that we hold of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticRole {
    /// Its mount.
    pub mount: MountId,
    /// Its name.
    pub name: RoleName,
    /// The user.
    pub user: UserName,
    /// The user's immutable id, e.g. `AIDA…`: a user of the same name made later is another one.
    pub user_id: String,
    /// The account that the user is in, 12 digits; `None` in rows of earlier releases, and where AWS did not say it.
    #[serde(default)]
    pub account: Option<String>,
    /// When its key is replaced.
    pub times: RotationTimes,
    /// When the times were last written: scheduled moments before are none of them.
    pub since: Timestamp,
    /// Seconds for which the old key goes on working after it was replaced.
    pub overlap: u64,
    /// Whether keys that others made may be deleted to make room.
    pub replace_foreign_keys: bool,
    /// The key that is handed out; `None` until the first one is there.
    pub access_key: Option<AccessKeyId>,
    /// Its secret half, sealed.
    #[serde(skip)]
    pub sealed_secret_key: Option<Vec<u8>>,
    /// How it went.
    pub progress: RotationProgress,
    /// What is under way.
    pub change: Option<KeyChange>,
    /// Whether it was deleted: it is out of sight, and goes when its keys are gone.
    #[serde(skip)]
    pub deleting: bool,
    /// When it has to be looked at; `None` = never again by itself.
    #[serde(skip)]
    pub due_at: Option<Timestamp>,
}
