//! What somebody has to hear about a teardown that does not come to its end: once when it has failed too often,
//! once when a credential works for too long after its end. Not once an attempt: ten thousand leases that
//! cannot be removed must not bury what is said about them. The thresholds are documented in `docs/LOGGING.md`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::user;
use crate::model::{Lease, LeaseId, TeardownProgress, Timestamp};

/// Failed passes in a row. 6: where Vault gives up (contract 5.3).
const MANY_ATTEMPTS: u32 = 6;
/// How long a credential may work after its lease began to end. 5 min: five failed passes or so, and the time
/// that IAM may take to show a fresh user.
const CONTAINED_WITHIN: Duration = Duration::from_mins(5);

/// Leases that were said to be late. In memory only: a new process says it again.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    late: Mutex<HashSet<LeaseId>>,
}

impl Alerts {
    /// A pass failed.
    pub(super) fn failed(
        &self,
        lease: &Lease,
        before: &TeardownProgress,
        after: &TeardownProgress,
        now: Timestamp,
    ) {
        let class = after.last_failure.as_ref().map(|(class, _)| *class);
        if before.attempts < MANY_ATTEMPTS && after.attempts >= MANY_ATTEMPTS {
            tracing::error!(
                lease.id = %lease.id, aws.user = user(lease), role.name = %lease.role,
                attempts = after.attempts, contained = after.contained_at.is_some(),
                error.class = ?class, alert = "teardown_failing",
                "lease {} could not be removed in {MANY_ATTEMPTS} attempts and is tried on", lease.id
            );
        }
        if after.contained_at.is_some() {
            return self.over(&lease.id);
        }
        let since = now.since(after.since);
        if since >= CONTAINED_WITHIN && self.late().insert(lease.id.clone()) {
            tracing::error!(
                lease.id = %lease.id, aws.user = user(lease), role.name = %lease.role,
                attempts = after.attempts, since_s = since.as_secs(),
                error.class = ?class, alert = "not_contained",
                "the credential of lease {} may still work {} s after its end", lease.id, since.as_secs()
            );
        }
    }

    /// It is contained or removed.
    pub(super) fn over(&self, id: &LeaseId) {
        self.late().remove(id);
    }

    fn late(&self) -> std::sync::MutexGuard<'_, HashSet<LeaseId>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
