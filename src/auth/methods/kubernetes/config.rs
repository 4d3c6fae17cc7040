//! The cluster of a `kubernetes` mount (contract 3.5). A write replaces all of it; the reviewer's token is sealed before it
//! is stored, and shown nowhere.

use tracing::info;

use super::super::MethodError;
use super::error::KubernetesError;
use crate::auth::Auth;
use crate::auth::jose::{self, KeySet};
use crate::model::{AuthMount, Jwt, KubernetesConfig};
use crate::outbound::Ask;

/// A configuration as it was sent; what is empty was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKubernetesConfig {
    /// A host, host and port, or URL.
    pub host: String,
    /// `kubernetes_ca_cert`.
    pub ca_cert: String,
    /// `token_reviewer_jwt`.
    pub reviewer: Option<Jwt>,
    /// `disable_local_ca_jwt`.
    pub disable_local_ca_jwt: bool,
    /// `pem_keys`.
    pub pem_keys: Vec<String>,
    /// `issuer`.
    pub issuer: String,
    /// `disable_iss_validation`.
    pub disable_iss_validation: bool,
}

impl Auth {
    /// The cluster of a mount.
    pub async fn kubernetes_config(
        &self,
        mount: &AuthMount,
    ) -> Result<Option<KubernetesConfig>, MethodError> {
        Ok(self.parts.store.kubernetes_config(&mount.id).await?)
    }

    /// Replaces it. Nothing is asked of the cluster yet.
    pub async fn write_kubernetes_config(
        &self,
        mount: &AuthMount,
        new: NewKubernetesConfig,
    ) -> Result<(), MethodError> {
        check(&new)?;
        let reviewer = match &new.reviewer {
            Some(token) => Some(self.parts.barrier.seal_jwt(token, &context(mount))?),
            None => None,
        };
        let config = KubernetesConfig {
            host: base_url(&new.host)?,
            ca_cert: new.ca_cert,
            reviewer,
            disable_local_ca_jwt: new.disable_local_ca_jwt,
            pem_keys: new.pem_keys,
            issuer: new.issuer,
            disable_iss_validation: new.disable_iss_validation,
        };
        let _alone = self.methods.changing.lock().await;
        self.parts.store.put_kubernetes_config(&mount.id, &config).await?;
        info!(mount.path = %mount.path, "auth/{} configured", mount.path);
        Ok(())
    }
}

/// What the reviewer's token is sealed as: it opens as no other mount's.
pub(super) fn context(mount: &AuthMount) -> String {
    format!("kubernetes/{}/reviewer", mount.id.0)
}

fn check(new: &NewKubernetesConfig) -> Result<(), KubernetesError> {
    if new.host.trim().is_empty() {
        return Err(KubernetesError::NoHost);
    }
    Ask::check_certificates(&new.ca_cert).map_err(KubernetesError::BadCertificates)?;
    if !new.pem_keys.is_empty() {
        KeySet::from_pems(&new.pem_keys).map_err(KubernetesError::BadKey)?;
    }
    match &new.reviewer {
        Some(token) => jose::check_shape(token, &[]).map_err(KubernetesError::BadReviewer),
        None => Ok(()),
    }
}

/// A host, host and port or URL as a base URL.
fn base_url(host: &str) -> Result<String, KubernetesError> {
    let host = host.trim();
    let own = match host.split_once("://") {
        None => Some(host),
        Some(("https", rest)) => Some(rest),
        Some(_) => None,
    };
    let own = own.map(|own| own.trim_end_matches('/')).filter(|own| !own.is_empty());
    own.map(|own| format!("https://{own}")).ok_or_else(|| KubernetesError::Host(host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_asked_over_https_only() {
        for (sent, url) in [
            ("10.0.0.1:6443", "https://10.0.0.1:6443"),
            ("https://kubernetes.default.svc/", "https://kubernetes.default.svc"),
            ("kubernetes.default.svc", "https://kubernetes.default.svc"),
        ] {
            assert_eq!(base_url(sent).unwrap(), url);
        }
        for sent in ["http://10.0.0.1", "https://", "ftp://x"] {
            assert!(base_url(sent).is_err(), "{sent}");
        }
    }

    #[test]
    fn what_is_no_certificate_key_or_token_is_refused() {
        let new = || NewKubernetesConfig { host: "h".to_owned(), ..NewKubernetesConfig::default() };
        let told = |new: NewKubernetesConfig| check(&new).unwrap_err().to_string();
        assert_eq!(told(NewKubernetesConfig::default()), "no host provided");
        let bad = told(NewKubernetesConfig { ca_cert: "x".to_owned(), ..new() });
        assert!(bad.starts_with("error checking kubernetes_ca_cert: "), "{bad}");
        let bad = told(NewKubernetesConfig { pem_keys: vec!["x".to_owned()], ..new() });
        assert!(bad.starts_with("error parsing public key: "), "{bad}");
        let bad = told(NewKubernetesConfig { reviewer: Some(Jwt::new("secret-thing")), ..new() });
        assert!(bad.starts_with("`token_reviewer_jwt` is no token"), "{bad}");
        assert!(!bad.contains("secret-thing"), "{bad}");
    }
}
