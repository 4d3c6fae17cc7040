//! `sys/auth` (contract 2.5): list, show, enable, tune and disable auth methods. The tokens' own is always
//! there. Only shapes live here; what may be mounted where is decided in [`crate::auth::methods`].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::envelope::Answer;
use super::error::ApiError;
use super::mount_shape::{
    MountView, RUNNING_VERSION, TuningView, config_of, must_leave_lockout, texts_of, tune_fields,
    with_slash,
};
use super::pipeline::{Answered, Call};
use crate::auth::Auth;
use crate::auth::identity::token_mount_accessor;
use crate::auth::methods::{AuthTuneChange, EffectiveTtls, MethodError, NewAuthMount};
use crate::engine::Engine;

/// GET `sys/auth`.
pub(super) async fn list(call: Call) -> Answered {
    Answer::data(&methods(&call))
}

/// GET `sys/auth/:path`.
pub(super) async fn read(call: Call) -> Answered {
    let path = with_slash(&call.captured);
    let shown = methods(&call).remove(&path);
    Answer::data(&shown.ok_or(MethodError::NoMount(path))?)
}

/// POST and PUT `sys/auth/:path`.
pub(super) async fn enable(mut call: Call) -> Answered {
    let mut config = config_of(&mut call.fields)?;
    must_leave_lockout(&mut config)?;
    let token_type = config.text("token_type").filter(|sent| !sent.is_empty());
    let tuning = call.wire.engine.new_tuning(tune_fields(&mut config))?;
    let fields = &mut call.fields;
    let new = NewAuthMount {
        kind: fields.text("type"),
        description: fields.text("description").unwrap_or_default(),
        options: fields.any("options").map(texts_of),
        local: fields.bool("local").unwrap_or_default(),
        seal_wrap: fields.bool("seal_wrap").unwrap_or_default(),
        external_entropy_access: fields.bool("external_entropy_access").unwrap_or_default(),
        token_type,
        tuning,
    };
    call.wire.auth.enable_method(&call.captured, new).await?;
    Ok(Answer::nothing())
}

/// DELETE `sys/auth/:path`.
pub(super) async fn disable(call: Call) -> Answered {
    call.wire.auth.disable_method(&call.captured).await?;
    Ok(Answer::nothing())
}

/// GET `sys/auth/:path/tune`: what the TTLs are in effect.
pub(super) async fn read_tuning(call: Call) -> Answered {
    let path = with_slash(&call.captured);
    if path == TOKEN {
        return Answer::data(&token_tuning());
    }
    let mount = call.wire.auth.auth_mount(&path);
    let mount = mount.ok_or_else(|| ApiError::NothingTuned(format!("auth/{path}")))?;
    let ttls = EffectiveTtls::of(&mount);
    Answer::data(&TuningView::of_method(&mount, (ttls.default, ttls.max)))
}

/// POST and PUT `sys/auth/:path/tune`.
pub(super) async fn tune(mut call: Call) -> Answered {
    must_leave_lockout(&mut call.fields)?;
    let change = AuthTuneChange {
        description: call.fields.text("description"),
        options: call.fields.pairs("options").flatten(),
        token_type: call.fields.text("token_type"),
    };
    let sent = tune_fields(&mut call.fields);
    let tuned = |stored: &_| Engine::changed_tuning(stored, sent).map_err(ApiError::from);
    call.wire.auth.tune_method(&call.captured, change, tuned).await?;
    Ok(Answer::nothing())
}

/// The tokens' own mount.
const TOKEN: &str = "token/";

/// Every auth method by its path.
pub(super) fn methods(call: &Call) -> BTreeMap<String, Value> {
    let auth: &Auth = &call.wire.auth;
    let mounts = auth.auth_mounts();
    let shown = mounts.iter().filter_map(|mount| {
        let view = serde_json::to_value(MountView::of_method(mount)).ok()?;
        Some((mount.path.to_string(), view))
    });
    let mut all: BTreeMap<String, Value> = shown.collect();
    all.insert(TOKEN.to_owned(), token_method(&call.wire.installation));
    all
}

/// Those that are meant to be seen by all.
pub(super) fn open_methods(auth: &Auth) -> BTreeMap<String, Value> {
    let mounts = auth.auth_mounts();
    mounts
        .iter()
        .filter(|mount| mount.tuning.listing_visibility.as_deref() == Some("unauth"))
        .map(|mount| {
            let shown = json!({
                "type": mount.method.as_str(),
                "description": mount.description,
                "options": mount.options,
            });
            (mount.path.to_string(), shown)
        })
        .collect()
}

fn token_tuning() -> Value {
    json!({
        "description": TOKEN_DESCRIPTION,
        "default_lease_ttl": crate::auth::token::MAX_TTL_SECONDS,
        "max_lease_ttl": crate::auth::token::MAX_TTL_SECONDS,
        "force_no_cache": false,
        "token_type": "default-service",
    })
}

const TOKEN_DESCRIPTION: &str = "token based credentials";

fn token_method(installation: &str) -> Value {
    json!({
        "type": "token",
        "description": TOKEN_DESCRIPTION,
        "accessor": token_mount_accessor(installation),
        "local": false,
        "seal_wrap": false,
        "external_entropy_access": false,
        "options": null,
        "uuid": installation,
        "plugin_version": "",
        "running_plugin_version": RUNNING_VERSION,
        "running_sha256": "",
        "config": {
            "default_lease_ttl": 0,
            "max_lease_ttl": 0,
            "force_no_cache": false,
            "token_type": "default-service",
        },
    })
}
