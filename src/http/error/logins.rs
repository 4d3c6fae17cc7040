//! What strangers are told of logins by a signed token (contract 3.4, 3.5). Whatever a cluster or an issuer said goes to
//! the log.

use super::{ApiError, Told, bare};
use crate::auth::methods::{JwtError, KubernetesError, MethodError, TokenFault};

/// All of it is the caller's to put right.
pub(super) fn jwt(error: &JwtError) -> Told {
    bare(400, error.to_string())
}

pub(super) fn kubernetes(error: &KubernetesError) -> Told {
    match error {
        KubernetesError::NoHost
        | KubernetesError::Host(_)
        | KubernetesError::BadCertificates(_)
        | KubernetesError::BadKey(_)
        | KubernetesError::BadReviewer(_)
        | KubernetesError::Empty(_)
        | KubernetesError::StarAmongOthers
        | KubernetesError::Selector
        | KubernetesError::AliasSource(_)
        | KubernetesError::RoleMissing
        | KubernetesError::TokenMissing
        | KubernetesError::NoRole(_) => bare(400, error.to_string()),
        KubernetesError::Unreadable(_)
        | KubernetesError::Token(_)
        | KubernetesError::Name
        | KubernetesError::Namespace
        | KubernetesError::NoServiceAccount
        | KubernetesError::Refused => bare(403, error.to_string()),
        // Vault's own handler fails in this one, and the wire says so.
        KubernetesError::NoConfig => bare(500, error.to_string()),
    }
}

impl From<JwtError> for ApiError {
    fn from(error: JwtError) -> Self {
        MethodError::from(error).into()
    }
}

/// A sample of each kind that a login or an administrator may meet, for the table of errors.
pub(super) fn samples() -> Vec<(&'static str, ApiError)> {
    let name = || "x".to_owned();
    let kubernetes = |error: KubernetesError| ApiError::from(MethodError::from(error));
    vec![
        ("jwt: no source of keys, or several", JwtError::OneSource.into()),
        ("jwt: field of the browser login", JwtError::NotOffered("oidc_client_id").into()),
        ("jwt: login by browser", JwtError::NoBrowser.into()),
        ("jwt: algorithm that is not taken", JwtError::Algorithm("HS256".to_owned()).into()),
        ("jwt: issuer that cannot be asked", JwtError::Discovery("why".to_owned()).into()),
        ("jwt: keys that cannot be had", JwtError::Jwks("why".to_owned()).into()),
        ("jwt: role for browsers", JwtError::BrowserRole.into()),
        ("jwt: role that lets everybody in", JwtError::Unbound.into()),
        ("jwt: role that names nobody", JwtError::NoUserClaim.into()),
        ("jwt: nothing configured", JwtError::NoConfig.into()),
        ("jwt: role missing in a login", JwtError::RoleMissing.into()),
        ("jwt: role unknown", JwtError::NoRole(name()).into()),
        ("jwt: token missing", JwtError::TokenMissing.into()),
        ("jwt: issuer silent", JwtError::NoKeys.into()),
        ("jwt: token expired", JwtError::from(TokenFault::Expired).into()),
        ("jwt: token of another issuer", JwtError::from(TokenFault::Issuer).into()),
        ("jwt: token for others", JwtError::from(TokenFault::Audience).into()),
        ("jwt: audience that no role asks for", JwtError::AudienceUnbound.into()),
        ("jwt: claim missing", JwtError::ClaimMissing(name()).into()),
        ("jwt: claim with another value", JwtError::ClaimDiffers(name()).into()),
        ("kubernetes: no cluster given", kubernetes(KubernetesError::NoHost)),
        ("kubernetes: selector of namespaces", kubernetes(KubernetesError::Selector)),
        ("kubernetes: nothing configured", kubernetes(KubernetesError::NoConfig)),
        ("kubernetes: role unknown", kubernetes(KubernetesError::NoRole(name()))),
        ("kubernetes: token missing", kubernetes(KubernetesError::TokenMissing)),
        ("kubernetes: another service account", kubernetes(KubernetesError::Name)),
        ("kubernetes: another namespace", kubernetes(KubernetesError::Namespace)),
        ("kubernetes: the cluster says no, or nothing", kubernetes(KubernetesError::Refused)),
    ]
}
