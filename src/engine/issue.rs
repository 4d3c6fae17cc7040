//! Issuing a credential (contract 1.5, 1.10). The grant is judged again, the lease row is durable before
//! AWS hears of anything, and whatever fails afterwards leaves that row to the reaper: never a
//! half-known credential, never a user without an owner. The life of the lease is [`crate::leases`]'.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use super::Engine;
use super::assume::SessionWishes;
use super::grant::{Before, user_path};
pub use super::issue_error::{IssueError, IssueStep};
use super::legacy_role;
use super::new_lease::new_lease;
use super::placement::{self, Placed};
use super::readiness::{Proof, ReadinessReport};
use super::roles::RoleError;
use super::time_left::within;
use super::ttl::{Resolved, TtlSources};
use super::ttl_told::{TtlPlan, TtlTold};
use super::username::{self, NameInputs};

use crate::auth::Caller;
use crate::aws::{AwsError, IamProvider, NewAccessKey, NewUser};
use crate::gate::Judgement;
use crate::leases::{LeaseError, NewLease};
use crate::model::{
    AccessKeyId, CredentialType, Lease, LeaseConfig, LeaseId, LeaseTag, Mount, Role, RoleName,
    SecretAccessKey, SessionToken, UserName,
};
use crate::store::StoreError;

/// How long an issue waits for `CreateUser`, and again for all that follows, repetitions and the
/// account's pace included. 1 min: what clients wait for an answer (the Vault CLI's time-out). Both
/// together, and what [`super::readiness`] adds, must stay far below
/// [`crate::leases::LeaseTiming::settling`]: a pending lease of that age may be called gone, and nothing
/// may be made under it any more.
pub(super) const LONGEST_STEP: Duration = Duration::from_mins(1);

/// Which of the two paths was asked; the lease id keeps it (contract 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredsEndpoint {
    /// `creds/:name`.
    Creds,
    /// `sts/:name`.
    Sts,
}

impl CredsEndpoint {
    /// The part of the path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creds => "creds",
            Self::Sts => "sts",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    /// Under which mount.
    pub mount: Arc<Mount>,
    /// By which path.
    pub endpoint: CredsEndpoint,
    /// From which role.
    pub role: RoleName,
    /// For STS types.
    pub wishes: SessionWishes,
    /// Whether the answer will be wrapped.
    pub wrapped: bool,
    /// What names the request: see [`super::idempotency`].
    pub request_key: Option<Vec<u8>>,
}

/// A credential, about to be handed out.
#[derive(Debug)]
pub struct Issued {
    /// Its lease.
    pub lease: LeaseId,
    /// Seconds.
    pub lease_duration: u64,
    /// Whether the lease can be renewed.
    pub renewable: bool,
    /// Public half.
    pub access_key: AccessKeyId,
    /// Secret half.
    pub secret_key: SecretAccessKey,
    /// Of temporary credentials.
    pub session_token: Option<SessionToken>,
    /// Of an assumed role.
    pub arn: Option<String>,
    /// Of temporary credentials: seconds until AWS ends them.
    pub ttl: Option<u64>,
    /// About the lease's TTL.
    pub told: TtlTold,
    /// What was seen of the key; `None` where nobody looked.
    pub readiness: Option<ReadinessReport>,
    /// Digest of the verdict that let it through.
    pub verdict: String,
    /// Of the gate, about the TTL, and about a key that was not seen to work.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Issues a credential from a role. Once begun it must be driven to its end: whoever may go away
    /// (a client that hangs up) has it run as a task of its own.
    pub async fn issue(
        &self,
        caller: &Caller,
        request: IssueRequest,
    ) -> Result<Issued, IssueError> {
        self.must_not_be_quarantined()?;
        let serving = self.table.serve(&request.mount).await?;
        let mount = &serving.mount;
        let Some(role) = self.parts.store.role(&mount.id, &request.role).await? else {
            return Err(IssueError::RoleNotFound(request.role));
        };
        let role = legacy_role::asked(role, request.endpoint)?;
        let started = Instant::now();
        let issued = match role.credential_type {
            CredentialType::IamUser => self.issue_user(caller, mount, &role, &request).await,
            CredentialType::AssumedRole
            | CredentialType::FederationToken
            | CredentialType::SessionToken => {
                self.issue_session(caller, mount, &role, &request).await
            }
        };
        let (kind, path) = (role.credential_type.as_str(), mount.path.as_str());
        match &issued {
            Ok(issued) => {
                let ttl = Duration::from_secs(issued.lease_duration);
                self.issues.issued(kind, path, ttl, started.elapsed());
            }
            Err(error) => self.issues.failed(kind, path, error.outcome()),
        }
        issued
    }

    /// Issues keys of a fresh IAM user.
    async fn issue_user(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
        request: &IssueRequest,
    ) -> Result<Issued, IssueError> {
        let config = self.parts.store.lease_config(&mount.id).await?;
        let judgement = self.judge_again(caller, mount, role, config).await?;
        let (warnings, errors) = (judgement.warnings(), judgement.errors());
        let Judgement { verdict, vetted, fresh: _ } = judgement;
        let Some(grant) = vetted else {
            info!(role.name = %role.name, mount.path = %mount.path, verdict.digest = verdict.digest, "role {} was denied at issue", role.name);
            return Err(IssueError::Denied { role: role.name.clone(), errors, verdict });
        };
        let access = self.parts.accounts.access(&mount.id).await;
        let access = access.map_err(|error| IssueError::aws(IssueStep::Client, error))?;
        let provider = &access.provider;
        let name = self.user_name(caller, mount, role).await?;
        let (id, tag) = self.lease_id(mount, request.endpoint, role)?;
        let sources = self.ttl_sources(mount, role, config);
        let plan = self.planned_ttl(caller, role, TtlPlan::of_user(&sources)).await?;

        let account = self.account_of_keys(&access).await?;
        let placed = placement::of(role, grant.document());
        let mut new = NewLease {
            beside: placed.beside(),
            caps: self.caps(mount, role, account.as_deref()).await?,
            request_key: request.request_key.clone(),
            account,
            ..new_lease(id, caller, role, Some(name.clone()), verdict.digest.clone())
        };
        new.origin.policy_digest = grant.permissions().to_owned();
        new.role_max_ttl = within(new.role_max_ttl, self.time_left(caller));
        let lease = self.parts.leases.begin(new).await?;
        let user = NewUser {
            name,
            path: user_path(role).to_owned(),
            tags: role.iam_tags.clone().unwrap_or_default(),
            broker: self.parts.settings.broker.clone(),
            lease: tag,
            role: role.name.clone(),
            grant,
        };
        let (lease, key) =
            self.create_user_with_keys(provider.as_ref(), lease, &user, placed).await?;
        if let Some(placement) = placed.counted_as() {
            self.deliveries.placed(placement);
        }
        let proof = self.prove_key(mount, role, &lease.id, (&user, &key)).await;
        let role_max_ttl = within(sources.role_max_ttl, self.time_left(caller));
        let resolved = TtlSources { role_max_ttl, ..sources }.at_issue();
        let mut issued = self.hand_out(lease, key.clone(), resolved, warnings, proof).await?;
        issued.told = plan.told(self.parts.clock.now(), issued.lease_duration);
        self.prove_later(mount, role, &issued.lease, (&user, &key));
        Ok(issued)
    }

    /// Judged at the write, and again now: guardrails, and what AWS holds, may have changed.
    async fn judge_again(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
        config: Option<LeaseConfig>,
    ) -> Result<Judgement, IssueError> {
        let document = match self.read_role_document(role) {
            Ok(document) => document,
            Err(RoleError::DocumentRefused(findings)) => {
                return Err(IssueError::DocumentRefused { role: role.name.clone(), findings });
            }
            Err(_) => None,
        };
        let grant = self.grant_of(mount, role, document, Before::Issued, config).await;
        Ok(self.judge(caller, grant).await)
    }

    pub(super) async fn user_name(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
    ) -> Result<UserName, IssueError> {
        let binding = self.parts.store.account_binding(&mount.id).await?;
        let template = binding.as_ref().map(|binding| binding.username_template.as_str());
        let inputs = NameInputs::iam(caller.display_name(), &role.name);
        let now = self.parts.clock.now();
        let template = template.unwrap_or(username::DEFAULT_TEMPLATE);
        Ok(username::iam_user_name(template, &inputs, now, &self.parts.random)?)
    }

    pub(super) fn lease_id(
        &self,
        mount: &Mount,
        endpoint: CredsEndpoint,
        role: &Role,
    ) -> Result<(LeaseId, LeaseTag), IssueError> {
        // 24 base62 characters (contract 1.5).
        let tag: LeaseTag =
            self.parts.random.base62(24).parse().map_err(|_invalid| {
                StoreError::Failed("a lease id could not be drawn".to_owned())
            })?;
        Ok((LeaseId::new(&mount.path, endpoint.as_str(), &role.name, &tag), tag))
    }

    /// The AWS calls. Whatever fails, the lease is left to the reaper before the error is returned.
    async fn create_user_with_keys(
        &self,
        provider: &dyn IamProvider,
        mut lease: Lease,
        user: &NewUser,
        placed: Placed,
    ) -> Result<(Lease, NewAccessKey), IssueError> {
        let late =
            |operation| AwsError::Unclear { operation, message: "no answer in time".to_owned() };
        let created = timeout(LONGEST_STEP, provider.create_user(user)).await;
        match created.unwrap_or_else(|_late| Err(late("CreateUser"))) {
            // Kept with whatever is written of the lease next.
            Ok(made) => {
                lease.account = made.account.or(lease.account);
                lease.user_id = made.user_id;
            }
            Err(refused @ (AwsError::Refused { .. } | AwsError::NotConfigured(_))) => {
                self.refused(lease).await;
                return Err(IssueError::aws(IssueStep::CreateUser, refused));
            }
            Err(unclear @ AwsError::Unclear { .. }) => {
                self.abandon(lease).await;
                return Err(IssueError::aws(IssueStep::CreateUser, unclear));
            }
        }
        let equipped = timeout(LONGEST_STEP, equip(provider, user, placed)).await;
        let late = |_late| Err((IssueStep::CreateAccessKey, late("CreateAccessKey")));
        match equipped.unwrap_or_else(late) {
            Ok(key) => Ok((lease, key)),
            Err((step, error)) => {
                self.abandon(lease).await;
                Err(IssueError::aws(step, error))
            }
        }
    }

    async fn hand_out(
        &self,
        mut lease: Lease,
        key: NewAccessKey,
        resolved: Resolved,
        mut warnings: Vec<String>,
        proof: Proof,
    ) -> Result<Issued, IssueError> {
        lease.proven_at = proof.proven_at;
        let now = self.parts.clock.now();
        let expires_at = now.after(resolved.ttl);
        let pending = lease.clone();
        let lease = match self.parts.leases.activate(lease, key.id.clone(), expires_at).await {
            Ok(lease) => lease,
            Err(error) => {
                self.abandon(pending).await;
                return Err(error.into());
            }
        };
        info!(
            lease.id = %lease.id,
            role.name = %lease.role,
            caller = %lease.holder.0,
            verdict.digest = lease.verdict,
            aws.user = lease.user.as_ref().map(tracing::field::display),
            "lease {} issued", lease.id
        );
        warnings.extend(resolved.warning);
        warnings.extend(proof.warnings);
        Ok(Issued {
            lease: lease.id,
            verdict: lease.verdict,
            lease_duration: resolved.ttl.as_secs(),
            renewable: true,
            access_key: key.id,
            secret_key: key.secret,
            session_token: None,
            arn: None,
            ttl: None,
            told: TtlTold::uncut(resolved.ttl.as_secs()),
            readiness: proof.report,
            warnings,
        })
    }

    /// Nothing was made, and nothing needs to be torn down.
    pub(super) async fn refused(&self, lease: Lease) {
        let id = lease.id.clone();
        report(&id, self.parts.leases.refused(lease).await);
    }

    /// Hands a lease to the reaper. Where even that cannot be written, the pending row does it: it is
    /// torn down once it is old enough, or at the next start.
    pub(super) async fn abandon(&self, lease: Lease) {
        let id = lease.id.clone();
        report(&id, self.parts.leases.abandon(lease).await);
    }
}

/// All that follows `CreateUser`, at once. Every call is waited for before an error is returned, so
/// that none is still on its way when the teardown begins.
async fn equip(
    provider: &dyn IamProvider,
    user: &NewUser,
    placed: Placed,
) -> Result<NewAccessKey, (IssueStep, AwsError)> {
    let at = |step| move |error| (step, error);
    let attach = join_all(user.grant.policy_arns().iter().map(async |arn| {
        provider.attach_user_policy(user, arn).await.map_err(at(IssueStep::AttachUserPolicy))
    }));
    let groups = join_all(user.grant.groups().iter().map(async |group| {
        provider.add_user_to_group(user, group).await.map_err(at(IssueStep::AddUserToGroup))
    }));
    let ((attached, put), (grouped, key)) = join(
        join(attach, placement::place(provider, user, placed)),
        join(groups, provider.create_access_key(user)),
    )
    .await;
    // The first error in Vault's order of calls is the one that is told.
    attached.into_iter().collect::<Result<(), _>>()?;
    put?;
    grouped.into_iter().collect::<Result<(), _>>()?;
    key.map_err(at(IssueStep::CreateAccessKey))
}

fn report(id: &LeaseId, written: Result<(), LeaseError>) {
    if let Err(error) = written {
        warn!(lease.id = %id, error = %error, "lease {id} stays pending until it is old enough to be torn down");
    }
}
