//! What the keys of a keyring turn into: one key per purpose, so that no two uses can meet. They themselves
//! seal nothing. All primitives are ring's; this file only names purposes and lays out bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::SealError;
use super::keyring::Keyring;
use crate::model::KeyShare;
use crate::random::Random;

/// Bytes of an AES-GCM nonce (RFC 5116, section 5.2). Random ones are good for 2^32 sealings under one
/// key (NIST SP 800-38D, section 8.3); an installation makes one per write of something secret.
const NONCE: usize = 12;

/// The first byte of what the first key sealed. It was the only one once, so its number is not there.
const FIRST: u8 = 1;
/// The first byte of what a later key sealed; four bytes with its number follow.
const NUMBERED: u8 = 2;

/// A key that others are made of, or that wraps them: 32 random bytes, wiped when dropped.
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

    /// Of these bytes, where they are 32.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Of a share that is the whole key, or of what a share was made of.
    pub fn of_share(share: &KeyShare) -> Option<Self> {
        Self::of(share.expose())
    }

    /// As a share that is the whole key.
    pub fn to_share(&self) -> KeyShare {
        KeyShare::new(&self.0)
    }

    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Seals and opens under one key.
pub(super) struct Aead(LessSafeKey);

impl Aead {
    /// The key that `key` wraps other keys with.
    pub(super) fn wrapping(key: &MasterKey) -> Self {
        Self::of(&extracted(key), "leasehold/wrap/v1")
    }

    fn sealing(key: &MasterKey) -> Self {
        Self::of(&extracted(key), "leasehold/seal/v1")
    }

    #[expect(clippy::expect_used, reason = "lengths are constants: AES-256 takes 32 bytes")]
    fn of(root: &Prk, label: &str) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &*subkey(root, label));
        Self(LessSafeKey::new(key.expect("AES-256 takes 32 bytes")))
    }

    /// Header, nonce, ciphertext with its tag.
    pub(super) fn seal(
        &self,
        header: &[u8],
        plaintext: &[u8],
        context: &str,
        random: &Random,
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce);
        let mut body = Zeroizing::new(plaintext.to_vec());
        let aad = Aad::from([header, context.as_bytes()].concat());
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        let sealed = self.0.seal_in_place_separate_tag(nonce_value, aad, &mut body);
        let Ok(tag) = sealed else {
            return Err(SealError::TooLarge { context: context.to_owned() });
        };
        Ok([header, nonce.as_slice(), &body, tag.as_ref()].concat())
    }

    /// `body` is what comes after the header.
    pub(super) fn open(
        &self,
        header: &[u8],
        body: &[u8],
        context: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let not_opened = || SealError::NotOpened { context: context.to_owned() };
        let (&nonce, body) = body.split_first_chunk::<NONCE>().ok_or_else(not_opened)?;
        let mut body = Zeroizing::new(body.to_vec());
        let aad = Aad::from([header, context.as_bytes()].concat());
        let opened = self.0.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut body);
        // ring does not say why: a tampered text and a wrong key look the same.
        let Ok(length) = opened.map(|text| text.len()) else {
            return Err(not_opened());
        };
        body.truncate(length);
        Ok(body)
    }
}

/// The keys in use, made once.
pub(super) struct Keys {
    /// By the number of the term.
    seals: BTreeMap<u32, Aead>,
    active: u32,
    /// Sealings under the active key since it is here.
    sealed: AtomicU64,
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
    /// Digests are made with the first key for good: what they are of is not there to be digested again.
    pub(super) fn of(keyring: &Keyring) -> Self {
        let root = extracted(&keyring.first().key);
        let seals = keyring.terms().map(|term| (term.number, Aead::sealing(&term.key)));
        Self {
            seals: seals.collect(),
            active: keyring.term(),
            sealed: AtomicU64::new(0),
            token: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/token/v1")),
            request: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/request/v1")),
            secret_id: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/secret-id/v1")),
            code_cache: subkey(&root, "leasehold/code-cache/v1"),
            audit: hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&root, "leasehold/audit/v1")),
        }
    }

    /// How often something was sealed under the active key since it is here.
    pub(super) fn sealed(&self) -> u64 {
        self.sealed.load(Ordering::Relaxed)
    }

    /// Header, nonce, ciphertext with its tag.
    pub(super) fn seal(
        &self,
        plaintext: &[u8],
        context: &str,
        random: &Random,
    ) -> Result<Vec<u8>, SealError> {
        let key = self.key(self.active, context)?;
        self.sealed.fetch_add(1, Ordering::Relaxed);
        key.seal(&header(self.active), plaintext, context, random)
    }

    pub(super) fn open(
        &self,
        sealed: &[u8],
        context: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let not_opened = || SealError::NotOpened { context: context.to_owned() };
        let (term, body) = match sealed.split_first() {
            Some((&FIRST, body)) => (1, body),
            Some((&NUMBERED, rest)) => {
                let (number, body) = rest.split_first_chunk::<4>().ok_or_else(not_opened)?;
                (u32::from_be_bytes(*number), body)
            }
            Some(_) | None => return Err(not_opened()),
        };
        let header = sealed.get(..sealed.len().saturating_sub(body.len())).unwrap_or_default();
        self.key(term, context)?.open(header, body, context)
    }

    fn key(&self, term: u32, context: &str) -> Result<&Aead, SealError> {
        let unknown = || SealError::NotOpened { context: context.to_owned() };
        self.seals.get(&term).ok_or_else(unknown)
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

/// What stands before everything that a term sealed.
fn header(term: u32) -> Vec<u8> {
    match term {
        1 => vec![FIRST],
        later => [&[NUMBERED], later.to_be_bytes().as_slice()].concat(),
    }
}

/// The key is uniformly random, so HKDF needs no salt (RFC 5869, section 3.1).
fn extracted(key: &MasterKey) -> Prk {
    Salt::new(HKDF_SHA256, &[]).extract(key.bytes())
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
