//! Ed25519 keys: the private half as a PKCS#8 PEM file as OpenSSL writes it (`openssl genpkey -algorithm ed25519`),
//! the public half as PEM or as base64 in a configuration. A private key is never printed. What is signed:
//! [`super::signature`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::hex;

/// DER in front of the 32 bytes of a private key: PKCS#8 version 1, Ed25519 (RFC 8410, section 7).
const PRIVATE_PREFIX: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// DER in front of the 32 bytes of a public key (RFC 8410, section 4).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";
/// Bytes of a key's digest in its id: enough that no two keys in a file have the same.
const ID_BYTES: usize = 16;

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a private key.
    #[error(
        "this is not an Ed25519 private key in PEM (`-----BEGIN PRIVATE KEY-----`)\nhelp: `leasehold plugin keygen` makes one, `openssl genpkey -algorithm ed25519` too; one with a passphrase cannot be used"
    )]
    NotPrivate,
    /// Not a public key.
    #[error(
        "this is not an Ed25519 public key, neither in PEM (`-----BEGIN PUBLIC KEY-----`) nor as base64 of its 32 bytes\nhelp: `leasehold plugin keygen` writes both halves"
    )]
    NotPublic,
    /// The system gave no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

/// The public half of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())
    }
}

impl PublicKey {
    /// Reads PEM, or base64 of the 32 bytes.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = match unarmour(text, PUBLIC_LABEL) {
            Some(der) => der.strip_prefix(&PUBLIC_PREFIX).map(<[u8]>::to_vec),
            None => STANDARD.decode(text.trim()).ok(),
        };
        let bytes = der.ok_or(KeyError::NotPublic)?;
        <[u8; 32]>::try_from(bytes.as_slice()).map(Self).map_err(|_length| KeyError::NotPublic)
    }

    /// Short name of the key: `ed25519:` and 32 hex digits of the SHA-256 of its bytes.
    pub fn id(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.0);
        format!("ed25519:{}", hex(digest.as_ref().get(..ID_BYTES).unwrap_or_default()))
    }

    /// As it stands in a configuration.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// As a file.
    pub fn pem(&self) -> String {
        armour(&[&PUBLIC_PREFIX[..], &self.0].concat(), PUBLIC_LABEL)
    }

    /// Whether `signature` over `message` is by this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

impl SigningKey {
    /// Makes a key, and the file that holds it.
    pub fn generate(random: &dyn SecureRandom) -> Result<(Self, Zeroizing<String>), KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(&mut *seed).map_err(|_unspecified| KeyError::NoRandomness)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed)
            .map_err(|_rejected| KeyError::NoRandomness)?;
        let der = Zeroizing::new([&PRIVATE_PREFIX[..], &*seed].concat());
        Ok((Self(pair), Zeroizing::new(armour(&der, PRIVATE_LABEL))))
    }

    /// Reads a PEM file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(unarmour(text, PRIVATE_LABEL).ok_or(KeyError::NotPrivate)?);
        // Without the public half in it, as OpenSSL writes it.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(Self)
            .map_err(|_rejected| KeyError::NotPrivate)
    }

    /// The other half.
    pub fn public(&self) -> PublicKey {
        let bytes = self.0.public_key().as_ref();
        PublicKey(<[u8; 32]>::try_from(bytes).unwrap_or_default())
    }

    pub(super) fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(message))
    }
}

/// The bytes of a PEM text with this label, and nothing beside it.
fn unarmour(text: &str, label: &str) -> Option<Vec<u8>> {
    let inner = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let inner = inner.strip_suffix(&format!("-----END {label}-----"))?;
    let inner: Zeroizing<String> =
        Zeroizing::new(inner.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(inner.as_bytes()).ok()
}

fn armour(der: &[u8], label: &str) -> String {
    // One line: a key is shorter than the 64 characters after which PEM begins another (RFC 7468).
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    /// `openssl genpkey -algorithm ed25519` (3.0), and `openssl pkey -pubout` of it: the key of RFC 8410, section 10.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn keys_of_openssl_are_read_and_written() {
        let key = SigningKey::parse(PRIVATE).unwrap();
        let public = PublicKey::parse(PUBLIC).unwrap();
        assert_eq!(key.public(), public);
        assert_eq!(public.pem(), PUBLIC);
        assert_eq!(PublicKey::parse(&public.base64()).unwrap(), public);
        assert_eq!(public.id().len(), "ed25519:".len() + 32);
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", public.id()));
    }

    #[test]
    fn a_made_key_reads_back() {
        let (key, file) = SigningKey::generate(&SystemRandom::new()).unwrap();
        assert_eq!(SigningKey::parse(&file).unwrap().public(), key.public());
        assert_eq!(file.lines().count(), 3, "one line of 64 characters");
    }

    #[test]
    fn what_is_no_key_is_told_so() {
        for bad in ["", "x", PUBLIC, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
        {
            assert_eq!(SigningKey::parse(bad).unwrap_err(), KeyError::NotPrivate, "{bad}");
        }
        for bad in ["", "x", "AAAA", PRIVATE] {
            assert_eq!(PublicKey::parse(bad).unwrap_err(), KeyError::NotPublic, "{bad}");
        }
    }
}
