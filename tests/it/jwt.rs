//! Logins by signed tokens over HTTP, with an issuer on loopback: who gets in by which role, what is refused, and how
//! often the issuer is asked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};
use crate::support::https_server::{CA, HttpsServer};
use crate::support::signer::{Signer, encoded, jwks};

/// The second at which every test broker begins.
const BEGIN: i64 = 1_780_000_000;

/// A broker with an engine, a policy `ci`, a `jwt` mount that believes the issuer's key set, and a role.
fn broker(issuer: &HttpsServer, signers: &[&Signer], role: &Value) -> TestBroker {
    let broker = TestBroker::new().with_role();
    issuer.says("/keys", 200, jwks(signers).to_string());
    let root = broker.root();
    let policy = r#"path "aws/creds/r" { capabilities = ["read"] }"#;
    root.put("sys/policies/acl/ci", &json!({ "policy": policy })).expect(204);
    root.post("sys/auth/jwt", &json!({ "type": "jwt" })).expect(204);
    let config = json!({
        "jwks_url": format!("{}/keys", issuer.url), "jwks_ca_pem": CA,
        "bound_issuer": "https://token.actions.githubusercontent.com", "default_role": "Deploy",
    });
    root.post("auth/jwt/config", &config).expect(204);
    root.post("auth/jwt/role/Deploy", role).expect(204);
    broker
}

fn role() -> Value {
    json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": "https://leasehold.example.com",
        "bound_claims_type": "glob",
        "bound_claims": { "repository": "octo-org/*", "ref": "refs/heads/main" },
        "claim_mappings": { "repository": "repository", "actor": "actor" },
        "token_policies": "ci", "token_ttl": "10m", "token_max_ttl": "20m",
    })
}

/// Of a workflow run of GitHub.
fn claims() -> Value {
    json!({
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "https://leasehold.example.com",
        "sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
        "ref": "refs/heads/main",
        "repository": "octo-org/octo-repo",
        "actor": "octocat",
        "iat": BEGIN, "nbf": BEGIN - 600, "exp": BEGIN + 300,
    })
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn log_in(root: &Client, token: &str) -> Reply {
    root.anonymous().post("auth/jwt/login", &json!({ "role": "deploy", "jwt": token }))
}

#[test]
fn a_workflow_logs_in_and_may_do_what_its_policies_say() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    let token = signer.token(&claims());
    let reply = log_in(&root, &token).expect(200);
    let auth = &reply.json["auth"];
    assert_eq!(auth["policies"], json!(["ci", "default"]));
    let meta = json!({
        "role": "deploy", "repository": "octo-org/octo-repo", "actor": "octocat",
    });
    assert_eq!(auth["metadata"], meta);
    assert_eq!((&auth["lease_duration"], &auth["renewable"]), (&json!(600), &json!(true)));

    let machine = root.with_token(auth["client_token"].as_str().unwrap());
    let own = machine.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.text_of("path"), "auth/jwt/login");
    let shown = "jwt-repo:octo-org/octo-repo:ref:refs/heads/main";
    assert_eq!(own.text_of("display_name"), shown);
    let lease = machine.get("aws/creds/r").expect(200).lease_id();
    assert_eq!(broker.users().len(), 1);

    // The role of a login that names none, and a role that is gone.
    root.anonymous().post("auth/jwt/login", &json!({ "jwt": token })).expect(200);
    machine.post("auth/token/renew-self", &json!({})).expect(200);
    root.delete("auth/jwt/role/deploy").expect(204);
    machine.post("auth/token/renew-self", &json!({})).expect(400);
    assert_eq!(log_in(&root, &token).expect(400).errors(), ["role \"deploy\" could not be found"]);
    // Its end ends what it holds.
    broker.advance(Duration::from_secs(1_201));
    assert!(broker.users().is_empty());
    broker.lookup(&lease).expect(400);
}

#[test]
fn every_algorithm_of_the_list_is_taken_from_its_own_kind_of_key() {
    let issuer = HttpsServer::start();
    let signers = [Signer::rsa("r"), Signer::p256("p2"), Signer::p384("p3"), Signer::ed25519("ed")];
    let broker = broker(&issuer, &signers.each_ref(), &role());
    let root = broker.root();
    for signer in &signers {
        log_in(&root, &signer.token(&claims())).expect(200);
    }
    for alg in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        // A key that is said to be for RS256 is for nothing else.
        let header = json!({ "alg": alg, "kid": "r" });
        let told = log_in(&root, &signers[0].token_as(&header, &claims())).expect(400);
        assert!(told.errors()[0].starts_with("error validating token: "), "{:?}", told.errors());
    }
    let mut open = signers[0].jwk();
    open.as_object_mut().unwrap().remove("alg");
    issuer.says("/keys", 200, json!({ "keys": [open] }).to_string());
    broker.advance(Duration::from_secs(200));
    root.post(
        "auth/jwt/config",
        &json!({
            "jwks_url": format!("{}/keys", issuer.url), "jwks_ca_pem": CA,
        }),
    )
    .expect(204);
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let header = json!({ "alg": alg, "kid": "r" });
        log_in(&root, &signers[0].token_as(&header, &claims())).expect(200);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason_and_makes_no_token() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    let before = root.list("auth/token/accessors").expect(200).data()["keys"].clone();
    let other = Signer::p256("k1");
    let mut cut = signer.token(&claims());
    cut.pop();
    for (token, told) in [
        (signer.token(&with("exp", BEGIN - 61)), "token is expired"),
        (signer.token(&with("nbf", BEGIN + 61)), "token not yet valid"),
        (signer.token(&with("iat", BEGIN + 61)), "token issued in the future"),
        (signer.token(&with("iss", "https://gitlab.com")), "invalid issuer (iss) claim"),
        (signer.token(&with("aud", "https://other.example.com")), "invalid audience (aud) claim"),
        (signer.token(&with("ref", "refs/heads/evil")), "claim \"ref\" does not match"),
        (signer.token(&with("repository", "evil/octo-repo")), "claim \"repository\" does not"),
        (other.token(&claims()), "error verifying token signature"),
        (cut, "error validating token: "),
        (signer.token(&claims()).replace('.', ".."), "error validating token: "),
        ("x".to_owned(), "error validating token: "),
        ("a.b.c".to_owned(), "error validating token: "),
        (format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(claims().to_string())), "alg"),
    ] {
        let errors = log_in(&root, &token).expect(400).errors();
        assert!(errors[0].contains(told), "{told}: {errors:?}");
    }
    let nobody = root.anonymous();
    let told = |body: Value| nobody.post("auth/jwt/login", &body).expect(400).errors();
    assert_eq!(told(json!({ "role": "deploy" })), ["missing token"]);
    let unknown = json!({ "role": "x", "jwt": "y" });
    assert_eq!(told(unknown), ["role \"x\" could not be found"]);
    let after = root.list("auth/token/accessors").expect(200).data()["keys"].clone();
    assert_eq!(before, after);
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    let pem = include_str!("../fixtures/logins/rsa.pub.pem");
    for secret in [pem.as_bytes(), pem.trim().as_bytes()] {
        let signed = format!(
            "{}.{}",
            encoded(r#"{"alg":"HS256","kid":"k1"}"#),
            encoded(claims().to_string())
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let token = format!("{signed}.{}", encoded(ring::hmac::sign(&key, signed.as_bytes())));
        let errors = log_in(&root, &token).expect(400).errors();
        assert!(errors[0].contains("alg"), "{errors:?}");
    }
    assert_eq!(issuer.asked().len(), 1, "nobody is asked for what no key could sign");
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it_and_a_withdrawn_one_is_gone() {
    let (issuer, old, new) = (HttpsServer::start(), Signer::rsa("old"), Signer::p256("new"));
    let broker = broker(
        &issuer,
        &[&old],
        &json!({
            "user_claim": "sub", "bound_audiences": "https://leasehold.example.com",
            "clock_skew_leeway": 3600,
        }),
    );
    let root = broker.root();
    log_in(&root, &old.token(&claims())).expect(200);
    assert_eq!(issuer.asked().len(), 1, "the configuration looked whether the keys come");
    issuer.says("/keys", 200, jwks(&[&new]).to_string());
    // A flood of tokens with made-up keys asks the issuer once in half a minute.
    for nth in 0..20 {
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{nth}") });
        log_in(&root, &old.token_as(&header, &claims())).expect(400);
    }
    assert_eq!(issuer.asked().len(), 1);
    broker.clock.advance(Duration::from_secs(31));
    log_in(&root, &new.token(&claims())).expect(200);
    assert_eq!(issuer.asked().len(), 2);
    let told = log_in(&root, &old.token(&claims())).expect(400).errors();
    assert!(told[0].contains("error verifying token signature"), "{told:?}");
    // An issuer that is away is believed for a while, and then no more.
    issuer.says("/keys", 500, "");
    broker.clock.advance(Duration::from_secs(1_200));
    log_in(&root, &new.token(&claims())).expect(200);
    broker.clock.advance(Duration::from_secs(2_500));
    let told = log_in(&root, &new.token(&claims())).expect(400).errors();
    let silent = "error validating token: the issuer's keys cannot be fetched at the moment";
    assert_eq!(told, [silent]);
}

#[test]
fn a_discovery_document_names_the_keys_and_the_issuer() {
    let (issuer, signer) = (HttpsServer::start(), Signer::p256("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    let document = json!({ "issuer": issuer.url, "jwks_uri": format!("{}/keys", issuer.url) });
    issuer.says("/.well-known/openid-configuration", 200, document.to_string());
    let config = json!({ "oidc_discovery_url": issuer.url, "oidc_discovery_ca_pem": CA });
    root.post("auth/jwt/config", &config).expect(204);
    let read = root.get("auth/jwt/config").expect(200);
    assert_eq!(read.text_of("oidc_discovery_url"), issuer.url);
    assert_eq!(read.data()["jwks_url"], "");
    log_in(&root, &signer.token(&with("iss", issuer.url.as_str()))).expect(200);
    // Without `bound_issuer` too, a token has to be of the issuer whose keys they are.
    let told = log_in(&root, &signer.token(&claims())).expect(400).errors();
    assert_eq!(told, ["error validating token: invalid issuer (iss) claim"]);
    let other =
        json!({ "issuer": "https://evil.example.com", "jwks_uri": "https://evil.example.com" });
    issuer.says("/.well-known/openid-configuration", 200, other.to_string());
    let told = root.post("auth/jwt/config", &config).expect(400).errors();
    assert!(told[0].starts_with("error checking oidc discovery URL: "), "{told:?}");
    log_in(&root, &signer.token(&with("iss", issuer.url.as_str()))).expect(200);
}

#[test]
fn static_keys_ask_nobody_and_say_what_is_wrong_with_them() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    let pem = include_str!("../fixtures/logins/rsa.pub.pem");
    root.post("auth/jwt/config", &json!({ "jwt_validation_pubkeys": [pem] })).expect(204);
    let asked = issuer.asked().len();
    log_in(&root, &signer.token(&claims())).expect(200);
    log_in(&root, &Signer::p256("k1").token(&claims())).expect(400);
    assert_eq!(issuer.asked().len(), asked);
    assert_eq!(
        root.get("auth/jwt/config").expect(200).data()["jwt_validation_pubkeys"],
        json!([pem.trim()])
    );
    let short = include_str!("../fixtures/logins/rsa1024.pub.pem");
    for bad in [short, "x", ""] {
        let told = root.post("auth/jwt/config", &json!({ "jwt_validation_pubkeys": [bad] }));
        let errors = told.expect(400).errors();
        assert!(errors[0].starts_with("error parsing public key: "), "{errors:?}");
    }
    // A configuration that was refused changed nothing.
    log_in(&root, &signer.token(&claims())).expect(200);
}

#[test]
fn an_issuer_that_cannot_be_believed_is_not_configured() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    let evil = HttpsServer::start();
    evil.says("/keys", 200, jwks(&[&signer]).to_string());
    issuer.says("/moved", 302, format!("{}/keys", evil.url));
    issuer.says(
        "/oct",
        200,
        json!({ "keys": [{ "kty": "oct", "kid": "k1", "k": "c2VjcmV0" }] }).to_string(),
    );
    issuer.says("/huge", 200, format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(1 << 21)));
    let told = |config: Value| root.post("auth/jwt/config", &config).expect(400).errors();
    let at = |path: &str| json!({ "jwks_url": format!("{}{path}", issuer.url), "jwks_ca_pem": CA });
    for path in ["/moved", "/oct", "/huge", "/nothing"] {
        let errors = told(at(path));
        assert!(errors[0].starts_with("error checking jwks URL: "), "{path}: {errors:?}");
    }
    assert!(evil.asked().is_empty(), "a redirect was followed");
    let untrusted = told(json!({ "jwks_url": format!("{}/keys", issuer.url) }));
    assert!(untrusted[0].starts_with("error checking jwks URL: "), "{untrusted:?}");
    let plain = told(json!({ "jwks_url": "http://127.0.0.1:1/keys" }));
    assert!(plain[0].contains("is no HTTPS URL"), "{plain:?}");
    let inside = told(json!({ "jwks_url": "https://10.255.255.1/keys" }));
    assert!(inside[0].contains("is not on the internet"), "{inside:?}");
    for name in ["oidc_client_id", "oidc_client_secret", "oidc_response_mode"] {
        let errors = told(json!({ "jwks_url": "https://x", name: "y" }));
        assert!(errors[0].starts_with(&format!("`{name}` is not offered")), "{errors:?}");
    }
    let provider =
        told(json!({ "jwks_url": "https://x", "provider_config": { "provider": "azure" } }));
    assert!(provider[0].starts_with("`provider_config` is not offered"), "{provider:?}");
}

#[test]
fn the_login_of_people_by_browser_is_refused_by_name() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    root.post("sys/auth/oidc", &json!({ "type": "oidc" })).expect(204);
    let nobody = root.anonymous();
    for reply in [
        nobody.post("auth/oidc/oidc/auth_url", &json!({ "role": "x", "redirect_uri": "y" })),
        nobody.get("auth/oidc/oidc/callback?state=a&code=b"),
        nobody.post("auth/jwt/oidc/auth_url", &json!({})),
    ] {
        let errors = reply.expect(400).errors();
        assert!(
            errors[0].starts_with("the login of people by browser is not offered"),
            "{errors:?}"
        );
    }
    let told = root.post("auth/oidc/role/x", &json!({ "role_type": "oidc", "user_claim": "sub" }));
    assert!(told.expect(400).errors()[0].contains("role_type=jwt"));
    // Under that name too, machines log in.
    let config = json!({ "jwks_url": format!("{}/keys", issuer.url), "jwks_ca_pem": CA });
    root.post("auth/oidc/config", &config).expect(204);
    root.post("auth/oidc/role/deploy", &role()).expect(204);
    let body = json!({ "role": "deploy", "jwt": signer.token(&claims()) });
    let reply = nobody.post("auth/oidc/login", &body).expect(200);
    let own = root.with_token(reply.json["auth"]["client_token"].as_str().unwrap());
    own.get("auth/token/lookup-self").expect(200);
    root.delete("sys/auth/oidc").expect(204);
    own.get("auth/token/lookup-self").expect(403);
    assert_eq!(nobody.post("auth/oidc/login", &body).expect(403).errors(), ["permission denied"]);
}

#[test]
fn roles_read_back_as_they_were_written_and_outlive_a_restart() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let mut broker = broker(&issuer, &[&signer], &role());
    let root = broker.root();
    assert_eq!(root.list("auth/jwt/role").expect(200).data()["keys"], json!(["deploy"]));
    root.post("auth/jwt/role/deploy", &json!({
        "bound_claims_type": "glob", "clock_skew_leeway": -1, "expiration_leeway": "5m", "max_age": 0,
        "token_bound_cidrs": "127.0.0.1/32", "num_uses": 3,
    }))
    .expect(204);
    broker.restart();
    let root = broker.root();
    let read = root.get("auth/jwt/role/DEPLOY").expect(200);
    let data = read.data();
    assert_eq!(data["bound_claims"], role()["bound_claims"]);
    assert_eq!(data["claim_mappings"], role()["claim_mappings"]);
    assert_eq!((&data["role_type"], &data["bound_claims_type"]), (&json!("jwt"), &json!("glob")));
    assert_eq!(data["bound_audiences"], json!(["https://leasehold.example.com"]));
    assert_eq!((&data["clock_skew_leeway"], &data["expiration_leeway"]), (&json!(-1), &json!(300)));
    assert_eq!((&data["token_num_uses"], &data["token_ttl"]), (&json!(3), &json!(600)));
    root.get("auth/jwt/role/other").expect(404);
    // Keys are asked for again by whoever comes first.
    let asked = issuer.asked().len();
    let reply = log_in(&root, &signer.token(&claims())).expect(200);
    assert_eq!((issuer.asked().len(), &reply.json["auth"]["num_uses"]), (asked + 1, &json!(3)));
    // From elsewhere nobody is let in, whatever they have.
    root.post("auth/jwt/role/deploy", &json!({ "token_bound_cidrs": "10.0.0.0/8" })).expect(204);
    let told = log_in(&root, &signer.token(&claims())).expect(403).errors();
    assert_eq!(told, ["1 error occurred:\n\t* permission denied\n\n"]);
    root.post("auth/jwt/role/open", &json!({ "user_claim": "sub" })).expect(400);
}

#[test]
fn a_token_that_is_too_long_is_not_read() {
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    let broker = broker(&issuer, &[&signer], &role());
    let token = signer.token(&with("padding", "x".repeat(70_000)));
    let told = log_in(&broker.root(), &token).expect(400).errors();
    assert!(told[0].contains("longer than"), "{told:?}");
}
