//! What a stranger may make long, large or many at a listener: the keys of its table, their usual values and their bounds.
//! Nothing here counts; that is [`crate::http::server`]'s.

use std::time::Duration;

use super::checks::duration;
use super::file::ListenerFile;
use super::{ConfigError, invalid};

/// What is too long, too large or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of all header names and values together.
    pub header_bytes: usize,
    /// Headers.
    pub headers: usize,
    /// Connections at a time.
    pub connections: usize,
    /// From the first byte of a request to the end of its headers.
    pub header_time: Duration,
    /// For a whole body.
    pub body_time: Duration,
    /// How long an idle connection is kept.
    pub idle_time: Duration,
    /// From a request that was read to its answer.
    pub request_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Vault's `max_request_size`: 32 MiB (contract 0.3).
            body: 33_554_432,
            // A token and a few more; actix holds no more than 128 KiB of a request's head.
            header_bytes: 65_536,
            headers: 64,
            connections: 10_000,
            // Vault's `http_read_header_timeout`.
            header_time: Duration::from_secs(10),
            // Vault's `http_read_timeout`.
            body_time: Duration::from_secs(30),
            // Clients pool their connections for 90 s (Go's default transport).
            idle_time: Duration::from_secs(90),
            // Vault's `max_request_duration`.
            request_time: Duration::from_secs(90),
        }
    }
}

/// More headers than these the HTTP/1 reader does not take (actix-http 3, `MAX_HEADERS`).
const MOST_HEADERS: usize = 96;
/// A longer head the HTTP/1 reader does not take (actix-http 3, `MAX_BUFFER_SIZE`).
const MOST_HEADER_BYTES: usize = 131_072;

/// The limits of a listener.
pub(super) fn limits(file: &ListenerFile) -> Result<Limits, ConfigError> {
    let usual = Limits::default();
    let time = |key: &str, text: &Option<String>, usual: Duration| match text {
        Some(text) => duration(&format!("listener.{key}"), text),
        None => Ok(usual),
    };
    let number = |key: &str, given: Option<usize>, usual: usize, most: usize| match given {
        None => Ok(usual),
        Some(given) if (1..=most).contains(&given) => Ok(given),
        Some(given) => {
            let problem = format!("`{given}` is not between 1 and {most}");
            Err(invalid(&format!("listener.{key}"), problem))
        }
    };
    Ok(Limits {
        body: number("max_request_size", file.max_request_size, usual.body, 1 << 30)?,
        header_bytes: number(
            "max_header_size",
            file.max_header_size,
            usual.header_bytes,
            MOST_HEADER_BYTES,
        )?,
        headers: number("max_headers", file.max_headers, usual.headers, MOST_HEADERS)?,
        connections: number("max_connections", file.max_connections, usual.connections, 1_000_000)?,
        header_time: time(
            "http_read_header_timeout",
            &file.http_read_header_timeout,
            usual.header_time,
        )?,
        body_time: time("http_read_timeout", &file.http_read_timeout, usual.body_time)?,
        idle_time: time("http_idle_timeout", &file.http_idle_timeout, usual.idle_time)?,
        request_time: time("max_request_duration", &file.max_request_duration, usual.request_time)?,
    })
}
