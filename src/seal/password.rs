//! Passwords of people as Argon2id hashes (RFC 9106). A password is never stored, compared or logged in
//! any other form. How often somebody may guess: [`crate::auth::methods`].

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::SealError;
use crate::model::Password;
use crate::random::Random;

/// 19 MiB, two passes, one lane: the first choice of OWASP's Password Storage Cheat Sheet. RFC 9106's
/// second choice (64 MiB) would let strangers, who log in without a token, take too much memory.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of the salt (RFC 9106, section 3.1: 16 are recommended).
const SALT: usize = 16;
/// Bytes of the hash: 256 bits, as RFC 9106, section 4, recommends.
const HASH: usize = 32;

/// The hash of a password, with all that is needed to check one against it.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT],
    hash: [u8; HASH],
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PasswordHash {
    /// Hashes a password under a fresh salt. Slow by design: not for an async thread.
    pub fn of(password: &Password, random: &Random) -> Result<Self, SealError> {
        let mut made = Self::nobodys(random);
        let Some(hash) = made.hashed(password) else {
            return Err(SealError::TooLarge { context: "a password".to_owned() });
        };
        made.hash = hash;
        Ok(made)
    }

    /// One that no password is known for: what is checked where there is no such person, so that an
    /// answer takes as long.
    pub fn nobodys(random: &Random) -> Self {
        let (mut salt, mut hash) = ([0; SALT], [0; HASH]);
        random.fill(&mut salt);
        random.fill(&mut hash);
        Self { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt, hash }
    }

    /// Whether it is the hash of this password. As slow as making it.
    pub fn fits(&self, password: &Password) -> bool {
        self.hashed(password).is_some_and(|hash| bool::from(hash.ct_eq(&self.hash)))
    }

    fn hashed(&self, password: &Password) -> Option<[u8; HASH]> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(HASH)).ok()?;
        let mut hash = [0; HASH];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.expose().as_bytes(), &self.salt, &mut hash)
            .ok()?;
        Some(hash)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_and_no_other() {
        let random = Random::seeded(7);
        let password = Password::new("correct horse");
        let one = PasswordHash::of(&password, &random).unwrap();
        let two = PasswordHash::of(&password, &random).unwrap();
        assert_ne!(one.hash, two.hash, "each has its own salt");
        let stored = PasswordHash::from_bytes(&one.to_bytes()).unwrap();
        assert!(stored.fits(&password));
        for other in ["correct horse ", "Correct horse", ""] {
            assert!(!stored.fits(&Password::new(other)), "{other}");
        }
        assert!(!PasswordHash::nobodys(&random).fits(&password));
        assert_eq!(format!("{stored:?}"), "[redacted]");
    }

    #[test]
    fn the_cost_is_what_owasp_asks_for() {
        let hash = PasswordHash::nobodys(&Random::seeded(1));
        assert_eq!((hash.memory_kib, hash.passes, hash.lanes), (19 * 1024, 2, 1));
    }
}
