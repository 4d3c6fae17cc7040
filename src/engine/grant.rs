//! Everything that a role would grant, gathered for the gate: the inline document, the documents
//! behind ARNs and groups as AWS holds them, the boundary. What cannot be read is handed over as such;
//! whether that denies is the gate's to say. Shared by [`super::roles`] and [`super::issue`].

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join3;

use super::Engine;
use super::roles::RoleError;
use super::ttl::TtlSources;
use crate::aws;
use crate::aws::documents::Fetched;
use crate::gate::{self, DocumentRefused, Grant, InlineDocument, RoleContext, Trigger};
use crate::model::{CredentialType, GroupName, LeaseConfig, Mount, Placement, PolicyArn, Role};

/// Why a grant is judged, and what the role granted until now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before<'a> {
    /// A new role is written.
    Created,
    /// This one is written again.
    Updated(&'a Role),
    /// A credential is about to be issued.
    Issued,
}

impl Before<'_> {
    const fn trigger(self) -> Trigger {
        match self {
            Self::Created => Trigger::Create,
            Self::Updated(_) => Trigger::Update,
            Self::Issued => Trigger::Issue,
        }
    }
}

impl Engine {
    /// The inline document of a stored role, read again.
    pub(super) fn read_role_document(
        &self,
        role: &Role,
    ) -> Result<Option<InlineDocument>, RoleError> {
        let placement = role.delivery.placement.unwrap_or_default();
        self.read_document(&role.policy_document, Some(role.credential_type), placement)
    }

    /// Reads an inline document, by the quota of users, of managed policies or of sessions; an empty text
    /// is none.
    pub(super) fn read_document(
        &self,
        text: &str,
        kind: Option<CredentialType>,
        placement: Placement,
    ) -> Result<Option<InlineDocument>, RoleError> {
        if text.is_empty() {
            return Ok(None);
        }
        let read = match kind {
            Some(CredentialType::AssumedRole | CredentialType::FederationToken) => {
                self.parts.gate.read_session(text)
            }
            Some(CredentialType::IamUser | CredentialType::SessionToken) | None => {
                match placement {
                    Placement::Inline => self.parts.gate.read(text),
                    Placement::Managed | Placement::Auto => self.parts.gate.read_managed(text),
                }
            }
        };
        match read {
            Ok(document) => Ok(Some(document)),
            Err(DocumentRefused::BrokenJson { .. }) => {
                Err(RoleError::BrokenDocument(text.to_owned()))
            }
            Err(DocumentRefused::Findings(findings)) => Err(RoleError::DocumentRefused(findings)),
        }
    }

    /// Gathers what `role` would grant.
    pub(super) async fn grant_of(
        &self,
        mount: &Mount,
        role: &Role,
        document: Option<InlineDocument>,
        before: Before<'_>,
        config: Option<LeaseConfig>,
    ) -> Grant {
        let arns = role.policy_arns.clone().unwrap_or_default();
        let groups = groups(role);
        let boundary: Option<PolicyArn> = role.permissions_boundary_arn.parse().ok();
        let documents = &self.parts.documents;
        let (fetched, boundary_text, previous) = join3(
            documents.fetch(&mount.id, &arns, &groups),
            documents.fetch(&mount.id, boundary.as_slice(), &[]),
            self.granted_before(mount, before),
        )
        .await;
        Grant {
            trigger: before.trigger(),
            inline: document,
            policy_arns: arns,
            groups: groups.clone(),
            boundary,
            fetched: fetched.into_iter().map(for_gate).collect(),
            boundary_text: boundary_text.into_iter().next().map(|fetched| for_gate(fetched).1),
            previous,
            role: RoleContext {
                name: role.name.clone(),
                mount: mount.path.clone(),
                path: role.user_path.clone(),
                credential_type: role.credential_type,
                tags: tags(role),
                groups,
                assumes: role.role_arns.clone().unwrap_or_default(),
                max_ttl_seconds: self.longest(mount, role, config).as_secs(),
            },
            actor: None,
            now: self.parts.clock.now(),
        }
    }

    /// What the role grants now, as far as it can be read.
    async fn granted_before(
        &self,
        mount: &Mount,
        before: Before<'_>,
    ) -> Vec<(gate::DocumentSource, String)> {
        let Before::Updated(role) = before else {
            return Vec::new();
        };
        let arns = role.policy_arns.as_deref().unwrap_or_default();
        let fetched = self.parts.documents.fetch(&mount.id, arns, &groups(role)).await;
        let inline = (!role.policy_document.is_empty())
            .then(|| (gate::DocumentSource::Inline, role.policy_document.clone()));
        let readable = fetched.into_iter().filter_map(|fetched| {
            let (source, text) = for_gate(fetched);
            Some((source, text.ok()?))
        });
        inline.into_iter().chain(readable).collect()
    }

    /// How long a credential of `role` can last.
    fn longest(&self, mount: &Mount, role: &Role, config: Option<LeaseConfig>) -> Duration {
        match role.credential_type {
            CredentialType::IamUser => self.ttl_sources(mount, role, config).max_ttl(),
            CredentialType::AssumedRole
            | CredentialType::FederationToken
            | CredentialType::SessionToken => self.session_ttl(mount, role, None).most(),
        }
    }

    /// Who has a say in how long a lease of `role` lasts.
    pub(super) fn ttl_sources(
        &self,
        mount: &Mount,
        role: &Role,
        config: Option<LeaseConfig>,
    ) -> TtlSources {
        TtlSources {
            role_ttl: role_duration(role.ttl),
            role_max_ttl: role_duration(role.max_ttl),
            config,
            mount: self.effective_tuning(mount),
        }
    }
}

/// A session token is the broker's own user, which no group of a role's changes.
fn groups(role: &Role) -> Vec<GroupName> {
    match role.credential_type {
        CredentialType::IamUser | CredentialType::AssumedRole | CredentialType::FederationToken => {
            role.iam_groups.clone().unwrap_or_default()
        }
        CredentialType::SessionToken => Vec::new(),
    }
}

/// What AWS will know the credential by.
fn tags(role: &Role) -> BTreeMap<String, String> {
    let tags = match role.credential_type {
        CredentialType::IamUser => &role.iam_tags,
        CredentialType::AssumedRole => &role.session_tags,
        CredentialType::FederationToken | CredentialType::SessionToken => &None,
    };
    tags.clone().unwrap_or_default()
}

/// The path of the role's users.
pub(super) fn user_path(role: &Role) -> &str {
    if role.user_path.is_empty() { "/" } else { &role.user_path }
}

/// A TTL of a role as a lease keeps it; 0 = not set.
pub(super) fn role_duration(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn for_gate(fetched: Fetched) -> (gate::DocumentSource, Result<String, String>) {
    let source = match fetched.source {
        aws::DocumentSource::Managed(arn) => gate::DocumentSource::Managed(arn),
        aws::DocumentSource::Group { group, policy } => {
            gate::DocumentSource::Group { group, policy }
        }
    };
    // The reason stands in findings, which callers read.
    let text = fetched.result.map(|held| held.text).map_err(|error| error.for_caller());
    (source, text)
}
