//! What user interfaces ask for (contract 2.4 to 2.6): the engines and auth methods that the caller may
//! reach. Nothing here changes anything; that is [`super::sys_mounts`]' and [`super::sys_auth`]'s.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::envelope::Answer;
use super::error::ApiError;
use super::mount_shape::{MountView, with_slash};
use super::pipeline::{Answered, Call};
use super::sys_auth;

/// GET `sys/internal/ui/mounts`: what the caller's rules reach; without a token what is meant to be seen
/// by all.
pub(super) async fn list_mounts(call: Call) -> Answered {
    let mounts = call.wire.engine.mounts();
    if let Some(caller) = &call.caller {
        let auth = &call.wire.auth;
        let mut secret = BTreeMap::new();
        for mount in &mounts {
            if auth.reaches(caller, mount.path.as_str()).await? {
                secret.insert(mount.path.as_str(), MountView::of_engine(mount));
            }
        }
        let mut methods = BTreeMap::new();
        for (path, method) in sys_auth::methods(&call) {
            if auth.reaches(caller, &format!("auth/{path}")).await? {
                methods.insert(path, method);
            }
        }
        return Answer::data(&json!({"secret": secret, "auth": methods}));
    }
    let open: BTreeMap<_, _> = mounts
        .iter()
        .filter(|mount| mount.tuning.listing_visibility.as_deref() == Some("unauth"))
        .map(|mount| {
            let shown =
                json!({"type": "aws", "description": mount.description, "options": mount.options});
            (mount.path.as_str(), shown)
        })
        .collect();
    Answer::data(&json!({"secret": open, "auth": sys_auth::open_methods(&call.wire.auth)}))
}

/// GET `sys/internal/ui/mounts/:path`. "Not there" and "not yours" sound the same.
pub(super) async fn read_mount(call: Call) -> Answered {
    #[derive(Serialize)]
    struct WithPath<'a> {
        #[serde(flatten)]
        mount: MountView<'a>,
        path: &'a str,
    }
    let Some((mount, _)) = call.wire.engine.route(&with_slash(&call.captured)) else {
        return Err(ApiError::Preflight(call.captured));
    };
    if !call.wire.auth.reaches(call.caller()?, mount.path.as_str()).await? {
        return Err(ApiError::Preflight(call.captured));
    }
    Answer::data(&WithPath { mount: MountView::of_engine(&mount), path: mount.path.as_str() })
}
