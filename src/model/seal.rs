//! What is stored of the seal: which kind it is, how many shares there are, and the keys as they are wrapped. None of
//! it opens anything by itself. What does, is [`crate::seal`]'s and [`crate::custody`]'s.

/// What unseals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealKind {
    /// Shares of a key, that people hold.
    Shamir,
    /// A key in a file.
    Static,
    /// A key in AWS KMS.
    AwsKms,
}

impl SealKind {
    /// As clients see it: `type` of the seal's status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shamir => "shamir",
            Self::Static => "static",
            Self::AwsKms => "awskms",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Shamir, Self::Static, Self::AwsKms].into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it needs nobody to unseal.
    pub const fn is_auto(self) -> bool {
        match self {
            Self::Shamir => false,
            Self::Static | Self::AwsKms => true,
        }
    }
}

/// The seal of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealRecord {
    /// What unseals.
    pub kind: SealKind,
    /// How many shares there are; 1 where they are not what unseals.
    pub shares: u8,
    /// How many of them unseal.
    pub threshold: u8,
    /// The root key, wrapped by what unseals.
    pub wrapped_root: Vec<u8>,
    /// The keyring, wrapped by the root key.
    pub wrapped_keyring: Vec<u8>,
    /// What stands for the shares where a machine unseals.
    pub recovery: Option<RecoveryRecord>,
}

/// The recovery key of an installation that unseals by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryRecord {
    /// How many shares there are.
    pub shares: u8,
    /// How many of them make the key.
    pub threshold: u8,
    /// The key, wrapped by the root key.
    pub wrapped_key: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in [SealKind::Shamir, SealKind::Static, SealKind::AwsKms] {
            assert_eq!(SealKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(SealKind::from_name("gcpckms"), None);
    }
}
