//! `<mount>/config/root` and `<mount>/config/lease` (contract 1.1, 1.2). Only shapes live here; the
//! secret key goes in and never comes out. The rules are in [`crate::engine::config`].

use serde::Serialize;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::engine::config::RootConfigChange;
use crate::model::duration::print_seconds;
use crate::model::{AccountBinding, SecretAccessKey};

/// What `config/root` takes.
pub(super) const ROOT: &[Field] = &[
    field("access_key", Kind::Text),
    field("secret_key", Kind::Secret),
    field("region", Kind::Text),
    field("iam_endpoint", Kind::Text),
    field("sts_endpoint", Kind::Text),
    field("sts_region", Kind::Text),
    field("sts_fallback_endpoints", Kind::List),
    field("sts_fallback_regions", Kind::List),
    field("max_retries", Kind::Int),
    field("username_template", Kind::Text),
    field("role_arn", Kind::Text),
    field("identity_token_audience", Kind::Text),
    field("identity_token_ttl", Kind::Seconds),
    field("rotation_schedule", Kind::Text),
    field("rotation_window", Kind::Seconds),
    field("rotation_period", Kind::Seconds),
    field("disable_automated_rotation", Kind::Bool),
];

/// What `config/lease` takes.
pub(super) const LEASE: &[Field] = &[field("lease", Kind::Text), field("lease_max", Kind::Text)];

/// GET `config/root`.
pub(super) async fn read_root(call: Call) -> Answered {
    let stored = call.wire.engine.read_root_config(call.mount()?).await?;
    let binding = stored.ok_or(ApiError::NotFound)?;
    Answer::data(&RootView::new(&binding))
}

/// POST and PUT `config/root`.
pub(super) async fn write_root(mut call: Call) -> Answered {
    let change = root_change(&mut call.fields);
    call.wire.engine.write_root_config(call.mount()?, change).await?;
    Ok(Answer::nothing())
}

/// What was sent of `config/root`.
pub(super) fn root_change(fields: &mut Fields) -> RootConfigChange {
    RootConfigChange {
        access_key: fields.text("access_key"),
        secret_key: fields.text("secret_key").map(SecretAccessKey::new),
        region: fields.text("region"),
        iam_endpoint: fields.text("iam_endpoint"),
        sts_endpoint: fields.text("sts_endpoint"),
        sts_region: fields.text("sts_region"),
        sts_fallback_endpoints: fields.list("sts_fallback_endpoints"),
        sts_fallback_regions: fields.list("sts_fallback_regions"),
        max_retries: fields.int("max_retries"),
        username_template: fields.text("username_template"),
        role_arn: fields.text("role_arn"),
        identity_token_audience: fields.text("identity_token_audience"),
        identity_token_ttl: fields.seconds("identity_token_ttl"),
        rotation_schedule: fields.text("rotation_schedule"),
        rotation_window: fields.seconds("rotation_window"),
        rotation_period: fields.seconds("rotation_period"),
        disable_automated_rotation: fields.bool("disable_automated_rotation"),
    }
}

/// GET `config/lease`.
pub(super) async fn read_lease(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View {
        lease: String,
        lease_max: String,
    }
    let stored = call.wire.engine.read_lease_config(call.mount()?).await?;
    let config = stored.ok_or(ApiError::NotFound)?;
    Answer::data(&View {
        lease: print_seconds(config.lease),
        lease_max: print_seconds(config.lease_max),
    })
}

/// POST and PUT `config/lease`.
pub(super) async fn write_lease(mut call: Call) -> Answered {
    let lease = call.fields.filled_text("lease");
    let lease_max = call.fields.filled_text("lease_max");
    call.wire.engine.write_lease_config(call.mount()?, lease, lease_max).await?;
    Ok(Answer::nothing())
}

/// Exactly the members of contract 1.1.
#[derive(Serialize)]
pub(super) struct RootView<'a> {
    access_key: &'a str,
    region: &'a str,
    iam_endpoint: &'a str,
    sts_endpoint: &'a str,
    sts_region: &'a str,
    sts_fallback_endpoints: &'a [String],
    sts_fallback_regions: &'a [String],
    max_retries: i64,
    username_template: &'a str,
    role_arn: &'a str,
    identity_token_audience: &'a str,
    identity_token_ttl: u64,
    rotation_schedule: &'a str,
    rotation_window: u64,
    rotation_period: u64,
    disable_automated_rotation: bool,
}

impl<'a> RootView<'a> {
    pub(super) fn new(binding: &'a AccountBinding) -> Self {
        Self {
            access_key: &binding.access_key,
            region: &binding.region,
            iam_endpoint: &binding.iam_endpoint,
            sts_endpoint: &binding.sts_endpoint,
            sts_region: &binding.sts_region,
            sts_fallback_endpoints: &binding.sts_fallback_endpoints,
            sts_fallback_regions: &binding.sts_fallback_regions,
            max_retries: binding.max_retries,
            username_template: &binding.username_template,
            role_arn: &binding.role_arn,
            identity_token_audience: &binding.identity_token_audience,
            identity_token_ttl: binding.identity_token_ttl,
            rotation_schedule: &binding.rotation_schedule,
            rotation_window: binding.rotation_window,
            rotation_period: binding.rotation_period,
            disable_automated_rotation: binding.disable_automated_rotation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_read_shows_every_member_and_never_the_secret() {
        let binding = AccountBinding {
            access_key: "AKIA".to_owned(),
            sealed_secret_key: Some(b"sealed".to_vec()),
            max_retries: -1,
            ..AccountBinding::default()
        };
        let shown = serde_json::to_value(RootView::new(&binding)).unwrap();
        assert_eq!(shown["access_key"], json!("AKIA"));
        assert_eq!(
            (&shown["max_retries"], &shown["sts_fallback_regions"]),
            (&json!(-1), &json!([]))
        );
        assert_eq!(shown.as_object().unwrap().len(), 16);
        assert!(!shown.to_string().contains("secret"));
    }
}
