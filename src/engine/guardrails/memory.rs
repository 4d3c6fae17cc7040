//! What the engine keeps of guardrails in memory, beside the set that judges: whose turn it is to change them, whether what
//! is stored judges yet, what was tried before it was bound. All of it may be lost with the process: a start loads what is
//! stored, and who was forgotten is warned once more.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::verdicts;
use crate::model::{Binding, Mode};

/// Bindings that a what-if was run on, since this start; all are forgotten beyond this. A thousand digests are 32 KiB, and
/// nobody tries a thousand before they bind one; who was forgotten is warned once more than they need be.
const MOST_TRIED: usize = 1_000;

/// What is kept.
#[derive(Debug, Default)]
pub(in crate::engine) struct Guardrails {
    /// Held from the read of a row until the set that follows from it judges: sets take their turns.
    pub(super) changes: tokio::sync::Mutex<()>,
    /// Held by the one what-if that runs.
    pub(super) what_if: tokio::sync::Mutex<()>,
    /// Whether what is stored may be other than what judges: set before anything is written, taken away once what is
    /// stored judges. While it is set, whoever looks after guardrails loads them again.
    stale: AtomicBool,
    /// What was tried on every role before it was bound.
    tried: Mutex<BTreeSet<[u8; 32]>>,
    pub(super) kept: verdicts::Kept,
}

impl Guardrails {
    /// What is written from here on may be durable whatever comes of it. Gives what to go back to where nothing was.
    pub(super) fn writing(&self) -> bool {
        self.stale.swap(true, Ordering::AcqRel)
    }

    /// Nothing was written after all.
    pub(super) fn wrote_nothing(&self, before: bool) {
        self.stale.store(before, Ordering::Release);
    }

    /// What is stored judges.
    pub(super) fn in_force(&self) {
        self.stale.store(false, Ordering::Release);
    }

    /// Whether what is stored may be other than what judges.
    pub(super) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    pub(super) fn was_tried(&self, binding: &Binding) -> bool {
        self.lock().contains(&what_judges(binding))
    }

    pub(super) fn tried(&self, binding: &Binding) {
        let mut tried = self.lock();
        if tried.len() >= MOST_TRIED {
            tried.clear();
        }
        tried.insert(what_judges(binding));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<[u8; 32]>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Over a binding without what leaves its findings as they are.
pub(super) fn what_judges(binding: &Binding) -> [u8; 32] {
    let bare = Binding { mode: Mode::Off, order: 0, ..binding.clone() };
    // Plain data with texts as keys: it can always be written.
    let text = serde_json::to_vec(&bare).unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    digest.as_ref().try_into().unwrap_or_default()
}
