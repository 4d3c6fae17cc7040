//! What is taken from a connection into [`Incoming`]: headers and body, each up to its limit. Everything here is
//! a stranger's; nothing is looked at beyond its length and the headers that matter. What it means: [`super::super::request`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::{self, Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::Served;
use crate::config::Limits;
use crate::http::request::{Body, Headers, Incoming};
use crate::http::sys_plugins;
use crate::model::ClientToken;

/// What the bodies of all requests of one listener may hold in memory at the same time: a few of the largest, and
/// thousands of usual ones.
const BODIES: usize = 256 << 20;
/// Below this a body does not count against [`BODIES`]: small requests are served while large ones fill it.
const SMALL: usize = 64 << 10;

/// What Prometheus says first that it takes; Vault gives its text format then.
const OPEN_METRICS: &str = "application/openmetrics-text";
const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const WRAP_TTL: HeaderName = HeaderName::from_static("x-vault-wrap-ttl");

/// The memory that bodies hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Bodies(Arc<AtomicUsize>);

/// A part of it, given back when it is dropped.
struct Share {
    of: Bodies,
    bytes: usize,
}

impl Share {
    fn none(of: &Bodies) -> Self {
        Self { of: of.clone(), bytes: 0 }
    }

    /// Takes more; false where there is no more.
    fn take(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let before = self.of.0.fetch_add(bytes, Ordering::Relaxed);
        self.bytes <= SMALL || before.saturating_add(bytes) <= BODIES
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a request. The body's memory counts until `Incoming` is made; what is served is bounded by its time.
pub(super) async fn incoming(
    request: &HttpRequest,
    payload: web::Payload,
    served: &Served,
) -> Incoming {
    Incoming {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: read_headers(request.headers()),
        body: read_body(request, payload, served).await,
        remote: request.peer_addr().map(|address| address.ip()),
        open_metrics: served.open_metrics,
    }
}

/// Whether there are more headers, or longer ones, than the listener takes.
pub(super) fn has_too_many_headers(headers: &HeaderMap, limits: &Limits) -> bool {
    let bytes = headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
    headers.len() > limits.headers || bytes.sum::<usize>() > limits.header_bytes
}

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
async fn read_body(request: &HttpRequest, payload: web::Payload, served: &Served) -> Body {
    let limits = &served.limits;
    let limit = if sys_plugins::takes_components(request.uri().path()) {
        sys_plugins::BODY_LIMIT.max(limits.body)
    } else {
        limits.body
    };
    let reading = collect(payload, limit, Share::none(&served.bodies));
    let body = timeout(limits.body_time, reading).await.unwrap_or(Body::Broken);
    if matches!(request.method().as_str(), "POST" | "PUT" | "PATCH") { body } else { Body::Absent }
}

/// Reads on behind the limit, as far again, so that the sender hears the answer; what is behind it is thrown away.
async fn collect(mut payload: web::Payload, limit: usize, mut share: Share) -> Body {
    let mut body = BytesMut::new();
    let mut seen: usize = 0;
    let mut crowded = false;
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else {
            return Body::Broken;
        };
        seen = seen.saturating_add(chunk.len());
        if seen > limit.saturating_mul(2) {
            return Body::TooLarge;
        }
        crowded = crowded || seen <= limit && !share.take(chunk.len());
        if seen > limit || crowded {
            body = BytesMut::new();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    match (seen > limit, crowded) {
        (true, _) => Body::TooLarge,
        (false, true) => Body::Crowded,
        (false, false) => Body::Read(Bytes::from(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn map(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn token(headers: &[(HeaderName, &str)]) -> Option<ClientToken> {
        read_headers(&map(headers)).token
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
    fn headers_are_counted_and_weighed() {
        let few = map(&[(TOKEN, "a"), (header::ACCEPT, "b")]);
        let usual = Limits::default();
        assert!(!has_too_many_headers(&few, &usual));
        assert!(has_too_many_headers(&few, &Limits { headers: 1, ..usual }));
        // `x-vault-token`, `accept` and their values: 21 bytes.
        assert!(!has_too_many_headers(&few, &Limits { header_bytes: 21, ..usual }));
        assert!(has_too_many_headers(&few, &Limits { header_bytes: 20, ..usual }));
    }

    #[test]
    fn large_bodies_share_what_small_ones_need_not() {
        let bodies = Bodies::default();
        let mut first = Share::none(&bodies);
        assert!(first.take(BODIES));
        let mut second = Share::none(&bodies);
        assert!(second.take(SMALL));
        assert!(!second.take(1));
        drop(first);
        assert!(second.take(1));
        drop(second);
        assert_eq!(bodies.0.load(Ordering::Relaxed), 0);
    }
}
