//! Where to look: which accounts there are, and which of their users may be ours by path or by name. Being a
//! candidate means only that the tags are read.

use std::collections::{BTreeMap, BTreeSet};

use super::shown;
use crate::aws::ListedUser;
use crate::engine::Engine;
use crate::engine::username::{self, constant_beginning};
use crate::model::{Mount, MountId, MountPath};
use crate::store::StoreError;

/// An account, by the mounts that work in it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Scope {
    /// Its mounts, sorted by path; those that serve first.
    pub(in crate::engine) mounts: Vec<(MountId, MountPath)>,
    /// Paths of users that its roles name, `/` left out.
    pub(super) user_paths: BTreeSet<String>,
    /// What the names of users begin with.
    pub(super) beginnings: BTreeSet<String>,
    /// This installation's id.
    pub(super) broker: String,
}

impl Scope {
    pub(in crate::engine) fn paths(&self) -> Vec<String> {
        shown(&self.mounts)
    }

    pub(super) fn has(&self, mount: &MountId) -> bool {
        self.mounts.iter().any(|(id, _)| id == mount)
    }

    /// Whether the tags of a user are worth a call.
    pub(super) fn is_candidate(&self, user: &ListedUser) -> bool {
        self.user_paths.contains(&user.path)
            || self.beginnings.iter().any(|beginning| user.name.as_str().starts_with(beginning))
    }
}

impl Engine {
    /// Every account of a listed mount. One that is not configured has nothing of ours in it.
    pub(in crate::engine) async fn scopes(&self) -> Result<Vec<Scope>, StoreError> {
        let mut scopes: BTreeMap<String, Scope> = BTreeMap::new();
        for mount in self.mounts() {
            let Some(account) = self.parts.accounts.account_of(&mount.id) else { continue };
            let scope = scopes.entry(account).or_default();
            scope.broker.clone_from(&self.parts.settings.broker);
            self.widen(scope, &mount).await?;
        }
        Ok(scopes.into_values().collect())
    }

    async fn widen(&self, scope: &mut Scope, mount: &Mount) -> Result<(), StoreError> {
        scope.mounts.push((mount.id.clone(), mount.path.clone()));
        // Names of an earlier template are most likely those of the default one.
        scope.beginnings.insert(constant_beginning(username::DEFAULT_TEMPLATE));
        let binding = self.parts.store.account_binding(&mount.id).await?;
        let template = binding.map(|binding| binding.username_template).unwrap_or_default();
        if !template.is_empty() {
            scope.beginnings.insert(constant_beginning(&template));
        }
        for name in self.parts.store.role_names(&mount.id).await? {
            let role = self.parts.store.role(&mount.id, &name).await?;
            let path = role.map(|role| role.user_path.clone()).unwrap_or_default();
            if !matches!(path.as_str(), "" | "/") {
                scope.user_paths.insert(path);
            }
        }
        Ok(())
    }

    /// Where an orphan's row is to be written.
    pub(super) fn path_of(&self, mount: &MountId) -> Option<MountPath> {
        self.table.by_id(mount).map(|mount| mount.path.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn user(path: &str, name: &str) -> ListedUser {
        ListedUser {
            name: name.parse().unwrap(),
            path: path.to_owned(),
            id: "AIDA1".to_owned(),
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_user_is_a_candidate_by_its_path_or_by_the_beginning_of_its_name() {
        let scope = Scope {
            user_paths: ["/apps/".to_owned()].into(),
            beginnings: ["vault-".to_owned()].into(),
            ..Scope::default()
        };
        assert!(scope.is_candidate(&user("/", "vault-a")));
        assert!(scope.is_candidate(&user("/old/", "vault-a")));
        assert!(scope.is_candidate(&user("/apps/", "x")));
        assert!(!scope.is_candidate(&user("/", "x")));
        assert!(!scope.is_candidate(&user("/apps/more/", "x")));
    }
}
