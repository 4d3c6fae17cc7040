//! TLS of a listener: rustls with ring, 1.2 and 1.3, a certificate that can be read anew while connections go on, and
//! clients' certificates where they are asked for. Private keys are held by rustls and shown by nothing here.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::ServerError;
use crate::config::{ClientCertificates, Tls, TlsVersion};

/// The certificate of one listener, which takes the place of another as a whole.
#[derive(Debug)]
pub(super) struct Certificate {
    files: Tls,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads certificate and key.
    pub(super) fn open(files: &Tls) -> Result<Arc<Self>, ServerError> {
        let current = RwLock::new(Arc::new(read(files)?));
        Ok(Arc::new(Self { files: files.clone(), current }))
    }

    /// Reads them again: who connects from now on is shown these. Where they cannot be used the old ones stay.
    pub(super) fn reload(&self) -> Result<(), ServerError> {
        let new = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Where the certificate is.
    pub(super) fn file(&self) -> &Path {
        &self.files.cert_file
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Whether a listener could be served with these files.
pub fn check(files: &Tls) -> Result<(), ServerError> {
    server_config(files, Certificate::open(files)?).map(drop)
}

/// The TLS side of a listener.
pub(super) fn server_config(
    files: &Tls,
    certificate: Arc<Certificate>,
) -> Result<ServerConfig, ServerError> {
    let versions: &[&SupportedProtocolVersion] = match files.min_version {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions)?;
    let builder = match clients(&files.clients)? {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    Ok(builder.with_cert_resolver(certificate))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn clients(asked: &ClientCertificates) -> Result<Option<Arc<dyn ClientCertVerifier>>, ServerError> {
    let (file, may_show_none) = match asked {
        ClientCertificates::NotAsked => return Ok(None),
        ClientCertificates::Optional(file) => (file, true),
        ClientCertificates::Required(file) => (file, false),
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(file)? {
        roots.add(authority)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder = if may_show_none { builder.allow_unauthenticated() } else { builder };
    builder.build().map(Some).map_err(|error| pem(file, error.to_string()))
}

fn read(files: &Tls) -> Result<CertifiedKey, ServerError> {
    let chain = certificates(&files.cert_file)?;
    let key = PrivateKeyDer::from_pem_file(&files.key_file).map_err(|error| {
        let none = matches!(error, rustls::pki_types::pem::Error::NoItemsFound);
        let why = if none { "there is no private key in it".into() } else { error.to_string() };
        pem(&files.key_file, why)
    })?;
    // Refuses a key that is not the certificate's.
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let failed = |error: rustls::pki_types::pem::Error| pem(file, error.to_string());
    let found = CertificateDer::pem_file_iter(file).map_err(failed)?;
    let found = found.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if found.is_empty() {
        return Err(pem(file, "there is no certificate in it".to_owned()));
    }
    Ok(found)
}

fn pem(path: &Path, detail: String) -> ServerError {
    ServerError::Pem { path: path.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_certificate_is_named() {
        let files = Tls {
            cert_file: "/no/such.pem".into(),
            key_file: "/no/such.key".into(),
            min_version: TlsVersion::Tls12,
            clients: ClientCertificates::NotAsked,
        };
        let told = check(&files).unwrap_err().to_string();
        assert!(told.contains("`/no/such.pem`"), "{told}");
    }
}
