//! Leases as a caller sees them: look one up, renew one (contract 2.2). Renewal makes no AWS call and
//! never reads the role: what the role said is fixed in the lease. Revoking is [`crate::leases`]'.

use std::time::Duration;

use super::Engine;
use super::ttl::{PastMax, TtlSources};
use crate::leases::LeaseError;
use crate::model::{CredentialType, Lease, LeaseId, LeaseState, Timestamp};
use crate::store::StoreError;

/// A lease as lookup shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Its id.
    pub id: LeaseId,
    /// When it was issued.
    pub issue_time: Timestamp,
    /// When it ends, or should have.
    pub expire_time: Option<Timestamp>,
    /// When it was last renewed.
    pub last_renewal: Option<Timestamp>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Seconds until it ends; negative when past.
    pub ttl_seconds: i64,
    /// What the last failed teardown pass met.
    pub revoke_error: Option<String>,
    /// When the credential was seen to work.
    pub proven_at: Option<Timestamp>,
}

/// A renewed lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// Its id.
    pub id: LeaseId,
    /// Seconds until it ends now.
    pub ttl_seconds: u64,
    /// Whether it can be renewed again.
    pub renewable: bool,
    /// Vault's sentence about a cap.
    pub warnings: Vec<String>,
}

/// Why a lease was not renewed. The texts are the contract's (2.2).
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// There is none that a caller may see.
    #[error("lease not found")]
    NotFound,
    /// Its type is not renewed.
    #[error("lease is not renewable")]
    NotRenewable,
    /// Its time is over, or it is being revoked.
    #[error("lease expired")]
    Expired,
    /// The same, and tearing it down failed so far.
    #[error("lease is expired and has failed previous revocation attempts")]
    FailedRevocation,
    /// It is as old as it may get.
    #[error(transparent)]
    PastMax(#[from] PastMax),
    /// The lease could not be read or saved.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// A lease that a caller may see.
    pub async fn lookup_lease(&self, id: &LeaseId) -> Result<Option<LeaseView>, LeaseError> {
        let now = self.parts.clock.now();
        Ok(self.parts.leases.get(id).await?.map(|lease| view(&lease, now)))
    }

    /// Renews a lease; `increment` is a wish, counted from now.
    pub async fn renew_lease(
        &self,
        id: &LeaseId,
        increment: Option<Duration>,
    ) -> Result<Renewed, RenewError> {
        let lease = self.parts.leases.get(id).await?.ok_or(RenewError::NotFound)?;
        let now = self.parts.clock.now();
        check_renewable(&lease, now)?;
        let mount = self.table.by_id(&lease.mount).ok_or(RenewError::NotFound)?;
        let sources = TtlSources {
            role_ttl: lease.role_ttl,
            role_max_ttl: lease.role_max_ttl,
            config: self.parts.store.lease_config(&mount.id).await?,
            mount: self.effective_tuning(&mount),
        };
        let resolved = sources.at_renewal(increment, now.since(lease.issued_at))?;
        let expires_at = now.after(resolved.ttl);
        match self.parts.leases.extend(lease, expires_at).await {
            Ok(_renewed) => {}
            // It ended between the look and the write.
            Err(LeaseError::Illegal(_)) => return Err(RenewError::Expired),
            Err(error) => return Err(error.into()),
        }
        Ok(Renewed {
            id: id.clone(),
            ttl_seconds: u64::try_from(expires_at.seconds_from(now)).unwrap_or(0),
            renewable: true,
            warnings: resolved.warning.into_iter().collect(),
        })
    }
}

fn view(lease: &Lease, now: Timestamp) -> LeaseView {
    let (expire_time, revoke_error) = match &lease.state {
        LeaseState::Active { expires_at, .. } => (Some(*expires_at), None),
        LeaseState::Revoking(progress) => {
            let failure = progress.last_failure.as_ref().map(|(_, sentence)| sentence.clone());
            (progress.expires_at, failure)
        }
        LeaseState::Pending | LeaseState::Revoked { .. } => (None, None),
    };
    LeaseView {
        id: lease.id.clone(),
        issue_time: lease.issued_at,
        expire_time,
        last_renewal: lease.last_renewal,
        renewable: check_renewable(lease, now).is_ok(),
        ttl_seconds: expire_time.map_or(0, |end| end.seconds_from(now)),
        revoke_error,
        proven_at: lease.proven_at,
    }
}

fn check_renewable(lease: &Lease, now: Timestamp) -> Result<(), RenewError> {
    match &lease.state {
        LeaseState::Pending | LeaseState::Revoked { .. } => Err(RenewError::NotFound),
        LeaseState::Revoking(progress) if progress.last_failure.is_some() => {
            Err(RenewError::FailedRevocation)
        }
        LeaseState::Revoking(_) => Err(RenewError::Expired),
        LeaseState::Active { expires_at, .. } if *expires_at <= now => Err(RenewError::Expired),
        LeaseState::Active { .. } => match lease.credential_type {
            CredentialType::IamUser => Ok(()),
            CredentialType::AssumedRole
            | CredentialType::FederationToken
            | CredentialType::SessionToken => Err(RenewError::NotRenewable),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Accessor, Beside, EndReason, FailureClass, MountId, Origin, TeardownProgress,
    };

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn lease(state: LeaseState) -> Lease {
        Lease {
            id: "aws/creds/r/abcdefghijklmnopqrstuvwx".parse().unwrap(),
            mount: MountId("m".into()),
            role: "r".parse().unwrap(),
            role_version: 1,
            credential_type: CredentialType::IamUser,
            holder: Accessor("a".into()),
            user: None,
            issued_at: Timestamp::from_millis(900_000),
            role_ttl: None,
            role_max_ttl: None,
            last_renewal: None,
            verdict: String::new(),
            origin: Origin::default(),
            account: None,
            user_id: None,
            beside: Beside::default(),
            request_key: None,
            proven_at: None,
            forced: false,
            state,
            revision: 1,
        }
    }

    fn active(expires_at: i64) -> Lease {
        lease(LeaseState::Active {
            access_key: "AKIA1".parse().unwrap(),
            expires_at: Timestamp::from_millis(expires_at),
        })
    }

    fn revoking(last_failure: Option<(FailureClass, String)>) -> Lease {
        lease(LeaseState::Revoking(TeardownProgress {
            reason: EndReason::Revoked,
            since: NOW,
            access_key: None,
            expires_at: Some(Timestamp::from_millis(990_000)),
            contained_at: None,
            removed_at: None,
            looks: 0,
            attempts: 1,
            next_attempt_at: NOW,
            last_failure,
        }))
    }

    #[test]
    fn a_living_lease_shows_what_is_left() {
        let seen = view(&active(1_060_000), NOW);
        assert_eq!((seen.ttl_seconds, seen.renewable), (60, true));
        assert_eq!(seen.expire_time, Some(Timestamp::from_millis(1_060_000)));
        assert_eq!(seen.issue_time, Timestamp::from_millis(900_000));
        assert_eq!(seen.revoke_error, None);
    }

    #[test]
    fn a_lease_that_cannot_be_torn_down_shows_why() {
        let stuck = revoking(Some((FailureClass::AccessDenied, "no".into())));
        let seen = view(&stuck, NOW);
        assert_eq!((seen.ttl_seconds, seen.renewable), (-10, false));
        assert_eq!(seen.revoke_error.as_deref(), Some("no"));
    }

    #[test]
    fn what_cannot_be_renewed_is_told_in_vaults_words() {
        let told = |lease: &Lease| check_renewable(lease, NOW).unwrap_err().to_string();
        assert_eq!(told(&active(1_000_000)), "lease expired");
        assert_eq!(told(&revoking(None)), "lease expired");
        assert_eq!(
            told(&revoking(Some((FailureClass::Unclear, String::new())))),
            "lease is expired and has failed previous revocation attempts"
        );
        assert_eq!(told(&lease(LeaseState::Pending)), "lease not found");
        let sts = Lease { credential_type: CredentialType::AssumedRole, ..active(2_000_000) };
        assert_eq!(told(&sts), "lease is not renewable");
        assert!(check_renewable(&active(1_000_001), NOW).is_ok());
    }
}
