//! Rotations of keys: how many new keys took the place of old ones, and how many tries failed. Counted in
//! [`crate::engine`]; how many are overdue is looked up ([`super::Standing`]). Whose keys is no label.

use prometheus::IntCounterVec;

use super::instrument::{Shown, counters};

/// What kind of key is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotatedKey {
    /// Of `config/root`.
    Root,
    /// Of a static role.
    Static,
}

impl RotatedKey {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Static => "static",
        }
    }
}

/// Rotations of keys.
#[derive(Debug, Clone)]
pub struct RotationEvents(IntCounterVec);

impl Default for RotationEvents {
    fn default() -> Self {
        let total = counters(
            "leasehold_rotations_total",
            "New keys that took the place of old ones, and tries that failed.",
            &["key", "outcome"],
        );
        for key in [RotatedKey::Root, RotatedKey::Static] {
            for outcome in ["done", "failed"] {
                total.with_label_values(&[key.as_str(), outcome]);
            }
        }
        Self(total)
    }
}

impl RotationEvents {
    /// A new key is stored and in use.
    pub fn done(&self, key: RotatedKey) {
        self.0.with_label_values(&[key.as_str(), "done"]).inc();
    }

    /// A try failed, or did not end what it began; there is another one.
    pub fn failed(&self, key: RotatedKey) {
        self.0.with_label_values(&[key.as_str(), "failed"]).inc();
    }

    pub(super) fn collectors(&self) -> Vec<Shown> {
        vec![Box::new(self.0.clone())]
    }
}
