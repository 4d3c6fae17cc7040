//! Which tokens are believed by which keys, and what no key could have signed.

use ring::hmac;
use serde_json::json;

use super::signer::{Signer, encoded, jwks};
use super::*;

const PEM: &str = include_str!("../../../tests/fixtures/logins/rsa.pub.pem");
const SHORT: &str = include_str!("../../../tests/fixtures/logins/rsa1024.pub.pem");
const CERTIFICATE: &str = include_str!("../../../tests/fixtures/logins/server.pem");

fn set(keys: &Value) -> KeySet {
    KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn of(signers: &[&Signer]) -> KeySet {
    KeySet::from_jwks(jwks(signers).to_string().as_bytes()).unwrap()
}

fn read(token: &str, keys: &KeySet) -> Result<Value, JoseError> {
    verify(&Jwt::new(token), keys, &[])
}

fn claims() -> Value {
    json!({ "sub": "somebody", "exp": "not a time", "aud": 7 })
}

#[test]
fn a_token_is_believed_by_the_key_that_signed_it_and_by_no_other() {
    let signers = [Signer::rsa("a"), Signer::p256("b"), Signer::p384("c"), Signer::ed25519("d")];
    let all = of(&signers.each_ref());
    assert_eq!(all.len(), 4);
    for signer in &signers {
        let token = signer.token(&claims());
        assert_eq!(read(&token, &all), Ok(claims()), "what the claims say is not judged here");
        assert_eq!(read(&token, &of(&[&Signer::p256("z")])), Err(JoseError::UnknownKey));
    }
    for (one, other) in [(Signer::p256("b"), "b"), (Signer::ed25519("d"), "d")] {
        let forged = one.token(&claims());
        assert_eq!(read(&forged, &all), Err(JoseError::Signature), "{other}");
    }
}

#[test]
fn every_part_of_a_token_counts() {
    let signer = Signer::p256("a");
    let keys = of(&[&signer]);
    let token = signer.token(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let other = encoded(json!({ "sub": "root" }).to_string());
    assert_eq!(
        read(&format!("{}.{other}.{}", parts[0], parts[2]), &keys),
        Err(JoseError::Signature)
    );
    let header = encoded(json!({ "alg": "ES256", "kid": "a", "x": 1 }).to_string());
    assert_eq!(
        read(&format!("{header}.{}.{}", parts[1], parts[2]), &keys),
        Err(JoseError::Signature)
    );
    for broken in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}.x"),
        format!("{token}="),
        format!("{token} "),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
    ] {
        assert!(read(&broken, &keys).is_err(), "{broken}");
    }
    for no_object in [json!([]), json!("x"), json!(1), json!(null)] {
        assert!(read(&signer.token(&no_object), &keys).is_err(), "{no_object}");
    }
}

#[test]
fn none_and_shared_keys_are_not_known() {
    let signer = Signer::rsa("a");
    let keys = of(&[&signer]);
    let payload = encoded(claims().to_string());
    for alg in ["none", "None", "NONE", "nOnE", "", "RS1", "ES256K", "ES512", "dir", "A128KW"] {
        let header = encoded(json!({ "alg": alg, "kid": "a" }).to_string());
        for signature in ["", "AA"] {
            let told = read(&format!("{header}.{payload}.{signature}"), &keys);
            assert_eq!(told, Err(JoseError::Algorithm(alg.to_owned())));
        }
    }
    for (alg, how) in
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
    {
        for secret in
            [PEM.as_bytes(), PEM.trim().as_bytes(), b"", signer.jwk().to_string().as_bytes()]
        {
            let header = encoded(json!({ "alg": alg, "kid": "a" }).to_string());
            let message = format!("{header}.{payload}");
            let tag = hmac::sign(&hmac::Key::new(how, secret), message.as_bytes());
            let told = read(&format!("{message}.{}", encoded(tag)), &keys);
            assert_eq!(told, Err(JoseError::Algorithm(alg.to_owned())));
        }
    }
    let headless = format!("{}.{payload}.AA", encoded(r#"{"kid":"a"}"#));
    assert_eq!(read(&headless, &keys), Err(JoseError::NoToken));
    let twice = format!("{}.{payload}.AA", encoded(r#"{"alg":"RS256","alg":"none"}"#));
    assert_eq!(read(&twice, &keys), Err(JoseError::NoToken));
}

#[test]
fn a_key_is_for_its_own_kind_of_algorithms_and_for_its_own_alg_where_it_says_one() {
    let (rsa, point) = (Signer::rsa("a"), Signer::p256("b"));
    let keys = of(&[&rsa, &point]);
    let token = |signer: &Signer, alg: &str, kid: &str| {
        signer.token_as(&json!({ "alg": alg, "kid": kid }), &claims())
    };
    for (token, told) in [
        (token(&rsa, "RS512", "a"), JoseError::OtherAlgorithm),
        (token(&rsa, "PS256", "a"), JoseError::OtherAlgorithm),
        (token(&rsa, "RS256", "b"), JoseError::OtherAlgorithm),
        (token(&point, "ES256", "a"), JoseError::OtherAlgorithm),
        (token(&point, "ES384", "b"), JoseError::OtherAlgorithm),
        (token(&point, "EdDSA", "b"), JoseError::OtherAlgorithm),
    ] {
        assert_eq!(read(&token, &keys), Err(told));
    }
    let mut open = rsa.jwk();
    open.as_object_mut().unwrap().remove("alg");
    let open = set(&json!([open]));
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let token = token(&rsa, alg, "a");
        assert_eq!(read(&token, &open), Ok(claims()), "{alg}");
        let told = verify(&Jwt::new(token), &open, &["ES256".to_owned()]);
        assert_eq!(told, Err(JoseError::Unexpected), "{alg}");
    }
}

#[test]
fn tokens_and_keys_without_an_id_are_tried() {
    let (one, two) = (Signer::p256("a"), Signer::p256("b"));
    let header = json!({ "alg": "ES256" });
    assert_eq!(read(&one.token_as(&header, &claims()), &of(&[&two, &one])), Ok(claims()));
    let stranger = Signer::p256("c").token_as(&header, &claims());
    assert_eq!(read(&stranger, &of(&[&two, &one])), Err(JoseError::UnknownKey));
    let mut nameless = one.jwk();
    nameless.as_object_mut().unwrap().remove("kid");
    let keys = set(&json!([two.jwk(), nameless]));
    assert_eq!(read(&one.token(&claims()), &keys), Ok(claims()));
}

#[test]
fn extensions_that_have_to_be_understood_are_refused() {
    let signer = Signer::ed25519("a");
    for crit in [json!(["b64"]), json!(["exp"]), json!([])] {
        let header = json!({ "alg": "EdDSA", "kid": "a", "b64": false, "crit": crit });
        let told = read(&signer.token_as(&header, &claims()), &of(&[&signer]));
        assert_eq!(told, Err(JoseError::Critical));
    }
    // Keys that a token brings along are not looked at.
    let evil = Signer::ed25519("a");
    let header = json!({ "alg": "EdDSA", "kid": "a", "jwk": evil.jwk(), "jku": "https://evil" });
    let told = read(&evil.token_as(&header, &claims()), &of(&[&signer]));
    assert_eq!(told, Err(JoseError::Signature));
}

#[test]
fn a_token_that_is_too_long_or_too_deep_is_not_read() {
    let signer = Signer::p256("a");
    let keys = of(&[&signer]);
    let long = signer.token(&json!({ "x": "x".repeat(MOST) }));
    assert_eq!(read(&long, &keys), Err(JoseError::TooLong));
    assert_eq!(check_shape(&Jwt::new(long), &[]), Err(JoseError::TooLong));
    let deep = format!("{}1{}", "[".repeat(4_000), "]".repeat(4_000));
    let header = encoded(json!({ "alg": "ES256", "kid": "a" }).to_string());
    let unsigned = format!("{header}.{}.AA", encoded(format!(r#"{{"a":{deep}}}"#)));
    assert_eq!(read_unverified(&Jwt::new(unsigned)), Err(JoseError::NoToken));
    let deep_header = format!("{}.e30.AA", encoded(format!(r#"{{"alg":"ES256","a":{deep}}}"#)));
    assert_eq!(read(&deep_header, &keys), Err(JoseError::NoToken));
}

#[test]
fn a_set_passes_over_what_it_cannot_use_and_is_refused_without_anything_else() {
    let signer = Signer::rsa("good");
    let with = |changes: &[(&str, Value)]| {
        let mut jwk = signer.jwk();
        for (name, value) in changes {
            jwk[*name] = value.clone();
        }
        jwk
    };
    let useless = [
        json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0", "alg": "HS256" }),
        json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0" }),
        with(&[("use", json!("enc"))]),
        with(&[("key_ops", json!(["encrypt"]))]),
        with(&[("alg", json!("RSA-OAEP"))]),
        with(&[("alg", json!("HS256"))]),
        with(&[("alg", json!("ES256"))]),
        with(&[("n", json!("AQAB"))]),
        with(&[("n", json!("!"))]),
        with(&[("kty", json!("XYZ"))]),
        json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }),
        json!({ "kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
        json!({}),
        json!(null),
        json!("x"),
    ];
    for key in &useless {
        let alone = json!({ "keys": [key] }).to_string();
        let told = KeySet::from_jwks(alone.as_bytes()).map(|keys| keys.len());
        assert_eq!(told, Err(JoseError::NothingUsable), "{key}");
    }
    let mut all = useless.to_vec();
    all.push(signer.jwk());
    let keys = set(&Value::Array(all));
    assert_eq!(keys.len(), 1);
    assert_eq!(read(&signer.token(&claims()), &keys), Ok(claims()));
    for no_set in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":7}"#, "<html>"] {
        let told = KeySet::from_jwks(no_set.as_bytes()).unwrap_err();
        assert!(matches!(told, JoseError::NoKeySet(_)), "{no_set}: {told}");
    }
    // A zero in front of the modulus, as some issuers write it.
    let padded = format!("AA{}", signer.jwk()["n"].as_str().unwrap());
    let bytes = URL_SAFE_NO_PAD.decode(signer.jwk()["n"].as_str().unwrap()).unwrap();
    let zero = encoded([&[0], bytes.as_slice()].concat());
    assert_ne!(padded, zero);
    let keys = set(&json!([with(&[("n", json!(zero))])]));
    assert_eq!(read(&signer.token(&claims()), &keys), Ok(claims()));
}

#[test]
fn keys_in_pem_are_read_as_such_and_from_certificates() {
    let keys = KeySet::from_pems(&[CERTIFICATE.to_owned(), PEM.to_owned()]).unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(read(&Signer::rsa("any").token(&claims()), &keys), Ok(claims()));
    let told = |pem: &str| KeySet::from_pems(&[pem.to_owned()]).unwrap_err();
    assert_eq!(told(SHORT), JoseError::UnusableKey);
    assert_eq!(told(""), JoseError::NoPem);
    assert_eq!(told("x"), JoseError::NoPem);
    assert_eq!(
        told("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        JoseError::UnusableKey
    );
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    assert_eq!(told(private), JoseError::NoPem);
    assert_eq!(KeySet::from_pems(&[]).unwrap_err(), JoseError::NothingUsable);
    // Every byte of a key counts: none of these is read as something else, and none breaks anything.
    let lines: String = PEM.lines().filter(|line| !line.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(lines).unwrap();
    for cut in 0..der.len() {
        let body = base64::engine::general_purpose::STANDARD.encode(&der[..cut]);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
        assert!(KeySet::from_pems(&[pem]).is_err(), "{cut}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_a_stranger_sends_is_refused_and_breaks_nothing(
        text in ".{0,200}",
        header in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
        payload in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
    ) {
        let keys = of(&[&Signer::ed25519("a")]);
        let good = r#"{"alg":"EdDSA","kid":"a"}"#;
        for token in [
            text.clone(),
            format!("{}.{}.{}", encoded(&header), encoded(&payload), encoded(&text)),
            format!("{}.{}.{}", encoded(good), encoded(&payload), encoded(&header)),
        ] {
            proptest::prop_assert!(read(&token, &keys).is_err());
            let unverified = read_unverified(&Jwt::new(token));
            proptest::prop_assert!(unverified.is_err() || unverified.unwrap().is_object());
        }
        proptest::prop_assert!(KeySet::from_jwks(&payload).is_err());
        let pem = |tag: &str| {
            let body = base64::engine::general_purpose::STANDARD.encode(&payload);
            format!("-----BEGIN {tag}-----\n{body}\n-----END {tag}-----")
        };
        for pem in [text, pem("PUBLIC KEY"), pem("CERTIFICATE")] {
            proptest::prop_assert!(KeySet::from_pems(&[pem]).is_err());
        }
    }

    #[test]
    fn a_token_with_one_byte_changed_is_never_believed_to_say_something_else(
        at in 0..400_usize,
        byte in 32..127_u8,
    ) {
        let signer = Signer::ed25519("a");
        let mut token = signer.token(&claims()).into_bytes();
        let Some(place) = token.get_mut(at) else { return Ok(()) };
        *place = byte;
        let told = read(&String::from_utf8(token).unwrap(), &of(&[&signer]));
        proptest::prop_assert!(told.is_err() || told == Ok(claims()));
    }
}
