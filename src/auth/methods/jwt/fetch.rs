//! From where keys are to what they are: read from the configuration, from a URL, or by an issuer's discovery document
//! (`OpenID` Connect Discovery 1.0, section 4). The document has to be the issuer's own. When it is asked: [`super::keys`].

use serde::Deserialize;

use super::keys::Issuer;
use crate::auth::jose::KeySet;
use crate::model::KeySource;
use crate::outbound::{Ask, Outbound};

/// What an issuer says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Discovered {
    /// Who it is.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
}

/// The document of the issuer at `url`, or why it is none; `document` is where it was.
pub fn discovered(body: &[u8], document: &str, url: &str) -> Result<Discovered, String> {
    let found: Discovered = serde_json::from_slice(body)
        .map_err(|error| format!("`{document}` is no discovery document: {error}"))?;
    if found.issuer != *url {
        let issuer = found.issuer.escape_debug();
        return Err(format!("the issuer of `{document}` is `{issuer}`, not `{url}`"));
    }
    Ok(found)
}

/// The keys, or why there are none.
pub(super) async fn fetch(source: &KeySource, outbound: &dyn Outbound) -> Result<Issuer, String> {
    match source {
        KeySource::Static { pems } => {
            let keys = KeySet::from_pems(pems).map_err(|error| error.to_string())?;
            Ok(Issuer { keys, name: None })
        }
        KeySource::Jwks { url, ca_pem } => {
            Ok(Issuer { keys: key_set(url, ca_pem, outbound).await?, name: None })
        }
        KeySource::Discovery { url, ca_pem } => {
            let base = url.strip_suffix('/').unwrap_or(url);
            let document = format!("{base}/.well-known/openid-configuration");
            let body = got(&document, ca_pem, outbound).await?;
            let found = discovered(&body, &document, url)?;
            let keys = key_set(&found.jwks_uri, ca_pem, outbound).await?;
            Ok(Issuer { keys, name: Some(found.issuer) })
        }
    }
}

async fn key_set(url: &str, ca_pem: &str, outbound: &dyn Outbound) -> Result<KeySet, String> {
    let body = got(url, ca_pem, outbound).await?;
    KeySet::from_jwks(&body).map_err(|error| format!("`{url}`: {error}"))
}

async fn got(url: &str, ca_pem: &str, outbound: &dyn Outbound) -> Result<Vec<u8>, String> {
    let ask = Ask { url: url.to_owned(), ca_pem: ca_pem.to_owned(), ..Ask::default() };
    let told = outbound.ask(ask).await.map_err(|error| error.to_string())?;
    match told.status {
        200 => Ok(told.body),
        300..400 => Err(format!("`{url}` answered with a redirect, which is not followed")),
        other => Err(format!("`{url}` answered with status {other}")),
    }
}
