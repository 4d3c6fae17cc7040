//! `sys/mounts` (contract 2.1): list, show, enable, tune and disable engines. Only shapes live here, and those that
//! auth methods have too in [`super::mount_shape`]; what may be mounted where is decided in [`crate::engine::mounts`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::Fields;
use super::mount_shape::{MountView, TuningView, config_of, texts_of, tune_fields, with_slash};
use super::pipeline::{Answered, Call};
use crate::engine::mounts::{NewMount, TuneChange};

/// GET `sys/mounts`.
pub(super) async fn list(call: Call) -> Answered {
    Answer::data(&shown_mounts(&call))
}

/// GET `sys/mounts/:path`.
pub(super) async fn read(call: Call) -> Answered {
    let path = with_slash(&call.captured);
    let mount = call.wire.engine.mount(&path).ok_or(ApiError::NoSuchMount(path))?;
    Answer::data(&MountView::of_engine(&mount))
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
    Answer::data(&TuningView::of_engine(&mount, ttls))
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

/// Every mount by its path.
pub(super) fn shown_mounts(call: &Call) -> BTreeMap<String, Value> {
    let mounts = call.wire.engine.mounts();
    let shown = mounts.iter().filter_map(|mount| {
        let view = serde_json::to_value(MountView::of_engine(mount)).ok()?;
        Some((mount.path.to_string(), view))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::super::mount_shape::ENABLE;
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
