//! How the barrier opens, serves and closes, and how its keyring gets another key. A key that is taken away is wiped
//! once nobody works with it any more. What is stored before any of this counts, and after which, is
//! [`crate::custody`]'s.

use std::sync::{Arc, PoisonError};

use super::keyring::{self, Keyring};
use super::keys::Keys;
use super::{Barrier, KEY_CHECK_SETTING, MasterKey, Result, State};
use crate::model::Timestamp;
use crate::random::Random;

/// What the key check of old was made of.
const KEY_CHECK: &[u8] = b"leasehold key check";

/// What an open barrier works with.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) keys: Keys,
    keyring: Keyring,
    root: MasterKey,
}

impl Open {
    fn new(root: MasterKey, keyring: Keyring) -> Arc<Self> {
        Arc::new(Self { keys: Keys::of(&keyring), keyring, root })
    }
}

/// Of the key in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermFacts {
    /// Its number, from 1.
    pub term: u32,
    /// Since when it is in use.
    pub installed_at: Timestamp,
    /// How often it sealed something since this broker was unsealed.
    pub sealed: u64,
}

/// Whether a key file is the one that an installation from before there were keyrings was made with. `check` is its
/// setting [`KEY_CHECK_SETTING`].
pub fn is_key_of_old(key: &MasterKey, check: &[u8]) -> bool {
    let keyring = Keyring::beginning_with(key.clone(), Timestamp::from_millis(0));
    let opened = Keys::of(&keyring).open(check, KEY_CHECK_SETTING);
    opened.is_ok_and(|text| **text == *KEY_CHECK)
}

impl Barrier {
    /// With keys that are nowhere else and are lost with the process.
    pub fn in_memory(random: &Random) -> Self {
        let barrier = Self::new();
        let keyring = Keyring::generate(random, Timestamp::from_millis(0));
        barrier.open_with(MasterKey::generate(random), keyring);
        barrier.serve();
        barrier
    }

    /// Takes the keys. They work from now on, but nobody is served before [`Barrier::serve`].
    pub fn open_with(&self, root: MasterKey, keyring: Keyring) {
        self.set(State::Opening(Open::new(root, keyring)));
    }

    /// Everything is in its place: requests are served.
    pub fn serve(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Opening(open) = &*state {
            *state = State::Unsealed(Arc::clone(open));
        }
    }

    /// Forgets the keys.
    pub fn lock(&self, why: impl Into<String>) {
        self.set(State::Sealed { why: why.into() });
    }

    /// Forgets the keys of an installation that did not come to be.
    pub fn forget(&self) {
        self.set(State::Uninitialised);
    }

    /// Of the key in use.
    pub fn term(&self) -> Result<TermFacts> {
        let open = self.opened()?;
        Ok(TermFacts {
            term: open.keyring.term(),
            installed_at: open.keyring.installed_at(),
            sealed: open.keys.sealed(),
        })
    }

    /// A keyring with one more key, and how it is to be stored; it is used from [`Barrier::use_keyring`] on.
    pub fn rotated(&self, random: &Random, now: Timestamp) -> Result<(Keyring, Vec<u8>)> {
        let open = self.opened()?;
        let keyring = open.keyring.rotated(random, now);
        let wrapped = keyring.wrapped(&open.root, random)?;
        Ok((keyring, wrapped))
    }

    /// Seals with the newest key of this keyring from now on. Without effect on a barrier that was closed meanwhile.
    pub fn use_keyring(&self, keyring: Keyring) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let next = match &*state {
            State::Opening(open) => State::Opening(Open::new(open.root.clone(), keyring)),
            State::Unsealed(open) => State::Unsealed(Open::new(open.root.clone(), keyring)),
            State::Uninitialised | State::Sealed { .. } => return,
        };
        *state = next;
    }

    /// The root key wrapped by another key that unseals.
    pub fn rewrapped_root(&self, key: &MasterKey) -> Result<Vec<u8>> {
        keyring::wrap_root(key, &self.opened()?.root, &self.random)
    }

    /// The root key itself, for a seal that wraps it elsewhere.
    pub fn root_key(&self) -> Result<MasterKey> {
        Ok(self.opened()?.root.clone())
    }

    /// A recovery key, wrapped by the root key.
    pub fn wrapped_recovery(&self, key: &MasterKey) -> Result<Vec<u8>> {
        keyring::wrap_recovery(&self.opened()?.root, key, &self.random)
    }
}
