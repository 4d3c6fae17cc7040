//! Why a `kubernetes` mount refused something (contract 3.5). What the cluster says of a token is only logged: whoever
//! sent it is told no more than that it was refused.

use crate::auth::jose::JoseError;
use crate::auth::methods::TokenFault;
use crate::model::go_text::quote;
use crate::outbound::OutboundError;

/// Why nothing was configured, written or let in.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// No cluster.
    #[error("no host provided")]
    NoHost,
    /// A cluster that is not asked over HTTPS; holds what was sent.
    #[error("`{0}` is no HTTPS URL, host or host:port")]
    Host(String),
    /// Certificates that are none.
    #[error("error checking kubernetes_ca_cert: {0}")]
    BadCertificates(OutboundError),
    /// A key that is none.
    #[error("error parsing public key: {0}")]
    BadKey(JoseError),
    /// A reviewer that is no token.
    #[error("`token_reviewer_jwt` is no token: {0}")]
    BadReviewer(JoseError),

    /// A list that has to be there; holds the field.
    #[error("{} can not be empty", quote(.0))]
    Empty(&'static str),
    /// `*` beside others.
    #[error("can not mix \"*\" with values")]
    StarAmongOthers,
    /// Namespaces by their labels.
    #[error(
        "`bound_service_account_namespace_selector` is not offered\nhelp: name the namespaces in bound_service_account_namespaces, with * for any text"
    )]
    Selector,
    /// No such source of aliases.
    #[error("invalid alias_name_source {}", quote(.0))]
    AliasSource(String),

    /// No role was named.
    #[error("missing role")]
    RoleMissing,
    /// No token was sent.
    #[error("missing jwt")]
    TokenMissing,
    /// No such role.
    #[error("invalid role name {}", quote(.0))]
    NoRole(String),
    /// No cluster is known yet.
    #[error("could not load backend configuration")]
    NoConfig,
    /// A token that cannot be read.
    #[error("error validating token: {0}")]
    Unreadable(JoseError),
    /// A token for somebody else, or for another time.
    #[error("{0}")]
    Token(#[from] TokenFault),
    /// Another service account.
    #[error("service account name not authorized")]
    Name,
    /// A service account of another namespace.
    #[error("namespace not authorized")]
    Namespace,
    /// A token that says of no service account that it is its.
    #[error("could not parse UID from claims")]
    NoServiceAccount,
    /// The signature, or the cluster, says no; or the cluster does not answer.
    #[error("permission denied")]
    Refused,
}
