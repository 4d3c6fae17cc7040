//! `sys/plugins/catalog` (Vault's): what can be mounted here, for `vault plugin list` and `vault plugin info`. All of it is
//! in this program: nothing can be registered, and a plugin that judges is under `sys/plugins/guardrails`. What may be
//! mounted where is decided in [`crate::engine::mounts`] and [`crate::auth::methods`].

use serde_json::{Value, json};

use super::envelope::Answer;
use super::error::ApiError;
use super::mount_shape::RUNNING_VERSION;
use super::pipeline::{Answered, Call};
use crate::model::AuthMethod;

/// Kinds and what there is of each, by name. Vault lists a third kind, of which there is nothing.
fn catalogue() -> [(&'static str, Vec<&'static str>); 3] {
    let mut methods = AuthMethod::ALL.map(AuthMethod::as_str).to_vec();
    methods.sort_unstable();
    [("auth", methods), ("database", Vec::new()), ("secret", vec!["aws"])]
}

fn names(kind: &str) -> Result<Vec<&'static str>, ApiError> {
    let found = catalogue().into_iter().find(|(known, _)| *known == kind);
    found.map(|(_, names)| names).ok_or(ApiError::NotFound)
}

/// GET `sys/plugins/catalog`.
pub(super) async fn all(_call: Call) -> Answered {
    let mut data = serde_json::Map::new();
    let mut detailed = Vec::new();
    for (kind, names) in catalogue() {
        detailed.extend(names.iter().map(|name| {
            json!({
                "type": kind,
                "name": name,
                "version": RUNNING_VERSION,
                "builtin": true,
                "deprecation_status": "supported",
            })
        }));
        data.insert(kind.to_owned(), json!(names));
    }
    data.insert("detailed".to_owned(), Value::Array(detailed));
    Answer::data(&data)
}

/// LIST `sys/plugins/catalog/:type`.
pub(super) async fn list(call: Call) -> Answered {
    let names = names(call.captured.trim_end_matches('/'))?;
    Ok(Answer::keys(names.into_iter().map(str::to_owned).collect()))
}

/// GET `sys/plugins/catalog/:type/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let (kind, name) = call.captured.split_once('/').ok_or(ApiError::NotFound)?;
    if !names(kind)?.contains(&name) {
        return Err(ApiError::NotFound);
    }
    Answer::data(&json!({
        "name": name,
        "args": [],
        "builtin": true,
        "command": "",
        "deprecation_status": "supported",
        "sha256": "",
        "version": RUNNING_VERSION,
    }))
}
