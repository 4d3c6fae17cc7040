//! How many shares a key is split into, and how many of them make it again. Pure.

use crate::model::KeyShare;
use crate::random::Random;
use crate::seal::{MasterKey, shamir};

/// How many shares there are, and how many of them are needed.
// INVARIANT: 1 ≤ threshold ≤ shares; more than one share has a threshold above one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    shares: u8,
    threshold: u8,
}

impl Shares {
    /// What was asked for, or what is wrong with it in Vault's words.
    pub fn new(shares: i64, threshold: i64) -> Result<Self, &'static str> {
        if shares < 1 {
            return Err("shares must be at least one");
        }
        if threshold < 1 {
            return Err("threshold must be at least one");
        }
        if shares > 1 && threshold == 1 {
            return Err("threshold must be greater than one for multiple shares");
        }
        let Ok(shares) = u8::try_from(shares) else {
            return Err("shares must be less than 256");
        };
        let Ok(threshold) = u8::try_from(threshold) else {
            return Err("threshold must be less than 256");
        };
        if threshold > shares {
            return Err("threshold cannot be larger than shares");
        }
        Ok(Self { shares, threshold })
    }

    /// What a row says, where it can be.
    pub(super) fn stored(shares: u8, threshold: u8) -> Option<Self> {
        Self::new(shares.into(), threshold.into()).ok()
    }

    /// How many there are.
    pub const fn shares(self) -> u8 {
        self.shares
    }

    /// How many are needed.
    pub const fn threshold(self) -> u8 {
        self.threshold
    }

    /// The key in pieces; a single share is the key itself, as in Vault.
    pub(super) fn split(self, key: &MasterKey, random: &Random) -> Vec<KeyShare> {
        match self.shares {
            1 => vec![key.to_share()],
            shares => shamir::split_key(key, shares, self.threshold, random),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_be_are_refused_in_vaults_words() {
        for (shares, threshold, told) in [
            (0, 0, "shares must be at least one"),
            (1, 0, "threshold must be at least one"),
            (5, 1, "threshold must be greater than one for multiple shares"),
            (256, 3, "shares must be less than 256"),
            (255, 256, "threshold must be less than 256"),
            (3, 5, "threshold cannot be larger than shares"),
        ] {
            assert_eq!(Shares::new(shares, threshold), Err(told), "{shares}/{threshold}");
        }
        for (shares, threshold) in [(1, 1), (2, 2), (5, 3), (255, 255)] {
            assert!(Shares::new(shares, threshold).is_ok(), "{shares}/{threshold}");
        }
    }
}
