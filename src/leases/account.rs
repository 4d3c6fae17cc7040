//! Whether what a mount's keys see, or do not see, says anything about a lease: only keys of the account that its user
//! was made in. `config/root` may have been given keys of another one meanwhile. Must never let a user be
//! called gone that was looked for in the wrong place.

use std::sync::Arc;

use super::teardown::{Pass, PassEnd, Trouble};
use super::{LeaseError, Leases};
use crate::aws::Access;
use crate::model::{FailureClass, Lease, LeaseFilter, LeaseState, MountId, Stage};
use crate::store::Position;

/// Leases looked at, at once, after a mount got other keys.
const PAGE: u32 = 500;

impl Leases {
    /// The mount has other keys: what failed for want of the right ones is tried again now, not when its back-off is
    /// over. In the background; what is missed comes by itself.
    pub fn retry_with_new_keys(self: &Arc<Self>, mount: &MountId) {
        let (this, mount) = (Arc::clone(self), mount.clone());
        tokio::spawn(async move {
            if let Err(error) = this.retry(mount).await {
                tracing::warn!("leases of a mount with new keys are tried again later: {error}");
            }
        });
    }

    async fn retry(&self, mount: MountId) -> Result<(), LeaseError> {
        let filter = LeaseFilter {
            mount: Some(mount),
            stage: Some(Stage::Revoking),
            ..LeaseFilter::default()
        };
        let mut after = Some(Position::default());
        while let Some(position) = after {
            let page = self.store.leases_matching(&filter, position, PAGE).await?;
            for lease in page.items.iter().filter(|lease| waits_for_keys(lease)) {
                self.revoke_later(&lease.id).await?;
            }
            after = page.next;
        }
        Ok(())
    }

    /// Why these keys cannot work on the lease; asks nobody.
    pub(super) fn foreign(&self, lease: &Lease, access: &Access) -> Option<Trouble> {
        let needed = lease.account.as_deref()?;
        let has = self.accounts.known_account(access)?;
        (has != needed).then(|| wrong_account(lease, needed, Some(&has)))
    }

    /// The pass, where its finding can be believed. Rows that do not say their account are believed: they are of
    /// the first releases, or AWS never answered.
    pub(super) async fn believed(&self, lease: &Lease, access: &Access, pass: Pass) -> Pass {
        let (PassEnd::Absent, Some(needed)) = (&pass.end, &lease.account) else {
            return pass;
        };
        if self.clock.now() < lease.issued_at.after(self.timing.settling) {
            // Too young to be believed in any case.
            return pass;
        }
        let trouble = match self.accounts.own_account(access).await {
            Ok(Some(has)) if has == *needed => return pass,
            Ok(has) => wrong_account(lease, needed, has.as_deref()),
            Err(error) => {
                let asked = Trouble::from(error);
                let detail =
                    format!("{}: {}", wrong_account(lease, needed, None).message, asked.detail);
                Trouble { detail, ..wrong_account(lease, needed, None) }
            }
        };
        Pass { contained: false, end: PassEnd::Failed(trouble) }
    }
}

fn waits_for_keys(lease: &Lease) -> bool {
    let LeaseState::Revoking(progress) = &lease.state else {
        return false;
    };
    progress.last_failure.as_ref().is_some_and(|(class, _)| match class {
        FailureClass::AccessDenied | FailureClass::BadCredentials | FailureClass::WrongAccount => {
            true
        }
        FailureClass::Throttled
        | FailureClass::StillOwns
        | FailureClass::NotOurs
        | FailureClass::Unclear
        | FailureClass::Refused
        | FailureClass::Settling => false,
    })
}

fn wrong_account(lease: &Lease, needed: &str, has: Option<&str>) -> Trouble {
    let user = super::user(lease);
    let has = match has {
        Some(has) => format!("the keys of its mount are of account `{has}`"),
        None => "it cannot be found out which account the keys of its mount are of".to_owned(),
    };
    let message = format!(
        "IAM user `{user}` is in account `{needed}`, and {has}\nhelp: {}",
        keys_wanted(lease, needed)
    );
    Trouble { class: FailureClass::WrongAccount, detail: message.clone(), message }
}

/// What to do about keys of another account.
pub(super) fn keys_wanted(lease: &Lease, needed: &str) -> String {
    format!(
        "write keys of account {needed} to config/root of the mount; where it was disabled, to \
         sys/leases/accounts/{}",
        lease.mount.0
    )
}
