//! Whom a role lets in: its trust policy, read as IAM reads it for callers of the same account.
//! A condition other than on `sts:ExternalId` is not known here and keeps the caller out. What the
//! caller's own policies say is given by [`crate::authorize`].

use iam_policy::decide::Outcome;
use serde_json::Value;

use crate::authorize;
use crate::service::Request;
use crate::state::Role;

/// Whether the caller may do this to the role: assume it, or pass tags with that. Where the role trusts the account, the caller's own policies
/// must allow it; where it trusts the caller by name, they must not deny it.
pub(super) fn allows(request: &Request<'_>, role: &Role, action: &str, own: Outcome) -> bool {
    let Ok(trust) = serde_json::from_str::<Value>(&role.trust) else {
        return false;
    };
    let statements = trust.get("Statement").map(list).unwrap_or_default();
    let fitting: Vec<_> = statements.into_iter().filter(|s| fits(request, s, action)).collect();
    let effect = |s: &Value, effect: &str| s.get("Effect").and_then(Value::as_str) == Some(effect);
    if own == Outcome::ExplicitlyDenied || fitting.iter().any(|s| effect(s, "Deny")) {
        return false;
    }
    let mut allowing = fitting.iter().filter(|s| effect(s, "Allow"));
    allowing.any(|s| own == Outcome::Allowed || names_caller(request, s))
}

fn fits(request: &Request<'_>, statement: &Value, action: &str) -> bool {
    let actions = statement.get("Action").map(list).unwrap_or_default();
    let wanted = action.to_ascii_lowercase();
    let action = actions.iter().filter_map(|a| a.as_str()).any(|action| {
        [wanted.as_str(), "sts:*", "*"].contains(&action.to_ascii_lowercase().as_str())
    });
    let account = request.account;
    let root = format!("arn:aws:iam::{account}:root");
    let by_account = principals(statement).iter().any(|p| [account, root.as_str()].contains(p));
    action && (by_account || names_caller(request, statement)) && condition(request, statement)
}

fn names_caller(request: &Request<'_>, statement: &Value) -> bool {
    let caller = authorize::arn(request.caller, request.state, request.account);
    principals(statement).iter().any(|p| *p == "*" || *p == caller)
}

fn principals(statement: &Value) -> Vec<&str> {
    match statement.get("Principal") {
        Some(Value::String(all)) => vec![all.as_str()],
        Some(principal) => {
            let named = principal.get("AWS").map(list).unwrap_or_default();
            named.into_iter().filter_map(Value::as_str).collect()
        }
        None => Vec::new(),
    }
}

fn condition(request: &Request<'_>, statement: &Value) -> bool {
    let Some(condition) = statement.get("Condition").and_then(Value::as_object) else {
        return true;
    };
    let given = request.form.get("ExternalId");
    condition.iter().all(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        operator == "StringEquals"
            && keys.into_iter().all(|(key, values)| {
                key.eq_ignore_ascii_case("sts:ExternalId")
                    && list(values).iter().any(|value| value.as_str() == given && given.is_some())
            })
    })
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}
