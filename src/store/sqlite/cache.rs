//! Copies in memory of what almost every request reads: mounts, bindings, roles, tokens. A copy is
//! dropped after the commit that changed the row and before the writer's caller hears of it; a reader
//! that raced with that commit never leaves an old copy behind. Leases are never kept here.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::{
    AccountBinding, LeaseConfig, LeaseLimits, Mount, MountId, Role, RoleName, Token, TokenDigest,
};
use crate::store::StoreError;

/// So many tokens are surely kept; at most twice as many are: about 10 MB at 600 bytes each.
const TOKENS: usize = 8192;
/// The same for roles: about 16 MB if each carried the largest inline document (6 KiB).
const ROLES: usize = 1024;
/// The same for what exists once per mount.
const MOUNTS: usize = 1024;

/// All copies.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) mounts: Cache<(), Arc<[Mount]>>,
    pub(super) bindings: Cache<MountId, Option<Arc<AccountBinding>>>,
    pub(super) lease_configs: Cache<MountId, Option<LeaseConfig>>,
    pub(super) lease_limits: Cache<MountId, Option<LeaseLimits>>,
    pub(super) account_limits: Cache<(), Arc<BTreeMap<String, LeaseLimits>>>,
    pub(super) roles: Cache<(MountId, RoleName), Arc<Role>>,
    pub(super) tokens: Cache<TokenDigest, Arc<Token>>,
}

/// A copy that a write has made old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stale {
    Mounts,
    Binding(MountId),
    LeaseConfig(MountId),
    LeaseLimits(MountId),
    AccountLimits,
    Role(MountId, RoleName),
    AllRoles,
    Token(TokenDigest),
}

impl Caches {
    pub(super) fn new() -> Self {
        Self {
            mounts: Cache::new(MOUNTS),
            bindings: Cache::new(MOUNTS),
            lease_configs: Cache::new(MOUNTS),
            lease_limits: Cache::new(MOUNTS),
            account_limits: Cache::new(1),
            roles: Cache::new(ROLES),
            tokens: Cache::new(TOKENS),
        }
    }

    pub(super) fn forget(&self, stale: Stale) {
        match stale {
            Stale::Mounts => self.mounts.clear(),
            Stale::Binding(mount) => self.bindings.forget(&mount),
            Stale::LeaseConfig(mount) => self.lease_configs.forget(&mount),
            Stale::LeaseLimits(mount) => self.lease_limits.forget(&mount),
            Stale::AccountLimits => self.account_limits.clear(),
            Stale::Role(mount, name) => self.roles.forget(&(mount, name)),
            Stale::AllRoles => self.roles.clear(),
            Stale::Token(digest) => self.tokens.forget(&digest),
        }
    }
}

/// A bounded map in two halves: what is used moves to the young half; when that is full it becomes
/// the old one, and what nobody used since is gone. Every step is O(1).
pub(super) struct Cache<K, V> {
    halves: RwLock<Halves<K, V>>,
    half: usize,
}

struct Halves<K, V> {
    // INVARIANT: grows with every forget; a copy that was read under another epoch is not kept.
    epoch: u64,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache(2 × {})", self.half)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(half: usize) -> Self {
        let halves = Halves { epoch: 0, young: HashMap::new(), old: HashMap::new() };
        Self { halves: RwLock::new(halves), half }
    }

    /// The copy, or what `read` finds in the database; `None` is not kept.
    pub(super) fn get_or_read(
        &self,
        key: &K,
        read: impl FnOnce() -> Result<Option<V>, StoreError>,
    ) -> Result<Option<V>, StoreError> {
        let epoch = match self.look_up(key) {
            Ok(value) => return Ok(Some(value)),
            Err(epoch) => epoch,
        };
        let found = read()?;
        if let Some(value) = &found {
            self.keep(epoch, key, value);
        }
        Ok(found)
    }

    /// The copy, or the epoch under which there was none.
    fn look_up(&self, key: &K) -> Result<V, u64> {
        let (value, epoch) = {
            let halves = self.halves.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = halves.young.get(key) {
                return Ok(value.clone());
            }
            let value = halves.old.get(key).ok_or(halves.epoch)?;
            (value.clone(), halves.epoch)
        };
        self.keep(epoch, key, &value);
        Ok(value)
    }

    fn keep(&self, epoch: u64, key: &K, value: &V) {
        let mut halves = self.halves.write().unwrap_or_else(PoisonError::into_inner);
        if halves.epoch != epoch {
            return;
        }
        if halves.young.len() >= self.half {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(key.clone(), value.clone());
    }

    pub(super) fn forget(&self, key: &K) {
        let mut halves = self.halves.write().unwrap_or_else(PoisonError::into_inner);
        halves.epoch = halves.epoch.wrapping_add(1);
        halves.young.remove(key);
        halves.old.remove(key);
    }

    pub(super) fn clear(&self) {
        let mut halves = self.halves.write().unwrap_or_else(PoisonError::into_inner);
        halves.epoch = halves.epoch.wrapping_add(1);
        halves.young.clear();
        halves.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cache: &Cache<u32, u32>, key: u32, stored: u32) -> u32 {
        cache.get_or_read(&key, || Ok(Some(stored))).unwrap().unwrap()
    }

    #[test]
    fn a_copy_is_used_until_it_is_forgotten() {
        let cache = Cache::new(4);
        assert_eq!(read(&cache, 1, 10), 10);
        assert_eq!(read(&cache, 1, 11), 10);
        cache.forget(&1);
        assert_eq!(read(&cache, 1, 12), 12);
        cache.clear();
        assert_eq!(read(&cache, 1, 13), 13);
    }

    #[test]
    fn a_read_that_raced_with_a_write_leaves_no_old_copy() {
        let cache = Cache::new(4);
        let raced = cache.get_or_read(&1, || {
            cache.forget(&1); // the row changed after it was read
            Ok(Some(10))
        });
        assert_eq!(raced.unwrap(), Some(10));
        assert_eq!(read(&cache, 1, 11), 11);
    }

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let cache = Cache::new(8);
        for key in 0..1000 {
            read(&cache, key, key);
            read(&cache, 0, 99); // used all the time, so never read again
        }
        assert_eq!(read(&cache, 0, 77), 0);
        let halves = cache.halves.read().unwrap();
        assert!(halves.young.len() <= 8 && halves.old.len() <= 8);
    }

    #[test]
    fn what_is_not_there_is_asked_for_again() {
        let cache: Cache<u32, u32> = Cache::new(4);
        assert_eq!(cache.get_or_read(&1, || Ok(None)).unwrap(), None);
        assert_eq!(read(&cache, 1, 5), 5);
    }
}
