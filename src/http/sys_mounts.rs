//! `sys/mounts` (contract 2.1): list, show, enable, tune and disable engines. Only shapes live here;
//! what may be mounted where is decided in [`crate::engine::mounts`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::coerce;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::engine::mounts::{NewMount, TuneChange, TuneFields};
use crate::model::{Mount, MountTuning};

/// What enabling takes.
pub(super) const ENABLE: &[Field] = &[
    path_field("path"),
    field("type", Kind::Text),
    field("description", Kind::Text),
    field("config", Kind::Any),
    field("local", Kind::Bool),
    field("seal_wrap", Kind::Bool),
    field("external_entropy_access", Kind::Bool),
    field("options", Kind::Any),
    field("plugin_name", Kind::Text),
    field("plugin_version", Kind::Text),
];

/// What tuning takes.
pub(super) const TUNE: &[Field] = &[
    path_field("path"),
    field("description", Kind::Text),
    field("default_lease_ttl", Kind::Text),
    field("max_lease_ttl", Kind::Text),
    field("force_no_cache", Kind::Bool),
    field("listing_visibility", Kind::Text),
    field("audit_non_hmac_request_keys", Kind::List),
    field("audit_non_hmac_response_keys", Kind::List),
    field("passthrough_request_headers", Kind::List),
    field("allowed_response_headers", Kind::List),
    field("options", Kind::Pairs),
    field("token_type", Kind::Text),
    field("plugin_version", Kind::Text),
];

/// GET `sys/mounts`.
pub(super) async fn list(call: Call) -> Answered {
    Answer::data(&shown_mounts(&call))
}

/// GET `sys/mounts/:path`.
pub(super) async fn read(call: Call) -> Answered {
    let path = with_slash(&call.captured);
    let mount = call.wire.engine.mount(&path).ok_or(ApiError::NoSuchMount(path))?;
    Answer::data(&MountView::new(&mount))
}

/// POST and PUT `sys/mounts/:path`.
pub(super) async fn enable(mut call: Call) -> Answered {
    let new = new_mount(&mut call.fields)?;
    call.wire.engine.enable_mount(&call.captured, new).await?;
    Ok(Answer::nothing())
}

/// DELETE `sys/mounts/:path`.
pub(super) async fn disable(call: Call) -> Answered {
    call.wire.engine.disable_mount(&call.captured).await?;
    Ok(Answer::nothing())
}

/// GET `sys/mounts/:path/tune`: what the TTLs are in effect.
pub(super) async fn read_tuning(call: Call) -> Answered {
    let path = with_slash(&call.captured);
    let mount = call.wire.engine.mount(&path).ok_or(ApiError::NothingTuned(path))?;
    let effective = call.wire.engine.effective_tuning(&mount);
    let ttls = (effective.default_lease_ttl, effective.max_lease_ttl);
    Answer::data(&TuningView {
        description: &mount.description,
        options: mount.options.as_object().filter(|options| !options.is_empty()),
        config: ConfigView::new(&mount.tuning, ttls),
    })
}

/// POST and PUT `sys/mounts/:path/tune`.
pub(super) async fn tune(mut call: Call) -> Answered {
    if call.fields.filled_text("token_type").is_some() {
        return Err(ApiError::TokenTypeOnEngine);
    }
    let change = TuneChange {
        description: call.fields.text("description"),
        options: call.fields.pairs("options").flatten(),
        fields: tune_fields(&mut call.fields),
    };
    call.wire.engine.tune_mount(&call.captured, change).await?;
    Ok(Answer::nothing())
}

/// The settings under `config`.
pub(super) fn config_of(fields: &mut Fields) -> Result<Fields, ApiError> {
    match fields.any("config") {
        None | Some(Value::Null) => Ok(Fields::default()),
        Some(Value::Object(config)) => Fields::read(TUNE, config).map_err(ApiError::Field),
        Some(_) => Err(ApiError::MountConfig),
    }
}

fn new_mount(fields: &mut Fields) -> Result<NewMount, ApiError> {
    let config = tune_fields(&mut config_of(fields)?);
    Ok(NewMount {
        kind: fields.text("type"),
        description: fields.text("description").unwrap_or_default(),
        options: fields.any("options").map(texts_of),
        local: fields.bool("local").unwrap_or_default(),
        seal_wrap: fields.bool("seal_wrap").unwrap_or_default(),
        external_entropy_access: fields.bool("external_entropy_access").unwrap_or_default(),
        config,
    })
}

/// The values of options become texts; what is no object stays, for the engine to refuse.
pub(super) fn texts_of(options: Value) -> Value {
    let Value::Object(options) = options else {
        return options;
    };
    let texts = options.into_iter().map(|(name, value)| {
        let text = coerce::text(&value).map_or(value, Value::String);
        (name, text)
    });
    Value::Object(texts.collect())
}

pub(super) fn tune_fields(fields: &mut Fields) -> TuneFields {
    TuneFields {
        default_lease_ttl: fields.text("default_lease_ttl"),
        max_lease_ttl: fields.text("max_lease_ttl"),
        force_no_cache: fields.bool("force_no_cache"),
        listing_visibility: fields.text("listing_visibility"),
        audit_non_hmac_request_keys: fields.list("audit_non_hmac_request_keys"),
        audit_non_hmac_response_keys: fields.list("audit_non_hmac_response_keys"),
        passthrough_request_headers: fields.list("passthrough_request_headers"),
        allowed_response_headers: fields.list("allowed_response_headers"),
    }
}

/// A path as messages name it.
pub(super) fn with_slash(path: &str) -> String {
    format!("{}/", path.trim_end_matches('/'))
}

/// Every mount by its path.
pub(super) fn shown_mounts(call: &Call) -> BTreeMap<String, Value> {
    let mounts = call.wire.engine.mounts();
    let shown = mounts.iter().filter_map(|mount| {
        let view = serde_json::to_value(MountView::new(mount)).ok()?;
        Some((mount.path.to_string(), view))
    });
    shown.collect()
}

/// A mount as it is shown; its TTLs are the configured ones, 0 = inherited.
#[derive(Debug, Serialize)]
pub(super) struct MountView<'a> {
    r#type: &'a str,
    description: &'a str,
    accessor: &'a str,
    local: bool,
    seal_wrap: bool,
    external_entropy_access: bool,
    options: &'a Value,
    uuid: &'a str,
    plugin_version: &'a str,
    running_plugin_version: &'a str,
    running_sha256: &'a str,
    deprecation_status: &'a str,
    config: ConfigView<'a>,
}

impl<'a> MountView<'a> {
    pub(super) fn new(mount: &'a Mount) -> Self {
        let tuning = &mount.tuning;
        Self {
            r#type: "aws",
            description: &mount.description,
            accessor: &mount.accessor,
            local: mount.local,
            seal_wrap: mount.seal_wrap,
            external_entropy_access: mount.external_entropy_access,
            options: &mount.options,
            uuid: &mount.id.0,
            plugin_version: "",
            running_plugin_version: RUNNING_VERSION,
            running_sha256: "",
            deprecation_status: "supported",
            config: ConfigView::new(tuning, (tuning.default_lease_ttl, tuning.max_lease_ttl)),
        }
    }
}

/// What runs behind a mount: this program.
pub(super) const RUNNING_VERSION: &str = concat!("v1.21.0+leasehold.", env!("CARGO_PKG_VERSION"));

#[derive(Debug, Serialize)]
struct TuningView<'a> {
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a Map<String, Value>>,
    #[serde(flatten)]
    config: ConfigView<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct ConfigView<'a> {
    default_lease_ttl: u64,
    max_lease_ttl: u64,
    force_no_cache: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    listing_visibility: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_non_hmac_request_keys: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_non_hmac_response_keys: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passthrough_request_headers: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_response_headers: Option<&'a [String]>,
}

impl<'a> ConfigView<'a> {
    pub(super) fn new(
        tuning: &'a MountTuning,
        (default_lease_ttl, max_lease_ttl): (u64, u64),
    ) -> Self {
        Self {
            default_lease_ttl,
            max_lease_ttl,
            force_no_cache: tuning.force_no_cache,
            listing_visibility: tuning.listing_visibility.as_deref(),
            audit_non_hmac_request_keys: tuning.audit_non_hmac_request_keys.as_deref(),
            audit_non_hmac_response_keys: tuning.audit_non_hmac_response_keys.as_deref(),
            passthrough_request_headers: tuning.passthrough_request_headers.as_deref(),
            allowed_response_headers: tuning.allowed_response_headers.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mount(body: &Value) -> Result<NewMount, ApiError> {
        let mut fields = Fields::read(ENABLE, body.as_object().cloned().unwrap()).unwrap();
        new_mount(&mut fields)
    }

    #[test]
    fn what_the_cli_sends_is_read() {
        let new = mount(&json!({
            "type": "aws", "description": "d", "local": false, "seal_wrap": true, "options": null,
            "config": {"options": null, "default_lease_ttl": "0s", "max_lease_ttl": 3600,
                "force_no_cache": false, "listing_visibility": "hidden"},
        }))
        .unwrap();
        assert_eq!(
            (new.kind.as_deref(), new.description.as_str(), new.seal_wrap),
            (Some("aws"), "d", true)
        );
        assert_eq!(new.options, Some(Value::Null));
        assert_eq!(new.config.default_lease_ttl.as_deref(), Some("0s"));
        assert_eq!(new.config.max_lease_ttl.as_deref(), Some("3600"));
        assert_eq!(new.config.listing_visibility.as_deref(), Some("hidden"));
    }

    #[test]
    fn options_left_out_and_options_null_are_told_apart() {
        assert_eq!(mount(&json!({})).unwrap().options, None);
        assert_eq!(mount(&json!({"options": null})).unwrap().options, Some(Value::Null));
        let numbers = mount(&json!({"options": {"version": 2}})).unwrap();
        assert_eq!(numbers.options, Some(json!({"version": "2"})));
        assert!(matches!(mount(&json!({"config": 5})), Err(ApiError::MountConfig)));
    }
}
