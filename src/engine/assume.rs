//! Issuing temporary credentials: `assumed_role`, `federation_token`, `session_token` (contract 1.5,
//! 1.10). Judged whole and under a durable lease like any other; AWS ends them by itself, so a lease
//! that ends makes no call. How long: [`super::ttl`]; what they may do: [`super::session_grant`].

use std::time::Duration;

use tokio::time::timeout;
use tracing::info;

use super::Engine;
use super::grant::Before;
use super::issue::{IssueRequest, Issued, LONGEST_STEP};
use super::issue_error::{IssueError, IssueStep};
use super::new_lease::new_lease;
use super::roles::RoleError;
use super::session_grant::unread_group;
use super::session_revocation;
use super::ttl::SessionTtl;
use super::ttl_told::{TtlPlan, TtlTold};
use super::username::{self, NameInputs};
use crate::auth::Caller;
use crate::aws::{
    AwsError, FederatedSession, OwnSession, RoleSession, StsProvider, TemporaryCredentials,
    account_of,
};
use crate::gate::{Judgement, VettedGrant};
use crate::leases::NewLease;
use crate::model::{CredentialType, Lease, MfaCode, Mount, Role};

/// Characters of a role session's name (STS API reference, `AssumeRole`).
const MAX_SESSION_NAME: usize = 64;

/// What a caller may wish for a session; what is empty was not sent.
#[derive(Debug, Clone, Default)]
pub struct SessionWishes {
    /// Seconds; 0 is sent to AWS, which refuses it.
    pub ttl: Option<u64>,
    /// Which of the role's ARNs.
    pub role_arn: Option<String>,
    /// The name of the session of an assumed role.
    pub role_session_name: Option<String>,
    /// What the second factor shows, for `session_token`.
    pub mfa_code: Option<MfaCode>,
}

/// The one call to STS.
enum Session {
    Role(RoleSession),
    Federated(FederatedSession),
    Own(OwnSession),
}

impl Session {
    const fn step(&self) -> IssueStep {
        match self {
            Self::Role(_) => IssueStep::AssumeRole,
            Self::Federated(_) | Self::Own(_) => IssueStep::GenerateSession,
        }
    }

    fn late(&self) -> AwsError {
        let operation = match self {
            Self::Role(_) => "AssumeRole",
            Self::Federated(_) => "GetFederationToken",
            Self::Own(_) => "GetSessionToken",
        };
        AwsError::Unclear { operation, message: "no answer in time".to_owned() }
    }

    async fn ask(&self, sts: &dyn StsProvider) -> Result<TemporaryCredentials, AwsError> {
        match self {
            Self::Role(wanted) => sts.assume_role(wanted).await,
            Self::Federated(wanted) => sts.federation_token(wanted).await,
            Self::Own(wanted) => sts.session_token(wanted).await,
        }
    }
}

impl Engine {
    /// Issues temporary credentials from a role of one of the STS types.
    pub(super) async fn issue_session(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
        request: &IssueRequest,
    ) -> Result<Issued, IssueError> {
        let wishes = &request.wishes;
        check_wishes(role, wishes)?;
        let judgement = self.judge_session(caller, mount, role).await?;
        let (warnings, errors) = (judgement.warnings(), judgement.errors());
        let Judgement { verdict, vetted, fresh: _ } = judgement;
        let Some(grant) = vetted else {
            info!(role.name = %role.name, mount.path = %mount.path, verdict.digest = verdict.digest, "role {} was denied at issue", role.name);
            return Err(IssueError::Denied { role: role.name.clone(), errors, verdict });
        };
        let sts = self.parts.accounts.sts(&mount.id).await.map_err(IssueError::NoSts)?;
        let ttl = self.session_ttl(mount, role, wishes.ttl);
        let plan = self.planned_ttl(caller, role, TtlPlan::of_session(&ttl)).await?;
        let name = self.session_name(caller, mount, role, wishes).await?;
        let policy_digest = grant.permissions().to_owned();
        let mut session = session(role, wishes, name, ttl.session(), grant)?;

        let (id, tag) = self.lease_id(mount, request.endpoint, role)?;
        let account = self.account_of_session(mount, &session).await?;
        let mut new = NewLease {
            caps: self.caps(mount, role, account.as_deref()).await?,
            request_key: request.request_key.clone(),
            account,
            ..new_lease(id, caller, role, None, verdict.digest.clone())
        };
        new.origin.policy_digest = policy_digest;
        if let Session::Role(wanted) = &mut session {
            let now = self.parts.clock.now();
            new.beside = session_revocation::beside(role, &wanted.role_arn, now, wanted.duration);
            session_revocation::tag(role, &tag, wanted);
        }
        let lease = self.parts.leases.begin(new).await?;
        let (lease, keys) = self.ask_sts(sts.as_ref(), lease, &session).await?;
        let most = self.time_left(caller);
        let mut issued = self.hand_out_session(lease, keys, (ttl, most), warnings).await?;
        issued.told = plan.told(self.parts.clock.now(), issued.lease_duration);
        Ok(issued)
    }

    /// The account that a session will be in: of its role, else of the keys that ask for it. Looked for only where
    /// some account has a cap; STS says it with the credentials in any case.
    async fn account_of_session(
        &self,
        mount: &Mount,
        session: &Session,
    ) -> Result<Option<String>, IssueError> {
        match session {
            Session::Role(wanted) => Ok(account_of(&wanted.role_arn)),
            Session::Federated(_) | Session::Own(_) if self.caps_an_account().await? => {
                let access = self.parts.accounts.access(&mount.id).await;
                let access = access.map_err(IssueError::AccountUnknown)?;
                self.account_of_keys(&access).await
            }
            Session::Federated(_) | Session::Own(_) => Ok(None),
        }
    }

    /// As [`Engine::judge_again`], for all that the session will hold. A group that cannot be read
    /// would be missing in it: that is told as AWS tells it (contract 1.11).
    async fn judge_session(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
    ) -> Result<Judgement, IssueError> {
        let refused = |findings| IssueError::DocumentRefused { role: role.name.clone(), findings };
        let document = match self.read_role_document(role) {
            Ok(document) => document,
            Err(RoleError::DocumentRefused(findings)) => return Err(refused(findings)),
            Err(_) => None,
        };
        let grant = self.grant_of(mount, role, document, Before::Issued, None).await;
        if let Some(reason) = unread_group(&grant) {
            return Err(IssueError::GroupUnread(reason.to_owned()));
        }
        let grant = self.as_session(grant).map_err(refused)?;
        if let Some(reason) = unread_group(&grant) {
            return Err(IssueError::GroupUnread(reason.to_owned()));
        }
        let unbounded = grant.inline.is_none() && grant.policy_arns.is_empty();
        if unbounded && role.credential_type == CredentialType::FederationToken {
            return Err(IssueError::FederationWithoutPolicy);
        }
        Ok(self.judge(caller, grant).await)
    }

    /// Who has a say in how long a session of `role` lasts.
    pub(super) fn session_ttl(&self, mount: &Mount, role: &Role, wish: Option<u64>) -> SessionTtl {
        SessionTtl {
            wish: wish.map(Duration::from_secs),
            default_sts_ttl: role.default_sts_ttl,
            role_ttl: role.ttl,
            max_sts_ttl: role.max_sts_ttl,
            role_max_ttl: role.max_ttl,
            mount_max_ttl: self.effective_tuning(mount).max_lease_ttl,
        }
    }

    /// By what name AWS knows the session (contract 1.7).
    async fn session_name(
        &self,
        caller: &Caller,
        mount: &Mount,
        role: &Role,
        wishes: &SessionWishes,
    ) -> Result<String, IssueError> {
        Ok(match (role.credential_type, wishes.role_session_name.as_deref()) {
            (CredentialType::AssumedRole, Some(name)) => username::cleaned(name, MAX_SESSION_NAME),
            (CredentialType::AssumedRole | CredentialType::IamUser, _) => {
                self.user_name(caller, mount, role).await?.to_string()
            }
            (CredentialType::FederationToken, _) => self.federated_name(mount).await?,
            (CredentialType::SessionToken, _) => String::new(),
        })
    }

    async fn federated_name(&self, mount: &Mount) -> Result<String, IssueError> {
        let binding = self.parts.store.account_binding(&mount.id).await?;
        let template = binding.as_ref().map(|binding| binding.username_template.as_str());
        let template = template.unwrap_or(username::DEFAULT_TEMPLATE);
        let (inputs, now) = (NameInputs::sts(), self.parts.clock.now());
        let name = username::sts_user_name(template, &inputs, now, &self.parts.random)?;
        Ok(name.to_string())
    }

    /// The AWS call. Whatever fails, nothing in AWS needs to be removed: the row alone ends.
    async fn ask_sts(
        &self,
        sts: &dyn StsProvider,
        lease: Lease,
        session: &Session,
    ) -> Result<(Lease, TemporaryCredentials), IssueError> {
        let asked = timeout(LONGEST_STEP, session.ask(sts)).await;
        match asked.unwrap_or_else(|_late| Err(session.late())) {
            Ok(keys) => Ok((lease, keys)),
            Err(error) => {
                match &error {
                    AwsError::Refused { .. } | AwsError::NotConfigured(_) => {
                        self.refused(lease).await;
                    }
                    AwsError::Unclear { .. } => self.abandon(lease).await,
                }
                Err(IssueError::aws(session.step(), error))
            }
        }
    }

    async fn hand_out_session(
        &self,
        mut lease: Lease,
        keys: TemporaryCredentials,
        (ttl, most): (SessionTtl, Option<Duration>),
        mut warnings: Vec<String>,
    ) -> Result<Issued, IssueError> {
        session_revocation::begun(&mut lease.beside, &keys, ttl.session());
        let now = self.parts.clock.now();
        let left = keys.expires_at.since(now);
        // What a batch token holds ends with it; what AWS gave may last longer.
        let resolved = ttl.lease(left.min(most.unwrap_or(Duration::MAX)));
        let expires_at = now.after(resolved.ttl);
        (lease.account, lease.user_id) = (keys.account.or(lease.account), keys.user_id);
        let pending = lease.clone();
        let lease =
            match self.parts.leases.activate(lease, keys.access_key.clone(), expires_at).await {
                Ok(lease) => lease,
                Err(error) => {
                    self.abandon(pending).await;
                    return Err(error.into());
                }
            };
        info!(
            lease.id = %lease.id, role.name = %lease.role, caller = %lease.holder.0,
            verdict.digest = lease.verdict,
            "lease {} issued", lease.id
        );
        warnings.extend(resolved.warning);
        Ok(Issued {
            lease: lease.id,
            verdict: lease.verdict,
            lease_duration: rounded(resolved.ttl),
            renewable: false,
            access_key: keys.access_key,
            secret_key: keys.secret_key,
            session_token: Some(keys.session_token),
            arn: keys.arn,
            ttl: Some(rounded(left)),
            told: TtlTold::uncut(rounded(resolved.ttl)),
            readiness: None,
            warnings,
        })
    }
}

/// To the nearest second, as Vault does (contract 1.5).
fn rounded(duration: Duration) -> u64 {
    duration.saturating_add(Duration::from_millis(500)).as_secs()
}

/// The call that gives what the role says.
fn session(
    role: &Role,
    wishes: &SessionWishes,
    name: String,
    duration: Duration,
    grant: VettedGrant,
) -> Result<Session, IssueError> {
    Ok(match role.credential_type {
        CredentialType::AssumedRole => Session::Role(RoleSession {
            role_arn: chosen_role_arn(role, wishes)?.to_owned(),
            name,
            duration,
            tags: role.session_tags.clone().unwrap_or_default(),
            external_id: role.external_id.clone(),
            grant,
        }),
        CredentialType::FederationToken => {
            Session::Federated(FederatedSession { name, duration, grant })
        }
        // A user's keys are issued elsewhere; as a session it would be the broker's own.
        CredentialType::SessionToken | CredentialType::IamUser => Session::Own(OwnSession {
            duration,
            mfa_serial: role.mfa_serial_number.clone(),
            mfa_code: wishes.mfa_code.clone(),
            grant,
        }),
    })
}

/// What can be refused before anyone is asked.
fn check_wishes(role: &Role, wishes: &SessionWishes) -> Result<(), IssueError> {
    match role.credential_type {
        CredentialType::AssumedRole => chosen_role_arn(role, wishes).map(drop),
        CredentialType::IamUser
        | CredentialType::FederationToken
        | CredentialType::SessionToken => Ok(()),
    }
}

/// The one that was wished for, or the only one (contract 1.5).
fn chosen_role_arn<'a>(role: &'a Role, wishes: &SessionWishes) -> Result<&'a str, IssueError> {
    let allowed = role.role_arns.as_deref().unwrap_or_default();
    match (wishes.role_arn.as_deref(), allowed) {
        (None, [only]) => Ok(only),
        (None, _) => Err(IssueError::NoRoleArn),
        (Some(wish), allowed) => {
            allowed.iter().find(|arn| *arn == wish).map(String::as_str).ok_or_else(|| {
                IssueError::RoleArnNotAllowed { arn: wish.to_owned(), role: role.name.clone() }
            })
        }
    }
}
