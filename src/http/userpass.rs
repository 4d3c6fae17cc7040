//! `auth/<userpass>`: users with a password, and their logins. Only shapes live here; the rules are
//! [`crate::auth::methods::userpass`]'. No answer shows anything of a password.

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use super::token_params::{ParamsView, change, with_token_fields};
use crate::auth::methods::{MethodError, ParamsChange};
use crate::model::{Password, RoleName};

/// What writing a user takes; the last four are old names.
pub(super) const USER: &[Field] = with_token_fields![
    path_field("username"),
    field("password", Kind::Secret),
    field("policies", Kind::List),
    field("ttl", Kind::Seconds),
    field("max_ttl", Kind::Seconds),
    field("bound_cidrs", Kind::List),
];

/// A new password, or a login.
pub(super) const PASSWORD: &[Field] = &[path_field("username"), field("password", Kind::Secret)];

/// Other policies.
pub(super) const POLICIES: &[Field] =
    &[path_field("username"), field("token_policies", Kind::List), field("policies", Kind::List)];

/// The user in the path.
fn user(call: &Call) -> Result<&str, ApiError> {
    let is_name = call.captured.parse::<RoleName>().is_ok();
    if is_name { Ok(&call.captured) } else { Err(ApiError::UnsupportedPath) }
}

fn password(fields: &mut Fields) -> Option<Password> {
    fields.filled_text("password").map(Password::new)
}

/// POST and PUT `login/:username`.
pub(super) async fn login(mut call: Call) -> Answered {
    let sent = password(&mut call.fields);
    let auth = &call.wire.auth;
    let granted = auth.log_in_user(call.method()?, user(&call)?, sent, call.remote).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// GET `users/:username`.
pub(super) async fn read(call: Call) -> Answered {
    let found = call.wire.auth.login_user(call.method()?, user(&call)?).await?;
    Answer::data(&ParamsView::new(&found.ok_or(ApiError::NotFound)?.token))
}

/// POST and PUT `users/:username`.
pub(super) async fn write(mut call: Call) -> Answered {
    let sent = password(&mut call.fields);
    let change = change(&mut call.fields);
    call.wire.auth.write_login_user(call.method()?, user(&call)?, sent, change).await?;
    Ok(Answer::nothing())
}

/// DELETE `users/:username`.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.auth.remove_login(call.method()?, user(&call)?).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `users/:username/password`.
pub(super) async fn set_password(mut call: Call) -> Answered {
    let sent = password(&mut call.fields).ok_or(MethodError::PasswordMissing)?;
    changed(&call, Some(sent), ParamsChange::default()).await
}

/// POST and PUT `users/:username/policies`.
pub(super) async fn set_policies(mut call: Call) -> Answered {
    let change = change(&mut call.fields);
    changed(&call, None, change).await
}

async fn changed(call: &Call, password: Option<Password>, change: ParamsChange) -> Answered {
    let auth = &call.wire.auth;
    auth.change_login_user(call.method()?, user(call)?, password, change).await?;
    Ok(Answer::nothing())
}
