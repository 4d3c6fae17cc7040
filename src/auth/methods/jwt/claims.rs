//! Whether the claims of a token that is signed by somebody believed let it in by a role, and as whom. Pure: the time is
//! an argument. What a signature is worth is decided before, in [`crate::auth::jose`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{JwtError, TokenFault};
use super::matching::is_same;
use crate::model::{ClaimsType, JwtRole, Timestamp, glob};

/// Seconds that clocks may differ where a role says nothing (contract 3.4; Vault's `clock_skew_leeway`).
pub(in crate::auth::methods) const CLOCK_SKEW: i64 = 60;
/// Seconds that a token without `exp` lasts, and one without `nbf` and `iat` has lasted (Vault's other leeways).
const LEEWAY: i64 = 150;

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What the user claim says.
    pub alias: String,
    /// What the groups claim says.
    pub groups: Vec<String>,
    /// What the token carries.
    pub meta: BTreeMap<String, String>,
}

/// Whether `claims` fit `role`; `issuer` is what `iss` has to be.
pub fn judge(
    role: &JwtRole,
    issuer: Option<&str>,
    claims: &Value,
    now: Timestamp,
) -> Result<Judged, JwtError> {
    let is = |name: &str, wanted: &str| claims.get(name).and_then(Value::as_str) == Some(wanted);
    if issuer.is_some_and(|issuer| !is("iss", issuer)) {
        return Err(TokenFault::Issuer.into());
    }
    if !role.bound_subject.is_empty() && !is("sub", &role.bound_subject) {
        return Err(TokenFault::Subject.into());
    }
    audience(&role.bound_audiences, claims)?;
    in_time(&Leeways::of(role), claims, now)?;
    fresh(role, claims, now)?;
    if role.bound_audiences.is_empty() && !audiences(claims).is_empty() {
        return Err(JwtError::AudienceUnbound);
    }
    let alias = alias(role, claims)?;
    let meta = metadata(role, claims)?;
    let groups = groups(role, claims)?;
    bound(role, claims)?;
    Ok(Judged { alias, groups, meta })
}

/// A claim by its name, or by a JSON pointer where the name begins with a slash.
fn claim<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    let found = if name.starts_with('/') { claims.pointer(name) } else { claims.get(name) };
    found.filter(|value| !value.is_null())
}

/// What `aud` holds: one text or several.
pub(in crate::auth::methods) fn audiences(claims: &Value) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => vec![],
    }
}

/// One of `wanted` has to be in `aud`, where there are any.
pub(in crate::auth::methods) fn audience(
    wanted: &[String],
    claims: &Value,
) -> Result<(), TokenFault> {
    let held = audiences(claims);
    let fits = wanted.is_empty() || wanted.iter().any(|one| held.contains(&one.as_str()));
    if fits { Ok(()) } else { Err(TokenFault::Audience) }
}

/// Seconds, as they count.
#[derive(Debug, Clone, Copy)]
pub(in crate::auth::methods) struct Leeways {
    expiration: i64,
    not_before: i64,
    clock_skew: i64,
}

impl Leeways {
    fn of(role: &JwtRole) -> Self {
        Self {
            expiration: effective(role.expiration_leeway, LEEWAY),
            not_before: effective(role.not_before_leeway, LEEWAY),
            clock_skew: effective(role.clock_skew_leeway, CLOCK_SKEW),
        }
    }

    /// Where no role says anything.
    pub(in crate::auth::methods) const DEFAULT: Self =
        Self { expiration: LEEWAY, not_before: LEEWAY, clock_skew: CLOCK_SKEW };
}

/// 0 is the default, and what is below is none.
fn effective(sent: i64, default: i64) -> i64 {
    if sent == 0 { default } else { sent.max(0) }
}

/// Whether a token is valid now. One of `exp`, `nbf` and `iat` has to be there; what is missing follows from the
/// others and a leeway (contract 3.4).
pub(in crate::auth::methods) fn in_time(
    leeways: &Leeways,
    claims: &Value,
    now: Timestamp,
) -> Result<(), TokenFault> {
    let (issued, begins, ends) = (time(claims, "iat")?, time(claims, "nbf")?, time(claims, "exp")?);
    let Some(some) = ends.or(begins).or(issued) else {
        return Err(TokenFault::Timeless);
    };
    let latest = begins.max(issued).unwrap_or(some);
    let ends = ends.unwrap_or_else(|| latest.saturating_add(leeways.expiration));
    let begins = begins.or(issued).unwrap_or_else(|| ends.saturating_sub(leeways.not_before));
    let now = now.as_millis().div_euclid(1000);
    let (late, early) =
        (now.saturating_sub(leeways.clock_skew), now.saturating_add(leeways.clock_skew));
    if early < begins {
        return Err(TokenFault::NotYet);
    }
    if late > ends {
        return Err(TokenFault::Expired);
    }
    if issued.is_some_and(|issued| early < issued) {
        return Err(TokenFault::FromTheFuture);
    }
    Ok(())
}

/// A claim that is a time, in whole seconds (RFC 7519 section 2 allows a fraction). Something else is no time, and
/// never as good as a time that is not there.
fn time(claims: &Value, name: &'static str) -> Result<Option<i64>, TokenFault> {
    let number = match claims.get(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
        ) => return Err(TokenFault::NoTime(name)),
    };
    let cut = || format!("{:.0}", number.as_f64()?.floor()).parse().ok();
    number.as_i64().or_else(cut).map(Some).ok_or(TokenFault::NoTime(name))
}

/// Whether the login that the token stands for is young enough.
fn fresh(role: &JwtRole, claims: &Value, now: Timestamp) -> Result<(), JwtError> {
    if role.max_age == 0 {
        return Ok(());
    }
    let since = match time(claims, "auth_time")? {
        Some(since) => since,
        None => time(claims, "iat")?.ok_or(TokenFault::NoAge)?,
    };
    let most = i64::try_from(role.max_age).unwrap_or(i64::MAX);
    let skew = effective(role.clock_skew_leeway, CLOCK_SKEW);
    let last = since.saturating_add(most).saturating_add(skew);
    if now.as_millis().div_euclid(1000) > last { Err(TokenFault::TooOld.into()) } else { Ok(()) }
}

fn alias(role: &JwtRole, claims: &Value) -> Result<String, JwtError> {
    let name = &role.user_claim;
    let found = if role.user_claim_json_pointer { claims.pointer(name) } else { claims.get(name) };
    match found {
        None | Some(Value::Null) => Err(JwtError::NoClaim(name.clone())),
        Some(Value::String(text)) if text.is_empty() => Err(JwtError::NoClaim(name.clone())),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(JwtError::ClaimNoText(name.clone()))
        }
    }
}

fn metadata(role: &JwtRole, claims: &Value) -> Result<BTreeMap<String, String>, JwtError> {
    let mut meta = BTreeMap::from([("role".to_owned(), role.name.clone())]);
    for (source, target) in &role.claim_mappings {
        let text = match claim(claims, source) {
            None => continue,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                return Err(JwtError::MetadataNoText(source.clone()));
            }
        };
        meta.insert(target.clone(), text);
    }
    Ok(meta)
}

fn groups(role: &JwtRole, claims: &Value) -> Result<Vec<String>, JwtError> {
    if role.groups_claim.is_empty() {
        return Ok(Vec::new());
    }
    let name = || role.groups_claim.clone();
    let found = claim(claims, &role.groups_claim).ok_or_else(|| JwtError::NoGroups(name()))?;
    let several = match found {
        Value::Array(several) => several.as_slice(),
        one @ Value::String(_) => std::slice::from_ref(one),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(JwtError::GroupsNoList(name()));
        }
    };
    let mut groups = Vec::new();
    for group in several {
        let group = group.as_str().ok_or_else(|| JwtError::GroupNoText(name()))?;
        if !group.is_empty() {
            groups.push(group.to_owned());
        }
    }
    Ok(groups)
}

/// Every bound claim has to be there with one of its values.
fn bound(role: &JwtRole, claims: &Value) -> Result<(), JwtError> {
    let fits = |wanted: &Value, held: &Value| match role.bound_claims_type {
        ClaimsType::String => is_same(wanted, held),
        ClaimsType::Glob => match (wanted, held) {
            (Value::String(wanted), Value::String(held)) => glob::matches(wanted, held),
            (_, _) => false,
        },
    };
    for (name, wanted) in &role.bound_claims {
        let held = claim(claims, name).ok_or_else(|| JwtError::ClaimMissing(name.clone()))?;
        let held = listed(held).ok_or_else(|| JwtError::ClaimNoList(name.clone()))?;
        // A role with something else is not written.
        let wanted = listed(wanted).unwrap_or_default();
        if !wanted.iter().any(|wanted| held.iter().any(|held| fits(wanted, held))) {
            return Err(JwtError::ClaimDiffers(name.clone()));
        }
    }
    Ok(())
}

/// The values of a list, or a value that is one by itself.
pub(super) fn listed(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(several) => Some(several),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Some(std::slice::from_ref(value)),
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
