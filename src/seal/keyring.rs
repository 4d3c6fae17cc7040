//! The keys that data is sealed with, numbered; one is in use, the older ones open what they sealed. It is stored
//! wrapped by the root key, the root key by whatever unseals ([`crate::custody`]). A term is added and never taken
//! away: what it sealed would be lost. What is made of a key: [`super::keys`].

use std::fmt;

use zeroize::Zeroizing;

use super::keys::{Aead, MasterKey};
use super::{Result, SealError};
use crate::model::Timestamp;
use crate::random::Random;

/// The first byte of a keyring as it is stored.
const LAYOUT: u8 = 1;
/// Bytes of a term: its number, when it was installed, its key.
const TERM: usize = 4 + 8 + 32;

/// A key that data is sealed with.
#[derive(Clone)]
pub(super) struct Term {
    pub(super) number: u32,
    pub(super) installed_at: Timestamp,
    pub(super) key: MasterKey,
}

/// All of them.
// INVARIANT: never empty; numbers begin with 1 and ascend.
#[derive(Clone)]
pub struct Keyring {
    first: Term,
    later: Vec<Term>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("term", &self.active().number).finish_non_exhaustive()
    }
}

impl Keyring {
    /// A new one with a key of its own.
    pub fn generate(random: &Random, now: Timestamp) -> Self {
        Self::beginning_with(MasterKey::generate(random), now)
    }

    /// One whose first key is given: what an installation from before there were keyrings sealed everything with.
    pub fn beginning_with(key: MasterKey, now: Timestamp) -> Self {
        Self { first: Term { number: 1, installed_at: now, key }, later: Vec::new() }
    }

    /// The same with one more key, which is then the one in use.
    #[must_use]
    pub fn rotated(&self, random: &Random, now: Timestamp) -> Self {
        let number = self.active().number.saturating_add(1);
        let mut next = self.clone();
        next.later.push(Term { number, installed_at: now, key: MasterKey::generate(random) });
        next
    }

    /// Number of the key in use.
    pub fn term(&self) -> u32 {
        self.active().number
    }

    /// Since when it is in use.
    pub fn installed_at(&self) -> Timestamp {
        self.active().installed_at
    }

    pub(super) const fn first(&self) -> &Term {
        &self.first
    }

    pub(super) fn active(&self) -> &Term {
        self.later.last().unwrap_or(&self.first)
    }

    pub(super) fn terms(&self) -> impl Iterator<Item = &Term> {
        std::iter::once(&self.first).chain(&self.later)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Of its whole size at once: what is left behind by growing would not be wiped.
        let size = TERM.saturating_mul(self.terms().count()).saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        bytes.push(LAYOUT);
        for term in self.terms() {
            bytes.extend_from_slice(&term.number.to_be_bytes());
            bytes.extend_from_slice(&term.installed_at.as_millis().to_be_bytes());
            bytes.extend_from_slice(term.key.bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&LAYOUT, terms) = bytes.split_first()? else {
            return None;
        };
        if !terms.len().is_multiple_of(TERM) {
            return None;
        }
        let mut terms = terms.chunks_exact(TERM).map(|term| {
            let (number, rest) = term.split_first_chunk::<4>()?;
            let (installed_at, key) = rest.split_first_chunk::<8>()?;
            Some(Term {
                number: u32::from_be_bytes(*number),
                installed_at: Timestamp::from_millis(i64::from_be_bytes(*installed_at)),
                key: MasterKey::from_bytes(key.try_into().ok()?),
            })
        });
        let first = terms.next()??;
        Some(Self { first, later: terms.collect::<Option<_>>()? })
    }

    /// As it is stored.
    pub fn wrapped(&self, root: &MasterKey, random: &Random) -> Result<Vec<u8>> {
        wrap(root, &self.to_bytes(), KEYRING, random)
    }

    /// From what is stored.
    pub fn unwrap(root: &MasterKey, wrapped: &[u8]) -> Result<Self> {
        let bytes = unwrap(root, wrapped, KEYRING)?;
        Self::from_bytes(&bytes).ok_or_else(|| SealError::NotOpened { context: KEYRING.to_owned() })
    }
}

/// What a wrapped keyring is bound to.
const KEYRING: &str = "seal/keyring";
/// What a wrapped root key is bound to.
const ROOT: &str = "seal/root";
/// What a wrapped recovery key is bound to.
const RECOVERY: &str = "seal/recovery";

/// Wraps the root key by the key that unseals.
pub fn wrap_root(key: &MasterKey, root: &MasterKey, random: &Random) -> Result<Vec<u8>> {
    wrap(key, root.bytes(), ROOT, random)
}

/// The root key, if `key` is the one that unseals.
pub fn unwrap_root(key: &MasterKey, wrapped: &[u8]) -> Result<MasterKey> {
    key_in(&unwrap(key, wrapped, ROOT)?, ROOT)
}

/// Wraps the recovery key by the root key.
pub fn wrap_recovery(root: &MasterKey, key: &MasterKey, random: &Random) -> Result<Vec<u8>> {
    wrap(root, key.bytes(), RECOVERY, random)
}

/// The recovery key.
pub fn unwrap_recovery(root: &MasterKey, wrapped: &[u8]) -> Result<MasterKey> {
    key_in(&unwrap(root, wrapped, RECOVERY)?, RECOVERY)
}

fn key_in(bytes: &[u8], context: &str) -> Result<MasterKey> {
    MasterKey::of(bytes).ok_or_else(|| SealError::NotOpened { context: context.to_owned() })
}

fn wrap(key: &MasterKey, plaintext: &[u8], context: &str, random: &Random) -> Result<Vec<u8>> {
    Aead::wrapping(key).seal(&[LAYOUT], plaintext, context, random)
}

fn unwrap(key: &MasterKey, wrapped: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
    match wrapped.split_first() {
        Some((&LAYOUT, body)) => Aead::wrapping(key).open(&[LAYOUT], body, context),
        Some(_) | None => Err(SealError::NotOpened { context: context.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u64) -> MasterKey {
        MasterKey::generate(&Random::seeded(seed))
    }

    #[test]
    fn a_keyring_reads_back_with_all_its_keys() {
        let random = Random::from_os();
        let at = Timestamp::from_millis;
        let keyring = Keyring::generate(&random, at(5)).rotated(&random, at(7));
        assert_eq!((keyring.term(), keyring.installed_at()), (2, at(7)));
        let wrapped = keyring.wrapped(&key(1), &random).unwrap();
        let read = Keyring::unwrap(&key(1), &wrapped).unwrap();
        let terms = |keyring: &Keyring| {
            keyring.terms().map(|t| (t.number, t.installed_at, *t.key.bytes())).collect::<Vec<_>>()
        };
        assert_eq!(terms(&read), terms(&keyring));
        assert!(Keyring::unwrap(&key(2), &wrapped).is_err());
        for term in keyring.terms() {
            assert!(!wrapped.windows(32).any(|bytes| bytes == term.key.bytes()));
        }
    }

    #[test]
    fn one_wrapped_thing_is_not_taken_for_another() {
        let random = Random::from_os();
        let root = wrap_root(&key(1), &key(2), &random).unwrap();
        assert_eq!(unwrap_root(&key(1), &root).unwrap().bytes(), key(2).bytes());
        assert!(unwrap_recovery(&key(1), &root).is_err());
        assert!(unwrap_root(&key(3), &root).is_err());
        let recovery = wrap_recovery(&key(1), &key(4), &random).unwrap();
        assert_eq!(unwrap_recovery(&key(1), &recovery).unwrap().bytes(), key(4).bytes());
        assert!(unwrap_root(&key(1), &recovery).is_err());
    }

    #[test]
    fn what_is_no_keyring_is_none() {
        for bytes in [&[][..], &[1], &[2; 45], &[1; 44], &[1; 46]] {
            assert!(Keyring::from_bytes(bytes).is_none(), "{}", bytes.len());
        }
        assert!(Keyring::from_bytes(&[1; 45]).is_some());
    }
}
