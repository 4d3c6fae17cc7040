//! What a sealed broker knows of AWS accounts: nothing. Their keys are let go of with it, and bound anew when it is
//! unsealed. A call that is under way comes to its end.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::{Accounts, AwsError};

impl Accounts {
    /// Forgets every account; until [`Accounts::take_up`] there is none for any mount.
    pub fn let_go(&self) {
        self.sealed.store(true, Ordering::SeqCst);
        self.bound.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Mounts may be bound again.
    pub fn take_up(&self) {
        self.sealed.store(false, Ordering::SeqCst);
    }

    pub(in crate::aws) fn is_let_go(&self) -> bool {
        self.sealed.load(Ordering::SeqCst)
    }
}

pub(super) fn let_go() -> AwsError {
    AwsError::NotConfigured("the broker is sealed".to_owned())
}
