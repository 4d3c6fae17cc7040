//! Shares that were given so far, for one purpose. A share that is given twice counts once. In memory alone, and wiped
//! when it is dropped.

use std::fmt;

use super::{CustodyError, Result};
use crate::model::KeyShare;
use crate::random::Random;
use crate::seal::{MasterKey, shamir};

/// An attempt that is under way.
pub(super) struct Progress {
    nonce: String,
    given: Vec<KeyShare>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("given", &self.given.len()).finish_non_exhaustive()
    }
}

/// What a share came to.
pub(super) enum Given {
    /// It is one of the shares that are there.
    Again,
    /// More are needed.
    More,
    /// These are enough.
    Enough(Vec<KeyShare>),
}

impl Progress {
    /// Without a share.
    pub(super) fn new(random: &Random) -> Self {
        Self { nonce: random.uuid(), given: Vec::new() }
    }

    /// Tells this attempt from others.
    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// How many shares there are.
    pub(super) fn given(&self) -> usize {
        self.given.len()
    }

    /// Takes a share; where it is the last that is needed they are handed over, and none is left here.
    pub(super) fn give(&mut self, share: KeyShare, threshold: u8) -> Given {
        if self.given.contains(&share) {
            return Given::Again;
        }
        self.given.push(share);
        if self.given.len() < usize::from(threshold) {
            return Given::More;
        }
        Given::Enough(std::mem::take(&mut self.given))
    }
}

/// The key that shares make. A single share is the key itself.
pub(super) fn key_of(shares: &[KeyShare]) -> Result<MasterKey> {
    let wrong = || CustodyError::NoKey("they make no key of this installation".to_owned());
    match shares {
        [key] => MasterKey::of_share(key).ok_or_else(wrong),
        shares => {
            let key =
                shamir::combine(shares).map_err(|why| CustodyError::NoKey(why.to_string()))?;
            MasterKey::of(&key).ok_or_else(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_counts_once_and_enough_are_handed_over() {
        let mut progress = Progress::new(&Random::seeded(1));
        let share = |byte: u8| KeyShare::new(&[byte; 33]);
        assert!(matches!(progress.give(share(1), 2), Given::More));
        assert!(matches!(progress.give(share(1), 2), Given::Again));
        assert_eq!(progress.given(), 1);
        let Given::Enough(shares) = progress.give(share(2), 2) else { panic!("enough") };
        assert_eq!((shares.len(), progress.given()), (2, 0));
        assert!(!format!("{progress:?}").contains("33"));
    }
}
