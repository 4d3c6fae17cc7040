//! Chance with a number to repeat it by: what kill tests and the soak do at random is printed with its
//! seed, and `LEASEHOLD_SEED` does it again. Threads and the system still interleave as they like.

use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};

/// The seed of this run: the one that was asked for, or a new one. Says which.
pub fn seed() -> u64 {
    let asked = std::env::var("LEASEHOLD_SEED").ok().map(|text| text.parse().unwrap());
    let seed = asked.unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since.as_nanos() % 1_000_000_007).unwrap()
    });
    println!("repeat with LEASEHOLD_SEED={seed}");
    seed
}

/// A generator of its own for each of many.
pub fn generator(seed: u64, of: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ of.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// True in `percent` of a hundred cases.
pub fn happens(rng: &mut StdRng, percent: u32) -> bool {
    rng.random_range(0..100) < percent
}

/// A number that a variable of the environment names.
pub fn asked(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}
