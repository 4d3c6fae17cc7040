//! How often an issuer is asked, and what counts while it is silent.

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::outbound::{Ask, OutboundError, Told};

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const URL: &str = "https://issuer.example.com/keys";

/// Says what it is told to, and remembers what it was asked.
#[derive(Debug, Default)]
struct Fake {
    says: Mutex<HashMap<String, (u16, String)>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Outbound for Fake {
    async fn ask(&self, ask: Ask) -> Result<Told, OutboundError> {
        self.asked.lock().unwrap().push(ask.url.clone());
        tokio::task::yield_now().await;
        let says = self.says.lock().unwrap().get(&ask.url).cloned();
        let silent = || OutboundError::Silent { host: "x".to_owned(), why: "away".to_owned() };
        let (status, body) = says.ok_or_else(silent)?;
        Ok(Told { status, body: body.into_bytes() })
    }
}

impl Fake {
    fn says(&self, url: &str, status: u16, body: &str) {
        self.says.lock().unwrap().insert(url.to_owned(), (status, body.to_owned()));
    }

    fn silent(&self) {
        self.says.lock().unwrap().clear();
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn set(kids: &[&str]) -> String {
    // The key of RFC 8037, appendix A.2.
    let key = |kid| {
        json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid,
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    };
    let keys: Vec<_> = kids.iter().map(key).collect();
    json!({ "keys": keys }).to_string()
}

fn source() -> KeySource {
    KeySource::Jwks { url: URL.to_owned(), ca_pem: String::new() }
}

fn mount() -> AuthMountId {
    AuthMountId("m".to_owned())
}

fn later(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

#[tokio::test]
async fn keys_are_asked_for_once_and_again_when_they_are_old() {
    let (issuers, fake) = (IssuerKeys::default(), Fake::default());
    fake.says(URL, 200, &set(&["a"]));
    let (mount, source) = (mount(), source());
    let at = |seconds| issuers.current(&mount, &source, &fake, later(seconds));
    let (one, two, three) = tokio::join!(at(0), at(0), at(1));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(at(599).await.is_ok());
    assert_eq!(fake.asked(), 1);
    fake.says(URL, 200, &set(&["b", "c"]));
    assert_eq!(at(600).await.unwrap().keys.len(), 2, "what was withdrawn is gone");
    assert_eq!(fake.asked(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_key_ids_costs_the_issuer_one_request_in_half_a_minute() {
    let (issuers, fake) = (IssuerKeys::default(), Fake::default());
    fake.says(URL, 200, &set(&["a"]));
    let (mount, source) = (mount(), source());
    for second in 0..300 {
        let held = issuers.current(&mount, &source, &fake, later(second)).await.unwrap();
        issuers.newer(&mount, &source, &held, &fake, later(second)).await;
    }
    assert_eq!(fake.asked(), 1 + 9, "one at the start, and one each 30 seconds");
}

#[tokio::test]
async fn a_new_key_is_found_as_soon_as_a_token_names_it() {
    let (issuers, fake) = (IssuerKeys::default(), Fake::default());
    fake.says(URL, 200, &set(&["a"]));
    let (mount, source) = (mount(), source());
    let held = issuers.current(&mount, &source, &fake, NOW).await.unwrap();
    fake.says(URL, 200, &set(&["a", "b"]));
    let early = issuers.newer(&mount, &source, &held, &fake, later(29)).await;
    assert!(Arc::ptr_eq(&early, &held), "too early to ask again");
    let at = || issuers.newer(&mount, &source, &held, &fake, later(30));
    let (one, two) = tokio::join!(at(), at());
    assert_eq!((one.keys.len(), two.keys.len()), (2, 2));
    assert_eq!(fake.asked(), 2, "the second took what the first had fetched");
}

#[tokio::test]
async fn an_issuer_that_is_silent_is_believed_for_an_hour_and_asked_at_a_pace() {
    let (issuers, fake) = (IssuerKeys::default(), Fake::default());
    let (mount, source) = (mount(), source());
    let at = |seconds| issuers.current(&mount, &source, &fake, later(seconds));
    assert_eq!(at(0).await.unwrap_err(), NoKeys);
    assert_eq!(at(29).await.unwrap_err(), NoKeys);
    assert_eq!(fake.asked(), 1);
    fake.says(URL, 200, &set(&["a"]));
    assert!(at(30).await.is_ok());
    fake.silent();
    assert!(at(30 + 3599).await.is_ok());
    assert_eq!(at(30 + 3600).await.unwrap_err(), NoKeys, "after an hour nobody is believed");
    for status in [404, 500, 302] {
        fake.says(URL, status, &set(&["a"]));
        assert!(at(10_000 + u64::from(status) * 100).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn keys_of_another_source_or_mount_count_for_nothing() {
    let (issuers, fake) = (IssuerKeys::default(), Fake::default());
    fake.says(URL, 200, &set(&["a"]));
    let (mount, source) = (mount(), source());
    assert!(issuers.current(&mount, &source, &fake, NOW).await.is_ok());
    let other = KeySource::Jwks { url: format!("{URL}2"), ca_pem: String::new() };
    assert!(issuers.current(&mount, &other, &fake, NOW).await.is_err());
    issuers.forget(&mount);
    assert!(issuers.all().is_empty());
}

#[tokio::test]
async fn a_discovery_document_has_to_be_the_issuers_own() {
    let fake = Fake::default();
    let issuer = "https://issuer.example.com";
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    let source = KeySource::Discovery { url: issuer.to_owned(), ca_pem: String::new() };
    let document = |named: &str| json!({ "issuer": named, "jwks_uri": URL }).to_string();
    fake.says(URL, 200, &set(&["a"]));
    fake.says(&discovery, 200, &document(issuer));
    let found = fetch(&source, &fake).await.unwrap();
    assert_eq!((found.keys.len(), found.name.as_deref()), (1, Some(issuer)));
    for (body, text) in [
        (document("https://evil.example.com"), "is `https://evil.example.com`, not"),
        (document("https://issuer.example.com/"), "not `https://issuer.example.com`"),
        ("{}".to_owned(), "is no discovery document"),
        ("<html>".to_owned(), "is no discovery document"),
    ] {
        fake.says(&discovery, 200, &body);
        let told = fetch(&source, &fake).await.unwrap_err();
        assert!(told.contains(text), "{told}");
    }
}
