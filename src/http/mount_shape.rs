//! What engines and auth methods have in common on the wire: the fields that enable and tune them, and how they are
//! shown (contract 2.1, 2.5). Shapes alone; which may be mounted where is for [`crate::engine::mounts`] and
//! [`crate::auth::methods`] to say.

use serde::Serialize;
use serde_json::{Map, Value};

use super::coerce;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use crate::auth::methods::MethodError;
use crate::engine::mounts::TuneFields;
use crate::model::{AuthMount, Mount, MountTuning};

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
    field("user_lockout_config", Kind::Any),
];

/// Refuses what would be tuned of the lockout, which is the same everywhere: forgotten, it would be a limit that does
/// not hold. What was sent empty changes nothing.
pub(super) fn must_leave_lockout(fields: &mut Fields) -> Result<(), MethodError> {
    let sent = fields.any("user_lockout_config");
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    };
    if sent.as_ref().is_none_or(empty) { Ok(()) } else { Err(MethodError::LockoutNotTuned) }
}

/// The settings under `config`.
pub(super) fn config_of(fields: &mut Fields) -> Result<Fields, ApiError> {
    match fields.any("config") {
        None | Some(Value::Null) => Ok(Fields::default()),
        Some(Value::Object(config)) => Fields::read(TUNE, config).map_err(ApiError::Field),
        Some(_) => Err(ApiError::MountConfig),
    }
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

/// What runs behind a mount: this program.
pub(super) const RUNNING_VERSION: &str = concat!("v1.21.0+leasehold.", env!("CARGO_PKG_VERSION"));

/// An engine or a method as it is shown; its TTLs are the configured ones, 0 = inherited.
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
    #[serde(flatten)]
    program: Program,
    config: ConfigView<'a>,
}

/// What there is of plugins: nothing but this program.
#[derive(Debug, Serialize)]
struct Program {
    plugin_version: &'static str,
    running_plugin_version: &'static str,
    running_sha256: &'static str,
    deprecation_status: &'static str,
}

const PROGRAM: Program = Program {
    plugin_version: "",
    running_plugin_version: RUNNING_VERSION,
    running_sha256: "",
    deprecation_status: "supported",
};

impl<'a> MountView<'a> {
    pub(super) fn of_engine(mount: &'a Mount) -> Self {
        Self {
            r#type: "aws",
            description: &mount.description,
            accessor: &mount.accessor,
            local: mount.local,
            seal_wrap: mount.seal_wrap,
            external_entropy_access: mount.external_entropy_access,
            options: &mount.options,
            uuid: &mount.id.0,
            program: PROGRAM,
            config: ConfigView::configured(&mount.tuning),
        }
    }

    pub(super) fn of_method(mount: &'a AuthMount) -> Self {
        Self {
            r#type: mount.method.as_str(),
            description: &mount.description,
            accessor: &mount.accessor,
            local: mount.local,
            seal_wrap: mount.seal_wrap,
            external_entropy_access: mount.external_entropy_access,
            options: &mount.options,
            uuid: &mount.id.0,
            program: PROGRAM,
            config: ConfigView::configured(&mount.tuning).with_token_type(&mount.token_type),
        }
    }
}

/// The settings of an engine or a method, with the TTLs that are in effect: the default and the maximum.
#[derive(Debug, Serialize)]
pub(super) struct TuningView<'a> {
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a Map<String, Value>>,
    #[serde(flatten)]
    config: ConfigView<'a>,
}

impl<'a> TuningView<'a> {
    pub(super) fn of_engine(mount: &'a Mount, ttls: (u64, u64)) -> Self {
        let config = ConfigView::new(&mount.tuning, ttls);
        Self { description: &mount.description, options: filled(&mount.options), config }
    }

    pub(super) fn of_method(mount: &'a AuthMount, ttls: (u64, u64)) -> Self {
        let config = ConfigView::new(&mount.tuning, ttls).with_token_type(&mount.token_type);
        Self { description: &mount.description, options: filled(&mount.options), config }
    }
}

fn filled(options: &Value) -> Option<&Map<String, Value>> {
    options.as_object().filter(|options| !options.is_empty())
}

#[derive(Debug, Serialize)]
struct ConfigView<'a> {
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
    /// Of auth methods alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
}

impl<'a> ConfigView<'a> {
    fn new(tuning: &'a MountTuning, (default_lease_ttl, max_lease_ttl): (u64, u64)) -> Self {
        Self {
            default_lease_ttl,
            max_lease_ttl,
            force_no_cache: tuning.force_no_cache,
            listing_visibility: tuning.listing_visibility.as_deref(),
            audit_non_hmac_request_keys: tuning.audit_non_hmac_request_keys.as_deref(),
            audit_non_hmac_response_keys: tuning.audit_non_hmac_response_keys.as_deref(),
            passthrough_request_headers: tuning.passthrough_request_headers.as_deref(),
            allowed_response_headers: tuning.allowed_response_headers.as_deref(),
            token_type: None,
        }
    }
    fn configured(tuning: &'a MountTuning) -> Self {
        Self::new(tuning, (tuning.default_lease_ttl, tuning.max_lease_ttl))
    }

    fn with_token_type(self, token_type: &'a str) -> Self {
        Self { token_type: Some(token_type), ..self }
    }
}
