//! Roles: write, read, list, delete (contract 1.4). A write merges, is checked, and the whole grant
//! is judged; only what the gate allows is stored. The merge is in [`super::role_merge`], the checks
//! are in [`super::role_check`] and [`super::role_limits`], what a role adds up to is gathered in [`super::grant`].

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::info;

use super::delivery::{self, DeliveryChange};
use super::grant::Before;
use super::legacy_role::{self, Legacy, LegacyError};
use super::role_limits::Refusal;
use super::{Engine, NotServing, role_check, role_limits, role_merge};
use crate::auth::Caller;
use crate::model::go_text::{error_list, quote};
use crate::model::{CredentialType, Finding, Mount, Role, RoleName, Verdict};
use crate::store::StoreError;

/// How often a write is tried again when another write of the same role was faster.
const ATTEMPTS: u32 = 8;

/// A write of a role; `None` = not sent, empty = cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// What it hands out; required for a new role.
    pub credential_type: Option<String>,
    /// Managed policies.
    pub policy_arns: Option<Vec<String>>,
    /// Roles that may be assumed.
    pub role_arns: Option<Vec<String>>,
    /// The inline document.
    pub policy_document: Option<String>,
    /// Groups that the user joins.
    pub iam_groups: Option<Vec<String>>,
    /// Tags of the user.
    pub iam_tags: Option<KvPairs>,
    /// Session tags of an assumed role.
    pub session_tags: Option<KvPairs>,
    /// External id of an assumed role.
    pub external_id: Option<String>,
    /// Seconds.
    pub default_sts_ttl: Option<u64>,
    /// Seconds.
    pub max_sts_ttl: Option<u64>,
    /// Path of the user.
    pub user_path: Option<String>,
    /// Permissions boundary of the user.
    pub permissions_boundary_arn: Option<String>,
    /// For `session_token`.
    pub mfa_serial_number: Option<String>,
    /// Legacy: a document.
    pub policy: Option<String>,
    /// Legacy: an ARN.
    pub arn: Option<String>,
    /// Leasehold's own: seconds a lease lasts.
    pub ttl: Option<u64>,
    /// Leasehold's own: seconds a lease can be renewed to.
    pub max_ttl: Option<u64>,
    /// Leasehold's own: refuse where a TTL would be cut.
    pub strict_ttl: Option<bool>,
    /// Leasehold's own: how many of its leases may live at once; 0 = no cap.
    pub max_leases: Option<i64>,
    /// Leasehold's own: the same of one caller.
    pub max_leases_per_caller: Option<i64>,
    /// Leasehold's own: how credentials are made and taken back.
    pub delivery: DeliveryChange,
}

/// Pairs as they were sent; `None` = JSON null, which reads back as null (contract 0.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KvPairs(pub Option<BTreeMap<String, String>>);

impl From<BTreeMap<String, String>> for KvPairs {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        Self(Some(pairs))
    }
}

/// Why a role was not written or read. The texts are the contract's (1.4) where it has them.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// What Vault collects in one text.
    #[error("error(s) validating supplied role data: {}", quote(&error_list(.0)))]
    Invalid(Vec<String>),
    /// The document is no JSON.
    #[error("cannot parse policy document: {}", quote(.0))]
    BrokenDocument(String),
    /// The document breaks the schema or a quota: refused in every mode.
    #[error("the policy document is refused with {} finding(s)", .0.len())]
    DocumentRefused(Vec<Finding>),
    /// A guardrail denies; one sentence per finding.
    #[error("the gate denied the grant of the role")]
    Denied {
        /// For people.
        errors: Vec<String>,
        /// The whole verdict.
        verdict: Arc<Verdict>,
    },
    /// The deprecated parameters are not taken.
    #[error(transparent)]
    Legacy(#[from] LegacyError),
    /// What only Leasehold refuses, in a sentence.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The mount does not serve.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The store failed, or other writes of the role were always faster.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a write of a role came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenRole {
    /// The gate's warnings.
    pub warnings: Vec<String>,
    /// Digests of the verdicts that let it through, one for each type that it can hand out.
    pub verdicts: Vec<String>,
}

impl Engine {
    /// Writes a role if the gate allows all that it would grant.
    pub async fn write_role(
        &self,
        caller: &Caller,
        mount: &Mount,
        name: &RoleName,
        change: RoleChange,
    ) -> Result<WrittenRole, RoleError> {
        let serving = self.table.serve(mount).await?;
        for _attempt in 1..ATTEMPTS {
            match self.try_write_role(caller, &serving.mount, name, change.clone()).await {
                Err(RoleError::Store(StoreError::Conflict)) => {}
                done => return done,
            }
        }
        self.try_write_role(caller, &serving.mount, name, change).await
    }

    async fn try_write_role(
        &self,
        caller: &Caller,
        mount: &Mount,
        name: &RoleName,
        change: RoleChange,
    ) -> Result<WrittenRole, RoleError> {
        let stored = self.parts.store.role(&mount.id, name).await?;
        let legacy = legacy_role::read(stored.as_deref(), &change)?;
        let Legacy { draft, warnings } = legacy.unwrap_or_else(|| Legacy {
            draft: role_merge::merged(stored.as_deref(), change),
            warnings: Vec::new(),
        });
        let kind = CredentialType::from_wire(&draft.credential_type);
        let document = self.read_document(&draft.policy_document, kind, draft.delivery.placement());
        if let Err(RoleError::BrokenDocument(text)) = document {
            return Err(RoleError::BrokenDocument(text));
        }
        let kind = role_check::check_vaults_rules(&draft).map_err(RoleError::Invalid)?;
        let mut role = role_limits::check_our_rules(draft, kind, mount, name)?;
        role.policy_document =
            document?.as_ref().map_or_else(String::new, |read| read.canonical().to_owned());
        delivery::check_room(&role).map_err(Refusal::from)?;

        let judged = self.judge_write(caller, mount, &role, stored.as_deref()).await?;
        self.parts.store.put_role(&role).await?;
        info!(
            role.name = %name, mount.path = %mount.path,
            verdict.digest = judged.verdicts.join(", "),
            "role {name} written"
        );
        Ok(WrittenRole { warnings: [warnings, judged.warnings].concat(), ..judged })
    }

    /// Judges all that `role` would grant, as each type that it can hand out.
    async fn judge_write(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
        stored: Option<&Role>,
    ) -> Result<WrittenRole, RoleError> {
        let config = self.parts.store.lease_config(&mount.id).await?;
        let before = stored.map_or(Before::Created, Before::Updated);
        let mut written = WrittenRole::default();
        for kind in role.credential_types() {
            let role = role.handing_out(*kind);
            let document = self.read_role_document(&role)?;
            let grant = self.grant_of(mount, &role, document, before, config).await;
            let grant = self.as_session(grant).map_err(RoleError::DocumentRefused)?;
            let judgement = self.judge(caller, grant).await;
            if judgement.vetted.is_none() {
                let (errors, verdict) = (judgement.errors(), judgement.verdict);
                info!(
                    role.name = %role.name, mount.path = %mount.path,
                    verdict.digest = verdict.digest,
                    "role {} was denied", role.name
                );
                return Err(RoleError::Denied { errors, verdict });
            }
            for warning in judgement.warnings() {
                if !written.warnings.contains(&warning) {
                    written.warnings.push(warning);
                }
            }
            written.verdicts.push(judgement.verdict.digest.clone());
        }
        Ok(written)
    }

    /// A role as it was written.
    pub async fn read_role(
        &self,
        mount: &Mount,
        name: &RoleName,
    ) -> Result<Option<Arc<Role>>, RoleError> {
        Ok(self.parts.store.role(&mount.id, name).await?)
    }

    /// The names of a mount's roles, sorted by byte value.
    pub async fn list_roles(&self, mount: &Mount) -> Result<Vec<RoleName>, RoleError> {
        Ok(self.parts.store.role_names(&mount.id).await?)
    }

    /// Removes a role if it is there. Its leases stay (contract 1.4).
    pub async fn delete_role(&self, mount: &Mount, name: &RoleName) -> Result<(), RoleError> {
        let serving = self.table.serve(mount).await?;
        self.parts.store.remove_role(&serving.mount.id, name).await?;
        Ok(())
    }
}
