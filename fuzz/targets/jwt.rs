//! What machines log in with, and what issuers answer: any bytes as a signed token against a key set that is given, as claims
//! against a role, as a key set, as a discovery document and as a public key in PEM. They end in claims that fit, or in a
//! sentence. The first byte chooses, from `0` on; nobody here can sign with the keys of `jwt-keys.json`. See README.md.

#![no_main]

use std::sync::LazyLock;

use leasehold::auth::jose::{KeySet, check_shape, read_unverified, verify};
use leasehold::auth::methods::jwt::{discovered, judge};
use leasehold::model::{ClaimsType, Jwt, JwtRole, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example";
/// 2026-05-28; what the seeds were signed for.
const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::from_jwks(include_bytes!("jwt-keys.json")).expect("a key set"));

static ROLE: LazyLock<JwtRole> = LazyLock::new(|| JwtRole {
    name: "deploy".to_owned(),
    bound_audiences: vec!["leasehold".to_owned()],
    bound_claims: json!({ "repository": ["acme/*"], "/nested/team": "red" })
        .as_object()
        .cloned()
        .expect("an object"),
    bound_claims_type: ClaimsType::Glob,
    claim_mappings: [("ref".to_owned(), "ref".to_owned())].into(),
    user_claim: "sub".to_owned(),
    max_age: 3600,
    ..JwtRole::default()
});

fuzz_target!(|bytes: &[u8]| {
    let Some((chosen, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest).into_owned();
    match chosen.wrapping_sub(b'0') % 5 {
        0 => token(&text),
        1 => claims(rest),
        2 => match KeySet::from_jwks(rest) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(keys) => {
                assert!((1..=64).contains(&keys.len()));
                // A set of a stranger's makes no other token true, and no key of it breaks anything.
                if let Err(error) = verify(&Jwt::new(SIGNED), &keys, &[]) {
                    assert!(!error.to_string().is_empty());
                }
            }
        },
        3 => match discovered(rest, "the document", ISSUER) {
            Err(told) => assert!(!told.is_empty()),
            Ok(found) => assert_eq!(found.issuer, ISSUER),
        },
        _ => match KeySet::from_pems(&[text]) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(keys) => assert_eq!(keys.len(), 1),
        },
    }
});

/// One of the seeds.
const SIGNED: &str = include_str!("jwt-signed.txt");

fn token(text: &str) {
    let token = Jwt::new(text);
    if let Ok(unverified) = read_unverified(&token) {
        assert!(unverified.is_object());
    }
    let claims = match verify(&token, &KEYS, &[]) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
        Ok(claims) => claims,
    };
    // Only what the seeds were signed as: whatever else is signed by these keys is a forgery.
    assert!(check_shape(&token, &[]).is_ok() && claims.is_object());
    assert_eq!(claims["iss"], ISSUER);
    let (signed, signature) = text.rsplit_once('.').expect("a signed token has its parts");
    for forged in [format!("{signed}A.{signature}"), format!("{signed}."), format!("{text}A")] {
        assert!(verify(&Jwt::new(forged), &KEYS, &[]).is_err(), "a change was not seen");
    }
    assert!(verify(&token, &KEYS, &["PS512".to_owned()]).is_err(), "its algorithm is not allowed");
    judged(&claims);
}

fn claims(bytes: &[u8]) {
    if let Ok(claims) = serde_json::from_slice::<Value>(bytes)
        && claims.is_object()
    {
        judged(&claims);
    }
}

/// Who is let in is what the role asks for.
fn judged(claims: &Value) {
    match judge(&ROLE, Some(ISSUER), claims, NOW) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(somebody) => {
            let holds = |value: &Value, fits: &dyn Fn(&str) -> bool| match value {
                Value::Array(all) => all.iter().filter_map(Value::as_str).any(fits),
                one => one.as_str().is_some_and(fits),
            };
            assert_eq!(claims["iss"], ISSUER);
            assert!(holds(&claims["aud"], &|aud| aud == "leasehold"));
            assert!(holds(&claims["repository"], &|name| name.starts_with("acme/")));
            assert!(holds(&claims["nested"]["team"], &|team| team == "red"));
            assert_eq!(claims["sub"], somebody.alias);
            assert!(!somebody.alias.is_empty());
            assert_eq!(somebody.meta["role"], "deploy");
        }
    }
}
