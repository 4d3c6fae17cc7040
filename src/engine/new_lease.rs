//! The row of a lease as it is begun, from who asks and the role. What is known of the grant and of AWS is put over it by
//! whoever issues ([`super::issue`], [`super::assume`]). Never writes it: that is [`crate::leases`]'.

use super::grant::role_duration;
use crate::auth::Caller;
use crate::leases::NewLease;
use crate::model::{Beside, LeaseCaps, LeaseId, Origin, Role, UserName};

pub(super) fn new_lease(
    id: LeaseId,
    caller: &Caller,
    role: &Role,
    user: Option<UserName>,
    verdict: String,
) -> NewLease {
    NewLease {
        id,
        mount: role.mount.clone(),
        role: role.name.clone(),
        role_version: role.version,
        credential_type: role.credential_type,
        holder: caller.holder().clone(),
        user,
        role_ttl: role_duration(role.ttl),
        role_max_ttl: role_duration(role.max_ttl),
        verdict,
        origin: Origin {
            caller: caller.display_name().to_owned(),
            source: caller.remote(),
            policy_digest: String::new(),
        },
        account: None,
        beside: Beside::default(),
        request_key: None,
        caps: LeaseCaps::default(),
    }
}
