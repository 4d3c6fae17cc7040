//! What user interfaces ask for (contract 2.4 to 2.6): auth methods, the mounts that the caller may
//! reach, its capabilities. There is one auth method, the tokens' own. Nothing here changes anything.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::envelope::{Answer, json as written};
use super::error::ApiError;
use super::fields::{Field, Kind, field};
use super::pipeline::{Answered, Call};
use super::sys_mounts::{MountView, RUNNING_VERSION, shown_mounts, with_slash};
use crate::auth::Caller;

/// What the look-up of capabilities takes.
pub(super) const CAPABILITIES: &[Field] = &[field("paths", Kind::List), field("path", Kind::List)];

/// GET `sys/auth`.
pub(super) async fn list_auth(call: Call) -> Answered {
    Answer::data(&token_auth(&call))
}

/// GET `sys/internal/ui/mounts`: everything for root; for others, and without a token, what is meant
/// to be seen by all.
pub(super) async fn list_mounts(call: Call) -> Answered {
    if call.caller.as_ref().is_some_and(Caller::is_root) {
        return Answer::data(&json!({"secret": shown_mounts(&call), "auth": token_auth(&call)}));
    }
    let mounts = call.wire.engine.mounts();
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
    Answer::data(&WithPath { mount: MountView::new(&mount), path: mount.path.as_str() })
}

/// POST `sys/capabilities-self`. Only root comes this far, and root may do everything.
pub(super) async fn capabilities_self(mut call: Call) -> Answered {
    let paths = call.fields.list("paths").unwrap_or_default();
    let path = call.fields.list("path").unwrap_or_default();
    let paths = if paths.is_empty() { path } else { paths };
    if paths.is_empty() {
        return Err(ApiError::PathsMissing);
    }
    if paths.iter().any(String::is_empty) {
        return Err(ApiError::PathEmpty);
    }
    let only_one = paths.len() == 1;
    let mut capabilities: BTreeMap<String, _> =
        paths.into_iter().map(|path| (path, ["root"])).collect();
    if only_one {
        capabilities.insert("capabilities".to_owned(), ["root"]);
    }
    Answer::data(&written(&capabilities)?)
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
