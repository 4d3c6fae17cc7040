//! Public keys and what each of them may verify: its own kind of algorithms, and only its own `alg` where it says one. A key
//! that is for something else, too short, or shared is left out of a set; a set of nothing is refused.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

use super::{JoseError, spki};

/// Keys of a set that are looked at. Microsoft's, the longest, has a dozen.
const MOST: usize = 64;
/// Bytes of an RSA modulus: 2048 and 8192 bits, as ring has it.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Keys that are believed.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Key {
    /// Tokens name it by this; `None` = it is tried for any.
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

impl Key {
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    pub(super) fn public(&self) -> &DecodingKey {
        &self.public
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl KeySet {
    /// The keys of a JSON Web Key Set (RFC 7517). Those that cannot be used are passed over.
    pub fn from_jwks(bytes: &[u8]) -> Result<Self, JoseError> {
        let set: Set = serde_json::from_slice(bytes)
            .map_err(|error| JoseError::NoKeySet(error.to_string()))?;
        let keys: Vec<Key> = set.keys.into_iter().take(MOST).filter_map(of_jwk).collect();
        if keys.is_empty() { Err(JoseError::NothingUsable) } else { Ok(Self { keys }) }
    }

    /// Public keys and certificates in PEM, one in each text; each has to be of use.
    pub fn from_pems(pems: &[String]) -> Result<Self, JoseError> {
        let keys = pems.iter().map(|pem| of_public(spki::read(pem)?, None));
        let keys: Vec<Key> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(JoseError::NothingUsable) } else { Ok(Self { keys }) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none; no set is.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Those that a token may mean by `id`; all of them where it says none.
    pub(super) fn named(&self, id: Option<&str>) -> Vec<&Key> {
        let is_meant = |key: &&Key| match (&key.id, id) {
            (Some(own), Some(id)) => own == id,
            (None, _) | (_, None) => true,
        };
        self.keys.iter().filter(is_meant).collect()
    }
}

fn of_jwk(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let signs = |one: &PublicKeyUse| *one == PublicKeyUse::Signature;
    let verifies = |all: &Vec<KeyOperations>| all.contains(&KeyOperations::Verify);
    if !common.public_key_use.as_ref().is_none_or(signs)
        || !common.key_operations.as_ref().is_none_or(verifies)
    {
        return None;
    }
    if !is_public(&jwk.algorithm) {
        return None;
    }
    let public = DecodingKey::from_jwk(&jwk).ok()?;
    let mut key = of_public(public, common.key_id.clone()).ok()?;
    if let Some(alg) = common.key_algorithm {
        key.algorithms.retain(|own| alg == KeyAlgorithm::from(*own));
    }
    (!key.algorithms.is_empty()).then_some(key)
}

/// Whether it is a public key of a kind that is used: nothing that both sides share.
fn is_public(parameters: &AlgorithmParameters) -> bool {
    matches!(parameters, AlgorithmParameters::RSA(_))
        || matches!(parameters, AlgorithmParameters::EllipticCurve(own)
            if [EllipticCurve::P256, EllipticCurve::P384].contains(&own.curve))
        || matches!(parameters, AlgorithmParameters::OctetKeyPair(own)
            if own.curve == EllipticCurve::Ed25519)
}

/// A key with the algorithms that it can be for.
fn of_public(public: DecodingKey, id: Option<String>) -> Result<Key, JoseError> {
    let (trimmed, algorithms) = match (public.family(), public.kind()) {
        (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            let (n, e) = (without_zeros(n), without_zeros(e));
            if !RSA_BYTES.contains(&n.len()) {
                return Err(JoseError::UnusableKey);
            }
            let all = AlgorithmFamily::Rsa.algorithms().to_vec();
            (Some(DecodingKey::from_rsa_raw_components(n, e)), all)
        }
        // Points that are not compressed: a 4, and two coordinates.
        (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => {
            let alg = match point.len() {
                65 => Algorithm::ES256,
                97 => Algorithm::ES384,
                _ => return Err(JoseError::UnusableKey),
            };
            (None, vec![alg])
        }
        (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(bytes)) if bytes.len() == 32 => {
            (None, vec![Algorithm::EdDSA])
        }
        _ => return Err(JoseError::UnusableKey),
    };
    Ok(Key { id, algorithms, public: trimmed.unwrap_or(public) })
}

/// ring takes numbers without zeros in front; some issuers and DER write one.
fn without_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}
