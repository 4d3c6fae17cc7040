//! Randomness as an argument: ids, tokens, names, jitter. One generator, given to whoever needs it, so
//! that a test can seed it. Nothing else in the crate may ask the system for random bytes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

/// The characters of lease ids, accessors and tokens (contract 1.5: base62).
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A shared, cryptographically strong generator (`ChaCha12`, as `rand` documents `StdRng`).
#[derive(Clone)]
pub struct Random(Arc<Mutex<StdRng>>);

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

impl Random {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// Always the same sequence; for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `length` characters of `[0-9A-Za-z]`.
    pub fn base62(&self, length: usize) -> String {
        self.with(|rng| {
            let mut pick =
                || BASE62.get(rng.random_range(0..BASE62.len())).copied().unwrap_or(b'0');
            (0..length).map(|_| char::from(pick())).collect()
        })
    }

    /// `bytes` random bytes as lower-case hex.
    pub fn hex(&self, bytes: usize) -> String {
        let mut raw = vec![0; bytes];
        self.fill(&mut raw);
        raw.iter().fold(String::new(), |mut text, byte| {
            for digit in [byte >> 4, byte & 0xf] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
            text
        })
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let mut raw = [0; 16];
        self.fill(&mut raw);
        uuid::Builder::from_random_bytes(raw).into_uuid().to_string()
    }

    /// Fills `target` with random bytes.
    pub fn fill(&self, target: &mut [u8]) {
        self.with(|rng| rng.fill_bytes(target));
    }

    /// A number in `0.0..1.0`, for jitter.
    pub fn unit(&self) -> f64 {
        self.with(Rng::random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence() {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(one.base62(24), two.base62(24));
        assert_eq!(one.uuid(), two.uuid());
        assert_ne!(one.base62(24), one.base62(24));
    }

    #[test]
    fn ids_have_the_asked_length_and_alphabet() {
        let id = Random::seeded(1).base62(24);
        assert_eq!(id.len(), 24);
        assert!(id.bytes().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(Random::seeded(1).hex(4).len(), 8);
    }
}
