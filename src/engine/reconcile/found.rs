//! The single things that a comparison finds, as they are kept and told. Plain data; times are RFC 3339. What they are
//! part of is [`super::report`].

use serde::{Deserialize, Serialize};

use crate::model::{Orphan, OrphanPolicy, Timestamp, UserRow};

/// Why an account, or the policies in it, were not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotLooked {
    /// What AWS or the store said.
    pub message: String,
}

/// An orphan as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundOrphan {
    /// AWS's id.
    pub user_id: String,
    /// Its name.
    pub user: String,
    /// Its path.
    pub path: String,
    /// The lease that its tag names.
    pub lease_tag: Option<String>,
    /// When AWS made it.
    pub created: String,
    /// Until when nobody is to be told.
    pub ignored_until: Option<String>,
}

/// A policy without a lease, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPolicy {
    /// AWS's id.
    pub policy_id: String,
    /// Its name.
    pub policy: String,
    /// Its ARN.
    pub arn: String,
    /// The lease that its path and tag name.
    pub lease_tag: String,
    /// When AWS made it.
    pub created: String,
    /// Until when nobody is to be told.
    pub ignored_until: Option<String>,
}

/// A lease whose user was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenUser {
    /// The lease.
    pub lease: String,
    /// The name of its user.
    pub user: String,
    /// What is there instead, or why nobody looked.
    pub detail: String,
}

/// A user of another installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnothersUser {
    /// Its name.
    pub user: String,
    /// That installation's id.
    pub broker: String,
}

/// A lease that would end as soon as the quarantine does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverdueLease {
    /// The lease.
    pub lease: String,
    /// When it ended by its row.
    pub ended: String,
}

impl FoundOrphan {
    /// As it is told.
    pub fn new(orphan: &Orphan) -> Self {
        Self {
            user_id: orphan.user_id.clone(),
            user: orphan.user.to_string(),
            path: orphan.path.clone(),
            lease_tag: orphan.lease.as_ref().map(ToString::to_string),
            created: orphan.created_at.rfc3339(),
            ignored_until: orphan.ignored_until.map(Timestamp::rfc3339),
        }
    }
}

impl FoundPolicy {
    /// As it is told.
    pub fn new(orphan: &OrphanPolicy) -> Self {
        Self {
            policy_id: orphan.policy_id.clone(),
            policy: orphan.name().to_owned(),
            arn: orphan.arn.to_string(),
            lease_tag: orphan.lease.to_string(),
            created: orphan.created_at.rfc3339(),
            ignored_until: orphan.ignored_until.map(Timestamp::rfc3339),
        }
    }
}

impl UnseenUser {
    pub(super) fn new(row: &UserRow, detail: String) -> Self {
        Self { lease: row.lease.to_string(), user: row.user.to_string(), detail }
    }
}
