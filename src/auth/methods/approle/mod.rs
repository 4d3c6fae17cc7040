//! AppRole for machines (contract 3.3): its roles. A role without anything to prove at login is never
//! written. Secret ids are made and ended in [`secret_ids`], logins judged in [`login`].

use tracing::info;

use super::params::{changed, networks};
use super::{MethodError, ParamsChange};
use crate::auth::Auth;
use crate::model::{AppRole, AuthMount, TokenParams};
use crate::store::StoreError;

mod login;
mod secret_ids;

pub use secret_ids::{GivenSecretId, NewSecretId};

/// A change of a role; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// What machines name it by; a new role gets a UUID.
    pub role_id: Option<String>,
    /// Whether a secret id is asked for.
    pub bind_secret_id: Option<bool>,
    /// Where logins may come from.
    pub secret_id_bound_cidrs: Option<Vec<String>>,
    /// Uses of a new secret id.
    pub secret_id_num_uses: Option<i64>,
    /// Seconds that a new secret id lasts.
    pub secret_id_ttl: Option<u64>,
    /// Kept and shown.
    pub local_secret_ids: Option<bool>,
    /// The `token_*` fields.
    pub token: ParamsChange,
}

impl Auth {
    /// A role.
    pub async fn app_role(
        &self,
        mount: &AuthMount,
        name: &str,
    ) -> Result<Option<AppRole>, MethodError> {
        Ok(self.parts.store.app_role(&mount.id, &name.to_lowercase()).await?)
    }

    /// A role that has to be there.
    async fn known_role(&self, mount: &AuthMount, name: &str) -> Result<AppRole, MethodError> {
        let role = self.app_role(mount, name).await?;
        role.ok_or_else(|| MethodError::NoRole(name.to_lowercase()))
    }

    /// Names of the roles or users of a mount, sorted.
    pub async fn login_names(&self, mount: &AuthMount) -> Result<Vec<String>, MethodError> {
        Ok(self.parts.store.login_names(&mount.id).await?)
    }

    /// Writes a role, new or there already; gives warnings.
    pub async fn write_app_role(
        &self,
        mount: &AuthMount,
        name: &str,
        change: RoleChange,
    ) -> Result<Vec<String>, MethodError> {
        let _alone = self.methods.changing.lock().await;
        let name = name.to_lowercase();
        let stored = self.app_role(mount, &name).await?;
        if stored.is_some() && change.local_secret_ids.is_some() {
            return Err(MethodError::LocalFixed);
        }
        let stored = stored.unwrap_or_else(|| AppRole {
            name: name.clone(),
            role_id: self.parts.random.uuid(),
            bind_secret_id: true,
            secret_id_bound_cidrs: Vec::new(),
            secret_id_num_uses: 0,
            secret_id_ttl: 0,
            local_secret_ids: false,
            token: TokenParams::default(),
        });
        let role = merged(stored, change)?;
        let most = super::EffectiveTtls::of(mount).max;
        let too_long = role.token.max_ttl > most;
        let warning = "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated";
        self.put_role(mount, &role).await?;
        info!(role.name = %name, mount.path = %mount.path, "role {name} of auth/{} written", mount.path);
        Ok(too_long.then(|| warning.to_owned()).into_iter().collect())
    }

    async fn put_role(&self, mount: &AuthMount, role: &AppRole) -> Result<(), MethodError> {
        match self.parts.store.put_app_role(&mount.id, role).await {
            Err(StoreError::Conflict) => Err(MethodError::RoleIdTaken),
            written => Ok(written?),
        }
    }

    /// Sets the role id of a role.
    pub async fn set_role_id(
        &self,
        mount: &AuthMount,
        name: &str,
        role_id: Option<String>,
    ) -> Result<(), MethodError> {
        let _alone = self.methods.changing.lock().await;
        let role = self.known_role(mount, name).await?;
        let role_id = role_id.ok_or(MethodError::RoleIdMissing)?;
        self.put_role(mount, &AppRole { role_id, ..role }).await
    }

    /// Removes a role with its secret ids, or a user; one that is not there is removed already. Tokens
    /// that were made for it live on, but are not renewed.
    pub async fn remove_login(&self, mount: &AuthMount, name: &str) -> Result<(), MethodError> {
        let _alone = self.methods.changing.lock().await;
        let name = name.to_lowercase();
        self.parts.store.remove_login(&mount.id, &name).await?;
        info!(mount.path = %mount.path, "`{name}` of auth/{} removed", mount.path);
        Ok(())
    }
}

fn merged(stored: AppRole, change: RoleChange) -> Result<AppRole, MethodError> {
    let role = AppRole {
        name: stored.name,
        role_id: change.role_id.filter(|id| !id.is_empty()).unwrap_or(stored.role_id),
        bind_secret_id: change.bind_secret_id.unwrap_or(stored.bind_secret_id),
        secret_id_bound_cidrs: networks("secret_id_bound_cidrs", change.secret_id_bound_cidrs)?
            .unwrap_or(stored.secret_id_bound_cidrs),
        secret_id_num_uses: change.secret_id_num_uses.unwrap_or(stored.secret_id_num_uses),
        secret_id_ttl: change.secret_id_ttl.unwrap_or(stored.secret_id_ttl),
        local_secret_ids: change.local_secret_ids.unwrap_or(stored.local_secret_ids),
        token: changed(stored.token, change.token)?,
    };
    if role.secret_id_num_uses < 0 {
        return Err(MethodError::Negative("secret_id_num_uses"));
    }
    let bound = !role.secret_id_bound_cidrs.is_empty() || !role.token.bound_cidrs.is_empty();
    if !role.bind_secret_id && !bound {
        return Err(MethodError::NoConstraint);
    }
    Ok(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> AppRole {
        AppRole {
            name: "ci".to_owned(),
            role_id: "id".to_owned(),
            bind_secret_id: true,
            secret_id_bound_cidrs: Vec::new(),
            secret_id_num_uses: 0,
            secret_id_ttl: 0,
            local_secret_ids: false,
            token: TokenParams::default(),
        }
    }

    #[test]
    fn a_role_keeps_what_is_not_sent_and_its_id() {
        let change = RoleChange {
            role_id: Some(String::new()),
            secret_id_ttl: Some(600),
            ..RoleChange::default()
        };
        let written = merged(role(), change).unwrap();
        assert_eq!((written.role_id.as_str(), written.secret_id_ttl), ("id", 600));
        assert!(written.bind_secret_id);
    }

    #[test]
    fn a_role_that_asks_for_nothing_is_refused() {
        let open = RoleChange { bind_secret_id: Some(false), ..RoleChange::default() };
        let refused = merged(role(), open.clone()).unwrap_err();
        assert_eq!(refused.to_string(), "at least one constraint should be enabled on the role");
        let bound = RoleChange { secret_id_bound_cidrs: Some(vec!["10.0.0.0/8".into()]), ..open };
        assert!(merged(role(), bound).is_ok());
        let negative = RoleChange { secret_id_num_uses: Some(-1), ..RoleChange::default() };
        assert!(matches!(merged(role(), negative), Err(MethodError::Negative(_))));
    }
}
