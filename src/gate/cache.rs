//! A bounded memory of what was worked out before, by the digest of everything that went in.
//! It may forget at any time and never answers for another input, so it can only save work.
//! Used for documents in `document` and for verdicts in the parent module.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::digest::Digest;

/// What was worked out, oldest out first.
// INVARIANT: `order` holds each key of `held` once; `weight` is the sum over `held`, at most `limit`.
pub(super) struct Cache<V> {
    inner: Mutex<Inner<V>>,
    limit: usize,
}

struct Inner<V> {
    held: HashMap<Digest, (V, usize)>,
    order: VecDeque<Digest>,
    weight: usize,
}

impl<V: Clone> Cache<V> {
    /// Holds at most `limit` of whatever unit the weights are in.
    pub(super) fn new(limit: usize) -> Self {
        let inner = Inner { held: HashMap::new(), order: VecDeque::new(), weight: 0 };
        Self { inner: Mutex::new(inner), limit }
    }

    pub(super) fn get(&self, key: &Digest) -> Option<V> {
        self.lock().held.get(key).map(|(value, _)| value.clone())
    }

    /// Keeps a value, unless it alone is over the limit.
    pub(super) fn put(&self, key: Digest, value: V, weight: usize) {
        // What is let go is taken apart when nobody waits any more: a document is hundreds of blocks.
        let let_go = self.replace(key, value, weight);
        drop(let_go);
    }

    /// The same, and gives what it makes room by.
    fn replace(&self, key: Digest, value: V, weight: usize) -> Vec<V> {
        let mut let_go = Vec::new();
        let mut inner = self.lock();
        if weight > self.limit || inner.held.contains_key(&key) {
            return let_go;
        }
        while inner.weight > self.limit.saturating_sub(weight) {
            let Some(oldest) = inner.order.pop_front() else {
                break;
            };
            if let Some((value, freed)) = inner.held.remove(&oldest) {
                inner.weight = inner.weight.saturating_sub(freed);
                let_go.push(value);
            }
        }
        inner.held.insert(key, (value, weight));
        inner.order.push_back(key);
        inner.weight = inner.weight.saturating_add(weight);
        let_go
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let mut inner = self.lock();
        inner.held.clear();
        inner.order.clear();
        inner.weight = 0;
    }

    /// A panic elsewhere cannot leave half an entry: each change above is made under the lock and is total.
    fn lock(&self) -> MutexGuard<'_, Inner<V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn what_was_put_is_found_until_it_is_the_oldest_of_too_many() {
        let cache = Cache::new(10);
        cache.put(key("a"), 1, 4);
        cache.put(key("b"), 2, 4);
        assert_eq!((cache.get(&key("a")), cache.get(&key("b"))), (Some(1), Some(2)));
        cache.put(key("c"), 3, 4);
        assert_eq!(cache.get(&key("a")), None);
        assert_eq!((cache.get(&key("b")), cache.get(&key("c"))), (Some(2), Some(3)));
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_drives_nothing_out() {
        let cache = Cache::new(10);
        cache.put(key("a"), 1, 10);
        cache.put(key("b"), 2, 11);
        assert_eq!((cache.get(&key("a")), cache.get(&key("b"))), (Some(1), None));
    }
}
