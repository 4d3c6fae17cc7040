//! Tokens as they are shown: the `auth` of one that was made or renewed, the `data` of a look-up
//! (contract 0.2, 3.2). The token itself is written by [`super::envelope`], the only place that may.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::envelope::Shown;
use crate::auth::TokenLookup;
use crate::model::{ClientToken, EntityId, Network, Timestamp, Token, TokenKind};

/// The `auth` member of an envelope.
#[derive(Serialize)]
pub(super) struct AuthData<'a> {
    client_token: Shown<'a>,
    accessor: &'a str,
    policies: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    token_policies: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    identity_policies: &'a [String],
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
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    identity_policies: &'a [String],
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
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    ttl: u64,
    r#type: &'a str,
}

impl<'a> AuthData<'a> {
    pub(super) fn new(
        token: &'a Token,
        identity_policies: &'a [String],
        client_token: Shown<'a>,
        lease_duration: u64,
    ) -> Self {
        Self {
            client_token,
            accessor: shown_accessor(token),
            policies: joined(&token.policies, identity_policies),
            token_policies: &token.policies,
            identity_policies,
            metadata: token.meta.as_ref(),
            lease_duration,
            renewable: token.renewable,
            entity_id: entity_id(token),
            token_type: token.kind.as_str(),
            orphan: token.parent.is_none(),
            mfa_requirement: (),
            num_uses: token.num_uses,
        }
    }
}

impl<'a> LookupData<'a> {
    pub(super) fn new(found: &'a TokenLookup, id: Option<&'a ClientToken>) -> Self {
        let token: &Token = &found.token;
        // The first root token has no lease, and so neither of the two (contract 3.2).
        let has_lease = token.path != "auth/token/root";
        Self {
            accessor: shown_accessor(token),
            bound_cidrs: &token.bound_cidrs,
            creation_time: token.created_at.as_seconds(),
            creation_ttl: token.creation_ttl,
            display_name: &token.display_name,
            entity_id: entity_id(token),
            expire_time: token.expires_at.map(Timestamp::rfc3339),
            explicit_max_ttl: token.explicit_max_ttl,
            id: Shown(id),
            identity_policies: &found.identity_policies,
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
            role: token.role.as_deref(),
            ttl: found.ttl,
            r#type: token.kind.as_str(),
        }
    }
}

/// A batch token has no handle that anything could be done with.
fn shown_accessor(token: &Token) -> &str {
    match token.kind {
        TokenKind::Service => &token.accessor.0,
        TokenKind::Batch => "",
    }
}

fn entity_id(token: &Token) -> &str {
    token.entity.as_ref().map_or("", |EntityId(id)| id)
}

/// All policies that count, sorted.
fn joined<'a>(own: &'a [String], more: &[String]) -> Cow<'a, [String]> {
    if more.is_empty() {
        return Cow::Borrowed(own);
    }
    let mut all = [own, more].concat();
    all.sort_unstable();
    all.dedup();
    Cow::Owned(all)
}
