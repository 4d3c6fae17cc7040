//! Old `sys` paths show each key of `data` at the top of the envelope too (contract 0.2). Never over a member of the envelope
//! itself. Which paths do: [`super::envelope::Place`].

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::error::ApiError;

/// The names that injection must not touch.
const ENVELOPE: [&str; 9] = [
    "request_id",
    "lease_id",
    "renewable",
    "lease_duration",
    "data",
    "wrap_info",
    "warnings",
    "auth",
    "mount_type",
];

/// Copies each key of `data` to the top level of the envelope in `body`.
pub(super) fn inject(body: &mut Vec<u8>, data: &RawValue) -> Result<(), ApiError> {
    let mut members: BTreeMap<String, &RawValue> =
        serde_json::from_str(data.get()).map_err(|error| ApiError::unwritable(&error))?;
    members.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    if members.is_empty() {
        return Ok(());
    }
    body.pop();
    body.push(b',');
    let inner = serde_json::to_vec(&members).map_err(|error| ApiError::unwritable(&error))?;
    body.extend_from_slice(inner.get(1..).unwrap_or_default());
    Ok(())
}
