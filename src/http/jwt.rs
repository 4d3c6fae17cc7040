//! `auth/<jwt>` (contract 3.4): what is believed, roles, logins. Only shapes live here; the rules are
//! [`crate::auth::methods::jwt`]'s. Fields of what is not offered are refused by name, never passed over in silence.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use super::token_params::{ParamsView, change, with_token_fields};
use crate::auth::methods::{JwtError, JwtRoleChange, NewJwtConfig};
use crate::model::{Jwt, JwtConfig, JwtRole, KeySource, RoleName, duration};

/// What a configuration takes; the fields of [`BROWSER`] are refused.
pub(super) const CONFIG: &[Field] = &[
    field("oidc_discovery_url", Kind::Text),
    field("oidc_discovery_ca_pem", Kind::Text),
    field("jwks_url", Kind::Text),
    field("jwks_ca_pem", Kind::Text),
    field("jwt_validation_pubkeys", Kind::List),
    field("bound_issuer", Kind::Text),
    field("jwt_supported_algs", Kind::List),
    field("default_role", Kind::Text),
    field("namespace_in_state", Kind::Bool),
    field("oidc_client_id", Kind::Text),
    field("oidc_client_secret", Kind::Secret),
    field("oidc_response_mode", Kind::Text),
    field("oidc_response_types", Kind::List),
    field("provider_config", Kind::Any),
    field("jwks_pairs", Kind::Any),
];

/// Fields of the login by browser, and of several issuers in one mount.
const BROWSER: [&str; 3] = ["oidc_client_id", "oidc_client_secret", "oidc_response_mode"];

/// What a role takes; the last six are old names.
pub(super) const ROLE: &[Field] = with_token_fields![
    path_field("name"),
    field("role_type", Kind::Text),
    field("bound_audiences", Kind::List),
    field("bound_subject", Kind::Text),
    field("bound_claims", Kind::Any),
    field("bound_claims_type", Kind::Text),
    field("claim_mappings", Kind::Pairs),
    field("user_claim", Kind::Text),
    field("user_claim_json_pointer", Kind::Bool),
    field("groups_claim", Kind::Text),
    field("expiration_leeway", Kind::Any),
    field("not_before_leeway", Kind::Any),
    field("clock_skew_leeway", Kind::Any),
    field("max_age", Kind::Seconds),
    field("allowed_redirect_uris", Kind::List),
    field("oidc_scopes", Kind::List),
    field("verbose_oidc_logging", Kind::Bool),
    field("policies", Kind::List),
    field("ttl", Kind::Seconds),
    field("max_ttl", Kind::Seconds),
    field("period", Kind::Seconds),
    field("bound_cidrs", Kind::List),
    field("num_uses", Kind::Int),
];

/// What a login takes.
pub(super) const LOGIN: &[Field] = &[field("role", Kind::Text), field("jwt", Kind::Secret)];

/// The role in the path.
pub(super) fn role(call: &Call) -> Result<&str, ApiError> {
    let is_name = call.captured.parse::<RoleName>().is_ok();
    if is_name { Ok(&call.captured) } else { Err(ApiError::UnsupportedPath) }
}

/// POST and PUT `login`.
pub(super) async fn login(mut call: Call) -> Answered {
    let (role, token) = (call.fields.filled_text("role"), token(&mut call.fields));
    let auth = &call.wire.auth;
    let granted = auth.log_in_jwt(call.method()?, role, token, call.remote).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// The token of a login.
pub(super) fn token(fields: &mut Fields) -> Option<Jwt> {
    fields.filled_text("jwt").map(Jwt::new)
}

/// POST and PUT `oidc/auth_url`, and GET `oidc/callback`.
pub(super) async fn browser(_call: Call) -> Answered {
    Err(JwtError::NoBrowser.into())
}

/// GET `config`.
pub(super) async fn read_config(call: Call) -> Answered {
    let config = call.wire.auth.jwt_config(call.method()?).await?;
    Answer::data(&ConfigView::new(&config.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `config`.
pub(super) async fn write_config(mut call: Call) -> Answered {
    let fields = &mut call.fields;
    for name in BROWSER {
        if fields.filled_text(name).is_some() {
            return Err(JwtError::NotOffered(name).into());
        }
    }
    let is_filled = |sent: Option<Value>| {
        sent.is_some_and(|sent| match sent {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(several) => !several.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        })
    };
    for name in ["provider_config", "jwks_pairs"] {
        if is_filled(fields.any(name)) {
            return Err(JwtError::NotOffered(name).into());
        }
    }
    if fields.list("oidc_response_types").is_some_and(|types| !types.is_empty()) {
        return Err(JwtError::NotOffered("oidc_response_types").into());
    }
    let mut text = |name| fields.text(name).unwrap_or_default();
    let new = NewJwtConfig {
        discovery_url: text("oidc_discovery_url"),
        discovery_ca_pem: text("oidc_discovery_ca_pem"),
        jwks_url: text("jwks_url"),
        jwks_ca_pem: text("jwks_ca_pem"),
        bound_issuer: text("bound_issuer"),
        default_role: text("default_role"),
        pubkeys: fields.list("jwt_validation_pubkeys").unwrap_or_default(),
        supported_algs: fields.list("jwt_supported_algs").unwrap_or_default(),
    };
    call.wire.auth.write_jwt_config(call.method()?, new).await?;
    Ok(Answer::nothing())
}

/// GET `role/:name`.
pub(super) async fn read_role(call: Call) -> Answered {
    let found = call.wire.auth.jwt_role(call.method()?, role(&call)?).await?;
    Answer::data(&RoleView::new(&found.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `role/:name`.
pub(super) async fn write_role(mut call: Call) -> Answered {
    let change = role_change(&mut call.fields)?;
    let warnings = call.wire.auth.write_jwt_role(call.method()?, role(&call)?, change).await?;
    Ok(Answer::done(warnings))
}

fn role_change(fields: &mut Fields) -> Result<JwtRoleChange, ApiError> {
    let old_uses = fields.int("num_uses");
    let mut token = change(fields);
    token.num_uses = token.num_uses.or(old_uses);
    Ok(JwtRoleChange {
        role_type: fields.text("role_type"),
        bound_audiences: fields.list("bound_audiences"),
        bound_subject: fields.text("bound_subject"),
        bound_claims: fields.any("bound_claims").map(claims).transpose()?,
        bound_claims_type: fields.text("bound_claims_type"),
        claim_mappings: fields.pairs("claim_mappings").map(Option::unwrap_or_default),
        user_claim: fields.text("user_claim"),
        user_claim_json_pointer: fields.bool("user_claim_json_pointer"),
        groups_claim: fields.text("groups_claim"),
        expiration_leeway: leeway(fields, "expiration_leeway")?,
        not_before_leeway: leeway(fields, "not_before_leeway")?,
        clock_skew_leeway: leeway(fields, "clock_skew_leeway")?,
        max_age: fields.seconds("max_age"),
        allowed_redirect_uris: fields.list("allowed_redirect_uris"),
        oidc_scopes: fields.list("oidc_scopes"),
        verbose_oidc_logging: fields.bool("verbose_oidc_logging"),
        token,
    })
}

/// An object, or its JSON in a text, as the command line sends it.
fn claims(sent: Value) -> Result<Map<String, Value>, JwtError> {
    let object = match sent {
        Value::Null => return Ok(Map::new()),
        Value::String(text) if text.is_empty() => return Ok(Map::new()),
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other,
    };
    match object {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(JwtError::ClaimsNoObject)
        }
    }
}

/// A number of seconds, which may be below 0.
fn leeway(fields: &mut Fields, name: &'static str) -> Result<Option<i64>, JwtError> {
    let text = match fields.any(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text,
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(JwtError::Leeway(name));
        }
    };
    duration::parse_seconds(&text).map(Some).map_err(|_no_duration| JwtError::Leeway(name))
}

/// A configuration as it is read back.
#[derive(Debug, Default, Serialize)]
struct ConfigView<'a> {
    oidc_discovery_url: &'a str,
    oidc_discovery_ca_pem: &'a str,
    oidc_client_id: &'a str,
    oidc_response_mode: &'a str,
    oidc_response_types: &'a [String],
    jwks_url: &'a str,
    jwks_ca_pem: &'a str,
    jwks_pairs: &'a [String],
    jwt_validation_pubkeys: &'a [String],
    jwt_supported_algs: &'a [String],
    bound_issuer: &'a str,
    default_role: &'a str,
    provider_config: BTreeMap<&'a str, &'a str>,
    namespace_in_state: bool,
}

impl<'a> ConfigView<'a> {
    fn new(config: &'a JwtConfig) -> Self {
        let view = Self {
            jwt_supported_algs: &config.supported_algs,
            bound_issuer: &config.bound_issuer,
            default_role: &config.default_role,
            ..Self::default()
        };
        match &config.keys {
            KeySource::Discovery { url, ca_pem } => {
                Self { oidc_discovery_url: url, oidc_discovery_ca_pem: ca_pem, ..view }
            }
            KeySource::Jwks { url, ca_pem } => Self { jwks_url: url, jwks_ca_pem: ca_pem, ..view },
            KeySource::Static { pems } => Self { jwt_validation_pubkeys: pems, ..view },
        }
    }
}

/// A role as it is read back.
#[derive(Debug, Serialize)]
struct RoleView<'a> {
    role_type: &'static str,
    bound_audiences: &'a [String],
    bound_subject: &'a str,
    bound_claims: Option<&'a Map<String, Value>>,
    bound_claims_type: &'static str,
    claim_mappings: Option<&'a BTreeMap<String, String>>,
    user_claim: &'a str,
    user_claim_json_pointer: bool,
    groups_claim: &'a str,
    expiration_leeway: i64,
    not_before_leeway: i64,
    clock_skew_leeway: i64,
    max_age: u64,
    allowed_redirect_uris: &'a [String],
    oidc_scopes: &'a [String],
    verbose_oidc_logging: bool,
    #[serde(flatten)]
    token: ParamsView<'a>,
}

impl<'a> RoleView<'a> {
    fn new(role: &'a JwtRole) -> Self {
        Self {
            role_type: "jwt",
            bound_audiences: &role.bound_audiences,
            bound_subject: &role.bound_subject,
            bound_claims: Some(&role.bound_claims).filter(|claims| !claims.is_empty()),
            bound_claims_type: role.bound_claims_type.as_str(),
            claim_mappings: Some(&role.claim_mappings).filter(|mappings| !mappings.is_empty()),
            user_claim: &role.user_claim,
            user_claim_json_pointer: role.user_claim_json_pointer,
            groups_claim: &role.groups_claim,
            expiration_leeway: role.expiration_leeway,
            not_before_leeway: role.not_before_leeway,
            clock_skew_leeway: role.clock_skew_leeway,
            max_age: role.max_age,
            allowed_redirect_uris: &role.browser.allowed_redirect_uris,
            oidc_scopes: &role.browser.oidc_scopes,
            verbose_oidc_logging: role.browser.verbose_oidc_logging,
            token: ParamsView::new(&role.token),
        }
    }
}
