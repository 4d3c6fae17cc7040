//! What the broker asks of others than AWS: keys of whoever signs logins, and a Kubernetes API. HTTPS alone, no redirect, no
//! proxy, bounded in time and size; never an address that is not on the internet unless the configuration names its
//! network ([`reach`]). Who is asked for what is decided in [`crate::auth::methods`].

use std::fmt;

use async_trait::async_trait;

use crate::model::{Jwt, SecretText};

mod https;
mod reach;

pub use https::Https;

/// One request.
#[derive(Clone, Default)]
pub struct Ask {
    /// Where to; `https` only.
    pub url: String,
    /// Certificates to trust, PEM; empty = what the system trusts.
    pub ca_pem: String,
    /// Who asks.
    pub bearer: Option<Jwt>,
    /// A POST of this JSON; `None` is a GET.
    pub json: Option<SecretText>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What came back, whatever the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// No URL, or another scheme; holds it.
    #[error("`{0}` is no HTTPS URL")]
    Url(String),
    /// Its address is not on the internet, and no configuration lets it be asked.
    #[error(
        "`{host}` is not on the internet\nhelp: name its network in `private_networks` of `[logins]` in the configuration file"
    )]
    Private {
        /// The host.
        host: String,
    },
    /// What to trust cannot be read; holds why.
    #[error("the certificates to trust cannot be read: {0}")]
    Certificates(String),
    /// No answer.
    #[error("`{host}` did not answer: {why}")]
    Silent {
        /// The host.
        host: String,
        /// What happened.
        why: String,
    },
}

/// Asks others. The broker has [`Https`]; tests of the rules have one that says what it is told to.
#[async_trait]
pub trait Outbound: fmt::Debug + Send + Sync {
    /// Sends one request and waits for its answer.
    async fn ask(&self, ask: Ask) -> Result<Told, OutboundError>;
}
