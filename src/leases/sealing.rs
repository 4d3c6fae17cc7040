//! What leases do while the broker is sealed: nothing. Their rows stay as they are, whatever becomes due meanwhile is
//! done when it is unsealed. A pass that is under way comes to its end with the keys that it has.

use std::sync::atomic::Ordering;

use super::Leases;

impl Leases {
    /// From now on nothing is torn down, ended or purged, not even what is asked for.
    pub fn seal(&self) {
        self.sealed.store(true, Ordering::SeqCst);
    }

    /// Goes on, at once.
    pub fn unseal(&self) {
        self.sealed.store(false, Ordering::SeqCst);
        self.wake.notify_one();
        self.jobs.notify_one();
    }

    /// Whether the broker is sealed.
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::SeqCst)
    }
}
