//! What user interfaces ask for (contract 2.4 to 2.6): auth methods, the mounts that the caller may
//! reach. There is one auth method, the tokens' own. Nothing here changes anything.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::envelope::Answer;
use super::error::ApiError;
use super::pipeline::{Answered, Call};
use super::sys_mounts::{MountView, RUNNING_VERSION, with_slash};

/// GET `sys/auth`.
pub(super) async fn list_auth(call: Call) -> Answered {
    Answer::data(&token_auth(&call))
}

/// GET `sys/internal/ui/mounts`: what the caller's rules reach; without a token what is meant to be seen
/// by all.
pub(super) async fn list_mounts(call: Call) -> Answered {
    let mounts = call.wire.engine.mounts();
    if let Some(caller) = &call.caller {
        let auth = &call.wire.auth;
        let mut secret = BTreeMap::new();
        for mount in &mounts {
            if auth.reaches(caller, mount.path.as_str()).await? {
                secret.insert(mount.path.as_str(), MountView::new(mount));
            }
        }
        let reached = auth.reaches(caller, "auth/token/").await?;
        let methods = if reached { token_auth(&call) } else { json!({}) };
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
    Answer::data(&json!({"secret": open, "auth": {}}))
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
    Answer::data(&WithPath { mount: MountView::new(&mount), path: mount.path.as_str() })
}

/// The one auth method there is.
fn token_auth(call: &Call) -> Value {
    let installation = &call.wire.installation;
    let hex = installation.chars().filter(char::is_ascii_hexdigit).take(8);
    json!({"token/": {
        "type": "token",
        "description": "token based credentials",
        "accessor": format!("auth_token_{}", hex.collect::<String>()),
        "local": false,
        "seal_wrap": false,
        "external_entropy_access": false,
        "options": null,
        "uuid": installation,
        "plugin_version": "",
        "running_plugin_version": RUNNING_VERSION,
        "running_sha256": "",
        "deprecation_status": "supported",
        "config": {
            "default_lease_ttl": 0,
            "max_lease_ttl": 0,
            "force_no_cache": false,
            "token_type": "default-service",
        },
    }})
}
