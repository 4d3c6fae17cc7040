//! Why a key was not replaced, what state things are in, and what to do. Of an AWS failure only what
//! [`AwsError::for_caller`] lets through is told. Which status goes with it is the wire's to say.

use crate::aws::{AwsError, RefusalKind};
use crate::model::AccessKeyId;
use crate::seal::SealError;
use crate::store::StoreError;

/// Why a key was not replaced. Unless it says otherwise, the key that was in use still is.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A call before the switch failed. The texts are the contract's (1.3).
    #[error("error calling {call}: {}{}", .source.for_caller(), help(call, .source))]
    Call {
        /// As AWS names it.
        call: &'static str,
        /// Why.
        source: AwsError,
    },
    /// The account has no client.
    #[error("error building the AWS client: {}", .0.for_caller())]
    NoClient(AwsError),
    /// AWS made a key and did not take it.
    #[error(
        "the new access key `{key}` was not accepted by AWS: {}\nhelp: it is removed, and the old key stays in use; try again",
        .source.for_caller()
    )]
    NotProven {
        /// The new key.
        key: AccessKeyId,
        /// What AWS said last.
        source: AwsError,
    },
    /// The new key is in use, the old one is still there (contract 1.3).
    #[error(
        "error deleting old access key: {}\nhelp: the new key `{new}` is stored and in use; removing the old key `{old}` is tried again in the background",
        .source.for_caller()
    )]
    OldKeyRemains {
        /// The new key.
        new: AccessKeyId,
        /// The old key.
        old: String,
        /// Why.
        source: AwsError,
    },
    /// A key of an earlier rotation is in the way.
    #[error(
        "the access key `{0}`, which an earlier rotation made and did not use, could not be removed\nhelp: that is tried again in the background; see that the broker may call iam:DeleteAccessKey, then try again"
    )]
    StillThere(AccessKeyId),
    /// Somebody wrote other keys meanwhile.
    #[error(
        "config/root was written with another key while its key was being rotated\nhelp: the key that was written stays in use, the rotated one is removed"
    )]
    Superseded,
    /// A secret cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn help(call: &str, source: &AwsError) -> &'static str {
    match source {
        AwsError::Refused { kind: RefusalKind::Quota, .. } if call == "CreateAccessKey" => {
            "\nhelp: IAM allows a user two access keys, and this one has them; delete the one that nothing uses, then try again"
        }
        AwsError::Unclear { .. } if call == "CreateAccessKey" => {
            "\nhelp: a key that AWS made all the same is looked for and removed in the background"
        }
        AwsError::Refused { .. } | AwsError::Unclear { .. } | AwsError::NotConfigured(_) => "",
    }
}

impl KeyError {
    /// Whether the broker itself is at fault.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Seal(_) | Self::Store(_))
    }

    /// For the operator: with what AWS said, in full.
    pub(in crate::engine) fn detail(&self) -> String {
        match self {
            Self::Call { source, .. }
            | Self::NoClient(source)
            | Self::NotProven { source, .. }
            | Self::OldKeyRemains { source, .. } => source.to_string(),
            Self::StillThere(_) | Self::Superseded | Self::Seal(_) | Self::Store(_) => {
                self.to_string()
            }
        }
    }

    /// What may be kept and shown of it.
    pub(in crate::engine) fn shown(&self) -> String {
        if self.is_internal() { "internal error".to_owned() } else { self.to_string() }
    }
}
