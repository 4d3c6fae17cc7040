//! What is kept in memory of policies and identities, so that a request reads neither: compiled rules by the
//! names of their policies, by whom they were filled in for, and who stands behind tokens. Nothing old is ever
//! kept: whatever was read before a write is dropped by it. Used by [`super::policies`] and [`super::identity`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Mutex;

use super::acl::Acl;
use super::identity::Identity;
use crate::model::EntityId;

/// Compiled sets that are kept. 1,024: sets of policies, not tokens; a set costs what its rules cost.
const SETS: usize = 1024;
/// Entities whose own sets are kept: about 20 MB where `default` is all that they have.
const OWN: usize = 4096;
/// Sets that are kept of one entity: its tokens' own, and what it gives to children.
const OWN_SETS: usize = 16;
/// Identities that are kept: about 8 MB at 1 KB each.
const IDENTITIES: usize = 8192;

// INVARIANT: what is kept was made of what was read after `generation` last changed.
#[derive(Debug, Default)]
pub(super) struct Known {
    inner: RwLock<Inner>,
    /// One change of identities at a time.
    pub(super) changing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    generation: Generation,
    shared: HashMap<Vec<String>, Arc<Acl>>,
    own: HashMap<EntityId, HashMap<Vec<String>, Arc<Acl>>>,
    identities: HashMap<EntityId, Arc<Identity>>,
}

/// Counts the writes that made old what was kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Known {
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To keep something that was read under `generation`, if it still counts.
    fn keep(&self, generation: Generation) -> Option<RwLockWriteGuard<'_, Inner>> {
        let inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        (inner.generation == generation).then_some(inner)
    }

    /// To be asked before what shall be kept is read.
    pub(super) fn generation(&self) -> Generation {
        self.read().generation
    }

    pub(super) fn shared(&self, names: &[String]) -> Option<Arc<Acl>> {
        self.read().shared.get(names).cloned()
    }

    pub(super) fn keep_shared(&self, names: &[String], generation: Generation, acl: &Arc<Acl>) {
        if let Some(mut inner) = self.keep(generation) {
            if inner.shared.len() >= SETS {
                inner.shared.clear();
            }
            inner.shared.insert(names.to_vec(), Arc::clone(acl));
        }
    }

    pub(super) fn own(&self, entity: &EntityId, names: &[String]) -> Option<Arc<Acl>> {
        self.read().own.get(entity)?.get(names).cloned()
    }

    pub(super) fn keep_own(
        &self,
        entity: &EntityId,
        names: &[String],
        generation: Generation,
        acl: &Arc<Acl>,
    ) {
        if let Some(mut inner) = self.keep(generation) {
            if inner.own.len() >= OWN && !inner.own.contains_key(entity) {
                inner.own.clear();
            }
            let own = inner.own.entry(entity.clone()).or_default();
            if own.len() >= OWN_SETS {
                own.clear();
            }
            own.insert(names.to_vec(), Arc::clone(acl));
        }
    }

    pub(super) fn identity(&self, entity: &EntityId) -> Option<Arc<Identity>> {
        self.read().identities.get(entity).cloned()
    }

    pub(super) fn keep_identity(&self, generation: Generation, identity: &Arc<Identity>) {
        if let Some(mut inner) = self.keep(generation) {
            if inner.identities.len() >= IDENTITIES {
                inner.identities.clear();
            }
            inner.identities.insert(identity.id().clone(), Arc::clone(identity));
        }
    }

    /// After a write that concerns one entity alone.
    pub(super) fn forget_one(&self, entity: &EntityId) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.generation = Generation(inner.generation.0.wrapping_add(1));
        inner.own.remove(entity);
        inner.identities.remove(entity);
    }

    /// After a write to a policy, an entity or a group.
    pub(super) fn forget(&self) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        *inner = Inner {
            generation: Generation(inner.generation.0.wrapping_add(1)),
            ..Inner::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_write_is_not_kept_after_it() {
        let known = Known::default();
        let names = ["ci".to_owned()];
        let before = known.generation();
        known.forget();
        known.keep_shared(&names, before, &Arc::default());
        assert!(known.shared(&names).is_none());
        known.keep_shared(&names, known.generation(), &Arc::default());
        assert!(known.shared(&names).is_some());
        let (one, other) = (EntityId("one".into()), EntityId("other".into()));
        for entity in [&one, &other] {
            known.keep_own(entity, &names, known.generation(), &Arc::default());
        }
        let read_before = known.generation();
        known.forget_one(&one);
        known.keep_own(&one, &names, read_before, &Arc::default());
        assert!(known.own(&one, &names).is_none() && known.own(&other, &names).is_some());
        known.forget();
        assert!(known.shared(&names).is_none() && known.own(&other, &names).is_none());
    }

    #[test]
    fn it_stays_bounded() {
        let (known, now) = (Known::default(), Generation::default());
        for number in 0..6000 {
            let names = [number.to_string()];
            known.keep_shared(&names, now, &Arc::default());
            known.keep_own(&EntityId(number.to_string()), &names, now, &Arc::default());
            known.keep_own(&EntityId("one".into()), &names, now, &Arc::default());
        }
        let inner = known.read();
        assert!(inner.shared.len() <= SETS && inner.own.len() <= OWN);
        assert!(inner.own.values().all(|own| own.len() <= OWN_SETS));
    }
}
