//! Roles of a `jwt` mount (contract 3.4): merged and checked, pure. A role that would let in whatever the issuer signs is
//! never written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tracing::info;

use super::super::params::changed;
use super::super::{EffectiveTtls, MethodError, ParamsChange};
use super::claims::listed;
use super::error::JwtError;
use crate::auth::Auth;
use crate::model::{AuthMount, BrowserFields, ClaimsType, JwtRole};

/// A change of a role; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JwtRoleChange {
    /// `jwt`; what else is sent is refused.
    pub role_type: Option<String>,
    /// `bound_audiences`.
    pub bound_audiences: Option<Vec<String>>,
    /// `bound_subject`.
    pub bound_subject: Option<String>,
    /// `bound_claims`.
    pub bound_claims: Option<Map<String, Value>>,
    /// `string` or `glob`.
    pub bound_claims_type: Option<String>,
    /// `claim_mappings`.
    pub claim_mappings: Option<BTreeMap<String, String>>,
    /// `user_claim`.
    pub user_claim: Option<String>,
    /// `user_claim_json_pointer`.
    pub user_claim_json_pointer: Option<bool>,
    /// `groups_claim`.
    pub groups_claim: Option<String>,
    /// `expiration_leeway`, in seconds.
    pub expiration_leeway: Option<i64>,
    /// `not_before_leeway`, in seconds.
    pub not_before_leeway: Option<i64>,
    /// `clock_skew_leeway`, in seconds.
    pub clock_skew_leeway: Option<i64>,
    /// `max_age`, in seconds.
    pub max_age: Option<u64>,
    /// `allowed_redirect_uris`.
    pub allowed_redirect_uris: Option<Vec<String>>,
    /// `oidc_scopes`.
    pub oidc_scopes: Option<Vec<String>>,
    /// `verbose_oidc_logging`.
    pub verbose_oidc_logging: Option<bool>,
    /// The `token_*` fields.
    pub token: ParamsChange,
}

/// What the token carries of itself.
const RESERVED: &str = "role";

impl Auth {
    /// A role.
    pub async fn jwt_role(
        &self,
        mount: &AuthMount,
        name: &str,
    ) -> Result<Option<JwtRole>, MethodError> {
        Ok(self.parts.store.jwt_role(&mount.id, &name.to_lowercase()).await?)
    }

    /// Writes a role, new or there already; gives warnings.
    pub async fn write_jwt_role(
        &self,
        mount: &AuthMount,
        name: &str,
        change: JwtRoleChange,
    ) -> Result<Vec<String>, MethodError> {
        let _alone = self.methods.changing.lock().await;
        let name = name.to_lowercase();
        let stored = self.jwt_role(mount, &name).await?;
        let stored = stored.unwrap_or_else(|| JwtRole { name: name.clone(), ..JwtRole::default() });
        let role = merged(stored, change)?;
        self.parts.store.put_jwt_role(&mount.id, &role).await?;
        info!(role.name = %name, mount.path = %mount.path, "role {name} of auth/{} written", mount.path);
        let too_long = role.token.max_ttl > EffectiveTtls::of(mount).max;
        let warning = "token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated";
        Ok(too_long.then(|| warning.to_owned()).into_iter().collect())
    }
}

fn merged(stored: JwtRole, change: JwtRoleChange) -> Result<JwtRole, MethodError> {
    match change.role_type.as_deref() {
        None | Some("" | "jwt") => {}
        Some("oidc") => return Err(JwtError::BrowserRole.into()),
        Some(other) => return Err(JwtError::RoleType(other.to_owned()).into()),
    }
    let browser = BrowserFields {
        allowed_redirect_uris: change
            .allowed_redirect_uris
            .unwrap_or(stored.browser.allowed_redirect_uris),
        oidc_scopes: change.oidc_scopes.unwrap_or(stored.browser.oidc_scopes),
        verbose_oidc_logging: change
            .verbose_oidc_logging
            .unwrap_or(stored.browser.verbose_oidc_logging),
    };
    let role = JwtRole {
        name: stored.name,
        bound_audiences: change.bound_audiences.map_or(stored.bound_audiences, filled),
        bound_subject: change.bound_subject.unwrap_or(stored.bound_subject),
        bound_claims: change.bound_claims.unwrap_or(stored.bound_claims),
        // What is not sent is the default again, as in Vault.
        bound_claims_type: claims_type(change.bound_claims_type.as_deref())?,
        claim_mappings: change.claim_mappings.unwrap_or(stored.claim_mappings),
        user_claim: change.user_claim.unwrap_or(stored.user_claim),
        user_claim_json_pointer: change
            .user_claim_json_pointer
            .unwrap_or(stored.user_claim_json_pointer),
        groups_claim: change.groups_claim.unwrap_or(stored.groups_claim),
        expiration_leeway: change.expiration_leeway.unwrap_or(stored.expiration_leeway),
        not_before_leeway: change.not_before_leeway.unwrap_or(stored.not_before_leeway),
        clock_skew_leeway: change.clock_skew_leeway.unwrap_or(stored.clock_skew_leeway),
        max_age: change.max_age.unwrap_or(stored.max_age),
        browser,
        token: changed(stored.token, change.token)?,
    };
    check(&role)?;
    Ok(role)
}

/// An empty audience would fit an empty one.
fn filled(sent: Vec<String>) -> Vec<String> {
    sent.into_iter().filter(|one| !one.is_empty()).collect()
}

fn claims_type(sent: Option<&str>) -> Result<ClaimsType, JwtError> {
    match sent {
        None | Some("string") => Ok(ClaimsType::String),
        Some("glob") => Ok(ClaimsType::Glob),
        Some(other) => Err(JwtError::ClaimsType(other.to_owned())),
    }
}

fn check(role: &JwtRole) -> Result<(), JwtError> {
    for (name, wanted) in &role.bound_claims {
        let several = listed(wanted).ok_or_else(|| JwtError::BoundClaim(name.clone()))?;
        for one in several {
            let is_text = one.is_string();
            if !is_text && role.bound_claims_type == ClaimsType::Glob {
                return Err(JwtError::GlobNoText(name.clone()));
            }
            if !is_text && !one.is_boolean() && !one.is_number() {
                return Err(JwtError::BoundClaim(name.clone()));
            }
        }
    }
    let mut targets: Vec<&String> = role.claim_mappings.values().collect();
    targets.sort_unstable();
    for target in &targets {
        if *target == RESERVED {
            return Err(JwtError::Reserved((*target).clone()));
        }
    }
    for pair in targets.windows(2) {
        if let [one, other] = pair
            && one == other
        {
            return Err(JwtError::MappedTwice((*one).clone()));
        }
    }
    if role.user_claim.is_empty() {
        return Err(JwtError::NoUserClaim);
    }
    if role.user_claim_json_pointer && !role.user_claim.starts_with('/') {
        return Err(JwtError::NoPointer);
    }
    let bound = !role.bound_audiences.is_empty()
        || !role.token.bound_cidrs.is_empty()
        || !role.bound_subject.is_empty()
        || !role.bound_claims.is_empty();
    if bound { Ok(()) } else { Err(JwtError::Unbound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(body: Value) -> JwtRoleChange {
        let Value::Object(bound_claims) = body else { panic!("no object") };
        JwtRoleChange {
            user_claim: Some("sub".to_owned()),
            bound_claims: Some(bound_claims),
            ..JwtRoleChange::default()
        }
    }

    fn told(change: JwtRoleChange) -> String {
        merged(JwtRole::default(), change).unwrap_err().to_string()
    }

    #[test]
    fn a_role_keeps_what_is_not_sent() {
        let first = JwtRoleChange {
            bound_audiences: Some(vec!["a".to_owned(), String::new()]),
            bound_claims_type: Some("glob".to_owned()),
            clock_skew_leeway: Some(-1),
            ..sent(json!({ "repository": "octo/*" }))
        };
        let role = merged(JwtRole::default(), first).unwrap();
        assert_eq!(role.bound_audiences, ["a"]);
        assert_eq!((role.bound_claims_type, role.clock_skew_leeway), (ClaimsType::Glob, -1));
        let again = JwtRoleChange {
            bound_claims_type: Some("glob".to_owned()),
            ..JwtRoleChange::default()
        };
        assert_eq!(merged(role.clone(), again).unwrap(), role);
    }

    #[test]
    fn a_role_that_would_let_everybody_in_is_refused() {
        let unbound = "must have at least one bound constraint when creating/updating a role";
        assert_eq!(told(sent(json!({}))), unbound);
        let empty = JwtRoleChange { bound_audiences: Some(vec![String::new()]), ..sent(json!({})) };
        assert_eq!(told(empty), unbound);
        let nobody = JwtRoleChange { user_claim: None, ..sent(json!({ "a": "b" })) };
        assert_eq!(told(nobody), "a user claim must be defined on the role");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        assert!(told(sent(json!({ "a": { "b": 1 } }))).starts_with("the bound claim \"a\" is not"));
        assert!(told(sent(json!({ "a": [null] }))).starts_with("the bound claim \"a\" is not"));
        let glob = JwtRoleChange {
            bound_claims_type: Some("glob".to_owned()),
            ..sent(json!({ "a": ["x", 1] }))
        };
        assert_eq!(told(glob), "claim is not a string: \"a\"");
        let odd = JwtRoleChange {
            bound_claims_type: Some("regex".to_owned()),
            ..sent(json!({ "a": "b" }))
        };
        assert_eq!(told(odd), "invalid 'bound_claims_type': regex");
    }

    #[test]
    fn browsers_and_reserved_metadata_are_refused() {
        let with = |role_type: &str| JwtRoleChange {
            role_type: Some(role_type.to_owned()),
            ..sent(json!({ "a": "b" }))
        };
        assert!(merged(JwtRole::default(), with("jwt")).is_ok());
        assert!(told(with("oidc")).starts_with("roles of 'role_type' oidc are not offered"));
        assert_eq!(told(with("saml")), "invalid 'role_type': saml");
        let mapped = |pairs: &[(&str, &str)]| JwtRoleChange {
            claim_mappings: Some(
                pairs.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect(),
            ),
            ..sent(json!({ "a": "b" }))
        };
        let reserved = "metadata key \"role\" is reserved and may not be a mapping destination";
        assert_eq!(told(mapped(&[("x", "role")])), reserved);
        let twice = "multiple keys are mapped to metadata key \"m\"";
        assert_eq!(told(mapped(&[("x", "m"), ("y", "m"), ("z", "a")])), twice);
    }
}
