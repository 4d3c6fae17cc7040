//! Roles of a `kubernetes` mount (contract 3.5): merged and checked, pure. A role names service accounts and namespaces,
//! or says with `*` that it means all of them.

use tracing::info;

use super::super::params::changed;
use super::super::{EffectiveTtls, MethodError, ParamsChange};
use super::error::KubernetesError;
use crate::auth::Auth;
use crate::model::{AliasNameSource, AuthMount, KubernetesRole};

/// A change of a role; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesRoleChange {
    /// `bound_service_account_names`.
    pub names: Option<Vec<String>>,
    /// `bound_service_account_namespaces`.
    pub namespaces: Option<Vec<String>>,
    /// `bound_service_account_namespace_selector`, which is not offered.
    pub selector: Option<String>,
    /// `audience`.
    pub audience: Option<String>,
    /// `serviceaccount_uid` or `serviceaccount_name`.
    pub alias_name_source: Option<String>,
    /// The `token_*` fields.
    pub token: ParamsChange,
}

impl Auth {
    /// A role.
    pub async fn kubernetes_role(
        &self,
        mount: &AuthMount,
        name: &str,
    ) -> Result<Option<KubernetesRole>, MethodError> {
        Ok(self.parts.store.kubernetes_role(&mount.id, &name.to_lowercase()).await?)
    }

    /// Writes a role, new or there already; gives warnings.
    pub async fn write_kubernetes_role(
        &self,
        mount: &AuthMount,
        name: &str,
        change: KubernetesRoleChange,
    ) -> Result<Vec<String>, MethodError> {
        let _alone = self.methods.changing.lock().await;
        let name = name.to_lowercase();
        let stored = self.kubernetes_role(mount, &name).await?;
        let stored = stored
            .unwrap_or_else(|| KubernetesRole { name: name.clone(), ..KubernetesRole::default() });
        let role = merged(stored, change)?;
        self.parts.store.put_kubernetes_role(&mount.id, &role).await?;
        info!(role.name = %name, mount.path = %mount.path, "role {name} of auth/{} written", mount.path);
        let mut warnings = Vec::new();
        if role.token.max_ttl > EffectiveTtls::of(mount).max {
            warnings.push("max_ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated".to_owned());
        }
        if role.audience.trim().is_empty() {
            warnings.push("This role does not specify an audience. In a future version of Vault, specifying an audience will be required.".to_owned());
        }
        Ok(warnings)
    }
}

fn merged(
    stored: KubernetesRole,
    change: KubernetesRoleChange,
) -> Result<KubernetesRole, MethodError> {
    if change.selector.is_some_and(|sent| !sent.is_empty()) {
        return Err(KubernetesError::Selector.into());
    }
    let role = KubernetesRole {
        name: stored.name,
        service_account_names: change.names.map_or(stored.service_account_names, filled),
        service_account_namespaces: change
            .namespaces
            .map_or(stored.service_account_namespaces, filled),
        audience: change.audience.unwrap_or(stored.audience),
        alias_name_source: match change.alias_name_source.as_deref() {
            None | Some("") => stored.alias_name_source,
            Some("serviceaccount_uid") => AliasNameSource::ServiceaccountUid,
            Some("serviceaccount_name") => AliasNameSource::ServiceaccountName,
            Some(other) => return Err(KubernetesError::AliasSource(other.to_owned()).into()),
        },
        token: changed(stored.token, change.token)?,
    };
    named("bound_service_account_names", &role.service_account_names)?;
    named("bound_service_account_namespaces", &role.service_account_namespaces)?;
    Ok(role)
}

fn filled(sent: Vec<String>) -> Vec<String> {
    sent.into_iter().filter(|one| !one.is_empty()).collect()
}

fn named(field: &'static str, names: &[String]) -> Result<(), KubernetesError> {
    match names {
        [] => Err(KubernetesError::Empty(field)),
        [_] => Ok(()),
        several if several.iter().any(|one| one == "*") => Err(KubernetesError::StarAmongOthers),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(names: &[&str], namespaces: &[&str]) -> KubernetesRoleChange {
        let owned = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
        KubernetesRoleChange {
            names: owned(names),
            namespaces: owned(namespaces),
            ..KubernetesRoleChange::default()
        }
    }

    fn told(change: KubernetesRoleChange) -> String {
        merged(KubernetesRole::default(), change).unwrap_err().to_string()
    }

    #[test]
    fn a_role_names_accounts_and_namespaces() {
        assert_eq!(told(sent(&[], &["ci"])), "\"bound_service_account_names\" can not be empty");
        let none = "\"bound_service_account_namespaces\" can not be empty";
        assert_eq!(told(sent(&["a"], &[""])), none);
        assert_eq!(told(sent(&["a", "*"], &["ci"])), "can not mix \"*\" with values");
        let role = merged(KubernetesRole::default(), sent(&["*"], &["ci-*", "prod"])).unwrap();
        assert_eq!(role.alias_name_source, AliasNameSource::ServiceaccountUid);
        let kept = merged(role.clone(), KubernetesRoleChange::default()).unwrap();
        assert_eq!(KubernetesRole { token: role.token.clone(), ..kept }, role);
    }

    #[test]
    fn what_is_not_offered_is_refused_by_name() {
        let selector =
            KubernetesRoleChange { selector: Some("{}".to_owned()), ..sent(&["a"], &["b"]) };
        assert!(told(selector).contains("bound_service_account_namespace_selector"));
        let alias = KubernetesRoleChange {
            alias_name_source: Some("pod".to_owned()),
            ..sent(&["a"], &["b"])
        };
        assert_eq!(told(alias), "invalid alias_name_source \"pod\"");
    }
}
