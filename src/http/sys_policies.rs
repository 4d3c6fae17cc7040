//! ACL policies and what they let somebody do (contract 2.4): `sys/policies/acl`, the old `sys/policy`,
//! `sys/capabilities*`. Only shapes live here; the rules are [`crate::auth`]'s.

use std::collections::BTreeMap;

use serde_json::json;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::auth::{AuthError, Rights, acl};
use crate::model::{Accessor, ClientToken, encoding};

/// What writing a policy takes.
pub(super) const WRITE: &[Field] = &[path_field("name"), field("policy", Kind::Text)];

/// What writing by the old path takes.
pub(super) const OLD_WRITE: &[Field] =
    &[path_field("name"), field("policy", Kind::Text), field("rules", Kind::Text)];

/// Whose capabilities, for which paths.
pub(super) const CAPABILITIES: &[Field] = &[
    field("paths", Kind::List),
    field("path", Kind::List),
    field("token", Kind::Text),
    field("accessor", Kind::Text),
];

/// LIST `sys/policies/acl`.
pub(super) async fn list(call: Call) -> Answered {
    Ok(Answer::keys(call.wire.auth.policy_names().await.map_err(AuthError::from)?))
}

/// GET and LIST `sys/policy`: under two names.
pub(super) async fn list_old(call: Call) -> Answered {
    let names = call.wire.auth.policy_names().await.map_err(AuthError::from)?;
    Answer::data(&json!({"keys": names, "policies": names}))
}

/// GET `sys/policies/acl/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let (name, text) = found(&call).await?;
    Answer::data(&json!({"name": name, "policy": text}))
}

/// GET `sys/policy/:name`.
pub(super) async fn read_old(call: Call) -> Answered {
    let (name, text) = found(&call).await?;
    Answer::data(&json!({"name": name, "rules": text}))
}

async fn found(call: &Call) -> Result<(String, String), ApiError> {
    let name = call.captured.to_lowercase();
    // It has no text, and Vault shows it as an empty one.
    if name == acl::ROOT {
        return Ok((name, String::new()));
    }
    let text = call.wire.auth.policy(&name).await.map_err(AuthError::from)?;
    Ok((name, text.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `sys/policies/acl/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let text = call.fields.filled_text("policy").unwrap_or_default();
    written(&call, &text, Vec::new()).await
}

/// POST and PUT `sys/policy/:name`.
pub(super) async fn write_old(mut call: Call) -> Answered {
    let (policy, rules) = (call.fields.filled_text("policy"), call.fields.filled_text("rules"));
    let warnings = match (&policy, &rules) {
        (None, Some(_)) => vec!["'rules' is deprecated, please use 'policy' instead".to_owned()],
        _ => Vec::new(),
    };
    written(&call, &policy.or(rules).unwrap_or_default(), warnings).await
}

async fn written(call: &Call, text: &str, mut warnings: Vec<String>) -> Answered {
    let name = call.captured.to_lowercase();
    if name != call.captured {
        warnings.push(format!("policy name was converted to {name}"));
    }
    call.wire.auth.write_policy(&name, &plain(text)).await?;
    Ok(Answer::done(warnings))
}

/// Some clients send the text as base64; what does not decode to text is taken as it stands.
fn plain(text: &str) -> String {
    encoding::decode_base64(text.trim()).unwrap_or_else(|_plain| text.to_owned())
}

/// DELETE of either path.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.auth.delete_policy(&call.captured.to_lowercase()).await?;
    Ok(Answer::nothing())
}

/// POST `sys/capabilities-self`.
pub(super) async fn capabilities_self(mut call: Call) -> Answered {
    let rights = call.wire.auth.rights_of(call.caller()?.token()).await?;
    told(&mut call, &rights)
}

/// POST `sys/capabilities`: of the token that is named.
pub(super) async fn capabilities(mut call: Call) -> Answered {
    let token = call.fields.filled_text("token").ok_or(ApiError::NoTokenFound)?;
    let found = call.wire.auth.lookup(&ClientToken::new(token)).await;
    let found = found.map_err(|error| {
        let unknown = matches!(error, AuthError::NoSuchToken);
        if unknown { ApiError::CapabilitiesToken } else { error.into() }
    })?;
    let rights = call.wire.auth.rights_of(&found.token).await?;
    told(&mut call, &rights)
}

/// POST `sys/capabilities-accessor`.
pub(super) async fn capabilities_accessor(mut call: Call) -> Answered {
    let accessor = call.fields.filled_text("accessor").ok_or(ApiError::AccessorMissing)?;
    let found = call.wire.auth.lookup_accessor(&Accessor(accessor)).await?;
    let rights = call.wire.auth.rights_of(&found.token).await?;
    told(&mut call, &rights)
}

fn told(call: &mut Call, rights: &Rights) -> Answered {
    let paths = call.fields.list("paths").unwrap_or_default();
    let path = call.fields.list("path").unwrap_or_default();
    let paths = if paths.is_empty() { path } else { paths };
    if paths.is_empty() {
        return Err(ApiError::PathsMissing);
    }
    if paths.iter().any(String::is_empty) {
        return Err(ApiError::PathEmpty);
    }
    let mut capabilities = BTreeMap::new();
    for path in paths {
        let words = call.wire.auth.capabilities(rights, &path);
        capabilities.insert(path, words);
    }
    if let (1, Some(only)) = (capabilities.len(), capabilities.values().next().cloned()) {
        capabilities.insert("capabilities".to_owned(), only);
    }
    Answer::data(&capabilities)
}

/// GET `sys/internal/ui/resultant-acl`: the caller's rules as user interfaces read them.
pub(super) async fn resultant(call: Call) -> Answered {
    let caller = call.caller()?;
    if caller.is_root() {
        return Answer::data(&json!({"root": true}));
    }
    let rules = call.wire.auth.acl_of(caller).await?;
    let shown = |exact: bool| -> BTreeMap<_, _> {
        let rules = rules.rules().filter(|rule| rule.exact == exact);
        rules.map(|rule| (rule.path, json!({"capabilities": rule.capabilities}))).collect()
    };
    Answer::data(&json!({"root": false, "exact_paths": shown(true), "glob_paths": shown(false)}))
}
