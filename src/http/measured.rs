//! Counts requests: by the pattern of their route, never by their path, which has no end of values. The
//! instruments of every route are made at the start; a request adds to them and locks nothing but the
//! list of mounts. What is counted otherwise: [`crate::metrics`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::found::Found;
use super::routes::{self, Route};
use crate::auth::Operation;
use crate::metrics::{RequestLine, Requests};
use crate::model::Mount;

/// The instruments of all routes.
#[derive(Debug)]
pub struct Measured {
    requests: Requests,
    /// By the address of the route, which is static, and the operation.
    lines: HashMap<(usize, Operation), RequestLine>,
    open: HashMap<&'static str, RequestLine>,
    other: RequestLine,
}

/// What a request turned out to be.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Its route, where one takes it.
    pub(super) route: Option<&'static Route>,
    /// Path of one that the HTTP layer answers itself.
    pub(super) open: Option<&'static str>,
    /// What it wants.
    pub(super) operation: Option<Operation>,
    /// The mount it is for.
    pub(super) mount: Option<Arc<Mount>>,
}

impl Seen {
    /// Of where a path leads, and what is wanted there.
    pub(super) fn of(found: &Found, operation: Operation) -> Self {
        let (route, mount) = (found.route(), found.mount().cloned());
        Self { route, open: None, operation: Some(operation), mount }
    }
}

impl Measured {
    /// Makes them.
    pub fn new(requests: &Requests) -> Self {
        let mut lines = HashMap::new();
        for (prefix, table) in routes::tables() {
            for route in table {
                for operation in route.operations() {
                    let line = requests.line(route.shown_below(prefix), operation.as_str());
                    lines.insert((address(route), operation), line);
                }
            }
        }
        let open = routes::OPEN.map(|path| (path, requests.line(path.to_owned(), "read")));
        Self {
            lines,
            open: open.into(),
            other: requests.line("other".to_owned(), "other"),
            requests: requests.clone(),
        }
    }

    /// A request was answered.
    pub(super) fn answered(&self, seen: &Seen, status: u16, took: Duration) {
        let of_route = seen.route.zip(seen.operation);
        let line = match (of_route, seen.open) {
            (Some((route, operation)), _) => self.lines.get(&(address(route), operation)),
            (None, Some(path)) => self.open.get(path),
            (None, None) => None,
        };
        line.unwrap_or(&self.other).answered(status, took);
        if let Some((mount, operation)) = seen.mount.as_ref().zip(seen.operation) {
            self.requests.of_mount(mount.path.as_str(), operation.as_str(), took);
        }
    }
}

fn address(route: &'static Route) -> usize {
    std::ptr::from_ref(route).addr()
}
