//! What the token of a login may be (contract 3.3): pure rules over what its role or user says and what its auth
//! mount's TTLs are. It has no parent, and is never root.

use std::time::Duration;

use super::{Planned, remaining};
use crate::auth::acl;
use crate::auth::create::CreateRefused;
use crate::auth::methods::EffectiveTtls;
use crate::model::duration::ttl_capped;
use crate::model::{Network, Timestamp, TokenKind, TokenParams};

/// What a login's token will be, and for how many seconds renewals can make it last. It has no parent;
/// `mount` is what the auth mount's TTLs are in effect.
pub(in crate::auth) fn plan_login(
    params: &TokenParams,
    bound_cidrs: &[Network],
    mount: EffectiveTtls,
    kind: TokenKind,
    now: Timestamp,
) -> Result<(Planned, u64), CreateRefused> {
    let mut policies = params.policies.clone();
    if policies.iter().any(|name| name == acl::ROOT) {
        return Err(CreateRefused::RootByLogin);
    }
    if policies.iter().any(|name| name == acl::RESPONSE_WRAPPING) {
        return Err(CreateRefused::ReservedPolicy);
    }
    if !params.no_default_policy {
        policies.push(acl::DEFAULT.to_owned());
    }
    policies.sort_unstable();
    policies.dedup();
    let set = |own: u64, other: u64| if own == 0 { other } else { own };
    let max_ttl = set(params.max_ttl, mount.max).min(mount.max);
    let asked = set(params.ttl, mount.default);
    let mut warnings = Vec::new();
    let ttl = if params.period > 0 {
        params.period
    } else {
        if asked > max_ttl {
            warnings.push(ttl_capped(Duration::from_secs(asked), Duration::from_secs(max_ttl)));
        }
        asked.min(max_ttl)
    };
    if kind == TokenKind::Batch {
        // Such roles are not written; a mount may make batch tokens of one all the same.
        for (name, set) in [("num_uses", params.num_uses != 0), ("period", params.period > 0)] {
            if set {
                return Err(CreateRefused::BatchWith(name));
            }
        }
    }
    let planned = Planned {
        parent: None,
        policies,
        ttl: ttl.min(remaining(params.explicit_max_ttl, now, now)),
        explicit_max_ttl: params.explicit_max_ttl,
        period: params.period,
        renewable: kind == TokenKind::Service,
        bound_cidrs: bound_cidrs.to_vec(),
        kind,
        num_uses: params.num_uses,
        path: String::new(),
        role: None,
        entity: None,
        warnings,
    };
    Ok((planned, max_ttl))
}
