//! The listeners: actix with one catch-all, TLS by rustls, sockets in the file system, and limits on everything a stranger
//! can make long or large. It turns actix's types into [`super::request::Incoming`] (`inward`) and back, and knows no
//! route. Stopping it finishes what is in flight.

use std::fmt;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::reply::{JSON, VERDICT as VERDICT_NAME};
use super::{InFlight, Wire, pipeline};
use crate::config::{Address, Limits, Listener};

mod inward;
mod tls;
mod unix;

pub use tls::check as check_tls;

use inward::Bodies;
use tls::Certificate;

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a stop waits for what is in flight; the slowest issue is a handful of AWS calls.
const STOP_SECONDS: u64 = 30;
/// Connections waiting to be accepted.
const BACKLOG: u32 = 1_024;

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {address}: {source}\nhelp: stop what listens there, or choose another address with `listener.address` (in development mode `--dev-listen-address`)"
    )]
    Bind {
        /// Where.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A configuration without any.
    #[error("there is no listener\nhelp: e.g. [listener] address = \"127.0.0.1:8200\"")]
    NoListener,
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

/// All listeners, serving.
#[derive(Debug)]
pub struct Running {
    // INVARIANT: it has the address of the first of `listeners`.
    first: Address,
    listeners: Vec<One>,
    in_flight: InFlight,
}

/// A listener that serves.
struct One {
    address: Address,
    handle: ServerHandle,
    certificate: Option<Arc<Certificate>>,
    task: JoinHandle<io::Result<()>>,
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("One").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The certificates of all listeners, to be read anew.
#[derive(Debug, Clone)]
pub struct Certificates(Vec<Arc<Certificate>>);

impl Certificates {
    /// Reads all of them anew. One that cannot be used is told of, and the old one goes on.
    pub fn reload(&self) {
        for certificate in &self.0 {
            let file = certificate.file().display();
            match certificate.reload() {
                Ok(()) => tracing::info!("the certificate `{file}` was read anew"),
                Err(error) => {
                    tracing::warn!("the certificate `{file}` stays as it was: {error}");
                }
            }
        }
    }
}

/// What one listener serves requests with.
#[derive(Debug)]
struct Served {
    wire: Arc<Wire>,
    limits: Limits,
    open_metrics: bool,
    bodies: Bodies,
    /// As many requests as connections: over HTTP/2 one connection may send any number of them.
    turns: Semaphore,
}

/// Binds and serves all of them.
pub fn start(wire: &Arc<Wire>, listeners: &[Listener]) -> Result<Running, ServerError> {
    let mut running = Vec::new();
    for listener in listeners {
        let Bound { server, address, certificate } = bound(wire, listener)?;
        let handle = server.handle();
        running.push(One { address, handle, certificate, task: tokio::spawn(server) });
    }
    let first = running.first().map(|one| one.address.clone());
    let first = first.ok_or(ServerError::NoListener)?;
    Ok(Running { first, listeners: running, in_flight: wire.in_flight.clone() })
}

/// A listener that is bound.
struct Bound {
    server: Server,
    address: Address,
    certificate: Option<Arc<Certificate>>,
}

fn bound(wire: &Arc<Wire>, listener: &Listener) -> Result<Bound, ServerError> {
    let Listener { address, tls, open_metrics, limits } = listener;
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    // Each worker has its part of them; connections are dealt out evenly.
    let of_worker = limits.connections.div_ceil(workers);
    let with = Served {
        wire: Arc::clone(wire),
        limits: *limits,
        open_metrics: *open_metrics,
        bodies: Bodies::default(),
        turns: Semaphore::new(of_worker.saturating_mul(workers)),
    };
    let with = web::Data::new(with);
    let server = HttpServer::new(move || {
        App::new().app_data(web::Data::clone(&with)).default_service(web::to(catch_all))
    })
    .workers(workers)
    .backlog(BACKLOG)
    .max_connections(of_worker)
    .keep_alive(limits.idle_time)
    .client_request_timeout(limits.header_time)
    .tls_handshake_timeout(HANDSHAKE_TIME)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals();
    let certificate = tls.as_ref().map(Certificate::open).transpose()?;
    let bound = match (address, tls, &certificate) {
        (Address::Tcp(tcp), Some(tls), Some(certificate)) => {
            server.bind_rustls_0_23(tcp, tls::server_config(tls, Arc::clone(certificate))?)
        }
        (Address::Tcp(tcp), _, _) => server.bind(tcp),
        (Address::Unix(socket), _, _) => {
            unix::bind(socket).and_then(|socket| server.listen_uds(socket))
        }
    };
    let server =
        bound.map_err(|source| ServerError::Bind { address: address.to_string(), source })?;
    let address = match address {
        // The real port where 0 was asked for.
        Address::Tcp(asked) => Address::Tcp(server.addrs().first().copied().unwrap_or(*asked)),
        Address::Unix(_) => address.clone(),
    };
    Ok(Bound { server: server.run(), address, certificate })
}

impl Running {
    /// Where the first of them listens; the real port where 0 was asked for.
    pub fn address(&self) -> &Address {
        &self.first
    }

    /// Where all of them listen.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.listeners.iter().map(|one| &one.address)
    }

    /// The certificates, to be read anew.
    pub fn certificates(&self) -> Certificates {
        Certificates(self.listeners.iter().filter_map(|one| one.certificate.clone()).collect())
    }

    /// Stops: no new connections, then what is in flight is finished, issues without a caller too.
    pub async fn stop(self) {
        join_all(self.listeners.iter().map(|one| one.handle.pause())).await;
        let limit = Duration::from_secs(STOP_SECONDS);
        if timeout(limit, self.in_flight.idle()).await.is_err() {
            tracing::warn!(
                "requests are still in flight after {STOP_SECONDS} s; stopping without them"
            );
        }
        join_all(self.listeners.into_iter().map(|one| one.end(true))).await;
    }

    /// Drops every connection and whatever is under way.
    pub async fn abort(self) {
        join_all(self.listeners.into_iter().map(|one| one.end(false))).await;
    }
}

impl One {
    async fn end(self, graceful: bool) {
        self.handle.stop(graceful).await;
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(error = %error, "the listener ended with an error");
        }
        if let Address::Unix(socket) = &self.address {
            unix::remove(&socket.path);
        }
    }
}

async fn catch_all(
    request: HttpRequest,
    payload: web::Payload,
    served: web::Data<Served>,
) -> HttpResponse {
    if inward::has_too_many_headers(request.headers(), &served.limits) {
        return HttpResponse::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let Ok(_turn) = served.turns.try_acquire() else {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(JSON)))
            .body(r#"{"errors":["too many requests at the same time\nhelp: try again"]}"#);
    };
    let namespace = request.headers().get(NAMESPACE).cloned();
    let incoming = inward::incoming(&request, payload, &served).await;
    let reply = pipeline::answer(&served.wire, incoming, served.limits.request_time).await;
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
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Ours: the digests of the verdicts that led to the reply; `sys/guardrails/verdicts/:digest` has each.
const VERDICT: HeaderName = HeaderName::from_static(VERDICT_NAME);
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
