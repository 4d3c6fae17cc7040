//! What the barrier promises.

use super::*;
use crate::model::Timestamp;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

/// One whose first key is made of the seed.
fn barrier(seed: u64) -> Barrier {
    let barrier = Barrier::new();
    let key = MasterKey::generate(&Random::seeded(seed));
    barrier.open_with(MasterKey::from_bytes([1; 32]), Keyring::beginning_with(key, at(0)));
    barrier.serve();
    barrier
}

fn token(text: &str) -> ClientToken {
    ClientToken::new(text)
}

#[test]
fn what_is_sealed_opens_again_and_never_looks_the_same() {
    let barrier = barrier(1);
    let (one, two) = (barrier.seal(b"secret", "a").unwrap(), barrier.seal(b"secret", "a").unwrap());
    assert_ne!(one, two);
    assert_eq!(one.len(), 1 + 12 + 6 + 16);
    assert!(!one.windows(6).any(|bytes| bytes == b"secret"));
    assert_eq!(**barrier.open(&one, "a").unwrap(), *b"secret");
    assert_eq!(**barrier.open(&two, "a").unwrap(), *b"secret");
    assert!(barrier.open(&barrier.seal(b"", "a").unwrap(), "a").unwrap().is_empty());
}

#[test]
fn another_context_does_not_open_it() {
    let barrier = barrier(1);
    let sealed = barrier.seal(b"secret", "mount/1").unwrap();
    let refused = barrier.open(&sealed, "mount/2").unwrap_err();
    assert!(refused.to_string().contains("`mount/2` cannot be opened"), "{refused}");
}

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let barrier = barrier(1);
    let sealed = barrier.seal(b"secret", "a").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert!(barrier.open(&changed, "a").is_err(), "byte {at} bit {bit}");
        }
        assert!(barrier.open(&sealed[..at], "a").is_err(), "cut to {at}");
    }
    let longer = [sealed.as_slice(), b"x"].concat();
    assert!(barrier.open(&longer, "a").is_err());
}

#[test]
fn the_key_file_of_an_old_installation_is_known_by_its_key_check() {
    let key = |seed| MasterKey::generate(&Random::seeded(seed));
    let check = barrier(1).seal(b"leasehold key check", KEY_CHECK_SETTING).unwrap();
    assert!(is_key_of_old(&key(1), &check));
    assert!(!is_key_of_old(&key(2), &check));
    let other = barrier(1).seal(b"something else", KEY_CHECK_SETTING).unwrap();
    assert!(!is_key_of_old(&key(1), &other));
}

#[test]
fn a_rotated_keyring_seals_with_its_newest_key_and_opens_what_all_of_them_sealed() {
    let barrier = barrier(1);
    let old = barrier.seal(b"secret", "a").unwrap();
    let digest = barrier.token_digest(&token("t")).unwrap();
    assert_eq!(barrier.term().unwrap().sealed, 1);
    for term in [2, 3] {
        let (keyring, wrapped) = barrier.rotated(&Random::from_os(), at(9)).unwrap();
        assert_eq!(barrier.term().unwrap().term, term - 1, "not before it is stored");
        let stored = Keyring::unwrap(&MasterKey::from_bytes([1; 32]), &wrapped).unwrap();
        assert_eq!(stored.term(), term);
        barrier.use_keyring(keyring);
    }
    assert_eq!(barrier.term().unwrap(), TermFacts { term: 3, installed_at: at(9), sealed: 0 });
    let new = barrier.seal(b"secret", "a").unwrap();
    assert_eq!(new[..5], [2, 0, 0, 0, 3]);
    for sealed in [&old, &new] {
        assert_eq!(**barrier.open(sealed, "a").unwrap(), *b"secret");
    }
    let mut other_term = new.clone();
    other_term[4] = 2;
    assert!(barrier.open(&other_term, "a").is_err());
    other_term[4] = 9;
    assert!(barrier.open(&other_term, "a").is_err());
    assert_eq!(barrier.token_digest(&token("t")).unwrap(), digest);
}

#[test]
fn nobody_is_served_before_everything_is_in_its_place() {
    let barrier = Barrier::new();
    assert_eq!(barrier.status(), SealStatus::Uninitialised);
    let random = Random::seeded(1);
    barrier.open_with(MasterKey::generate(&random), Keyring::generate(&random, at(0)));
    assert!(matches!(barrier.status(), SealStatus::Sealed { .. }));
    assert!(barrier.seal(b"x", "a").is_ok());
    barrier.serve();
    assert_eq!(barrier.status(), SealStatus::Unsealed);
    barrier.lock("an operator sealed it");
    barrier.serve();
    assert!(matches!(barrier.status(), SealStatus::Sealed { .. }), "there is nothing to serve");
}

#[test]
fn a_sealed_barrier_does_nothing_and_says_why() {
    let barrier = barrier(1);
    let sealed = barrier.seal(b"secret", "a").unwrap();
    barrier.lock("an operator sealed it");
    let why = "an operator sealed it".to_owned();
    assert_eq!(barrier.status(), SealStatus::Sealed { why });
    let refused = barrier.open(&sealed, "a").unwrap_err().to_string();
    assert_eq!(refused, "leasehold is sealed: an operator sealed it");
    assert!(barrier.seal(b"x", "a").is_err());
    assert!(barrier.token_digest(&token("t")).is_err());
    assert!(barrier.code_cache_key().is_err());
    assert!(Barrier::new().root_key().is_err());
}

#[test]
fn a_token_has_one_digest_per_key_that_shows_nothing_of_it() {
    let digest = barrier(1).token_digest(&token("hvs.abc")).unwrap();
    assert_eq!(digest, barrier(1).token_digest(&token("hvs.abc")).unwrap());
    assert_ne!(digest, barrier(1).token_digest(&token("hvs.abd")).unwrap());
    assert_ne!(digest, barrier(2).token_digest(&token("hvs.abc")).unwrap());
    assert_eq!(digest.0.len(), 64);
    assert!(digest.0.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')));
}

#[test]
fn the_layout_and_the_derivation_stay_as_they_are() {
    // Computed with Python's hmac and hashlib from RFC 5869; a change here makes installations
    // unreadable.
    let barrier = Barrier::new();
    let key = MasterKey::from_bytes([7; 32]);
    barrier.open_with(MasterKey::from_bytes([1; 32]), Keyring::beginning_with(key, at(0)));
    let digest = barrier.token_digest(&token("hvs.abc")).unwrap();
    assert_eq!(digest.0, "3181e9ae6ef95e6861a46a799fd0f8135debbb2e4700c60ad897959d49fa5e95");
    let cache = barrier.code_cache_key().unwrap();
    assert_eq!(
        keys::hex(&cache),
        "adcf5a48ff541b9af34cee2db38d2ca4f1d3f78eaef1f78727b5bc56dc6e37a7"
    );
    assert_eq!(barrier.seal(b"x", "a").unwrap()[0], 1);
}

#[test]
fn a_secret_key_opens_as_it_was() {
    let barrier = Barrier::in_memory(&Random::seeded(3));
    let secret = SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG");
    let sealed = barrier.seal_secret_key(&secret, "mount/1").unwrap();
    assert_eq!(barrier.open_secret_key(&sealed, "mount/1").unwrap(), secret);
    assert!(barrier.open_secret_key(&sealed, "mount/2").is_err());
    let no_text = barrier.seal(&[0xff, 0xfe], "mount/1").unwrap();
    assert!(barrier.open_secret_key(&no_text, "mount/1").is_err());
}

#[test]
fn nothing_shows_a_key() {
    let key = MasterKey::generate(&Random::seeded(1));
    assert_eq!(format!("{key:?}"), "[redacted]");
    let shown = format!("{:?}", barrier(1));
    assert!(shown.contains("[redacted]") && !shown.contains("hmac"), "{shown}");
}
