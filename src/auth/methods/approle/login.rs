//! A machine's login (contract 3.3), in the contract's order of checks: locked out, role, secret id, where
//! from, uses. A locked role id uses nothing up; what was wrong is never told apart.

use std::net::IpAddr;

use super::super::MethodError;
use super::super::login::LetIn;
use crate::auth::{Auth, Granted};
use crate::model::{AppRole, AuthMount, Network, SecretId, StoredSecretId};

impl Auth {
    /// Lets a machine in that knows a role id and, where the role asks for one, a secret id of it.
    pub async fn log_in_app_role(
        &self,
        mount: &AuthMount,
        role_id: Option<&str>,
        secret_id: Option<&SecretId>,
        remote: Option<IpAddr>,
    ) -> Result<Granted, MethodError> {
        let role_id = role_id.filter(|id| !id.is_empty()).ok_or(MethodError::NoAlias)?;
        self.must_not_be_locked(mount, role_id)?;
        let granted = self.judged(mount, role_id, secret_id, remote).await;
        match &granted {
            Ok(_) => self.guessed_right(mount, role_id),
            Err(MethodError::WrongRole) => self.guessed_wrong(mount, role_id),
            // Whoever only forgot something, or came from elsewhere, has not guessed.
            Err(_) => {}
        }
        granted
    }

    async fn judged(
        &self,
        mount: &AuthMount,
        role_id: &str,
        secret_id: Option<&SecretId>,
        remote: Option<IpAddr>,
    ) -> Result<Granted, MethodError> {
        let found = self.parts.store.app_role_by_id(&mount.id, role_id).await?;
        let role = found.ok_or(MethodError::WrongRole)?;
        let proof = self.proven(mount, &role, secret_id, remote).await?;
        if !Network::admit(&role.secret_id_bound_cidrs, remote) {
            return Err(elsewhere(remote, "by CIDR restrictions on the role"));
        }
        let bound_cidrs = match &proof {
            Some(proof) if !proof.token_bound_cidrs.is_empty() => &proof.token_bound_cidrs,
            Some(_) | None => &role.token.bound_cidrs,
        };
        if !Network::admit(bound_cidrs, remote) {
            return Err(elsewhere(remote, "by CIDR restrictions on the token"));
        }
        if let Some(proof) = &proof {
            self.take_use(mount, proof).await?;
        }
        let mut meta = proof.as_ref().map(|proof| proof.metadata.clone()).unwrap_or_default();
        meta.insert("role_name".to_owned(), role.name.clone());
        self.let_in(LetIn {
            mount,
            name: &role.name,
            shown: "",
            alias: &role.role_id,
            groups: &[],
            path: "login".to_owned(),
            params: &role.token,
            bound_cidrs,
            meta,
        })
        .await
    }

    /// The secret id that was shown, where the role asks for one.
    async fn proven(
        &self,
        mount: &AuthMount,
        role: &AppRole,
        secret_id: Option<&SecretId>,
        remote: Option<IpAddr>,
    ) -> Result<Option<StoredSecretId>, MethodError> {
        if !role.bind_secret_id {
            return Ok(None);
        }
        let sent = secret_id.filter(|sent| !sent.is_empty());
        let sent = sent.ok_or(MethodError::SecretIdMissing)?;
        let found = self.live_secret_id(mount, role, sent).await?;
        let found = found.ok_or(MethodError::WrongRole)?;
        if !Network::admit(&found.cidrs, remote) {
            return Err(elsewhere(remote, "through CIDR restrictions on the secret ID"));
        }
        Ok(Some(found))
    }

    /// Takes one use; of several logins with the last one, one gets it.
    async fn take_use(&self, mount: &AuthMount, proof: &StoredSecretId) -> Result<(), MethodError> {
        if proof.uses_left == 0 {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let store = &self.parts.store;
        if store.use_secret_id(&mount.id, &proof.role, &proof.digest, now).await? {
            Ok(())
        } else {
            Err(MethodError::WrongRole)
        }
    }
}

fn elsewhere(address: Option<IpAddr>, by: &'static str) -> MethodError {
    MethodError::Source { address, by }
}
