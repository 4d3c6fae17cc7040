//! What the master key turns into: one key per purpose, so that no two uses can meet. The master key
//! itself seals nothing. All primitives are ring's; this file only names purposes and lays out bytes.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::SealError;
use crate::random::Random;

/// Bytes of an AES-GCM nonce (RFC 5116, section 5.2). Random ones are good for 2^32 sealings under one
/// key (NIST SP 800-38D, section 8.3); an installation makes one per write of an account binding.
pub(super) const NONCE: usize = 12;

/// The first byte of everything sealed: which key and layout. A rotated key gets the next number.
const VERSION: u8 = 1;

/// The key that everything else is made of: 32 random bytes, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl MasterKey {
    /// A new one.
    pub fn generate(random: &Random) -> Self {
        let mut key = Self([0; 32]);
        random.fill(&mut key.0);
        key
    }

    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The keys in use, made once.
pub(super) struct Keys {
    seal: LessSafeKey,
    token: hmac::Key,
    request: hmac::Key,
    secret_id: hmac::Key,
    code_cache: Zeroizing<[u8; 32]>,
    audit: hmac::Key,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Keys {
    pub(super) fn of(master: &MasterKey) -> Self {
        // The master key is uniformly random, so HKDF needs no salt (RFC 5869, section 3.1).
        let root = Salt::new(HKDF_SHA256, &[]).extract(master.bytes());
        Self {
            seal: LessSafeKey::new(sealing_key(&root)),
            token: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/token/v1")),
            request: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/request/v1")),
            secret_id: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/secret-id/v1")),
            code_cache: subkey(&root, "leasehold/code-cache/v1"),
            audit: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/audit/v1")),
        }
    }

    /// Version, nonce, ciphertext with its tag.
    pub(super) fn seal(
        &self,
        plaintext: &[u8],
        context: &str,
        nonce: [u8; NONCE],
    ) -> Result<Vec<u8>, SealError> {
        let mut body = Zeroizing::new(plaintext.to_vec());
        let aad = Aad::from(associated(context));
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        let sealed = self.seal.seal_in_place_separate_tag(nonce_value, aad, &mut body);
        let Ok(tag) = sealed else {
            return Err(SealError::TooLarge { context: context.to_owned() });
        };
        Ok([&[VERSION], nonce.as_slice(), &body, tag.as_ref()].concat())
    }

    pub(super) fn open(
        &self,
        sealed: &[u8],
        context: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let not_opened = || SealError::NotOpened { context: context.to_owned() };
        let (&version, rest) = sealed.split_first().ok_or_else(not_opened)?;
        let (&nonce, body) = rest.split_first_chunk::<NONCE>().ok_or_else(not_opened)?;
        if version != VERSION {
            return Err(not_opened());
        }
        let mut body = Zeroizing::new(body.to_vec());
        let aad = Aad::from(associated(context));
        let opened = self.seal.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut body);
        // ring does not say why: a tampered text and a wrong key look the same.
        let Ok(length) = opened.map(|text| text.len()) else {
            return Err(not_opened());
        };
        body.truncate(length);
        Ok(body)
    }

    /// The key of one audit device: another one for each.
    pub(super) fn audit(&self, device: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.audit, device.as_bytes()).as_ref())
    }

    pub(super) fn token_digest(&self, token: &[u8]) -> String {
        hex(hmac::sign(&self.token, token).as_ref())
    }

    pub(super) fn secret_id_digest(&self, context: &str, secret_id: &[u8]) -> String {
        let mut mac = hmac::Context::with_key(&self.secret_id);
        // The length keeps context and secret apart.
        mac.update(&u64::try_from(context.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(context.as_bytes());
        mac.update(secret_id);
        hex(mac.sign().as_ref())
    }

    pub(super) fn request_digest(&self, request: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        // HMAC-SHA-256 gives 32 bytes.
        for (byte, signed) in digest.iter_mut().zip(hmac::sign(&self.request, request).as_ref()) {
            *byte = *signed;
        }
        digest
    }

    pub(super) fn code_cache(&self) -> &[u8; 32] {
        &self.code_cache
    }
}

fn associated(context: &str) -> Vec<u8> {
    [&[VERSION], context.as_bytes()].concat()
}

#[expect(
    clippy::expect_used,
    reason = "lengths are constants: 32 bytes are what HKDF-SHA-256 gives and AES-256 takes"
)]
fn sealing_key(root: &Prk) -> UnboundKey {
    let key = subkey(root, "leasehold/seal/v1");
    UnboundKey::new(&AES_256_GCM, &*key).expect("AES-256 takes 32 bytes")
}

#[expect(
    clippy::expect_used,
    reason = "lengths are constants: HKDF-SHA-256 gives up to 8160 bytes"
)]
fn subkey(root: &Prk, label: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[label.as_bytes()], HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *key))
        .expect("HKDF-SHA-256 gives 32 bytes");
    key
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte.wrapping_shr(4), byte & 15] {
            text.extend(DIGITS.get(usize::from(nibble)).copied().map(char::from));
        }
    }
    text
}
