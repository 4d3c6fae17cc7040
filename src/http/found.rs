//! Where a path leads, and what that means before its handler runs: who may call it, whether it changes something. The
//! tables are in [`super::routes`]; the order of the checks is [`super::pipeline`]'s.

use std::sync::Arc;

use super::envelope::Place;
use super::error::ApiError;
use super::routes::{Callers, Route};
use crate::auth::Operation::{self, Delete, List, Read, Update};
use crate::model::{AuthMount, Mount};

/// A route and what belongs to it: its mount, what its pattern took, and how its envelope looks.
type Led = (&'static Route, Option<Arc<Mount>>, String, Place);

/// Where a path leads.
#[derive(Debug)]
pub(super) enum Found {
    /// To a route.
    Route {
        route: &'static Route,
        mount: Option<Arc<Mount>>,
        method: Option<Arc<AuthMount>>,
        captured: String,
        place: Place,
    },
    /// Into the server or an engine, but no pattern takes it.
    NoPattern,
    /// To an engine that is being disabled.
    Tainted,
    /// Nowhere.
    NoMount,
}

impl Found {
    /// The mount that it belongs to, if any.
    pub(super) fn mount(&self) -> Option<&Arc<Mount>> {
        match self {
            Self::Route { mount, .. } => mount.as_ref(),
            Self::NoPattern | Self::Tainted | Self::NoMount => None,
        }
    }

    /// The auth mount that it belongs to, if any.
    pub(super) fn method(&self) -> Option<&Arc<AuthMount>> {
        match self {
            Self::Route { method, .. } => method.as_ref(),
            Self::NoPattern | Self::Tainted | Self::NoMount => None,
        }
    }

    /// Whether the operation is a login.
    pub(super) fn is_login(&self, operation: Operation) -> bool {
        operation == Update && self.route().is_some_and(|route| route.callers == Callers::WhoLogsIn)
    }

    /// The route, if there is one.
    pub(super) fn route(&self) -> Option<&'static Route> {
        match self {
            Self::Route { route, .. } => Some(route),
            Self::NoPattern | Self::Tainted | Self::NoMount => None,
        }
    }

    /// Whether the operation needs no token.
    pub(super) fn is_anonymous(&self, operation: Operation) -> bool {
        operation == Read && self.route().is_some_and(|route| route.callers == Callers::Anybody)
    }

    /// Whether the operation changes something.
    pub(super) fn has_effect(&self, operation: Operation) -> bool {
        match operation {
            Update | Delete | Operation::Patch => true,
            Read => self.route().is_some_and(|route| route.effect),
            List | Operation::Header | Operation::Help => false,
        }
    }

    /// The route and what belongs to it, or why there is none.
    pub(super) fn into_route(self, path: &str) -> Result<Led, ApiError> {
        match self {
            Self::Route { route, mount, captured, place, method: _ } => {
                Ok((route, mount, captured, place))
            }
            Self::NoPattern => Err(ApiError::UnsupportedPath),
            Self::Tainted => Err(ApiError::Tainted(path.to_owned())),
            Self::NoMount => Err(ApiError::NoHandler(path.to_owned())),
        }
    }
}
