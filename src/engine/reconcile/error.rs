//! Why a comparison, or what somebody decided about an orphan, did not come to its end. Texts say what to do; which
//! status they get is in [`crate::http`]'s error mapping.

use crate::aws::AwsError;
use crate::leases::LeaseError;
use crate::model::{PolicyArn, UserName};
use crate::store::StoreError;

/// What of AWS's a sentence is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Orphaned {
    /// A user.
    User(UserName),
    /// A policy of a lease's own.
    Policy(PolicyArn),
}

impl std::fmt::Display for Orphaned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user `{name}`"),
            Self::Policy(arn) => write!(f, "policy `{arn}`"),
        }
    }
}

/// Why a pass or an action did not come to its end. Texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// One at a time.
    #[error(
        "a comparison is under way already\nhelp: read sys/leases/reconcile a little later for what it found"
    )]
    UnderWay,
    /// Nothing is mounted there.
    #[error("there is no mount at `{0}`")]
    NoMount(String),
    /// No orphan has that name or id.
    #[error(
        "there is no orphan `{0}`\nhelp: sys/leases/orphans lists them; POST sys/leases/reconcile looks again"
    )]
    NoOrphan(String),
    /// Several of that name, in several accounts.
    #[error("several orphans are called `{0}`\nhelp: name one by its id")]
    Ambiguous(String),
    /// Not one of the three.
    #[error("`action` must be `adopt`, `remove` or `ignore`, not `{0}`")]
    BadAction(String),
    /// An action lacks how long.
    #[error("`{field}` is missing or no {kind}\nhelp: e.g. {field}={example}")]
    BadTime {
        /// The field.
        field: &'static str,
        /// What it must be.
        kind: &'static str,
        /// How it may look.
        example: &'static str,
    },
    /// Its lease tag is missing or broken.
    #[error(
        "user `{0}` has no lease tag that can be read, so that its removal could not be proven to be ours to do\nhelp: remove it by hand, or ignore it"
    )]
    NoTag(UserName),
    /// AWS shows it otherwise now.
    #[error("{0} is not there any more, or does not carry our tags any more")]
    NotOurs(Orphaned),
    /// Nothing to adopt.
    #[error("user `{0}` has no access key, so that there is nothing to keep\nhelp: remove it")]
    NoKey(UserName),
    /// Nothing that could be a lease.
    #[error(
        "`{0}` is a policy, and a policy is nobody's credential: it cannot be kept as a lease\nhelp: remove it, or ignore it"
    )]
    PolicyAdopted(PolicyArn),
    /// Somebody else has the policy.
    #[error("policy `{policy}` is {use_of}, which is not ours to change\nhelp: take it away there")]
    PolicyInUse {
        /// The policy.
        policy: PolicyArn,
        /// Who has it, and as what.
        use_of: String,
    },
    /// The mount's keys do not see where the policy is.
    #[error(
        "policy `{policy}` is not seen, and {has}\nhelp: write keys of its own account to config/root of the mount"
    )]
    PolicyElsewhere {
        /// The policy.
        policy: PolicyArn,
        /// Whose the keys are.
        has: String,
    },
    /// It has a lease after all.
    #[error("{what} has a lease: `{lease}`\nhelp: revoke that lease")]
    HasLease {
        /// The user or the policy.
        what: Orphaned,
        /// The lease.
        lease: String,
    },
    /// Its lease ended, and cannot begin again.
    #[error("user `{user}` belongs to the ended lease `{lease}`\nhelp: remove it")]
    LeaseEnded {
        /// The user.
        user: UserName,
        /// The lease.
        lease: String,
    },
    /// The first pass over it failed; it goes on.
    #[error(transparent)]
    Revoke(#[from] crate::leases::RevokeError),
    /// AWS did not answer as hoped.
    #[error("{}", .0.for_caller())]
    Aws(#[from] AwsError),
    /// The row could not be written.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
