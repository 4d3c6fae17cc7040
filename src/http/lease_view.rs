//! What is shown of a lease beyond Vault's own fields: who asked, what was handed out, how it ended. A field is there only
//! where it is set. There is no secret in a lease. Used by look-ups and queries ([`super::sys_leases`],
//! [`super::sys_lease_query`]).

use serde::Serialize;

use crate::model::{
    AccessKeyId, EndReason, Lease, LeaseState, Origin, TeardownProgress, Timestamp, UserName,
};

/// Who asked, and what was handed out.
#[derive(Debug, Serialize)]
pub(super) struct LeaseFacts<'a> {
    state: &'static str,
    role: &'a str,
    role_version: u64,
    credential_type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    caller: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    policy_digest: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_time: Option<String>,
    #[serde(flatten)]
    ending: Option<Ending<'a>>,
}

/// How far its end is.
#[derive(Debug, Default, Serialize)]
struct Ending<'a> {
    end_reason: &'static str,
    end_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    contained_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forced: bool,
}

/// A lease as a query gives it.
#[derive(Debug, Serialize)]
pub(super) struct FoundLease<'a> {
    lease_id: &'a str,
    mount: &'a str,
    mount_id: &'a str,
    accessor: &'a str,
    issue_time: String,
    expire_time: Option<String>,
    last_renewal: Option<String>,
    #[serde(flatten)]
    facts: LeaseFacts<'a>,
}

impl<'a> FoundLease<'a> {
    pub(super) fn new(lease: &'a Lease) -> Self {
        Self {
            lease_id: lease.id.as_str(),
            mount: mount_in(lease),
            mount_id: &lease.mount.0,
            accessor: &lease.holder.0,
            issue_time: lease.issued_at.rfc3339(),
            expire_time: expires_at(lease).map(Timestamp::rfc3339),
            last_renewal: lease.last_renewal.map(Timestamp::rfc3339),
            facts: LeaseFacts::new(lease),
        }
    }
}

impl<'a> LeaseFacts<'a> {
    pub(super) fn new(lease: &'a Lease) -> Self {
        let Origin { caller, source, policy_digest } = &lease.origin;
        Self {
            state: state(lease),
            role: lease.role.as_str(),
            role_version: lease.role_version,
            credential_type: lease.credential_type.as_str(),
            caller,
            source: source.map(|address| address.to_string()),
            access_key: access_key(lease).map(AccessKeyId::as_str),
            user: lease.user.as_ref().map(UserName::as_str),
            user_id: lease.user_id.as_deref(),
            account: lease.account.as_deref(),
            policy_digest,
            verdict: &lease.verdict,
            proven_time: lease.proven_at.map(Timestamp::rfc3339),
            ending: Ending::of(lease),
        }
    }
}

impl<'a> Ending<'a> {
    fn of(lease: &'a Lease) -> Option<Self> {
        let forced = lease.forced;
        let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
        match &lease.state {
            LeaseState::Pending | LeaseState::Active { .. } => None,
            LeaseState::Revoking(progress) => Some(Self {
                end_reason: reason(progress.reason),
                end_time: progress.since.rfc3339(),
                contained_time: time(progress.contained_at),
                removed_time: time(progress.removed_at),
                gone_time: None,
                attempts: Some(progress.attempts).filter(|attempts| *attempts > 0),
                next_attempt_time: Some(progress.next_attempt_at.rfc3339()),
                failure: failure(progress),
                forced,
            }),
            LeaseState::Revoked { at, record: Some(record) } => Some(Self {
                end_reason: reason(record.reason),
                end_time: record.since.rfc3339(),
                contained_time: time(record.contained_at),
                removed_time: time(record.removed_at),
                gone_time: Some(at.rfc3339()),
                forced,
                ..Self::default()
            }),
            LeaseState::Revoked { at, record: None } => Some(Self {
                end_reason: "refused",
                end_time: at.rfc3339(),
                gone_time: Some(at.rfc3339()),
                ..Self::default()
            }),
        }
    }
}

/// Where it was mounted when it was issued: the id without its last three parts.
fn mount_in(lease: &Lease) -> &str {
    lease.id.as_str().rsplitn(4, '/').nth(3).unwrap_or_default()
}

fn access_key(lease: &Lease) -> Option<&AccessKeyId> {
    match &lease.state {
        LeaseState::Pending | LeaseState::Revoked { record: None, .. } => None,
        LeaseState::Active { access_key, .. } => Some(access_key),
        LeaseState::Revoking(progress) => progress.access_key.as_ref(),
        LeaseState::Revoked { record: Some(record), .. } => record.access_key.as_ref(),
    }
}

fn expires_at(lease: &Lease) -> Option<Timestamp> {
    match &lease.state {
        LeaseState::Pending | LeaseState::Revoked { record: None, .. } => None,
        LeaseState::Active { expires_at, .. } => Some(*expires_at),
        LeaseState::Revoking(progress) => progress.expires_at,
        LeaseState::Revoked { record: Some(record), .. } => record.expires_at,
    }
}

/// What the last failed pass met.
pub(super) fn failure(progress: &TeardownProgress) -> Option<&str> {
    progress.last_failure.as_ref().map(|(_, sentence)| sentence.as_str())
}

fn state(lease: &Lease) -> &'static str {
    match &lease.state {
        LeaseState::Pending => "pending",
        LeaseState::Active { .. } => "active",
        LeaseState::Revoking(_) => "revoking",
        LeaseState::Revoked { .. } => "revoked",
    }
}

fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Expired => "expired",
        EndReason::Revoked => "revoked",
        EndReason::TokenEnded => "token_ended",
        EndReason::Abandoned => "abandoned",
    }
}
