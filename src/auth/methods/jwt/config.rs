//! What a `jwt` mount believes (contract 3.4): one source of keys, and which `iss` and algorithms. A write replaces all of
//! it, and looks first whether the keys come.

use tracing::info;

use super::super::MethodError;
use super::error::JwtError;
use super::fetch::fetch;
use crate::auth::Auth;
use crate::auth::jose::{KeySet, is_offered};
use crate::model::{AuthMount, JwtConfig, KeySource};
use crate::outbound::Ask;

/// A configuration as it was sent; what is empty was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewJwtConfig {
    /// `oidc_discovery_url`.
    pub discovery_url: String,
    /// `oidc_discovery_ca_pem`.
    pub discovery_ca_pem: String,
    /// `jwks_url`.
    pub jwks_url: String,
    /// `jwks_ca_pem`.
    pub jwks_ca_pem: String,
    /// `jwt_validation_pubkeys`.
    pub pubkeys: Vec<String>,
    /// `bound_issuer`.
    pub bound_issuer: String,
    /// `jwt_supported_algs`.
    pub supported_algs: Vec<String>,
    /// `default_role`.
    pub default_role: String,
}

impl Auth {
    /// What a mount believes.
    pub async fn jwt_config(&self, mount: &AuthMount) -> Result<Option<JwtConfig>, MethodError> {
        Ok(self.parts.store.jwt_config(&mount.id).await?)
    }

    /// Replaces it, if the keys come.
    pub async fn write_jwt_config(
        &self,
        mount: &AuthMount,
        new: NewJwtConfig,
    ) -> Result<(), MethodError> {
        let config = read(new)?;
        let refused = |why: String| match &config.keys {
            KeySource::Discovery { .. } => JwtError::Discovery(why),
            KeySource::Jwks { .. } | KeySource::Static { .. } => JwtError::Jwks(why),
        };
        let issuer = fetch(&config.keys, &*self.methods.outbound).await.map_err(refused)?;
        let _alone = self.methods.changing.lock().await;
        self.parts.store.put_jwt_config(&mount.id, &config).await?;
        self.methods.issuers.put(&mount.id, &config.keys, issuer, self.parts.clock.now());
        info!(mount.path = %mount.path, "auth/{} configured", mount.path);
        Ok(())
    }
}

fn read(new: NewJwtConfig) -> Result<JwtConfig, JwtError> {
    let checked = |field, pem: &str| {
        Ask::check_certificates(pem).map_err(|cause| JwtError::BadCertificates { field, cause })
    };
    let sources =
        [!new.discovery_url.is_empty(), !new.jwks_url.is_empty(), !new.pubkeys.is_empty()];
    let keys = match sources {
        [true, false, false] => {
            checked("oidc_discovery_ca_pem", &new.discovery_ca_pem)?;
            KeySource::Discovery { url: new.discovery_url, ca_pem: new.discovery_ca_pem }
        }
        [false, true, false] => {
            checked("jwks_ca_pem", &new.jwks_ca_pem)?;
            KeySource::Jwks { url: new.jwks_url, ca_pem: new.jwks_ca_pem }
        }
        [false, false, true] => {
            KeySet::from_pems(&new.pubkeys).map_err(JwtError::BadKey)?;
            KeySource::Static { pems: new.pubkeys }
        }
        _ => return Err(JwtError::OneSource),
    };
    if let Some(name) = new.supported_algs.iter().find(|name| !is_offered(name)) {
        return Err(JwtError::Algorithm(name.clone()));
    }
    Ok(JwtConfig {
        keys,
        bound_issuer: new.bound_issuer,
        supported_algs: new.supported_algs,
        default_role: new.default_role.to_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(new: NewJwtConfig) -> String {
        read(new).unwrap_err().to_string()
    }

    #[test]
    fn keys_come_from_one_place() {
        let new = NewJwtConfig::default;
        let one = "exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set";
        assert_eq!(told(new()), one);
        let jwks_url = "https://example.com/keys".to_owned();
        let discovery_url = "https://example.com".to_owned();
        assert_eq!(told(NewJwtConfig { jwks_url: jwks_url.clone(), discovery_url, ..new() }), one);
        let read = read(NewJwtConfig {
            jwks_url,
            default_role: "CI".to_owned(),
            supported_algs: vec!["RS256".to_owned(), "EdDSA".to_owned()],
            ..new()
        });
        assert_eq!(read.unwrap().default_role, "ci");
    }

    #[test]
    fn what_would_be_believed_by_mistake_is_refused() {
        let new = || NewJwtConfig {
            jwks_url: "https://example.com/keys".to_owned(),
            ..NewJwtConfig::default()
        };
        for name in ["none", "HS256", "ES512", "rs256", ""] {
            let told = told(NewJwtConfig { supported_algs: vec![name.to_owned()], ..new() });
            assert_eq!(told, format!("Invalid supported algorithm: {name}"));
        }
        let bad = told(NewJwtConfig { jwks_ca_pem: "x".to_owned(), ..new() });
        assert!(bad.starts_with("error checking jwks_ca_pem: "), "{bad}");
        let bad = NewJwtConfig { pubkeys: vec!["x".to_owned()], ..NewJwtConfig::default() };
        let bad = told(bad);
        assert!(bad.starts_with("error parsing public key: "), "{bad}");
    }
}
