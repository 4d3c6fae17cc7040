//! HTTPS by a small blocking client on threads of its own, few at a time. A connection lives for one request: they are
//! rare, and no state of one is another's. Which addresses it takes is [`super::reach`]'s.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use ureq::Agent;
use ureq::http::{Request, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

use super::reach::{Reach, Refused};
use super::{Ask, Outbound, OutboundError, Told};
use crate::model::Network;

/// From the look-up of the name to the last byte. Logins wait for it; GitHub's keys come in 0.2 s.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Of an answer: GitHub's key set has 8 KB, Google's and Microsoft's less than 20.
const MAX_BYTES: u64 = 1 << 20;
/// Threads that wait for others at once.
const AT_ONCE: usize = 16;
/// Of these, those that questions with a body may take: whoever makes tokens up can have a cluster asked, and must not
/// keep mounts from fetching their keys.
const POSTS_AT_ONCE: usize = AT_ONCE.div_euclid(2);
/// For a turn. A login that was not begun after so long is not waited for any more: whoever sends many would have them
/// pile up.
const WAIT: Duration = Duration::from_secs(2);

/// The real one.
#[derive(Debug)]
pub struct Https {
    private: Arc<[Network]>,
    turns: Arc<Semaphore>,
    posts: Arc<Semaphore>,
}

impl Https {
    /// Asks on the internet and in these networks.
    pub fn new(private: Vec<Network>) -> Self {
        Self {
            private: private.into(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            posts: Arc::new(Semaphore::new(POSTS_AT_ONCE)),
        }
    }

    /// A turn, unless too many are before; `None` then.
    async fn turn(
        &self,
        is_post: bool,
    ) -> Option<(Option<OwnedSemaphorePermit>, OwnedSemaphorePermit)> {
        let turns = async {
            let post = if is_post {
                Some(Arc::clone(&self.posts).acquire_owned().await.ok()?)
            } else {
                None
            };
            Some((post, Arc::clone(&self.turns).acquire_owned().await.ok()?))
        };
        timeout(WAIT, turns).await.ok()?
    }
}

#[async_trait]
impl Outbound for Https {
    async fn ask(&self, ask: Ask) -> Result<Told, OutboundError> {
        let host = host_of(&ask.url)?;
        let silent = |why: &dyn std::fmt::Display| OutboundError::Silent {
            host: host.clone(),
            why: why.to_string(),
        };
        let turn = self.turn(ask.json.is_some()).await;
        let turn = turn.ok_or_else(|| silent(&"too many others are being asked; try again"))?;
        let private = Arc::clone(&self.private);
        let asked_host = host.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let told = asked(&ask, private, &asked_host);
            drop(turn);
            told
        });
        asked.await.map_err(|error| silent(&error))?
    }
}

/// The host of an HTTPS URL.
fn host_of(url: &str) -> Result<String, OutboundError> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("https"));
    let host = uri.as_ref().and_then(Uri::host).filter(|host| !host.is_empty());
    host.map(str::to_owned).ok_or_else(|| OutboundError::Url(url.to_owned()))
}

fn asked(ask: &Ask, private: Arc<[Network]>, host: &str) -> Result<Told, OutboundError> {
    let config = Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        // A proxy would find the addresses itself.
        .proxy(None)
        .max_idle_connections(0)
        .timeout_global(Some(TIMEOUT))
        .user_agent(concat!("leasehold/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls(&ask.ca_pem)?)
        .build();
    let agent = Agent::with_parts(config, DefaultConnector::default(), Reach { private });
    let method = if ask.json.is_some() { "POST" } else { "GET" };
    let mut request =
        Request::builder().method(method).uri(&ask.url).header("accept", "application/json");
    if let Some(bearer) = &ask.bearer {
        request = request.header("authorization", format!("Bearer {}", bearer.expose()));
    }
    let body = match &ask.json {
        Some(json) => {
            request = request.header("content-type", "application/json");
            json.expose().as_bytes().to_vec()
        }
        None => Vec::new(),
    };
    let request = request.body(body).map_err(|_no_request| OutboundError::Url(ask.url.clone()))?;
    let failed = |error: ureq::Error| failure(&error, host);
    let mut response = agent.run(request).map_err(failed)?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MAX_BYTES).read_to_vec().map_err(failed)?;
    Ok(Told { status, body })
}

fn failure(error: &ureq::Error, host: &str) -> OutboundError {
    if let ureq::Error::Other(cause) = error
        && cause.is::<Refused>()
    {
        return OutboundError::Private { host: host.to_owned() };
    }
    OutboundError::Silent { host: host.to_owned(), why: error.to_string() }
}

/// Over ring, as everywhere.
fn tls(ca_pem: &str) -> Result<TlsConfig, OutboundError> {
    let certificates = if ca_pem.trim().is_empty() {
        rustls_native_certs::load_native_certs().certs
    } else {
        certificates(ca_pem)?
    };
    let roots: RootCerts =
        certificates.iter().map(|der| Certificate::from_der(der).to_owned()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    Ok(config.root_certs(roots).build())
}

/// The certificates of a PEM text; none is an error.
fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, OutboundError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| OutboundError::Certificates(error.to_string()))?;
    if found.is_empty() {
        return Err(OutboundError::Certificates("there is none in it".to_owned()));
    }
    Ok(found)
}

impl Ask {
    /// Whether its certificates can be read; nothing is sent.
    pub fn check_certificates(pem: &str) -> Result<(), OutboundError> {
        if pem.trim().is_empty() {
            return Ok(());
        }
        certificates(pem).map(|_found| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecretText;

    fn told(url: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ask = Ask { url: url.to_owned(), ..Ask::default() };
        runtime.block_on(Https::new(Vec::new()).ask(ask)).unwrap_err().to_string()
    }

    #[test]
    fn nothing_but_https_is_asked() {
        for url in ["http://example.com/keys", "file:///etc/passwd", "example.com", "", "https://"]
        {
            assert_eq!(told(url), format!("`{url}` is no HTTPS URL"));
        }
    }

    #[test]
    fn an_address_of_the_inside_is_refused_before_anything_is_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let text = told(&format!("https://{host}:{port}/keys"));
            assert!(text.contains("is not on the internet"), "{text}");
            assert!(text.contains("private_networks"), "{text}");
        }
        assert!(listener.accept().is_err(), "somebody connected");
    }

    /// Found by a review: made-up tokens of pods waited without an end, and no mount could fetch its keys meanwhile.
    #[tokio::test(start_paused = true)]
    async fn who_finds_no_turn_is_told_soon_and_questions_with_a_body_leave_some() {
        let https = Https::new(Vec::new());
        let ask = |json: Option<&str>| Ask {
            url: "https://127.0.0.1:1/".to_owned(),
            json: json.map(SecretText::new),
            ..Ask::default()
        };
        https.posts.forget_permits(POSTS_AT_ONCE);
        let refused = https.ask(ask(Some("{}"))).await.unwrap_err().to_string();
        assert!(refused.contains("too many others are being asked"), "{refused}");
        let asked = https.ask(ask(None)).await.unwrap_err().to_string();
        assert!(asked.contains("is not on the internet"), "{asked}");
        https.turns.forget_permits(AT_ONCE);
        let refused = https.ask(ask(None)).await.unwrap_err().to_string();
        assert!(refused.contains("too many others are being asked"), "{refused}");
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        for pem in ["x", "-----BEGIN CERTIFICATE-----\nAAA\n"] {
            assert!(Ask::check_certificates(pem).is_err(), "{pem}");
        }
        assert!(Ask::check_certificates(" \n").is_ok());
    }
}
