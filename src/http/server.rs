//! The listener: actix with one catch-all, TLS by rustls, and limits on everything a stranger can make
//! long or large. It turns actix's types into [`super::request::Incoming`] and back, and knows no
//! route. Stopping it finishes what is in flight.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::StreamExt;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::reply::VERDICT as VERDICT_NAME;
use super::request::{BODY_LIMIT, Body, Headers, Incoming};
use super::{InFlight, Wire, pipeline, sys_plugins};
use crate::config::{Listener, Tls};
use crate::model::ClientToken;

/// From the first byte of a request to the end of its headers (Vault's `http_read_header_timeout`).
const HEADER_TIME: Duration = Duration::from_secs(10);
/// For the whole body (Vault's `http_read_timeout`).
const BODY_TIME: Duration = Duration::from_secs(30);
/// How long an idle connection is kept; clients pool theirs for 90 s (Go's default transport).
const IDLE_TIME: Duration = Duration::from_secs(90);
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a stop waits for what is in flight; the slowest issue is a handful of AWS calls.
const STOP_SECONDS: u64 = 30;
/// Connections per worker; each costs a few KiB.
const MAX_CONNECTIONS: usize = 10_000;
/// Connections waiting to be accepted.
const BACKLOG: u32 = 1_024;
/// What is read and thrown away of a body over the limit, so that its sender hears the answer.
const DRAIN_LIMIT: usize = 2 * BODY_LIMIT;

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {address}: {source}\nhelp: stop what listens there, or choose another address with `listener.address` (in development mode `--dev-listen-address`)"
    )]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A PEM file cannot be read.
    #[error("cannot read `{}`: {detail}", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// Certificate and key do not fit together.
    #[error("the certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// A listener that serves.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    in_flight: InFlight,
    task: JoinHandle<io::Result<()>>,
}

/// Binds and serves.
pub fn start(wire: Arc<Wire>, listener: &Listener) -> Result<Running, ServerError> {
    let in_flight = wire.in_flight.clone();
    let data = web::Data::from(wire);
    let server = HttpServer::new(move || {
        App::new().app_data(web::Data::clone(&data)).default_service(web::to(catch_all))
    })
    .backlog(BACKLOG)
    .max_connections(MAX_CONNECTIONS)
    .keep_alive(IDLE_TIME)
    .client_request_timeout(HEADER_TIME)
    .tls_handshake_timeout(HANDSHAKE_TIME)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals();
    let address = listener.address;
    let bound = match &listener.tls {
        None => server.bind(address),
        Some(files) => server.bind_rustls_0_23(address, tls_config(files)?),
    };
    let server = bound.map_err(|source| ServerError::Bind { address, source })?;
    let address = server.addrs().first().copied().unwrap_or(address);
    let server = server.run();
    let handle = server.handle();
    Ok(Running { address, handle, in_flight, task: tokio::spawn(server) })
}

impl Running {
    /// Where it listens; the real port where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new connections, then what is in flight is finished, issues without a caller too.
    pub async fn stop(self) {
        self.handle.pause().await;
        let limit = Duration::from_secs(STOP_SECONDS);
        if timeout(limit, self.in_flight.idle()).await.is_err() {
            tracing::warn!(
                "requests are still in flight after {STOP_SECONDS} s; stopping without them"
            );
        }
        self.handle.stop(true).await;
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(error = %error, "the listener ended with an error");
        }
    }
}

impl Running {
    /// Drops every connection and whatever is under way.
    pub async fn abort(self) {
        self.handle.stop(false).await;
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(error = %error, "the listener ended with an error");
        }
    }
}

/// Reads a certificate chain and its key; TLS 1.2 and 1.3.
pub fn tls_config(files: &Tls) -> Result<ServerConfig, ServerError> {
    let pem = |path: &Path, detail: String| ServerError::Pem { path: path.to_owned(), detail };
    let cert = |error: rustls::pki_types::pem::Error| pem(&files.cert_file, error.to_string());
    let chain = CertificateDer::pem_file_iter(&files.cert_file).map_err(cert)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(cert)?;
    if chain.is_empty() {
        return Err(pem(&files.cert_file, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key_file).map_err(|error| {
        let none = matches!(error, rustls::pki_types::pem::Error::NoItemsFound);
        let why = if none { "there is no private key in it".into() } else { error.to_string() };
        pem(&files.key_file, why)
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(config)
}

async fn catch_all(
    request: HttpRequest,
    payload: web::Payload,
    wire: web::Data<Wire>,
) -> HttpResponse {
    let namespace = request.headers().get(NAMESPACE).cloned();
    let incoming = Incoming {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: read_headers(request.headers()),
        body: read_body(&request, payload).await,
        remote: request.peer_addr().map(|address| address.ip()),
    };
    let wire = wire.into_inner();
    let reply = pipeline::answer(&wire, incoming).await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if reply.dressed {
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response.insert_header((header::STRICT_TRANSPORT_SECURITY, HSTS));
        if let Some(namespace) = namespace {
            response.insert_header((NAMESPACE, namespace));
        }
    }
    if let Some(left) = reply.quota {
        response.insert_header((RATE_LIMIT, left.limit));
        response.insert_header((RATE_REMAINING, left.remaining));
        response.insert_header((RATE_RESET, left.reset_seconds));
        if !left.allowed {
            response.insert_header((header::RETRY_AFTER, left.reset_seconds));
        }
    }
    if !reply.verdicts.is_empty() {
        response.insert_header((VERDICT, reply.verdicts.join(", ")));
    }
    if let Some(content_type) = reply.content_type {
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(content_type)));
    }
    if let Some(location) = reply.location {
        response.insert_header((header::LOCATION, location));
    }
    response.body(reply.body)
}

/// What Vault sends by default (contract 0.2).
const HSTS: &str = "max-age=31536000; includeSubDomains";
/// What Prometheus says first that it takes; Vault gives its text format then.
const OPEN_METRICS: &str = "application/openmetrics-text";
const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Ours: the digests of the verdicts that led to the reply; `sys/guardrails/verdicts/:digest` has each.
const VERDICT: HeaderName = HeaderName::from_static(VERDICT_NAME);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const WRAP_TTL: HeaderName = HeaderName::from_static("x-vault-wrap-ttl");

fn read_headers(headers: &HeaderMap) -> Headers {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let own = text(&TOKEN).filter(|token| !token.is_empty());
    let bearer = || {
        headers
            .get_all(header::AUTHORIZATION)
            .find_map(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .map(str::trim)
            .filter(|token| !token.is_empty())
    };
    Headers {
        token: own.or_else(bearer).map(ClientToken::new),
        content_type: text(&header::CONTENT_TYPE).unwrap_or_default().to_owned(),
        wrap_ttl: text(&WRAP_TTL).map(str::to_owned),
        // What is no text must be refused, not taken for nothing.
        idempotency_key: headers
            .get(&IDEMPOTENCY_KEY)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        open_metrics: text(&header::ACCEPT).is_some_and(|accept| accept.starts_with(OPEN_METRICS)),
    }
}

/// Reads the body of a request that may have one; that of others is read too, since what is left unread
/// costs the connection, but not looked at.
async fn read_body(request: &HttpRequest, payload: web::Payload) -> Body {
    let limit = if sys_plugins::takes_components(request.uri().path()) {
        sys_plugins::BODY_LIMIT
    } else {
        BODY_LIMIT
    };
    let body = timeout(BODY_TIME, collect(payload, limit)).await.unwrap_or(Body::Broken);
    if matches!(request.method().as_str(), "POST" | "PUT" | "PATCH") { body } else { Body::Absent }
}

async fn collect(mut payload: web::Payload, limit: usize) -> Body {
    let mut body = BytesMut::new();
    let mut seen: usize = 0;
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else {
            return Body::Broken;
        };
        seen = seen.saturating_add(chunk.len());
        if seen > DRAIN_LIMIT {
            return Body::TooLarge;
        }
        if seen > limit {
            body = BytesMut::new();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    if seen > limit { Body::TooLarge } else { Body::Read(Bytes::from(body)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(headers: &[(HeaderName, &str)]) -> Option<ClientToken> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        read_headers(&map).token
    }

    #[test]
    fn vaults_header_goes_before_the_first_bearer() {
        let some = |text: &str| Some(ClientToken::new(text));
        assert_eq!(token(&[(TOKEN, "a"), (header::AUTHORIZATION, "Bearer b")]), some("a"));
        assert_eq!(token(&[(TOKEN, ""), (header::AUTHORIZATION, "Bearer b")]), some("b"));
        assert_eq!(
            token(&[(header::AUTHORIZATION, "Basic x"), (header::AUTHORIZATION, "Bearer c")]),
            some("c")
        );
        assert_eq!(token(&[(header::AUTHORIZATION, "bearer b")]), None);
        assert_eq!(token(&[]), None);
    }

    #[test]
    fn a_missing_certificate_is_named() {
        let files = Tls { cert_file: "/no/such.pem".into(), key_file: "/no/such.key".into() };
        let told = tls_config(&files).unwrap_err().to_string();
        assert!(told.contains("`/no/such.pem`"), "{told}");
    }
}
