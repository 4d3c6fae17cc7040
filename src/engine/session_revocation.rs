//! What an issue does so that its session can be cut off later: it says so in the lease's row before AWS is
//! asked, and tags the session. Cutting off is [`crate::leases`]'.

use std::time::Duration;

use super::issue::LONGEST_STEP;
use crate::aws::{LEASE_TAG, RoleSession, TemporaryCredentials};
use crate::model::{Beside, LeaseTag, Role, SessionCut, SessionRevocation, Timestamp};

/// What the row of a session of `role_arn` must say, `now` and for a session of `duration`.
pub(super) fn beside(role: &Role, role_arn: &str, now: Timestamp, duration: Duration) -> Beside {
    let cut = |by| SessionCut {
        by,
        role_arn: role_arn.to_owned(),
        begun_at: now,
        ends_at: now.after(LONGEST_STEP).after(duration),
    };
    Beside { managed_policy: false, session: role.delivery.session_revocation.map(cut) }
}

/// The tag by which the session is found, where the role says so.
pub(super) fn tag(role: &Role, lease: &LeaseTag, session: &mut RoleSession) {
    match role.delivery.session_revocation {
        Some(SessionRevocation::Tag) => {
            session.tags.insert(LEASE_TAG.to_owned(), lease.to_string());
        }
        Some(SessionRevocation::Older) | None => {}
    }
}

/// AWS answered: now it is known when the session began and ends, by AWS's own clock.
pub(super) fn begun(beside: &mut Beside, keys: &TemporaryCredentials, duration: Duration) {
    if let Some(cut) = &mut beside.session {
        cut.begun_at = keys.expires_at.before(duration);
        cut.ends_at = keys.expires_at;
    }
}
