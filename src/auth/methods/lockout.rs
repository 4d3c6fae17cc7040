//! Who has guessed too often (contract 3.3): per mount and alias, in memory, with a bound on how many. A
//! locked alias is locked for everybody, with the right secret too; a restart forgets. Time is an argument.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::{AuthMountId, Timestamp};

/// Failed logins in a row that lock an alias (contract 3.3).
const THRESHOLD: u32 = 5;
/// How long it stays locked, and how long a failure counts (contract 3.3).
const SPAN: Duration = Duration::from_mins(15);
/// Aliases that are kept: 2 MB at about 200 bytes each. Whoever fills this with names of nobody makes us
/// forget the oldest that is not locked.
const KEPT: usize = 10_000;
/// Characters of an alias that are kept; longer ones are nobody's.
const ALIAS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Lockout {
    failures: Mutex<HashMap<(AuthMountId, String), Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn counts(self, now: Timestamp) -> bool {
        now < self.last.after(SPAN)
    }

    fn locks(self, now: Timestamp) -> bool {
        self.count >= THRESHOLD && self.counts(now)
    }
}

fn key(mount: &AuthMountId, alias: &str) -> (AuthMountId, String) {
    (mount.clone(), alias.chars().take(ALIAS).collect())
}

impl Lockout {
    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<(AuthMountId, String), Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_locked(&self, mount: &AuthMountId, alias: &str, now: Timestamp) -> bool {
        self.failures().get(&key(mount, alias)).is_some_and(|failures| failures.locks(now))
    }

    /// Counts a failed login; tells whether it is the one that locks.
    pub(super) fn failed(&self, mount: &AuthMountId, alias: &str, now: Timestamp) -> bool {
        let mut all = self.failures();
        let key = key(mount, alias);
        if all.len() >= KEPT && !all.contains_key(&key) {
            make_room(&mut all, now);
        }
        let failures = all.entry(key).or_insert(Failures { count: 0, last: now });
        let before = if failures.counts(now) { failures.count } else { 0 };
        *failures = Failures { count: before.saturating_add(1), last: now };
        failures.count == THRESHOLD
    }

    pub(super) fn succeeded(&self, mount: &AuthMountId, alias: &str) {
        self.failures().remove(&key(mount, alias));
    }
}

/// What counts no more goes; else a tenth, the oldest first, those that are locked last.
fn make_room(all: &mut HashMap<(AuthMountId, String), Failures>, now: Timestamp) {
    all.retain(|_, failures| failures.counts(now));
    if all.len() < KEPT {
        return;
    }
    let mut by_age: Vec<_> = all
        .iter()
        .map(|(key, failures)| (failures.locks(now), failures.last, key.clone()))
        .collect();
    by_age.sort_unstable_by_key(|one| (one.0, one.1));
    for (_, _, key) in by_age.into_iter().take(KEPT.div_ceil(10)) {
        all.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn mount(name: &str) -> AuthMountId {
        AuthMountId(name.to_owned())
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn five_failures_lock_an_alias_for_a_quarter_of_an_hour() {
        let (lockout, mount) = (Lockout::default(), mount("m"));
        let told: Vec<bool> = (0..5).map(|at| lockout.failed(&mount, "bob", later(at))).collect();
        assert_eq!(told, [false, false, false, false, true]);
        assert!(lockout.is_locked(&mount, "bob", later(5)));
        assert!(lockout.is_locked(&mount, "bob", later(4 + 899)));
        assert!(!lockout.is_locked(&mount, "bob", later(4 + 900)));
        assert!(!lockout.failed(&mount, "bob", later(4 + 900)), "it begins again at one");
    }

    #[test]
    fn others_and_other_mounts_are_not_locked_and_a_success_wipes_the_slate() {
        let (lockout, one) = (Lockout::default(), mount("m"));
        for _ in 0..4 {
            lockout.failed(&one, "bob", NOW);
        }
        lockout.succeeded(&one, "bob");
        for _ in 0..4 {
            assert!(!lockout.failed(&one, "bob", NOW));
        }
        lockout.failed(&one, "bob", NOW);
        assert!(lockout.is_locked(&one, "bob", NOW));
        assert!(!lockout.is_locked(&one, "eve", NOW));
        assert!(!lockout.is_locked(&mount("n"), "bob", NOW));
    }

    #[test]
    fn old_failures_do_not_add_up() {
        let (lockout, mount) = (Lockout::default(), mount("m"));
        for at in 0..10 {
            assert!(!lockout.failed(&mount, "bob", later(at * 900)));
        }
        assert!(!lockout.is_locked(&mount, "bob", later(9 * 900)));
    }

    #[test]
    fn strangers_cannot_fill_the_memory_nor_unlock_who_is_locked() {
        let (lockout, mount) = (Lockout::default(), mount("m"));
        for _ in 0..5 {
            lockout.failed(&mount, "bob", NOW);
        }
        for name in 0..3 * KEPT {
            lockout.failed(&mount, &format!("{name}{}", "x".repeat(2 * ALIAS)), later(1));
        }
        let kept = lockout.failures().len();
        assert!(kept <= KEPT, "{kept}");
        assert!(lockout.failures().keys().all(|(_, alias)| alias.len() <= ALIAS));
        assert!(lockout.is_locked(&mount, "bob", later(2)));
    }
}
