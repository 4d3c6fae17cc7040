//! `auth/token` (contract 3.2): make, show, renew and end tokens. Only shapes live here; the rules are
//! in [`crate::auth`]. A token is shown to nobody but the one who made or sent it.

use serde_json::Value;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field};
use super::pipeline::{Answered, Call};
use crate::auth::{NewToken, Parentage};
use crate::model::duration;
use crate::model::{Accessor, ClientToken, TokenKind};

/// What making a token takes.
pub(super) const CREATE: &[Field] = &[
    field("id", Kind::Secret),
    field("policies", Kind::Names),
    field("meta", Kind::Pairs),
    field("no_parent", Kind::Bool),
    field("no_default_policy", Kind::Bool),
    field("renewable", Kind::Bool),
    field("ttl", Kind::Text),
    field("lease", Kind::Text),
    field("explicit_max_ttl", Kind::Text),
    field("period", Kind::Text),
    field("display_name", Kind::Text),
    field("num_uses", Kind::Int),
    field("type", Kind::Text),
    field("entity_alias", Kind::Text),
];

/// A token that is named.
pub(super) const TOKEN: &[Field] = &[field("token", Kind::Any)];

/// What renewing takes; some clients send the token along to renew their own.
pub(super) const RENEW: &[Field] = &[field("token", Kind::Any), field("increment", Kind::Seconds)];

/// A token that is named by its accessor.
pub(super) const ACCESSOR: &[Field] =
    &[field("accessor", Kind::Text), field("increment", Kind::Seconds)];

/// POST and PUT `auth/token/create`.
pub(super) async fn create(mut call: Call) -> Answered {
    let new = new_token(&mut call.fields)?;
    let granted = call.wire.auth.create(call.caller()?, new).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// POST and PUT `auth/token/create-orphan`.
pub(super) async fn create_orphan(mut call: Call) -> Answered {
    let new = NewToken { parentage: Parentage::OrphanByPath, ..new_token(&mut call.fields)? };
    let granted = call.wire.auth.create(call.caller()?, new).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// `auth/token/lookup`; without a token it is the caller's own.
pub(super) async fn lookup(mut call: Call) -> Answered {
    let Some(token) = named_token(&mut call.fields)? else {
        return lookup_self(call).await;
    };
    let found = call.wire.auth.lookup(&token).await?;
    Answer::looked_up(&found, Some(&token))
}

/// `auth/token/lookup-self`.
pub(super) async fn lookup_self(call: Call) -> Answered {
    let found = call.wire.auth.lookup_self(call.caller()?).await?;
    Answer::looked_up(&found, Some(call.token()?))
}

/// POST and PUT `auth/token/renew`.
pub(super) async fn renew(mut call: Call) -> Answered {
    let token = required_token(&mut call.fields, "renewed")?;
    let increment = call.fields.seconds("increment").unwrap_or(0);
    let granted = call.wire.auth.renew(&token, increment).await.map_err(ApiError::renewing)?;
    Answer::granted(&granted, Some(&token), call.wire.clock.now())
}

/// POST and PUT `auth/token/renew-self`.
pub(super) async fn renew_self(mut call: Call) -> Answered {
    let increment = call.fields.seconds("increment").unwrap_or(0);
    let granted = call.wire.auth.renew_self(call.caller()?, increment).await?;
    Answer::granted(&granted, Some(call.token()?), call.wire.clock.now())
}

/// POST and PUT `auth/token/revoke`; one that is not there has ended already.
pub(super) async fn revoke(mut call: Call) -> Answered {
    let token = required_token(&mut call.fields, "revoked")?;
    call.wire.auth.revoke(&token).await?;
    Ok(Answer::nothing())
}

/// POST and PUT `auth/token/revoke-self`.
pub(super) async fn revoke_self(call: Call) -> Answered {
    call.wire.auth.revoke_self(call.caller()?).await?;
    Ok(Answer::nothing())
}

/// LIST `auth/token/accessors`.
pub(super) async fn accessors(call: Call) -> Answered {
    Ok(Answer::keys(call.wire.auth.accessors().await?))
}

/// POST `auth/token/lookup-accessor`; the token itself is not known here.
pub(super) async fn lookup_accessor(mut call: Call) -> Answered {
    let accessor = accessor(&mut call.fields)?;
    Answer::looked_up(&call.wire.auth.lookup_accessor(&accessor).await?, None)
}

/// POST and PUT `auth/token/renew-accessor`.
pub(super) async fn renew_accessor(mut call: Call) -> Answered {
    let accessor = accessor(&mut call.fields)?;
    let increment = call.fields.seconds("increment").unwrap_or(0);
    let granted = call.wire.auth.renew_accessor(&accessor, increment).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// POST and PUT `auth/token/revoke-accessor`.
pub(super) async fn revoke_accessor(mut call: Call) -> Answered {
    let accessor = accessor(&mut call.fields)?;
    let ended = call.wire.auth.revoke_accessor(&accessor).await?;
    let warning = || "No token found with this accessor".to_owned();
    Ok(Answer::done((!ended).then(warning).into_iter().collect()))
}

/// POST and PUT `auth/token/revoke-orphan`. That `sudo` is lacking is told with 400 here.
pub(super) async fn revoke_orphan(mut call: Call) -> Answered {
    if !call.wire.auth.has_sudo(call.caller()?, "auth/token/revoke-orphan").await? {
        return Err(ApiError::OrphanWithoutSudo);
    }
    let token = required_token(&mut call.fields, "revoked")?;
    if call.wire.auth.revoke_orphan(&token).await? {
        Ok(Answer::nothing())
    } else {
        Err(ApiError::OrphanTarget)
    }
}

/// POST `auth/token/tidy`. Ended tokens and their leases are looked after all the time.
pub(super) async fn tidy(_call: Call) -> Answered {
    const STARTED: &str = "Tidy operation successfully started. Any information from the operation \
        will be printed to Vault's server logs.";
    Ok(Answer::accepted_saying(STARTED))
}

fn accessor(fields: &mut Fields) -> Result<Accessor, ApiError> {
    fields.filled_text("accessor").map(Accessor).ok_or(ApiError::AccessorMissing)
}

/// What a new token is to be.
pub(super) fn new_token(fields: &mut Fields) -> Result<NewToken, ApiError> {
    let kind = match fields.text("type").as_deref() {
        None | Some("") => None,
        Some("service") => Some(TokenKind::Service),
        Some("batch") => Some(TokenKind::Batch),
        Some(_) => return Err(ApiError::TokenType),
    };
    let ttl = seconds(fields, "ttl")?;
    Ok(NewToken {
        id: fields.filled_text("id").map(custom_id).transpose()?,
        policies: fields.list("policies").unwrap_or_default(),
        meta: fields.pairs("meta").flatten(),
        parentage: match fields.bool("no_parent") {
            Some(true) => Parentage::OrphanByField,
            Some(false) | None => Parentage::Child,
        },
        no_default_policy: fields.bool("no_default_policy").unwrap_or_default(),
        renewable: fields.bool("renewable").unwrap_or(true),
        // `lease` is the old name.
        ttl: ttl.or(seconds(fields, "lease")?),
        explicit_max_ttl: seconds(fields, "explicit_max_ttl")?,
        period: seconds(fields, "period")?,
        display_name: fields.filled_text("display_name"),
        num_uses: fields.int("num_uses").unwrap_or(0),
        kind,
        entity_alias: fields.filled_text("entity_alias"),
    })
}

/// These durations are texts to the framework, so their errors come bare.
fn seconds(fields: &mut Fields, name: &str) -> Result<Option<i64>, ApiError> {
    let text = fields.filled_text(name);
    text.map(|text| duration::parse_seconds(&text).map_err(ApiError::BadDuration)).transpose()
}

/// A chosen id must not look like one that was made here.
fn custom_id(id: String) -> Result<ClientToken, ApiError> {
    let looks_like = if id.starts_with("hvs.") {
        "the 'hvs.' prefix"
    } else if id.starts_with("s.") {
        "the 's.' prefix"
    } else if id.contains('.') {
        "a '.' in the value"
    } else {
        return Ok(ClientToken::new(id));
    };
    Err(ApiError::CustomId(looks_like))
}

fn named_text(fields: &mut Fields) -> Result<Option<String>, ApiError> {
    match fields.any("token") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok((!text.is_empty()).then_some(text)),
        Some(_) => Err(ApiError::TokenNotText),
    }
}

fn named_token(fields: &mut Fields) -> Result<Option<ClientToken>, ApiError> {
    Ok(named_text(fields)?.map(ClientToken::new))
}

fn required_token(fields: &mut Fields, what: &'static str) -> Result<ClientToken, ApiError> {
    let text = named_text(fields)?.ok_or(ApiError::TokenMissing)?;
    if text.starts_with("hvb.") {
        return Err(ApiError::BatchToken(what));
    }
    Ok(ClientToken::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn new(body: &Value) -> Result<NewToken, String> {
        let mut fields = Fields::read(CREATE, body.as_object().cloned().unwrap()).unwrap();
        new_token(&mut fields).map_err(|error| error.told().errors.join("|"))
    }

    #[test]
    fn what_terraform_sends_is_read() {
        let new =
            new(&json!({"display_name": "terraform", "ttl": "1200s", "explicit_max_ttl": "1200s",
            "renewable": false, "policies": "a,b"}))
            .unwrap();
        assert_eq!((new.ttl, new.explicit_max_ttl, new.period), (Some(1200), Some(1200), None));
        assert_eq!((new.display_name.as_deref(), new.renewable), (Some("terraform"), false));
        assert_eq!(new.policies, ["a,b"]);
    }

    #[test]
    fn what_cannot_be_is_told_in_the_contracts_words() {
        let told = |body: Value| new(&body).unwrap_err();
        assert_eq!(told(json!({"ttl": "abc"})), r#"time: invalid duration "abc""#);
        assert_eq!(told(json!({"type": "other"})), "invalid 'token_type' value");
        assert_eq!(told(json!({"id": "hvs.x"})), "custom token ID cannot have the 'hvs.' prefix");
        assert_eq!(told(json!({"id": "s.x"})), "custom token ID cannot have the 's.' prefix");
        assert_eq!(told(json!({"id": "a.x"})), "custom token ID cannot have a '.' in the value");
    }

    #[test]
    fn a_named_token_is_a_text() {
        let named = |value: Value| {
            let mut fields =
                Fields::read(TOKEN, json!({"token": value}).as_object().cloned().unwrap()).unwrap();
            required_token(&mut fields, "revoked").map(drop).map_err(|error| error.told())
        };
        assert_eq!(named(json!("x")), Ok(()));
        assert_eq!(named(json!("")).unwrap_err().errors, ["missing token ID"]);
        assert_eq!(named(json!("hvb.x")).unwrap_err().errors, ["batch tokens cannot be revoked"]);
        let odd = named(json!(5)).unwrap_err();
        assert_eq!((odd.status, odd.errors), (403, vec!["invalid token".to_owned()]));
    }
}
