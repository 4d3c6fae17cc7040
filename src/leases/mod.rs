//! Leases: every credential from before AWS first hears of it until it is provably gone. The row is
//! the write-ahead entry: each change is durable before what follows from it happens, and after a
//! crash the rows alone say what is to be done. Must never forget a lease, nor give up on one.
//!
//! [`state`] is the pure life, [`teardown`] one pass over a user in AWS, `step` what is to be done for
//! one lease now, `revoke` the ways to end one, [`jobs`] many at once, `waiting` for those, `reaper` the timer,
//! `work` who is at what, `alerts` what somebody has to hear of.

mod account;
mod alerts;
pub mod jobs;
mod listing;
mod proven;
mod reaper;
mod reconcile;
mod revoke;
mod sealing;
mod session_cuts;
mod sessions;
mod set_back;
mod standing;
pub mod state;
mod step;
pub mod teardown;
mod waiting;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

use crate::aws::Accounts;
use crate::clock::Clock;
use crate::metrics::{LeaseAct, LeaseEvents};
use crate::model::{
    AccessKeyId, Accessor, Beside, CapReached, CredentialType, JobId, Lease, LeaseCaps, LeaseId,
    LeaseState, MountId, Origin, RoleName, Timestamp, UserName,
};
use crate::random::Random;
use crate::store::{Store, StoreError};

pub use reconcile::Adoption;
pub use revoke::RevokeError;
pub use state::{IllegalTransition, LeaseTiming};

use alerts::Alerts;
pub use jobs::{JobError, JobView};
use session_cuts::SessionCuts;
use state::{LeaseEvent, Moment};
use work::{Claims, Slots};

/// Why a lease could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not in a state for that, e.g. it was revoked meanwhile.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// It did not begin: too many live.
    #[error("a cap on live leases is reached")]
    CapReached(Box<CapReached>),
    /// Its row is not there.
    #[error("there is no lease `{0}`")]
    Unknown(LeaseId),
    /// The broker was sealed meanwhile: the keys of the AWS account are not there.
    #[error("the broker is sealed; what is to be done is done when it is unsealed")]
    Sealed,
}

/// What leases need.
#[derive(Debug)]
pub struct LeaseParts {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who takes users down.
    pub accounts: Arc<Accounts>,
    /// This installation's id.
    pub broker: String,
    /// How long things take.
    pub timing: LeaseTiming,
    /// For jitter.
    pub rng: Random,
}

/// A lease about to begin.
#[derive(Debug, Clone)]
pub struct NewLease {
    /// Its id.
    pub id: LeaseId,
    /// The mount.
    pub mount: MountId,
    /// The role.
    pub role: RoleName,
    /// The role's write that is current.
    pub role_version: u64,
    /// What will be handed out.
    pub credential_type: CredentialType,
    /// The token that asks.
    pub holder: Accessor,
    /// The final name of the IAM user; `None` for STS types.
    pub user: Option<UserName>,
    /// The role's own TTL.
    pub role_ttl: Option<Duration>,
    /// The role's own maximum.
    pub role_max_ttl: Option<Duration>,
    /// Digest of the verdict that lets it through.
    pub verdict: String,
    /// Who asks.
    pub origin: Origin,
    /// The account that it will be made in, where that is known beforehand.
    pub account: Option<String>,
    /// What will have to be undone beside the user.
    pub beside: Beside,
    /// Keyed digest of the caller's `Idempotency-Key`.
    pub request_key: Option<Vec<u8>>,
    /// What the live leases must stay under, with this one.
    pub caps: LeaseCaps,
}

/// All leases.
#[derive(Debug)]
pub struct Leases {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    accounts: Arc<Accounts>,
    broker: String,
    timing: LeaseTiming,
    rng: Random,
    claims: Claims,
    cuts: SessionCuts,
    /// Whether a tidy is under way.
    tidying: AtomicBool,
    slots: Slots,
    alerts: Alerts,
    wake: Arc<Notify>,
    /// Woken when a job begins or changes.
    jobs: Notify,
    /// Woken when the leases of a mount that is being disabled are gone.
    disabled: Notify,
    /// Whose turn it is to mark a page.
    marking: Mutex<()>,
    /// Where each open job was last seen to have a lease left.
    places: std::sync::Mutex<HashMap<JobId, i64>>,
    stopping: AtomicBool,
    /// When the reaper means to look next, in milliseconds: whoever makes something due earlier
    /// wakes it.
    planned: AtomicI64,
    events: LeaseEvents,
    /// The latest moment that the reaper saw, in milliseconds; a clock that shows less was set back.
    seen: AtomicI64,
    /// Nothing is done by itself while this is set.
    paused: AtomicBool,
    /// Nothing is done in AWS while this is set.
    sealed: AtomicBool,
}

/// How often a change is tried again after somebody else changed the row: two writers at most meet
/// on a lease, so this is never used up.
const CONFLICTS: usize = 16;

impl Leases {
    /// Over the rows that are there. Nothing happens before [`Self::run`] or [`Self::run_due`].
    pub fn new(parts: LeaseParts) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        let slots = Slots::new(parts.timing.concurrency);
        Arc::new(Self {
            store: parts.store,
            clock: parts.clock,
            accounts: parts.accounts,
            broker: parts.broker,
            timing: parts.timing,
            rng: parts.rng,
            claims: Claims::new(Arc::clone(&wake)),
            cuts: SessionCuts::default(),
            tidying: AtomicBool::new(false),
            slots,
            alerts: Alerts::default(),
            wake,
            jobs: Notify::new(),
            disabled: Notify::new(),
            marking: Mutex::new(()),
            places: std::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            planned: AtomicI64::new(i64::MAX),
            events: LeaseEvents::default(),
            seen: AtomicI64::new(i64::MIN),
            paused: AtomicBool::new(false),
            sealed: AtomicBool::new(false),
        })
    }

    /// Writes the row. AWS may be called when this returned, not before.
    pub async fn begin(&self, new: NewLease) -> Result<Lease, LeaseError> {
        let lease = Lease {
            id: new.id,
            mount: new.mount,
            role: new.role,
            role_version: new.role_version,
            credential_type: new.credential_type,
            holder: new.holder,
            user: new.user,
            issued_at: self.clock.now(),
            role_ttl: new.role_ttl,
            role_max_ttl: new.role_max_ttl,
            last_renewal: None,
            verdict: new.verdict,
            origin: new.origin,
            account: new.account,
            user_id: None,
            beside: new.beside,
            request_key: new.request_key,
            proven_at: None,
            forced: false,
            state: LeaseState::Pending,
            revision: 1,
        };
        self.write_first(&lease, new.caps).await?;
        self.due_by(lease.issued_at.after(self.timing.settling));
        Ok(lease)
    }

    async fn write_first(&self, lease: &Lease, caps: LeaseCaps) -> Result<(), LeaseError> {
        if caps.is_unlimited() {
            return Ok(self.store.begin_lease(lease).await?);
        }
        match self.store.begin_lease_within(lease, caps).await? {
            Some(reached) => Err(LeaseError::CapReached(Box::new(reached))),
            None => Ok(()),
        }
    }

    /// The credential may be handed out when this returned.
    pub async fn activate(
        &self,
        lease: Lease,
        key: AccessKeyId,
        expires_at: Timestamp,
    ) -> Result<Lease, LeaseError> {
        let activate = LeaseEvent::Activate { access_key: key, expires_at };
        let started = Instant::now();
        // A lease whose token ended meanwhile turns to its teardown, and refuses to be activated.
        let lease = if self.holder_ended(&lease).await? {
            self.apply(lease, &[LeaseEvent::TokenEnded, activate]).await?
        } else {
            self.apply(lease, &[activate]).await?
        };
        self.events.took(LeaseAct::Register, started.elapsed());
        self.due_by(expires_at);
        Ok(lease)
    }

    async fn holder_ended(&self, lease: &Lease) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let holder = self.store.token_by_accessor(&lease.holder).await?;
        Ok(holder.is_some_and(|token| {
            token.ended_at.is_some() || token.expires_at.is_some_and(|end| end <= now)
        }))
    }

    /// `CreateUser` was definitely refused: there is nothing to tear down.
    pub async fn refused(&self, lease: Lease) -> Result<(), LeaseError> {
        self.apply(lease, &[LeaseEvent::Refused]).await.map(drop)
    }

    /// It will not be handed out. The teardown begins at once, in the background.
    pub async fn abandon(&self, lease: Lease) -> Result<(), LeaseError> {
        let lease = self.apply(lease, &[LeaseEvent::Abandon]).await?;
        tracing::info!(
            lease.id = %lease.id, aws.user = user(&lease), role.name = %lease.role,
            "lease {} abandoned", lease.id
        );
        self.wake.notify_one();
        Ok(())
    }

    /// A lease that a caller may see.
    pub async fn get(&self, id: &LeaseId) -> Result<Option<Lease>, LeaseError> {
        Ok(self.store.lease(id).await?.filter(Lease::is_visible))
    }

    /// Renews: the lease now ends at `expires_at`, which the engine worked out.
    pub async fn extend(&self, lease: Lease, expires_at: Timestamp) -> Result<Lease, LeaseError> {
        let (now, started) = (self.clock.now(), Instant::now());
        let renewed = self
            .update(lease, |lease| {
                lease.state = self.next(lease, &LeaseEvent::Renew { expires_at })?;
                lease.last_renewal = Some(now);
                Ok(())
            })
            .await?;
        self.events.took(LeaseAct::Renew, started.elapsed());
        self.due_by(expires_at);
        Ok(renewed)
    }

    /// A token ended, and the store made its leases due.
    pub fn token_ended(&self) {
        self.wake.notify_one();
    }

    /// Something will be due at that moment: a token that was made, for example.
    pub fn due_by(&self, at: Timestamp) {
        if at.as_millis() < self.planned.load(Ordering::SeqCst) {
            self.wake.notify_one();
        }
    }

    /// Takes a lease through `events`, durably.
    async fn apply(&self, lease: Lease, events: &[LeaseEvent]) -> Result<Lease, LeaseError> {
        let changed = self.update(lease, |lease| {
            for event in events {
                lease.state = self.next(lease, event)?;
            }
            Ok(())
        });
        changed.await
    }

    fn next(&self, lease: &Lease, event: &LeaseEvent) -> Result<LeaseState, IllegalTransition> {
        let moment = Moment {
            now: self.clock.now(),
            issued_at: lease.issued_at,
            has_user: has_user(lease),
            timing: &self.timing,
            jitter: self.rng.unit(),
        };
        state::next(&lease.state, event, &moment)
    }

    /// Changes and saves; where somebody was faster, reads the row again and changes that.
    async fn update(
        &self,
        mut lease: Lease,
        change: impl Fn(&mut Lease) -> Result<(), LeaseError> + Send,
    ) -> Result<Lease, LeaseError> {
        for _ in 0..CONFLICTS {
            change(&mut lease)?;
            match self.store.save_lease(&lease).await {
                Ok(()) => {
                    lease.revision = lease.revision.saturating_add(1);
                    return Ok(lease);
                }
                Err(StoreError::Conflict) => {
                    let row = self.store.lease(&lease.id).await?;
                    let row = row.ok_or_else(|| LeaseError::Unknown(lease.id.clone()))?;
                    // What AWS said it made does not change, and nobody else was told.
                    let account = row.account.clone().or(lease.account);
                    let user_id = row.user_id.clone().or(lease.user_id);
                    lease = Lease { account, user_id, ..row };
                }
                Err(error @ (StoreError::Failed(_) | StoreError::Closed)) => {
                    return Err(error.into());
                }
            }
        }
        Err(StoreError::Conflict.into())
    }
}

/// Whether there is something in AWS that stays until it is removed.
fn has_user(lease: &Lease) -> bool {
    match lease.credential_type {
        CredentialType::IamUser => lease.user.is_some(),
        CredentialType::AssumedRole
        | CredentialType::FederationToken
        | CredentialType::SessionToken => false,
    }
}

/// For the log.
fn user(lease: &Lease) -> &str {
    lease.user.as_ref().map_or("", UserName::as_str)
}

#[cfg(test)]
mod tests;
