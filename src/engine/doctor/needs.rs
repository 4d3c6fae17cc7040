//! What the broker needs of AWS, by the roles there are: read from them alone, nothing is asked of anybody. What
//! permissions that comes to is in [`super::policy`].

use std::collections::BTreeSet;

use crate::engine::Engine;
use crate::engine::grant::user_path;
use crate::engine::username::{self, constant_beginning};
use crate::model::{CredentialType, MountId, Placement, Role, SessionRevocation};
use crate::store::StoreError;

/// What roles, static roles and `config/root` of some mounts need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own about the roles")]
pub struct Needs {
    /// What users are called: path and beginning of the name, `/vault-`.
    pub users: BTreeSet<String>,
    /// Permissions boundaries of the users.
    pub boundaries: BTreeSet<String>,
    /// Some role has none.
    pub unbounded: bool,
    /// Users are given managed policies.
    pub attaches: bool,
    /// Some of them are the leases' own.
    pub own_policies: bool,
    /// Managed policies are judged.
    pub reads_policies: bool,
    /// Groups that users join.
    pub joined: BTreeSet<String>,
    /// Groups whose policies are judged.
    pub read_groups: BTreeSet<String>,
    /// Roles that are assumed.
    pub assumed: BTreeSet<String>,
    /// Of these, those whose sessions have tags.
    pub tagged: BTreeSet<String>,
    /// Of these, those whose sessions can be cut off.
    pub cut: BTreeSet<String>,
    /// Users are federated.
    pub federates: bool,
    /// The broker's own key is rotated.
    pub rotates_itself: bool,
    /// Users of static roles.
    pub rotated: BTreeSet<String>,
}

impl Needs {
    /// Of roles that make users with a boundary, documents and managed policies: what the README is about, and
    /// what is given where there is no role yet.
    pub fn usual() -> Self {
        Self {
            users: BTreeSet::from(["/vault-".to_owned()]),
            boundaries: BTreeSet::from(["arn:aws:iam::<account_id>:policy/<boundary>".to_owned()]),
            attaches: true,
            reads_policies: true,
            ..Self::default()
        }
    }

    /// Whether nothing is needed that concerns a role.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// With what a role needs whose users' names begin so.
    fn take(&mut self, role: &Role, beginning: &str) {
        let groups = role.iam_groups.iter().flatten().map(ToString::to_string);
        let groups: Vec<String> = groups.collect();
        let has_policies = role.policy_arns.as_ref().is_some_and(|arns| !arns.is_empty());
        let is_bounded = !role.permissions_boundary_arn.is_empty();
        self.reads_policies |= has_policies || is_bounded || !groups.is_empty();
        self.read_groups.extend(groups.iter().cloned());
        for kind in role.credential_types() {
            match kind {
                CredentialType::IamUser => {
                    self.users.insert(format!("{}{beginning}", user_path(role)));
                    if is_bounded {
                        self.boundaries.insert(role.permissions_boundary_arn.clone());
                    }
                    self.unbounded |= !is_bounded;
                    let own_policy = match role.delivery.placement.unwrap_or_default() {
                        Placement::Inline => false,
                        Placement::Managed | Placement::Auto => !role.policy_document.is_empty(),
                    };
                    self.own_policies |= own_policy;
                    self.attaches |= has_policies || own_policy;
                    self.joined.extend(groups.iter().cloned());
                }
                CredentialType::AssumedRole => self.take_assumed(role),
                CredentialType::FederationToken => self.federates = true,
                // It needs no permission.
                CredentialType::SessionToken => {}
            }
        }
    }

    fn take_assumed(&mut self, role: &Role) {
        let arns = || role.role_arns.iter().flatten().cloned();
        self.assumed.extend(arns());
        let by_tag = match role.delivery.session_revocation {
            Some(SessionRevocation::Tag) => true,
            Some(SessionRevocation::Older) | None => false,
        };
        if by_tag || role.session_tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
            self.tagged.extend(arns());
        }
        if role.delivery.session_revocation.is_some() {
            self.cut.extend(arns());
        }
    }
}

impl Engine {
    /// What these mounts need.
    pub(super) async fn needs(&self, mounts: &[MountId]) -> Result<Needs, StoreError> {
        let store = &self.parts.store;
        let mut needs = Needs::default();
        for mount in mounts {
            let binding = store.account_binding(mount).await?;
            let template = binding.as_ref().map(|binding| binding.username_template.as_str());
            let template = template.filter(|template| !template.is_empty());
            let beginning = constant_beginning(template.unwrap_or(username::DEFAULT_TEMPLATE));
            needs.rotates_itself |= binding.is_some_and(|binding| {
                let planned = binding.rotation_period > 0 || !binding.rotation_schedule.is_empty();
                planned && !binding.disable_automated_rotation
            });
            for name in store.role_names(mount).await? {
                if let Some(role) = store.role(mount, &name).await? {
                    needs.take(&role, &beginning);
                }
            }
            let rotated = store.static_roles(mount).await?;
            needs.rotated.extend(rotated.into_iter().map(|role| role.user.to_string()));
        }
        Ok(needs)
    }
}
