//! Asks a cluster whose token it is: a `TokenReview` of its API (authentication.k8s.io/v1). What it says has to be what the
//! token says of itself. Never lets anybody in by itself; a cluster that does not answer lets nobody in.

use serde::Deserialize;
use serde_json::json;

use super::account::ServiceAccount;
use crate::model::{Jwt, SecretText};
use crate::outbound::{Ask, Outbound};

/// Where a cluster takes reviews.
const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// A question to a cluster.
#[derive(Debug)]
pub(super) struct Review<'a> {
    pub(super) host: &'a str,
    pub(super) ca_pem: String,
    /// Who asks.
    pub(super) reviewer: Jwt,
    /// The token in question.
    pub(super) token: &'a Jwt,
    /// For whom it has to be, where that is asked.
    pub(super) audiences: &'a [String],
}

#[derive(Debug, Default, Deserialize)]
struct Reviewed {
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    authenticated: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    user: User,
    #[serde(default)]
    audiences: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: String,
}

impl Review<'_> {
    /// Whether the cluster says that it is `account`'s; else why not, for the log.
    pub(super) async fn confirms(
        self,
        account: &ServiceAccount,
        outbound: &dyn Outbound,
    ) -> Result<(), String> {
        let mut spec = json!({ "token": self.token.expose() });
        if let (false, Some(spec)) = (self.audiences.is_empty(), spec.as_object_mut()) {
            spec.insert("audiences".to_owned(), json!(self.audiences));
        }
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": spec,
        });
        let ask = Ask {
            url: format!("{}{PATH}", self.host),
            ca_pem: self.ca_pem,
            bearer: Some(self.reviewer),
            json: Some(SecretText::new(body.to_string())),
        };
        let told = outbound.ask(ask).await.map_err(|error| error.to_string())?;
        if !matches!(told.status, 200 | 201) {
            return Err(format!("the cluster answered a review with status {}", told.status));
        }
        let reviewed: Reviewed = serde_json::from_slice(&told.body)
            .map_err(|error| format!("the cluster's answer is no review: {error}"))?;
        judge(&reviewed.status, account, self.audiences)
    }
}

fn judge(status: &Status, account: &ServiceAccount, audiences: &[String]) -> Result<(), String> {
    if !status.error.is_empty() {
        return Err(format!("the cluster could not review it: {}", status.error.escape_debug()));
    }
    if !status.authenticated {
        return Err("the cluster does not know it".to_owned());
    }
    // A cluster that knows nothing of audiences says none, and has not looked (Kubernetes' API reference,
    // `TokenReviewStatus.audiences`).
    if !audiences.is_empty() && !audiences.iter().any(|one| status.audiences.contains(one)) {
        return Err("the cluster did not find the audience in it".to_owned());
    }
    if status.user.username != account.username() || status.user.uid != account.uid {
        return Err("the cluster takes it for another's".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> ServiceAccount {
        ServiceAccount {
            namespace: "ci".to_owned(),
            name: "deployer".to_owned(),
            uid: "u-1".to_owned(),
            secret: String::new(),
        }
    }

    fn judged(status: serde_json::Value, audiences: &[&str]) -> Result<(), String> {
        let status: Status = serde_json::from_value(status).unwrap();
        let audiences: Vec<String> = audiences.iter().map(|&one| one.to_owned()).collect();
        judge(&status, &account(), &audiences)
    }

    #[test]
    fn only_a_cluster_that_says_all_of_it_confirms() {
        let user = json!({ "username": "system:serviceaccount:ci:deployer", "uid": "u-1" });
        assert_eq!(judged(json!({ "authenticated": true, "user": user }), &[]), Ok(()));
        let both = json!({ "authenticated": true, "user": user, "audiences": ["a", "vault"] });
        assert_eq!(judged(both, &["vault"]), Ok(()));
        for (status, told) in [
            (json!({ "user": user }), "the cluster does not know it"),
            (json!({ "authenticated": false, "user": user }), "the cluster does not know it"),
            (
                json!({ "authenticated": true, "error": "x", "user": user }),
                "could not review it: x",
            ),
            (json!({ "authenticated": true }), "another's"),
            (
                json!({ "authenticated": true, "user": { "username": user["username"], "uid": "u-2" } }),
                "another's",
            ),
            (
                json!({ "authenticated": true, "user": { "username": "system:serviceaccount:ci:other", "uid": "u-1" } }),
                "another's",
            ),
        ] {
            let refused = judged(status, &[]).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
        let unlooked = json!({ "authenticated": true, "user": user });
        assert!(judged(unlooked, &["vault"]).unwrap_err().contains("audience"));
    }
}
