//! Shamir's secret sharing (CACM 22, 1979) over GF(2^8), in the layout of Vault's shares: one byte a byte of the secret,
//! then the x coordinate. Shares of Vault's tools work here and the other way round. No table is looked up by a secret
//! and nothing branches on one. Who may give shares, and what they open: [`crate::custody`].

use zeroize::Zeroizing;

use super::MasterKey;
use crate::model::{KeyShare, encoding};
use crate::random::Random;

/// What a share has beside the bytes of the secret (Vault's `ShareOverhead`).
pub const OVERHEAD: usize = 1;

/// Why shares make no secret. The texts are Vault's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// One is no share of anything.
    #[error("less than two parts cannot be used to reconstruct the secret")]
    TooFew,
    /// A share without a byte of a secret.
    #[error("parts must be at least two bytes")]
    TooShort,
    /// Shares of different secrets.
    #[error("all parts must be the same length")]
    Lengths,
    /// Two at the same x, or one at 0, where the secret is.
    #[error("duplicate part detected")]
    Duplicate,
}

/// `shares` pieces of `secret`, any `threshold` of which make it again and fewer say nothing of it.
/// Both are at least 2, and `threshold` is no greater than `shares`.
pub fn split(secret: &[u8], shares: u8, threshold: u8, random: &Random) -> Vec<KeyShare> {
    let places = places(shares, random);
    let length = secret.len().saturating_add(OVERHEAD);
    let mut parts: Vec<Zeroizing<Vec<u8>>> =
        places.iter().map(|_| Zeroizing::new(Vec::with_capacity(length))).collect();
    for byte in secret {
        // The secret is the polynomial's value at 0.
        let mut coefficients = Zeroizing::new(vec![0; usize::from(threshold)]);
        random.fill(&mut coefficients);
        if let Some(first) = coefficients.first_mut() {
            *first = *byte;
        }
        for (part, place) in parts.iter_mut().zip(&places) {
            part.push(evaluated(&coefficients, *place));
        }
    }
    for (part, place) in parts.iter_mut().zip(&places) {
        part.push(*place);
    }
    parts.into_iter().map(|part| KeyShare::new(&part)).collect()
}

/// Shares for those who will hold them: as hex, and as base64.
pub fn as_texts(shares: &[KeyShare]) -> (Vec<String>, Vec<String>) {
    let as_hex = shares.iter().map(|share| encoding::hex(share.expose()));
    let as_base64 = shares.iter().map(|share| encoding::base64(share.expose()));
    (as_hex.collect(), as_base64.collect())
}

/// The same of a key.
pub fn split_key(key: &MasterKey, shares: u8, threshold: u8, random: &Random) -> Vec<KeyShare> {
    split(key.bytes(), shares, threshold, random)
}

/// What the shares are of. Too few, or shares of different secrets, give other bytes: only a key that opens
/// something is the right one.
pub fn combine(shares: &[KeyShare]) -> Result<Zeroizing<Vec<u8>>, ShareError> {
    let first = shares.first().map(KeyShare::expose).unwrap_or_default();
    if shares.len() < 2 {
        return Err(ShareError::TooFew);
    }
    if first.len() <= OVERHEAD {
        return Err(ShareError::TooShort);
    }
    if shares.iter().any(|share| share.expose().len() != first.len()) {
        return Err(ShareError::Lengths);
    }
    let (mut places, mut columns) = (Vec::new(), Vec::new());
    for share in shares {
        let Some((place, bytes)) = share.expose().split_last() else {
            return Err(ShareError::TooShort);
        };
        if *place == 0 || places.contains(place) {
            return Err(ShareError::Duplicate);
        }
        places.push(*place);
        columns.push(bytes);
    }
    let weights: Vec<u8> = places.iter().map(|place| weight(*place, &places)).collect();
    let mut secret = Zeroizing::new(vec![0; first.len().saturating_sub(OVERHEAD)]);
    for (bytes, weight) in columns.iter().zip(&weights) {
        for (sum, byte) in secret.iter_mut().zip(*bytes) {
            *sum ^= product(*byte, *weight);
        }
    }
    Ok(secret)
}

/// Different x coordinates, none of them 0. They are no secret.
fn places(count: u8, random: &Random) -> Vec<u8> {
    let mut places = Vec::with_capacity(usize::from(count));
    while places.len() < usize::from(count) {
        let mut place = [0];
        random.fill(&mut place);
        let [place] = place;
        if place != 0 && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The polynomial at `x`, by Horner's rule.
fn evaluated(coefficients: &[u8], x: u8) -> u8 {
    coefficients.iter().rev().fold(0, |sum, coefficient| product(sum, x) ^ coefficient)
}

/// Lagrange's weight of the point at `place`, for the value at 0.
fn weight(place: u8, places: &[u8]) -> u8 {
    let others = places.iter().filter(|other| **other != place);
    others.fold(1, |weight, other| product(weight, product(*other, inverse(*other ^ place))))
}

/// Russian peasants' multiplication modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4.2), the same steps for
/// all values.
fn product(one: u8, two: u8) -> u8 {
    let (mut sum, mut one, mut two) = (0, one, two);
    for _ in 0..8 {
        sum ^= one & mask(two & 1);
        one = one.wrapping_shl(1) ^ (0x1b & mask(one.wrapping_shr(7)));
        two = two.wrapping_shr(1);
    }
    sum
}

/// All ones for 1, all zeros for 0.
const fn mask(bit: u8) -> u8 {
    0_u8.wrapping_sub(bit)
}

/// x^254, which is 1/x: the group has 255 elements.
fn inverse(x: u8) -> u8 {
    // 254 is 0b1111_1110: the squares of x, from the second on, multiplied.
    let (mut power, mut result) = (x, 1);
    for _ in 1..8 {
        power = product(power, power);
        result = product(result, power);
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(hex: &str) -> KeyShare {
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        KeyShare::new(&hex.as_bytes().chunks(2).map(byte).collect::<Vec<_>>())
    }

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, sections 4.2 and 4.2.1.
        assert_eq!(product(0x57, 0x83), 0xc1);
        assert_eq!(product(0x57, 0x13), 0xfe);
        for x in 1..=255 {
            assert_eq!(product(x, inverse(x)), 1, "{x}");
        }
        assert_eq!(product(0, 7), 0);
    }

    #[test]
    fn any_shares_of_the_threshold_make_the_secret_and_fewer_do_not() {
        let random = Random::seeded(3);
        let secret: Vec<u8> = (0..32).collect();
        let shares = split(&secret, 5, 3, &random);
        assert_eq!(shares.len(), 5);
        assert!(shares.iter().all(|share| share.expose().len() == 33));
        for one in 0..5 {
            for two in 0..one {
                for three in 0..two {
                    let three = [one, two, three].map(|at| shares[at].clone());
                    assert_eq!(**combine(&three).unwrap(), *secret);
                    assert_ne!(**combine(&three[..2]).unwrap(), *secret);
                }
            }
        }
        assert_eq!(**combine(&shares).unwrap(), *secret);
    }

    #[test]
    fn shares_of_vaults_own_algorithm_are_understood() {
        // Made by pyshamir 1.1.0, a port of Vault's `shamir` package, of the bytes 1 to 32: 3 of 5.
        let shares = [
            "b07396eacf64a61e2360711df50982f9ef4e49af66961357496e9634f648acbd57",
            "db07e89b1e10afe697793b942fffc6e4e0b1f5755bd68e02113bccf0b164b6c87b",
            "50114a9fd1c4e64794a7e3a6dd46780756147a4b907313fb64070acac3e700e389",
            "ffcc2d0f08b1346cf16778ca0cba2814824521c7c8df6ea64e0582a500d958a4c0",
            "ec64d92941651a288ec185ffc432c1c215c8d76b9e7bc2448397fd2aef27b6da45",
        ]
        .map(share);
        let secret: Vec<u8> = (1..=32).collect();
        for three in shares.windows(3) {
            assert_eq!(**combine(three).unwrap(), *secret);
        }
    }

    #[test]
    fn what_is_no_set_of_shares_is_refused_in_vaults_words() {
        let told = |shares: &[&str]| {
            let shares: Vec<_> = shares.iter().map(|hex| share(hex)).collect();
            combine(&shares).unwrap_err().to_string()
        };
        assert_eq!(told(&["0102"]), "less than two parts cannot be used to reconstruct the secret");
        assert_eq!(told(&["01", "02"]), "parts must be at least two bytes");
        assert_eq!(told(&["0102", "010203"]), "all parts must be the same length");
        assert_eq!(told(&["0102", "0302"]), "duplicate part detected");
        assert_eq!(told(&["0102", "0300"]), "duplicate part detected");
    }

    proptest! {
        #[test]
        fn what_was_split_is_made_again(
            secret in proptest::collection::vec(any::<u8>(), 1..40),
            shares in 2_u8..=255,
            threshold in 2_u8..=20,
            seed: u64,
        ) {
            let threshold = threshold.min(shares);
            let parts = split(&secret, shares, threshold, &Random::seeded(seed));
            let some: Vec<_> = parts.into_iter().rev().take(usize::from(threshold)).collect();
            prop_assert_eq!(&**combine(&some).unwrap(), &*secret);
        }
    }
}
