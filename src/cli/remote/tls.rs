//! Whose certificates are trusted: those of the system, those of one file, or anybody's where somebody says so. Sends
//! nothing; the connection itself is [`super::Remote`]'s.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{RemoteArguments, RemoteError};

/// Over ring, as everywhere. Trusted is what the system trusts, as with Vault's own command line (a company's own
/// authority is there, and in no list of Mozilla's that a program brings along); `rustls-native-certs` finds it.
pub(super) fn tls_config(arguments: &RemoteArguments) -> Result<TlsConfig, RemoteError> {
    let config = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if arguments.tls_skip_verify {
        return Ok(config.disable_verification(true).root_certs(roots(&[])).build());
    }
    let file = arguments.ca_cert.as_ref().filter(|file| !file.as_os_str().is_empty());
    let Some(file) = file else {
        // What of it cannot be read is not trusted; a server that needs it is refused by name.
        return Ok(config
            .root_certs(roots(&rustls_native_certs::load_native_certs().certs))
            .build());
    };
    let unusable =
        |why: String| RemoteError::Certificates { file: file.display().to_string(), why };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("there is none in it".to_owned()));
    }
    Ok(config.root_certs(roots(&certificates)).build())
}

fn roots(certificates: &[CertificateDer<'static>]) -> RootCerts {
    certificates.iter().map(|der| Certificate::from_der(der).to_owned()).into()
}
