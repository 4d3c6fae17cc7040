//! `auth/<approle>` (contract 3.3): roles, their role ids and secret ids, logins. Only shapes live here; the
//! rules are [`crate::auth::methods::approle`]'s. A secret id is written by [`super::envelope`] alone.

use serde::Serialize;
use serde_json::json;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use super::token_params::{ParamsView, change, with_token_fields};
use crate::auth::methods::MethodError;
use crate::auth::methods::approle::{NewSecretId, RoleChange};
use crate::model::{Accessor, AppRole, Network, RoleName, SecretId, StoredSecretId, Timestamp};

/// What writing a role takes; the last three are old names.
pub(super) const ROLE: &[Field] = with_token_fields![
    path_field("role_name"),
    field("role_id", Kind::Text),
    field("bind_secret_id", Kind::Bool),
    field("secret_id_bound_cidrs", Kind::List),
    field("secret_id_num_uses", Kind::Int),
    field("secret_id_ttl", Kind::Seconds),
    field("local_secret_ids", Kind::Bool),
    field("policies", Kind::List),
    field("period", Kind::Seconds),
    field("bound_cidr_list", Kind::List),
];

/// A role id.
pub(super) const ROLE_ID: &[Field] = &[path_field("role_name"), field("role_id", Kind::Text)];

/// What making a secret id takes.
pub(super) const NEW: &[Field] = &[
    path_field("role_name"),
    field("secret_id", Kind::Secret),
    field("metadata", Kind::Text),
    field("cidr_list", Kind::List),
    field("token_bound_cidrs", Kind::List),
    field("num_uses", Kind::Int),
    field("ttl", Kind::Seconds),
];

/// A secret id that is named.
pub(super) const SECRET: &[Field] = &[path_field("role_name"), field("secret_id", Kind::Secret)];

/// One that is named by its handle.
pub(super) const ACCESSOR: &[Field] =
    &[path_field("role_name"), field("secret_id_accessor", Kind::Text)];

/// What a login takes.
pub(super) const LOGIN: &[Field] =
    &[field("role_id", Kind::Text), field("secret_id", Kind::Secret)];

/// The role in the path.
fn role(call: &Call) -> Result<&str, ApiError> {
    let is_name = call.captured.parse::<RoleName>().is_ok();
    if is_name { Ok(&call.captured) } else { Err(ApiError::UnsupportedPath) }
}

/// POST and PUT `login`.
pub(super) async fn login(mut call: Call) -> Answered {
    let role_id = call.fields.text("role_id");
    let secret_id = secret(&mut call.fields);
    let (auth, mount) = (&call.wire.auth, call.method()?);
    let granted =
        auth.log_in_app_role(mount, role_id.as_deref(), secret_id.as_ref(), call.remote).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// LIST `role`.
pub(super) async fn list(call: Call) -> Answered {
    Ok(Answer::keys(call.wire.auth.login_names(call.method()?).await?))
}

/// GET `role/:name`.
pub(super) async fn read(call: Call) -> Answered {
    #[derive(Serialize)]
    struct View<'a> {
        bind_secret_id: bool,
        secret_id_bound_cidrs: Option<&'a [Network]>,
        secret_id_num_uses: i64,
        secret_id_ttl: u64,
        local_secret_ids: bool,
        #[serde(flatten)]
        token: ParamsView<'a>,
    }
    let role = found(&call).await?;
    let cidrs = role.secret_id_bound_cidrs.as_slice();
    Answer::data(&View {
        bind_secret_id: role.bind_secret_id,
        // Vault shows null where there are none, and `[]` for those of the token.
        secret_id_bound_cidrs: (!cidrs.is_empty()).then_some(cidrs),
        secret_id_num_uses: role.secret_id_num_uses,
        secret_id_ttl: role.secret_id_ttl,
        local_secret_ids: role.local_secret_ids,
        token: ParamsView::new(&role.token),
    })
}

async fn found(call: &Call) -> Result<AppRole, ApiError> {
    call.wire.auth.app_role(call.method()?, role(call)?).await?.ok_or(ApiError::NotFound)
}

/// POST and PUT `role/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let fields = &mut call.fields;
    let old_cidrs = fields.list("bound_cidr_list");
    let change = RoleChange {
        role_id: fields.text("role_id"),
        bind_secret_id: fields.bool("bind_secret_id"),
        secret_id_bound_cidrs: fields.list("secret_id_bound_cidrs").or(old_cidrs),
        secret_id_num_uses: fields.int("secret_id_num_uses"),
        secret_id_ttl: fields.seconds("secret_id_ttl"),
        local_secret_ids: fields.bool("local_secret_ids"),
        token: change(fields),
    };
    let warnings = call.wire.auth.write_app_role(call.method()?, role(&call)?, change).await?;
    Ok(Answer::done(warnings))
}

/// DELETE `role/:name`.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.auth.remove_login(call.method()?, role(&call)?).await?;
    Ok(Answer::nothing())
}

/// GET `role/:name/role-id`.
pub(super) async fn read_role_id(call: Call) -> Answered {
    Answer::data(&json!({"role_id": found(&call).await?.role_id}))
}

/// POST and PUT `role/:name/role-id`.
pub(super) async fn write_role_id(mut call: Call) -> Answered {
    let role_id = call.fields.filled_text("role_id");
    call.wire.auth.set_role_id(call.method()?, role(&call)?, role_id).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `role/:name/secret-id`.
pub(super) async fn make_secret_id(mut call: Call) -> Answered {
    // Here it is drawn, never chosen.
    drop(secret(&mut call.fields));
    made(call, None).await
}

/// POST and PUT `role/:name/custom-secret-id`.
pub(super) async fn take_secret_id(mut call: Call) -> Answered {
    let chosen = required_secret(&mut call.fields)?;
    made(call, Some(chosen)).await
}

async fn made(mut call: Call, chosen: Option<SecretId>) -> Answered {
    let fields = &mut call.fields;
    let new = NewSecretId {
        chosen,
        metadata: fields.text("metadata"),
        cidrs: fields.list("cidr_list"),
        token_bound_cidrs: fields.list("token_bound_cidrs"),
        num_uses: fields.int("num_uses"),
        ttl: fields.seconds("ttl"),
    };
    let given = call.wire.auth.create_secret_id(call.method()?, role(&call)?, new).await?;
    Answer::secret_id(&given)
}

/// LIST `role/:name/secret-id`.
pub(super) async fn list_secret_ids(call: Call) -> Answered {
    let accessors = call.wire.auth.secret_id_accessors(call.method()?, role(&call)?).await?;
    Ok(Answer::keys(accessors))
}

/// POST and PUT `role/:name/secret-id/lookup`; one that is not there is 204.
pub(super) async fn look_up(mut call: Call) -> Answered {
    let sent = required_secret(&mut call.fields)?;
    let auth = &call.wire.auth;
    match auth.look_up_secret_id(call.method()?, role(&call)?, &sent).await? {
        Some(found) => Answer::data(&SecretView::new(&found)),
        None => Ok(Answer::nothing()),
    }
}

/// POST and PUT `role/:name/secret-id-accessor/lookup`.
pub(super) async fn look_up_accessor(mut call: Call) -> Answered {
    let accessor = accessor(&mut call.fields)?;
    let auth = &call.wire.auth;
    let found = auth.look_up_secret_id_accessor(call.method()?, role(&call)?, &accessor).await?;
    Answer::data(&SecretView::new(&found))
}

/// POST, PUT and DELETE `role/:name/secret-id/destroy`.
pub(super) async fn destroy(mut call: Call) -> Answered {
    let sent = required_secret(&mut call.fields)?;
    call.wire.auth.destroy_secret_id(call.method()?, role(&call)?, &sent).await?;
    Ok(Answer::nothing())
}

/// POST, PUT and DELETE `role/:name/secret-id-accessor/destroy`.
pub(super) async fn destroy_accessor(mut call: Call) -> Answered {
    let accessor = accessor(&mut call.fields)?;
    let auth = &call.wire.auth;
    auth.destroy_secret_id_accessor(call.method()?, role(&call)?, &accessor).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `tidy/secret-id`; it is done when the answer is there.
pub(super) async fn tidy(call: Call) -> Answered {
    const STARTED: &str = "Tidy operation successfully started. Any information from the operation \
        will be printed to Vault's server logs.";
    call.wire.auth.tidy_secret_ids(call.method()?).await?;
    Ok(Answer::accepted_saying(STARTED))
}

fn secret(fields: &mut Fields) -> Option<SecretId> {
    fields.filled_text("secret_id").map(SecretId::new)
}

fn required_secret(fields: &mut Fields) -> Result<SecretId, MethodError> {
    secret(fields).ok_or(MethodError::SecretIdMissing)
}

fn accessor(fields: &mut Fields) -> Result<Accessor, MethodError> {
    let sent = fields.filled_text("secret_id_accessor");
    sent.map(Accessor).ok_or(MethodError::AccessorMissing)
}

/// A secret id as it is looked up.
#[derive(Debug, Serialize)]
struct SecretView<'a> {
    secret_id_accessor: &'a str,
    secret_id_num_uses: i64,
    secret_id_ttl: u64,
    creation_time: String,
    expiration_time: String,
    last_updated_time: String,
    metadata: &'a std::collections::BTreeMap<String, String>,
    cidr_list: &'a [Network],
    token_bound_cidrs: &'a [Network],
}

impl<'a> SecretView<'a> {
    fn new(stored: &'a StoredSecretId) -> Self {
        let made = stored.created_at.rfc3339();
        // Go's zero time, as Vault shows what never ends.
        let never = || "0001-01-01T00:00:00Z".to_owned();
        Self {
            secret_id_accessor: &stored.accessor.0,
            secret_id_num_uses: stored.uses_left,
            secret_id_ttl: stored.ttl,
            expiration_time: stored.expires_at.map_or_else(never, Timestamp::rfc3339),
            last_updated_time: made.clone(),
            creation_time: made,
            metadata: &stored.metadata,
            cidr_list: &stored.cidrs,
            token_bound_cidrs: &stored.token_bound_cidrs,
        }
    }
}
