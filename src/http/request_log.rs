//! One line per request, written when its answer is ready. It never holds a body, a query or a token.
//! The names of the fields are in the dictionary of `docs/LOGGING.md`.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info, warn};

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
            path: cut(path),
            remote,
            operation: None,
            accessor: None,
        }
    }

    /// How long it takes so far.
    pub(super) fn took(&self) -> Duration {
        self.started.elapsed()
    }

    /// Writes the line. What went wrong inside the broker, or at AWS, is told in full here, and only here.
    pub(super) fn end(&self, request_id: &str, status: u16, failure: Option<&ApiError>) {
        // Microseconds are as fine as anyone reads.
        let took_ms = (self.started.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0;
        let (method, path) = (self.method.as_str(), self.path.as_str());
        let operation = self.operation.map(Operation::as_str);
        let remote = self.remote.map(tracing::field::display);
        let caller = self.accessor.as_deref();
        let at_aws = failure.is_some_and(ApiError::is_of_aws);
        // 503 is what a sealed broker answers to everybody: no fault, and no reason to shout.
        let inside = failure.is_some() && status >= 500 && status != 503 && !at_aws;
        let error = failure.filter(|_| inside || at_aws).map(ApiError::cause);
        macro_rules! line {
            ($level:ident) => {
                $level!(
                    request_id,
                    operation,
                    path,
                    status,
                    took_ms,
                    caller,
                    remote,
                    error,
                    "{method} {path} {status} in {took_ms} ms"
                )
            };
        }
        match (inside, at_aws) {
            (true, _) => line!(error),
            (false, true) => line!(warn),
            (false, false) => line!(info),
        }
    }
}

/// The path for a line: a stranger's may have tens of thousands of characters.
fn cut(path: &str) -> String {
    match path.char_indices().nth(PATH_CHARACTERS) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => path.to_owned(),
    }
}

/// A mount, a role and a lease id fit well.
const PATH_CHARACTERS: usize = 512;
