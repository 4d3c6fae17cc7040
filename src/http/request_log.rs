//! One line per request, written when its answer is ready. It never holds a body, a query or a token.
//! The names of the fields are in the dictionary of `docs/LOGGING.md`.

use std::net::IpAddr;

use tokio::time::Instant;
use tracing::{error, info};

use super::error::ApiError;
use crate::auth::Operation;

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct RequestLog {
    started: Instant,
    method: String,
    path: String,
    remote: Option<IpAddr>,
    /// What it wants, once that is known.
    pub(super) operation: Option<Operation>,
    /// The public handle of the caller's token, once it is known.
    pub(super) accessor: Option<String>,
}

impl RequestLog {
    /// Starts the watch. `path` is as the client sent it.
    pub(super) fn begin(method: &str, path: &str, remote: Option<IpAddr>) -> Self {
        Self {
            started: Instant::now(),
            method: method.to_owned(),
            path: path.to_owned(),
            remote,
            operation: None,
            accessor: None,
        }
    }

    /// Writes the line; what went wrong inside the broker is told in full here, and only here.
    pub(super) fn end(&self, request_id: &str, status: u16, failure: Option<&ApiError>) {
        // Microseconds are as fine as anyone reads.
        let took_ms = (self.started.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0;
        let (method, path) = (self.method.as_str(), self.path.as_str());
        let operation = self.operation.map(Operation::as_str);
        let remote = self.remote.map(tracing::field::display);
        let caller = self.accessor.as_deref();
        // 503 is what a sealed broker answers to everybody: no fault, and no reason to shout.
        let fault = failure.filter(|_| status >= 500 && status != 503).map(ApiError::cause);
        if let Some(error) = fault {
            error!(
                request_id,
                operation,
                path,
                status,
                took_ms,
                caller,
                remote,
                error,
                "{method} {path} {status} in {took_ms} ms"
            );
        } else {
            info!(
                request_id,
                operation,
                path,
                status,
                took_ms,
                caller,
                remote,
                "{method} {path} {status} in {took_ms} ms"
            );
        }
    }
}
