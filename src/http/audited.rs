//! Puts the audit around a request: what is known of it goes to the devices before it is served, what came of it before
//! its caller is told. Where no device takes an entry the caller gets an error, and what was handed out is taken back.
//! What an entry says: [`crate::audit`].

use std::borrow::Cow;

use super::error::ApiError;
use super::found::Found;
use super::pipeline::Rendered;
use super::reply::{Reply, VERDICT};
use super::request::Request;
use super::wrapping::HandedOut;
use super::{Wire, sys_plugins};
use crate::audit::{AtMount, Facts, Header, Trail};
use crate::auth::Caller;
use crate::model::{ClientToken, MountTuning};

/// A request with its trail; without one where there is no device.
#[derive(Debug)]
pub(super) struct Audited(Option<Trail>);

impl Audited {
    /// What is known of a request before it is served.
    pub(super) fn begin(
        wire: &Wire,
        request: &Request,
        token: Option<&ClientToken>,
        caller: Option<&Caller>,
        found: Option<&Found>,
        id: &str,
    ) -> Self {
        Self(wire.audit.begin(|| Facts {
            at: wire.clock.now(),
            id,
            operation: request.operation.as_str(),
            path: &request.path,
            data: sys_plugins::audited(request).map_or(Cow::Borrowed(&request.data), Cow::Owned),
            token,
            caller: caller.map(Caller::token),
            remote: request.remote,
            wrap_seconds: request.wrap_seconds,
            mount: found.and_then(|found| at_mount(found, &request.path)),
        }))
    }

    /// Before it is served, or is not because it may not be.
    pub(super) async fn asked(&self, refused: Option<&ApiError>) -> Result<(), ApiError> {
        let Some(trail) = &self.0 else { return Ok(()) };
        let told = refused.map(text);
        trail.asked(told.as_deref()).await.map_err(|_unwritten| ApiError::Unaudited)
    }

    /// Before its caller is told.
    pub(super) async fn answered(&self, rendered: &Rendered) -> Result<(), ApiError> {
        let Some(trail) = &self.0 else { return Ok(()) };
        let written = match rendered {
            Ok(Reply { body, verdicts, .. }) => {
                trail.answered(body, verdicts_header(verdicts), None).await
            }
            Err(error) => {
                let told = error.told();
                let verdict = told.verdict();
                let header = verdicts_header(verdict.as_slice());
                trail.answered(&[], header, Some(&told.errors.join("; "))).await
            }
        };
        written.map_err(|_unwritten| ApiError::Unaudited)
    }

    /// The same; what its caller will never hold is taken back.
    pub(super) async fn handed_out(
        &self,
        wire: &Wire,
        rendered: Rendered,
        handed_out: HandedOut,
    ) -> Rendered {
        match self.answered(&rendered).await {
            Ok(()) => rendered,
            Err(unaudited) => {
                wire.auth.lost(handed_out.lease, handed_out.accessor).await;
                Err(unaudited)
            }
        }
    }

    /// Of a request that goes no further.
    pub(super) async fn refused(&self, error: ApiError) -> ApiError {
        let rendered = Err(error);
        let asked = self.asked(rendered.as_ref().err()).await;
        match (asked, self.answered(&rendered).await, rendered) {
            (Ok(()), Ok(()), Err(error)) | (Err(error), _, _) | (_, Err(error), _) => error,
            (Ok(()), Ok(()), Ok(_)) => ApiError::Unaudited,
        }
    }
}

fn text(error: &ApiError) -> String {
    error.told().errors.join("; ")
}

/// The header that names verdicts, as it is sent.
fn verdicts_header(verdicts: &[impl AsRef<str>]) -> Option<Header<'_>> {
    let values: Vec<&str> = verdicts.iter().map(AsRef::as_ref).collect();
    (!values.is_empty()).then_some(Header { name: VERDICT, values })
}

fn at_mount<'a>(found: &'a Found, path: &str) -> Option<AtMount<'a>> {
    let Found::Route { mount, method, place, .. } = found else {
        return None;
    };
    let bare = |keys: &'static dyn Fn(&MountTuning) -> Option<&Vec<String>>| {
        let of_mount = mount.as_ref().map(|mount| &mount.tuning);
        let tuning = of_mount.or_else(|| method.as_ref().map(|method| &method.tuning));
        tuning.and_then(keys).map(Vec::as_slice).unwrap_or_default()
    };
    let plugins = sys_plugins::audited_bare(path);
    let (path, kind, class, accessor) = match (mount, method) {
        (Some(mount), _) => (mount.path.to_string(), "aws", "secret", mount.accessor.as_str()),
        (None, Some(method)) => {
            let path = format!("auth/{}", method.path);
            (path, method.method.as_str(), "auth", method.accessor.as_str())
        }
        (None, None) if place.mount_type == "token" => ("auth/token/".into(), "token", "auth", ""),
        (None, None) => ("sys/".into(), "system", "secret", ""),
    };
    Some(AtMount {
        path,
        kind,
        class,
        accessor,
        bare_request: plugins
            .unwrap_or_else(|| bare(&|tuning| tuning.audit_non_hmac_request_keys.as_ref())),
        bare_response: plugins
            .unwrap_or_else(|| bare(&|tuning| tuning.audit_non_hmac_response_keys.as_ref())),
    })
}
