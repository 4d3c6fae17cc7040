//! `sys/audit` and `sys/audit-hash` (contract 2.5), and our own `sys/audit-chain`: shapes only. What a device is and
//! may be: [`crate::audit`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::coerce;
use super::envelope::Answer;
use super::fields::{Field, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::audit::NewDevice;
use crate::model::AuditDevice;

/// What a new device takes.
pub(super) const ENABLE: &[Field] = &[
    path_field("path"),
    field("type", Kind::Text),
    field("description", Kind::Text),
    field("options", Kind::Any),
    field("local", Kind::Bool),
];

/// What is to be shown as its digest.
pub(super) const HASH: &[Field] = &[path_field("path"), field("input", Kind::Secret)];

/// GET `sys/audit`.
pub(super) async fn list(call: Call) -> Answered {
    let devices = call.wire.audit.list();
    let shown: Map<String, Value> =
        devices.iter().map(|device| (device.path.clone(), view(device))).collect();
    Answer::data(&shown)
}

fn view(device: &AuditDevice) -> Value {
    json!({
        "type": device.kind.as_str(),
        "description": device.description,
        "options": device.options,
        "local": device.local,
        "path": device.path,
    })
}

/// POST and PUT `sys/audit/:path`.
pub(super) async fn enable(mut call: Call) -> Answered {
    let fields = &mut call.fields;
    let new = NewDevice {
        kind: fields.text("type").unwrap_or_default(),
        description: fields.text("description").unwrap_or_default(),
        options: fields.any("options").map(as_texts).unwrap_or_default(),
        local: fields.bool("local").unwrap_or_default(),
    };
    call.wire.audit.enable(&call.captured, new).await?;
    Ok(Answer::nothing())
}

/// Options are texts; numbers and bools become one, anything else is left out as Vault leaves it out.
fn as_texts(options: Value) -> BTreeMap<String, String> {
    let Value::Object(options) = options else {
        return BTreeMap::new();
    };
    options
        .into_iter()
        .filter_map(|(name, value)| Some((name, coerce::text(&value).ok()?)))
        .collect()
}

/// DELETE `sys/audit/:path`.
pub(super) async fn disable(call: Call) -> Answered {
    call.wire.audit.disable(&call.captured).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `sys/audit-hash/:path`.
pub(super) async fn hash(mut call: Call) -> Answered {
    let input = call.fields.text("input").unwrap_or_default();
    Answer::data(&json!({ "hash": call.wire.audit.digest(&call.captured, &input)? }))
}

/// GET `sys/audit-chain/:path`: the last entry, for `leasehold audit verify`.
pub(super) async fn chain(call: Call) -> Answered {
    let head = call.wire.audit.head(&call.captured).await?;
    Answer::data(&json!({
        "seq": head.as_ref().map(|head| head.seq),
        "hash": head.as_ref().map(|head| head.hash.as_str()),
    }))
}
