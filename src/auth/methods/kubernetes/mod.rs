//! Pods with the token of their service account (contract 3.5). What the token says decides who is let in, and the cluster
//! has to say the same ([`review`]): nobody is let in on a signature alone, and nobody while the cluster is silent.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;
use tracing::warn;

use super::MethodError;
use super::jwt::{Leeways, TokenFault, audience, audiences, in_time};
use super::login::LetIn;
use crate::auth::jose::{self, KeySet};
use crate::auth::{Auth, AuthError, Granted};
use crate::model::{
    AliasNameSource, AuthMount, Jwt, KubernetesConfig, KubernetesRole, Network, glob,
};
use account::ServiceAccount;
use review::Review;

mod account;
mod config;
mod error;
mod review;
mod role;

pub use config::NewKubernetesConfig;
pub use error::KubernetesError;
pub use role::KubernetesRoleChange;

/// Where a pod finds the certificates of its cluster (Kubernetes, "Accessing the API from a Pod").
const LOCAL_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
/// Where it finds its own token, which changes while it runs.
const LOCAL_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

impl Auth {
    /// Lets a pod in whose service account fits a role.
    pub async fn log_in_kubernetes(
        &self,
        mount: &AuthMount,
        role: Option<String>,
        token: Option<Jwt>,
        remote: Option<IpAddr>,
    ) -> Result<Granted, MethodError> {
        let name = role.ok_or(KubernetesError::RoleMissing)?;
        let token = token.ok_or(KubernetesError::TokenMissing)?;
        let role = self.kubernetes_role(mount, &name).await?;
        let role = role.ok_or(KubernetesError::NoRole(name))?;
        if !Network::admit(&role.token.bound_cidrs, remote) {
            return Err(AuthError::Denied.into());
        }
        let config = self.kubernetes_config(mount).await?.ok_or(KubernetesError::NoConfig)?;
        let claims = read(&config, &token)?;
        let account = self.claimed(&config, &role, &claims)?;
        let wanted = if role.audience.trim().is_empty() {
            audiences(&claims).into_iter().map(str::to_owned).collect()
        } else {
            vec![role.audience.clone()]
        };
        let review = Review {
            host: &config.host,
            ca_pem: ca_pem(&config),
            reviewer: self.reviewer(mount, &config, &token)?,
            token: &token,
            audiences: &wanted,
        };
        let confirmed = review.confirms(&account, &*self.methods.outbound).await;
        confirmed.map_err(|why| {
            warn!(mount.path = %mount.path, "a login at auth/{} was refused: {why}", mount.path);
            KubernetesError::Refused
        })?;
        self.let_account_in(mount, &role, &account).await
    }

    async fn let_account_in(
        &self,
        mount: &AuthMount,
        role: &KubernetesRole,
        account: &ServiceAccount,
    ) -> Result<Granted, MethodError> {
        let alias = match role.alias_name_source {
            AliasNameSource::ServiceaccountUid => account.uid.clone(),
            AliasNameSource::ServiceaccountName => {
                format!("{}/{}", account.namespace, account.name)
            }
        };
        self.let_in(LetIn {
            mount,
            name: &role.name,
            shown: &format!("{}-{}", account.namespace, account.name),
            alias: &alias,
            groups: &[],
            path: "login".to_owned(),
            params: &role.token,
            bound_cidrs: &role.token.bound_cidrs,
            meta: metadata(role, account),
        })
        .await
    }

    /// Whose token it says it is, if the role lets that account in now.
    fn claimed(
        &self,
        config: &KubernetesConfig,
        role: &KubernetesRole,
        claims: &Value,
    ) -> Result<ServiceAccount, KubernetesError> {
        let issuer = &config.issuer;
        let is_theirs = claims.get("iss").and_then(Value::as_str) == Some(issuer.as_str());
        if !config.disable_iss_validation && !issuer.is_empty() && !is_theirs {
            return Err(TokenFault::Issuer.into());
        }
        if !role.audience.trim().is_empty() {
            audience(std::slice::from_ref(&role.audience), claims)?;
        }
        match in_time(&Leeways::DEFAULT, claims, self.parts.clock.now()) {
            // Tokens of secrets last for ever; the cluster knows whether the secret is still there.
            Ok(()) | Err(TokenFault::Timeless) => {}
            Err(fault) => return Err(fault.into()),
        }
        let account = ServiceAccount::claimed(claims).ok_or(KubernetesError::NoServiceAccount)?;
        let holds =
            |patterns: &[String], text: &str| patterns.iter().any(|one| glob::matches(one, text));
        if !holds(&role.service_account_names, &account.name) {
            return Err(KubernetesError::Name);
        }
        if !holds(&role.service_account_namespaces, &account.namespace) {
            return Err(KubernetesError::Namespace);
        }
        Ok(account)
    }

    /// Who asks the cluster: the reviewer that was configured, else the broker's own pod, else the one who logs in.
    fn reviewer(
        &self,
        mount: &AuthMount,
        config: &KubernetesConfig,
        token: &Jwt,
    ) -> Result<Jwt, MethodError> {
        if let Some(sealed) = &config.reviewer {
            return Ok(self.parts.barrier.open_jwt(sealed, &config::context(mount))?);
        }
        let own = (!config.disable_local_ca_jwt).then(|| std::fs::read_to_string(LOCAL_TOKEN).ok());
        Ok(own.flatten().map_or_else(|| token.clone(), |text| Jwt::new(text.trim())))
    }
}

/// The claims; signed by one of the keys, where there are any.
fn read(config: &KubernetesConfig, token: &Jwt) -> Result<Value, KubernetesError> {
    if config.pem_keys.is_empty() {
        return jose::read_unverified(token).map_err(KubernetesError::Unreadable);
    }
    jose::check_shape(token, &[]).map_err(KubernetesError::Unreadable)?;
    let keys = KeySet::from_pems(&config.pem_keys).map_err(KubernetesError::BadKey)?;
    jose::verify(token, &keys, &[]).map_err(|_not_theirs| KubernetesError::Refused)
}

fn ca_pem(config: &KubernetesConfig) -> String {
    if !config.ca_cert.is_empty() || config.disable_local_ca_jwt {
        return config.ca_cert.clone();
    }
    std::fs::read_to_string(LOCAL_CA).unwrap_or_default()
}

fn metadata(role: &KubernetesRole, account: &ServiceAccount) -> BTreeMap<String, String> {
    [
        ("role", &role.name),
        ("service_account_name", &account.name),
        ("service_account_namespace", &account.namespace),
        ("service_account_uid", &account.uid),
        ("service_account_secret_name", &account.secret),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect()
}
