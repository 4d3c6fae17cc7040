//! What a comparison with AWS may do to leases: make a row for a user that has none, so that it is torn
//! down or kept as any other, and hold everything still while nobody has looked at a restored database.
//! Must never make a row for a tag that already has one: its lease decides then.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::state::LeaseEvent;
use super::{LeaseError, Leases};
use crate::model::{
    AccessKeyId, Accessor, Beside, CredentialType, EndReason, Lease, LeaseId, LeaseState,
    MountPath, Origin, Orphan, RoleName, TeardownProgress, Timestamp,
};
use crate::store::StoreError;

/// A user that gets a row.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// The id that the row gets; it ends in the user's own tag.
    pub id: LeaseId,
    /// The user.
    pub orphan: Orphan,
    /// Under which role it is shown.
    pub role: RoleName,
    /// Who holds it from now on.
    pub holder: Accessor,
    /// Display name of who asks.
    pub caller: String,
    /// Where the request came from.
    pub source: Option<IpAddr>,
    /// A key of the user.
    pub access_key: Option<AccessKeyId>,
    /// The account that the user is in, where AWS says it: only its keys may ever call the user gone.
    pub account: Option<String>,
    /// Whether a managed policy of the lease's own is attached.
    pub managed_policy: bool,
}

impl Adoption {
    /// The id of the row for an orphan whose tag is `tag`.
    pub fn id_for(mount: &MountPath, role: &RoleName, tag: &crate::model::LeaseTag) -> LeaseId {
        LeaseId::new(mount, "creds", role, tag)
    }
}

impl Leases {
    /// Holds still: nothing is torn down, ended or purged by itself. What is asked for is done.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
    }

    /// Goes on, at once.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Whether it holds still.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst) || self.is_sealed()
    }

    /// Before this age an absent user is not taken for gone, nor a user without a row for an orphan.
    pub fn settling(&self) -> Duration {
        self.timing.settling
    }

    /// A row for a user that works on until `until`.
    pub async fn adopt(
        &self,
        adoption: Adoption,
        access_key: AccessKeyId,
        until: Timestamp,
    ) -> Result<Lease, LeaseError> {
        let lease = row(adoption, LeaseState::Active { access_key, expires_at: until });
        self.store.begin_lease(&lease).await?;
        self.due_by(until);
        Ok(lease)
    }

    /// A row for a user that is to be removed: as durable as any revocation, and never given up.
    pub async fn adopt_to_remove(&self, adoption: Adoption) -> Result<LeaseId, LeaseError> {
        let now = self.clock.now();
        let state = LeaseState::Revoking(TeardownProgress {
            reason: EndReason::Abandoned,
            since: now,
            access_key: adoption.access_key.clone(),
            expires_at: None,
            contained_at: None,
            removed_at: None,
            looks: 0,
            attempts: 0,
            next_attempt_at: now,
            last_failure: None,
        });
        let lease = row(adoption, state);
        self.store.begin_lease(&lease).await?;
        self.wake.notify_one();
        Ok(lease.id)
    }

    /// A lease that was called gone while a user with its tags is there, perhaps under another name since
    /// somebody renamed it: it is torn down again.
    pub async fn remove_again(
        &self,
        lease: Lease,
        orphan: &Orphan,
        account: Option<&str>,
    ) -> Result<LeaseId, LeaseError> {
        let again = self.update(lease, |lease| {
            lease.state = self.next(lease, &LeaseEvent::Abandon)?;
            lease.user = Some(orphan.user.clone());
            lease.user_id = Some(orphan.user_id.clone());
            lease.account = account.map(str::to_owned).or_else(|| lease.account.clone());
            Ok(())
        });
        let lease = again.await?;
        self.wake.notify_one();
        Ok(lease.id)
    }

    /// The lease whose id ends in `tag`, gone or not.
    pub async fn by_tag(&self, tag: &crate::model::LeaseTag) -> Result<Option<Lease>, StoreError> {
        self.store.lease_by_tag(tag).await
    }
}

fn row(adoption: Adoption, state: LeaseState) -> Lease {
    Lease {
        id: adoption.id,
        mount: adoption.orphan.mount,
        role: adoption.role,
        role_version: 0,
        credential_type: CredentialType::IamUser,
        holder: adoption.holder,
        user: Some(adoption.orphan.user),
        issued_at: adoption.orphan.created_at,
        role_ttl: None,
        role_max_ttl: None,
        last_renewal: None,
        verdict: String::new(),
        origin: Origin {
            caller: adoption.caller,
            source: adoption.source,
            policy_digest: String::new(),
        },
        account: adoption.account,
        user_id: Some(adoption.orphan.user_id),
        beside: Beside { managed_policy: adoption.managed_policy, ..Beside::default() },
        request_key: None,
        proven_at: None,
        forced: false,
        state,
        revision: 1,
    }
}
