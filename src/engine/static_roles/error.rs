//! Why a static role or its key is not as it was asked for. The texts are the contract's (1.13) where it has
//! them; ours say what to do. Which status goes with them is the wire's to say.

use crate::aws::AwsError;
use crate::engine::NotServing;
use crate::engine::rotation::KeyError;
use crate::model::go_text::quote;
use crate::model::{AccessKeyId, RoleName, UserName};
use crate::seal::SealError;
use crate::store::StoreError;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum StaticRoleError {
    /// A parameter that a new role needs.
    #[error("missing {} parameter", quote(.0))]
    Missing(&'static str),
    /// As Vault's Community edition says.
    #[error("cross-account static roles are only supported in Vault Enterprise")]
    CrossAccount,
    /// Too short.
    #[error("role rotation period out of range: must be greater than 60.00 seconds")]
    PeriodOutOfRange,
    /// Two ways to say when.
    #[error(
        "mutually exclusive fields rotation_schedule and rotation_period were both specified; only one of them can be provided"
    )]
    ScheduleAndPeriod,
    /// A window needs a schedule.
    #[error("rotation_window does not apply to period")]
    WindowWithPeriod,
    /// Not a cron expression.
    #[error("failed to parse provided rotation_schedule: {0}")]
    BadSchedule(String),
    /// The old key would still be there at the next rotation.
    #[error(
        "overlap must be shorter than rotation_period\nhelp: a user has two access keys at most, so that the old one must be gone before the next is made"
    )]
    OverlapTooLong,
    /// AWS has no such user, or does not say.
    #[error("unable to validate username {}: {}", quote(.username), .why)]
    Unvalidated {
        /// What was asked for.
        username: String,
        /// Why, as a caller may read it.
        why: String,
    },
    /// AWS speaks of someone else.
    #[error(
        "AWS GetUser returned a username, but it didn't match: {} was requested, but {} was returned",
        quote(.requested), quote(.returned)
    )]
    OtherName {
        /// What was asked for.
        requested: String,
        /// What AWS says.
        returned: String,
    },
    /// A user of the same name that was made later.
    #[error(
        "AWS GetUser returned a user, but the ID did not match: {} was requested, but {} was returned",
        quote(.requested), quote(.returned)
    )]
    OtherId {
        /// The role's.
        requested: String,
        /// AWS's.
        returned: String,
    },
    /// One user, one static role.
    #[error(
        "user `{user}` belongs to static role `{role}` already\nhelp: read static-creds/{role}, or delete that role first"
    )]
    UserTaken {
        /// The user.
        user: UserName,
        /// The other role.
        role: RoleName,
    },
    /// The user of `config/root`.
    #[error(
        "user `{0}` is the one that the broker itself works as\nhelp: its key is rotated with config/rotate-root"
    )]
    BrokersOwn(UserName),
    /// No room for a new key.
    #[error(
        "user `{user}` has two access keys, and of these leasehold did not make {}: nothing was changed\nhelp: delete one that nothing uses, or write the role with replace_foreign_keys=true to have the oldest of them deleted",
        named(.keys)
    )]
    ForeignKeys {
        /// The user.
        user: UserName,
        /// The keys that others made.
        keys: Vec<AccessKeyId>,
    },
    /// No new key; `after` says what becomes of it.
    #[error("failed to create new credentials for role {}: {source}{after}", quote(.role.as_str()))]
    NotRotated {
        /// The role.
        role: RoleName,
        /// Why.
        source: Box<KeyError>,
        /// A line of help, or nothing.
        after: &'static str,
    },
    /// Our keys are not gone.
    #[error(
        "failed to clean credentials while deleting role {}: {source}\nhelp: the role is out of sight; removing its keys is tried again in the background",
        quote(.role.as_str())
    )]
    NotCleaned {
        /// The role.
        role: RoleName,
        /// Why.
        source: Box<KeyError>,
    },
    /// It was deleted, and is not wholly gone.
    #[error(
        "static role `{0}` was deleted, and a key that AWS may have made for it is still looked for\nhelp: try again in five minutes, or take another name"
    )]
    BeingDeleted(RoleName),
    /// There is no such role.
    #[error("expected an item with name {}, but got nil", quote(.0.as_str()))]
    Gone(RoleName),
    /// The mount does not serve.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// A secret cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker itself is at fault.
    #[error(transparent)]
    Fault(#[from] Box<KeyError>),
}

/// Told where a new role stays without a key.
const STAYS: &str =
    "\nhelp: the role is there without a key; making one is tried again in the background";

fn named(keys: &[AccessKeyId]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ")
}

impl StaticRoleError {
    /// AWS did not say who a user is.
    pub(super) fn unvalidated(username: &str, error: &AwsError) -> Self {
        Self::Unvalidated { username: username.to_owned(), why: error.for_caller() }
    }

    /// The same, of a new role that is kept.
    pub(super) fn of_a_role_that_stays(self) -> Self {
        if let Self::NotRotated { role, source, .. } = self {
            return Self::NotRotated { role, source, after: STAYS };
        }
        self
    }

    /// Whether the broker itself is at fault.
    pub fn is_internal(&self) -> bool {
        match self {
            Self::Seal(_) | Self::Store(_) | Self::Fault(_) => true,
            Self::NotRotated { source, .. } | Self::NotCleaned { source, .. } => {
                source.is_internal()
            }
            Self::Missing(_)
            | Self::CrossAccount
            | Self::PeriodOutOfRange
            | Self::ScheduleAndPeriod
            | Self::WindowWithPeriod
            | Self::BadSchedule(_)
            | Self::OverlapTooLong
            | Self::Unvalidated { .. }
            | Self::OtherName { .. }
            | Self::OtherId { .. }
            | Self::UserTaken { .. }
            | Self::BrokersOwn(_)
            | Self::ForeignKeys { .. }
            | Self::BeingDeleted(_)
            | Self::Gone(_)
            | Self::NotServing(_) => false,
        }
    }

    /// For the operator: with what AWS said, in full.
    pub(super) fn detail(&self) -> String {
        if let Self::NotRotated { source, .. } | Self::NotCleaned { source, .. } = self {
            return source.detail();
        }
        self.to_string()
    }

    /// What may be kept and shown of it.
    pub(super) fn shown(&self) -> String {
        if self.is_internal() { "internal error".to_owned() } else { self.to_string() }
    }
}
