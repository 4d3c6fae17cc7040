//! `auth/<kubernetes>` (contract 3.5): the cluster, roles, logins. Only shapes live here; the rules are
//! [`crate::auth::methods::kubernetes`]'. No answer shows the reviewer's token.

use serde::Serialize;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::jwt::{role, token};
use super::pipeline::{Answered, Call};
use super::token_params::{ParamsView, change, with_token_fields};
use crate::auth::methods::{KubernetesRoleChange, NewKubernetesConfig};
use crate::model::{Jwt, KubernetesConfig, KubernetesRole};

/// What a configuration takes.
pub(super) const CONFIG: &[Field] = &[
    field("kubernetes_host", Kind::Text),
    field("kubernetes_ca_cert", Kind::Text),
    field("token_reviewer_jwt", Kind::Secret),
    field("pem_keys", Kind::List),
    field("issuer", Kind::Text),
    field("disable_iss_validation", Kind::Bool),
    field("disable_local_ca_jwt", Kind::Bool),
];

/// What a role takes; the last six are old names.
pub(super) const ROLE: &[Field] = with_token_fields![
    path_field("name"),
    field("bound_service_account_names", Kind::List),
    field("bound_service_account_namespaces", Kind::List),
    field("bound_service_account_namespace_selector", Kind::Text),
    field("audience", Kind::Text),
    field("alias_name_source", Kind::Text),
    field("policies", Kind::List),
    field("ttl", Kind::Seconds),
    field("max_ttl", Kind::Seconds),
    field("period", Kind::Seconds),
    field("bound_cidrs", Kind::List),
    field("num_uses", Kind::Int),
];

/// POST and PUT `login`.
pub(super) async fn login(mut call: Call) -> Answered {
    let (role, token) = (call.fields.filled_text("role"), token(&mut call.fields));
    let auth = &call.wire.auth;
    let granted = auth.log_in_kubernetes(call.method()?, role, token, call.remote).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// GET `config`.
pub(super) async fn read_config(call: Call) -> Answered {
    let config = call.wire.auth.kubernetes_config(call.method()?).await?;
    Answer::data(&ConfigView::new(&config.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `config`.
pub(super) async fn write_config(mut call: Call) -> Answered {
    let fields = &mut call.fields;
    let mut text = |name| fields.text(name).unwrap_or_default();
    let new = NewKubernetesConfig {
        host: text("kubernetes_host"),
        ca_cert: text("kubernetes_ca_cert"),
        issuer: text("issuer"),
        reviewer: fields.filled_text("token_reviewer_jwt").map(Jwt::new),
        pem_keys: fields.list("pem_keys").unwrap_or_default(),
        disable_local_ca_jwt: fields.bool("disable_local_ca_jwt").unwrap_or_default(),
        // Vault's default since 1.9.
        disable_iss_validation: fields.bool("disable_iss_validation").unwrap_or(true),
    };
    call.wire.auth.write_kubernetes_config(call.method()?, new).await?;
    Ok(Answer::nothing())
}

/// GET `role/:name`.
pub(super) async fn read_role(call: Call) -> Answered {
    let found = call.wire.auth.kubernetes_role(call.method()?, role(&call)?).await?;
    Answer::data(&RoleView::new(&found.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `role/:name`.
pub(super) async fn write_role(mut call: Call) -> Answered {
    let change = role_change(&mut call.fields);
    let auth = &call.wire.auth;
    let warnings = auth.write_kubernetes_role(call.method()?, role(&call)?, change).await?;
    Ok(Answer::done(warnings))
}

fn role_change(fields: &mut Fields) -> KubernetesRoleChange {
    let old_uses = fields.int("num_uses");
    let mut token = change(fields);
    token.num_uses = token.num_uses.or(old_uses);
    KubernetesRoleChange {
        names: fields.list("bound_service_account_names"),
        namespaces: fields.list("bound_service_account_namespaces"),
        selector: fields.text("bound_service_account_namespace_selector"),
        audience: fields.text("audience"),
        alias_name_source: fields.text("alias_name_source"),
        token,
    }
}

/// A configuration as it is read back.
#[derive(Debug, Serialize)]
struct ConfigView<'a> {
    kubernetes_host: &'a str,
    kubernetes_ca_cert: &'a str,
    pem_keys: &'a [String],
    issuer: &'a str,
    disable_iss_validation: bool,
    disable_local_ca_jwt: bool,
    token_reviewer_jwt_set: bool,
}

impl<'a> ConfigView<'a> {
    fn new(config: &'a KubernetesConfig) -> Self {
        Self {
            kubernetes_host: &config.host,
            kubernetes_ca_cert: &config.ca_cert,
            pem_keys: &config.pem_keys,
            issuer: &config.issuer,
            disable_iss_validation: config.disable_iss_validation,
            disable_local_ca_jwt: config.disable_local_ca_jwt,
            token_reviewer_jwt_set: config.reviewer.is_some(),
        }
    }
}

/// A role as it is read back.
#[derive(Debug, Serialize)]
struct RoleView<'a> {
    bound_service_account_names: &'a [String],
    bound_service_account_namespaces: &'a [String],
    bound_service_account_namespace_selector: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    audience: &'a str,
    alias_name_source: &'static str,
    #[serde(flatten)]
    token: ParamsView<'a>,
}

impl<'a> RoleView<'a> {
    fn new(role: &'a KubernetesRole) -> Self {
        Self {
            bound_service_account_names: &role.service_account_names,
            bound_service_account_namespaces: &role.service_account_namespaces,
            bound_service_account_namespace_selector: "",
            audience: &role.audience,
            alias_name_source: role.alias_name_source.as_str(),
            token: ParamsView::new(&role.token),
        }
    }
}
