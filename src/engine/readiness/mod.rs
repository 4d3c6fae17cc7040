//! Keys of a fresh user are seen to work before they are handed out: `GetCallerIdentity`, signed with the
//! new key, at every STS endpoint that is configured. IAM is eventually consistent, and callers of Vault
//! are told to sleep. Must never fail an issue: what could not be seen is a warning, and the lease goes on.

mod look;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Engine;
use crate::aws::{NewAccessKey, NewUser};
use crate::leases::Leases;
use crate::model::{Lease, LeaseId, LeaseState, Mount, Readiness, Role, Timestamp};

use look::{Doubt, Seen, Subject, look};

/// How long a reply waits at most. 10 s: the documentation of Vault and of AWS's clients tells people to
/// sleep 5 to 10 s (contract 6). Beside it `CreateUser` and what follows have
/// [`super::issue::LONGEST_STEP`] each: together well under the settling time of a lease.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long it is looked at in the background. 60 s: what IAM takes on a bad day (as
/// [`crate::leases::LeaseTiming::second_look`]).
const LONGEST_LOOK: Duration = Duration::from_mins(1);

/// What the reply says of the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadinessReport {
    /// `wait` or `async`.
    pub mode: &'static str,
    /// Whether every endpoint knew the key.
    pub proven: bool,
    /// Host names of those that did.
    pub endpoints: Vec<String>,
    /// The fewest successes in a row at one of these; 0 where there is none.
    pub successes: u32,
    /// How long that took.
    pub waited_ms: u64,
}

/// What is known of a key when it is handed out.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// For the reply; `None` where nobody looks.
    pub(super) report: Option<ReadinessReport>,
    /// When it was seen to work.
    pub(super) proven_at: Option<Timestamp>,
    /// One per endpoint that does not know it.
    pub(super) warnings: Vec<String>,
}

impl Engine {
    /// Looks at the key as the role says, for as long as a caller can wait.
    pub(super) async fn prove_key(
        &self,
        mount: &Mount,
        role: &Role,
        lease: &LeaseId,
        (user, key): (&NewUser, &NewAccessKey),
    ) -> Proof {
        let mode = role.delivery.readiness.unwrap_or_default();
        match mode {
            Readiness::Off => {
                self.deliveries.not_looked();
                return Proof::default();
            }
            Readiness::Async => return Proof { report: Some(unproven(mode)), ..Proof::default() },
            Readiness::Wait => {}
        }
        let subject = Subject::new(role, user, key);
        let seen = match self.parts.accounts.key_probe(&mount.id).await {
            Ok(probe) => look(probe.as_ref(), &subject, LONGEST_WAIT).await,
            Err(error) => Seen::nothing(&error),
        };
        log(lease, &seen.doubts);
        self.deliveries.looked(mode.as_str(), seen.doubts.is_empty(), seen.took);
        let report = ReadinessReport {
            proven: seen.doubts.is_empty(),
            endpoints: seen.endpoints,
            successes: seen.successes,
            waited_ms: u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX),
            ..unproven(mode)
        };
        Proof {
            proven_at: report.proven.then(|| self.parts.clock.now()),
            report: Some(report),
            warnings: seen.doubts.iter().map(Doubt::warning).collect(),
        }
    }

    /// Where the role says `async`: looks in the background, and writes into the lease when the key was
    /// seen to work.
    pub(super) fn prove_later(
        &self,
        mount: &Mount,
        role: &Role,
        lease: &LeaseId,
        (user, key): (&NewUser, &NewAccessKey),
    ) {
        match role.delivery.readiness.unwrap_or_default() {
            Readiness::Async => {}
            Readiness::Wait | Readiness::Off => return,
        }
        let (accounts, leases) = (Arc::clone(&self.parts.accounts), Arc::clone(&self.parts.leases));
        let (clock, mount, id) = (Arc::clone(&self.parts.clock), mount.id.clone(), lease.clone());
        let (subject, deliveries) = (Subject::new(role, user, key), self.deliveries.clone());
        tokio::spawn(async move {
            let seen = match accounts.key_probe(&mount).await {
                Ok(probe) => look(probe.as_ref(), &subject, LONGEST_LOOK).await,
                Err(error) => Seen::nothing(&error),
            };
            deliveries.looked(Readiness::Async.as_str(), seen.doubts.is_empty(), seen.took);
            record(&leases, &id, &seen, clock.now()).await;
        });
    }
}

async fn record(leases: &Leases, id: &LeaseId, seen: &Seen, now: Timestamp) {
    // The key of a lease that was ended meanwhile does not work any more, as it should be.
    let is_active = |lease: Lease| matches!(lease.state, LeaseState::Active { .. });
    if leases.get(id).await.map_or(true, |lease| lease.is_some_and(is_active)) {
        log(id, &seen.doubts);
    }
    if seen.doubts.is_empty()
        && let Err(error) = leases.proven(id, now).await
    {
        tracing::warn!(lease.id = %id, error = %error, "that the key of lease {id} works could not be written down");
    }
}

fn log(lease: &LeaseId, doubts: &[Doubt]) {
    for doubt in doubts {
        tracing::warn!(lease.id = %lease, "the key of lease {lease} was not seen to work: {}", doubt.reason());
    }
}

const fn unproven(mode: Readiness) -> ReadinessReport {
    let mode = mode.as_str();
    ReadinessReport { mode, proven: false, endpoints: Vec::new(), successes: 0, waited_ms: 0 }
}
