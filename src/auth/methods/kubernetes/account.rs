//! Whose token it is, as its claims say: a service account's, in the form that pods get today (bound, in one object) or
//! in that of the secrets of old. Pure; nothing of it is believed before the cluster has said the same.

use serde_json::Value;

/// A service account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServiceAccount {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// Of a token of old: the secret that it is from.
    pub(super) secret: String,
}

impl ServiceAccount {
    /// What the claims say; `None` where they name none.
    pub(super) fn claimed(claims: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let account = if let Some(bound) = claims.get("kubernetes.io") {
            let account = bound.get("serviceaccount");
            let of = |member: &str| text(account.and_then(|account| account.get(member)));
            Self {
                namespace: text(bound.get("namespace"))?,
                name: of("name")?,
                uid: of("uid")?,
                secret: String::new(),
            }
        } else {
            let of =
                |member: &str| text(claims.get(format!("kubernetes.io/serviceaccount/{member}")));
            Self {
                namespace: of("namespace")?,
                name: of("service-account.name")?,
                uid: of("service-account.uid")?,
                secret: of("secret.name").unwrap_or_default(),
            }
        };
        let is_whole =
            ![&account.namespace, &account.name, &account.uid].iter().any(|text| text.is_empty());
        is_whole.then_some(account)
    }

    /// What the cluster calls it.
    pub(super) fn username(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_of_tokens_name_their_account() {
        let bound = json!({ "kubernetes.io": {
            "namespace": "ci",
            "pod": { "name": "runner-1", "uid": "p" },
            "serviceaccount": { "name": "deployer", "uid": "u-1" },
        }});
        let found = ServiceAccount::claimed(&bound).unwrap();
        assert_eq!((found.name.as_str(), found.uid.as_str()), ("deployer", "u-1"));
        assert_eq!(found.username(), "system:serviceaccount:ci:deployer");
        let old = json!({
            "kubernetes.io/serviceaccount/namespace": "ci",
            "kubernetes.io/serviceaccount/service-account.name": "deployer",
            "kubernetes.io/serviceaccount/service-account.uid": "u-1",
            "kubernetes.io/serviceaccount/secret.name": "deployer-token",
        });
        let old = ServiceAccount::claimed(&old).unwrap();
        assert_eq!(old, ServiceAccount { secret: "deployer-token".to_owned(), ..found });
    }

    #[test]
    fn a_token_of_nobody_names_nobody() {
        for claims in [
            json!({}),
            json!({ "sub": "system:serviceaccount:ci:deployer" }),
            json!({ "kubernetes.io": { "namespace": "ci" } }),
            json!({ "kubernetes.io": "ci" }),
            json!({ "kubernetes.io": { "namespace": "", "serviceaccount": { "name": "a", "uid": "b" } } }),
        ] {
            assert_eq!(ServiceAccount::claimed(&claims), None, "{claims}");
        }
    }
}
