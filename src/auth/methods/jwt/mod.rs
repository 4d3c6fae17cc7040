//! Machines with a token that somebody signed (contract 3.4): GitHub Actions, GitLab, Kubernetes and whoever else has
//! keys. Which keys is [`config`]'s, how they are kept [`keys`]', who is let in [`role`]'s and [`claims`]'. The login of
//! people by browser, which Vault has under the same type, is not offered.

use std::net::IpAddr;

use serde_json::Value;

use super::MethodError;
use super::login::LetIn;
use crate::auth::jose::{self, JoseError, KeySet};
use crate::auth::{Auth, AuthError, Granted};
use crate::model::{AuthMount, Jwt, JwtConfig, Network};

mod claims;
mod config;
mod error;
mod fetch;
mod keys;
mod matching;
mod role;

pub use claims::{Judged, judge};
pub use config::NewJwtConfig;
pub use error::{JwtError, TokenFault};
pub use fetch::{Discovered, discovered};
pub use role::JwtRoleChange;

pub(super) use claims::{Leeways, audience, audiences, in_time};
pub(super) use keys::IssuerKeys;

impl Auth {
    /// Lets a machine in whose token fits a role.
    pub async fn log_in_jwt(
        &self,
        mount: &AuthMount,
        role: Option<String>,
        token: Option<Jwt>,
        remote: Option<IpAddr>,
    ) -> Result<Granted, MethodError> {
        let config = self.jwt_config(mount).await?.ok_or(JwtError::NoConfig)?;
        let name = role.unwrap_or_else(|| config.default_role.clone()).to_lowercase();
        if name.is_empty() {
            return Err(JwtError::RoleMissing.into());
        }
        let role = self.jwt_role(mount, &name).await?.ok_or(JwtError::NoRole(name))?;
        let token = token.ok_or(JwtError::TokenMissing)?;
        if !Network::admit(&role.token.bound_cidrs, remote) {
            return Err(AuthError::Denied.into());
        }
        let (claims, issuer) = self.verified(mount, &config, &token).await?;
        let bound = &config.bound_issuer;
        let issuer = if bound.is_empty() { issuer.as_deref() } else { Some(bound.as_str()) };
        let who = judge(&role, issuer, &claims, self.parts.clock.now())?;
        self.let_in(LetIn {
            mount,
            name: &role.name,
            shown: &who.alias,
            alias: &who.alias,
            groups: &who.groups,
            path: "login".to_owned(),
            params: &role.token,
            bound_cidrs: &role.token.bound_cidrs,
            meta: who.meta,
        })
        .await
    }

    /// The claims of a token that is signed by a key that is believed, and whose keys they are.
    async fn verified(
        &self,
        mount: &AuthMount,
        config: &JwtConfig,
        token: &Jwt,
    ) -> Result<(Value, Option<String>), JwtError> {
        let (outbound, now) = (&*self.methods.outbound, self.parts.clock.now());
        let (issuers, source) = (&self.methods.issuers, &config.keys);
        let verified = |keys: &KeySet| jose::verify(token, keys, &config.supported_algs);
        // What no key could have signed asks nobody for keys.
        jose::check_shape(token, &config.supported_algs)?;
        let held = issuers.current(&mount.id, source, outbound, now).await;
        let held = held.map_err(|_told| JwtError::NoKeys)?;
        let judged = verified(&held.keys);
        if !matches!(judged, Err(JoseError::UnknownKey)) {
            return Ok((judged?, held.name.clone()));
        }
        let newer = issuers.newer(&mount.id, source, &held, outbound, now).await;
        Ok((verified(&newer.keys)?, newer.name.clone()))
    }
}
