//! Signed tokens (RFC 7515 to 7519): is this one signed by one of these keys? The algorithm comes from the key, never from
//! the token alone; `none` and keys that both sides share are not known here at all. What the claims are worth is decided
//! elsewhere. Keys are in [`keys`], the signatures themselves in [`provider`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, AlgorithmFamily, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use crate::model::Jwt;

mod keys;
mod provider;
mod spki;

pub use keys::KeySet;

/// Bytes of a token. GitHub's have 2 KB, those of a directory with many groups up to 8 KB.
const MOST: usize = 16 * 1024;

/// Why a token or a key is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// More than anybody's token has.
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// Not three parts, or not what belongs in them.
    #[error("the token is no signed JWT in its compact form")]
    NoToken,
    /// `none`, an algorithm of shared keys, or one that is not known; holds it.
    #[error("invalid algorithm (alg) header parameter: `{0}` is not offered")]
    Algorithm(String),
    /// One that the mount does not take.
    #[error("invalid algorithm (alg) header parameter: token signed with unexpected algorithm")]
    Unexpected,
    /// An extension that has to be understood.
    #[error("the token has a critical (crit) header parameter, and none is known")]
    Critical,
    /// No key has the token's id.
    #[error(
        "error verifying token signature: no known key successfully validated the token signature"
    )]
    UnknownKey,
    /// The key is for something else.
    #[error("error verifying token signature: the key is not for the token's algorithm")]
    OtherAlgorithm,
    /// The signature is not the key's.
    #[error("error verifying token signature: it is not by the key that the token names")]
    Signature,
    /// The claims are no JSON object.
    #[error("the claims of the token are no JSON object")]
    NoClaims,
    /// Something else has taken the place of our signatures.
    #[error("signatures cannot be verified")]
    NoProvider,
    /// No key set.
    #[error("it is no key set: {0}")]
    NoKeySet(String),
    /// A key set in which nothing can be used.
    #[error("there is no public key in it that could verify a token")]
    NothingUsable,
    /// A PEM text without a public key.
    #[error("there is no public key or certificate in PEM in it")]
    NoPem,
    /// A public key that is not used.
    #[error("a public key has to be RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519")]
    UnusableKey,
}

/// Whether an algorithm of RFC 7518 is offered, by its name.
pub fn is_offered(name: &str) -> bool {
    offered(name).is_some()
}

fn offered(name: &str) -> Option<Algorithm> {
    let known: Option<Algorithm> = name.parse().ok();
    known.filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
}

/// Whether a token could be signed by anybody, with one of the algorithms `allowed`; none = all that are offered.
pub fn check_shape(token: &Jwt, allowed: &[String]) -> Result<(), JoseError> {
    header(token, allowed).map(|_header| ())
}

/// The claims of a token that is signed by one of the keys, with an algorithm that is both the key's and `allowed`.
pub fn verify(token: &Jwt, keys: &KeySet, allowed: &[String]) -> Result<Value, JoseError> {
    if !provider::is_installed() {
        return Err(JoseError::NoProvider);
    }
    let header = header(token, allowed)?;
    let named = keys.named(header.kid.as_deref());
    if named.is_empty() {
        return Err(JoseError::UnknownKey);
    }
    let mut validation = Validation::new(header.alg);
    // What the claims say is judged by the caller, by the clock that it has.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut fits = false;
    for key in named.into_iter().filter(|key| key.is_for(header.alg)) {
        fits = true;
        match decode::<Value>(token.expose(), key.public(), &validation) {
            Ok(read) => return object(read.claims),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
            Err(_unreadable) => return Err(JoseError::NoToken),
        }
    }
    if !fits {
        return Err(JoseError::OtherAlgorithm);
    }
    Err(if header.kid.is_some() { JoseError::Signature } else { JoseError::UnknownKey })
}

/// The claims of a token that nobody looked at: for a cluster to say whether they are true.
pub fn read_unverified(token: &Jwt) -> Result<Value, JoseError> {
    header(token, &[])?;
    let claims = jsonwebtoken::dangerous::insecure_decode_claims(token.expose());
    object(claims.map_err(|_unreadable| JoseError::NoToken)?)
}

fn object(claims: Value) -> Result<Value, JoseError> {
    if claims.is_object() { Ok(claims) } else { Err(JoseError::NoClaims) }
}

/// The header alone, before anything is made of it.
#[derive(Deserialize)]
struct Named {
    alg: String,
}

fn header(token: &Jwt, allowed: &[String]) -> Result<Header, JoseError> {
    let text = token.expose();
    if text.len() > MOST {
        return Err(JoseError::TooLong);
    }
    let first = text.split('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(first).map_err(|_no_text| JoseError::NoToken)?;
    let named: Named = serde_json::from_slice(&bytes).map_err(|_no_json| JoseError::NoToken)?;
    if offered(&named.alg).is_none() {
        return Err(JoseError::Algorithm(shown(&named.alg)));
    }
    if !allowed.is_empty() && !allowed.contains(&named.alg) {
        return Err(JoseError::Unexpected);
    }
    let header = decode_header(text).map_err(|_no_header| JoseError::NoToken)?;
    if header.crit.is_some() {
        return Err(JoseError::Critical);
    }
    Ok(header)
}

/// What a stranger calls an algorithm, as far as it is repeated to them.
fn shown(name: &str) -> String {
    name.chars().take(16).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "a file of the integration tests")]
#[path = "../../../tests/it/support/signer.rs"]
mod signer;

#[cfg(test)]
mod tests;
