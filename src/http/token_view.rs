//! Tokens as they are shown: the `auth` of one that was made or renewed, the `data` of a look-up
//! (contract 0.2, 3.2). The token itself is written by [`super::envelope`], the only place that may.

use std::collections::BTreeMap;

use serde::Serialize;

use super::envelope::Shown;
use crate::model::{ClientToken, Network, Timestamp, Token};

/// The `auth` member of an envelope.
#[derive(Serialize)]
pub(super) struct AuthData<'a> {
    client_token: Shown<'a>,
    accessor: &'a str,
    policies: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    token_policies: &'a [String],
    metadata: Option<&'a BTreeMap<String, String>>,
    lease_duration: u64,
    renewable: bool,
    entity_id: &'a str,
    token_type: &'a str,
    orphan: bool,
    mfa_requirement: (),
    num_uses: i64,
}

/// The `data` of a look-up.
#[derive(Serialize)]
pub(super) struct LookupData<'a> {
    accessor: &'a str,
    #[serde(skip_serializing_if = "<[Network]>::is_empty")]
    bound_cidrs: &'a [Network],
    creation_time: i64,
    creation_ttl: u64,
    display_name: &'a str,
    entity_id: &'a str,
    expire_time: Option<String>,
    explicit_max_ttl: u64,
    id: Shown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal_time: Option<i64>,
    meta: Option<&'a BTreeMap<String, String>>,
    num_uses: i64,
    orphan: bool,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u64>,
    policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable: Option<bool>,
    ttl: u64,
    r#type: &'a str,
}

impl<'a> AuthData<'a> {
    pub(super) fn new(token: &'a Token, client_token: Shown<'a>, lease_duration: u64) -> Self {
        Self {
            client_token,
            accessor: &token.accessor.0,
            policies: &token.policies,
            token_policies: &token.policies,
            metadata: token.meta.as_ref(),
            lease_duration,
            renewable: token.renewable,
            entity_id: "",
            token_type: "service",
            orphan: token.parent.is_none(),
            mfa_requirement: (),
            num_uses: token.num_uses,
        }
    }
}

impl<'a> LookupData<'a> {
    pub(super) fn new(token: &'a Token, ttl: u64, id: Option<&'a ClientToken>) -> Self {
        // The first root token has no lease, and so neither of the two (contract 3.2).
        let has_lease = token.path != "auth/token/root";
        Self {
            accessor: &token.accessor.0,
            bound_cidrs: &token.bound_cidrs,
            creation_time: token.created_at.as_seconds(),
            creation_ttl: token.creation_ttl,
            display_name: &token.display_name,
            entity_id: "",
            expire_time: token.expires_at.map(Timestamp::rfc3339),
            explicit_max_ttl: token.explicit_max_ttl,
            id: Shown(id),
            issue_time: has_lease.then(|| token.created_at.rfc3339()),
            last_renewal: token.last_renewal.map(Timestamp::rfc3339),
            last_renewal_time: token.last_renewal.map(Timestamp::as_seconds),
            meta: token.meta.as_ref(),
            num_uses: token.num_uses,
            orphan: token.parent.is_none(),
            path: &token.path,
            period: (token.period > 0).then_some(token.period),
            policies: &token.policies,
            renewable: has_lease.then_some(token.renewable),
            ttl,
            r#type: "service",
        }
    }
}
