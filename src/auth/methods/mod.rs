//! Auth methods: mounts below `auth/` where people and machines log in (contract 2.5, 3.3). A login ends in
//! [`login`], the only way from here to a token; who is asked for what is [`approle`]'s, [`userpass`]'s, [`jwt`]'s and
//! [`kubernetes`]'.
//! No method makes a [`super::Caller`], and none makes root.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, Semaphore};

use self::jwt::IssuerKeys;
use self::lockout::Lockout;
use super::{Auth, AuthError, token::MAX_TTL_SECONDS};
use crate::model::AuthMount;
use crate::outbound::{Https, Outbound};
use crate::store::StoreError;

pub mod approle;
mod error;
pub mod jwt;
pub mod kubernetes;
mod lockout;
mod login;
mod mounts;
mod params;
pub mod userpass;

pub use error::MethodError;
pub use jwt::{JwtError, JwtRoleChange, NewJwtConfig, TokenFault};
pub use kubernetes::{KubernetesError, KubernetesRoleChange, NewKubernetesConfig};
pub use mounts::{AuthTuneChange, NewAuthMount};
pub use params::ParamsChange;
pub(super) use params::{networks, policy_names};

/// Passwords that are hashed at once. Two: a hash takes 19 MiB and a core, and logins are open to all.
const HASHES: usize = 2;

/// What an auth mount's TTLs are in effect, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveTtls {
    /// How long a token lasts where nothing else says.
    pub default: u64,
    /// How long it can last at most.
    pub max: u64,
}

impl EffectiveTtls {
    /// Of a mount: 0 is the server's, and a default never exceeds the maximum.
    pub fn of(mount: &AuthMount) -> Self {
        let or = |own: u64| if own == 0 { MAX_TTL_SECONDS } else { own };
        let max = or(mount.tuning.max_lease_ttl);
        Self { default: or(mount.tuning.default_lease_ttl).min(max), max }
    }
}

/// The mounts, and what has to be remembered about logins.
#[derive(Debug)]
pub(super) struct Methods {
    // INVARIANT: what is stored, once `Auth::open_methods` was called; changed under `changing` only.
    mounts: RwLock<Arc<[Arc<AuthMount>]>>,
    changing: Mutex<()>,
    lockout: Lockout,
    hashing: Arc<Semaphore>,
    issuers: IssuerKeys,
    outbound: Arc<dyn Outbound>,
}

impl Default for Methods {
    fn default() -> Self {
        Self {
            mounts: RwLock::new(Arc::from(Vec::new())),
            changing: Mutex::new(()),
            lockout: Lockout::default(),
            hashing: Arc::new(Semaphore::new(HASHES)),
            issuers: IssuerKeys::default(),
            outbound: Arc::new(Https::new(Vec::new())),
        }
    }
}

impl Methods {
    fn mounts(&self) -> Arc<[Arc<AuthMount>]> {
        Arc::clone(&self.mounts.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, mounts: Vec<Arc<AuthMount>>) {
        *self.mounts.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(mounts);
    }
}

impl Auth {
    /// The same, asking issuers and clusters by `outbound`; without it only those on the internet are asked.
    #[must_use]
    pub fn asking(mut self, outbound: Arc<dyn Outbound>) -> Self {
        self.methods.outbound = outbound;
        self
    }

    /// Reads the auth mounts; before anything is served.
    pub async fn open_methods(&self) -> Result<(), StoreError> {
        let stored = self.parts.store.auth_mounts().await?;
        self.methods.set(stored.into_iter().map(Arc::new).collect());
        Ok(())
    }

    /// All auth mounts, by path; without the tokens' own, which is no method.
    pub fn auth_mounts(&self) -> Arc<[Arc<AuthMount>]> {
        self.methods.mounts()
    }

    /// The mount at exactly this path, e.g. `approle/`.
    pub fn auth_mount(&self, path: &str) -> Option<Arc<AuthMount>> {
        self.methods.mounts().iter().find(|mount| mount.path.as_str() == path).cloned()
    }

    /// The mount that takes a path below `auth/`, and the rest of that path.
    pub fn auth_route<'p>(&self, path: &'p str) -> Option<(Arc<AuthMount>, &'p str)> {
        // No mount is inside another: at most one fits.
        self.methods.mounts().iter().find_map(|mount| {
            path.strip_prefix(mount.path.as_str()).map(|rest| (Arc::clone(mount), rest))
        })
    }

    /// Whether a mount has such a role or user.
    pub async fn login_exists(&self, mount: &AuthMount, name: &str) -> Result<bool, AuthError> {
        use crate::model::AuthMethod::{AppRole, Jwt, Kubernetes, Oidc, Userpass};
        let (store, name) = (&self.parts.store, name.to_lowercase());
        Ok(match mount.method {
            AppRole => store.app_role(&mount.id, &name).await?.is_some(),
            Userpass => store.login_user(&mount.id, &name).await?.is_some(),
            Jwt | Oidc => store.jwt_role(&mount.id, &name).await?.is_some(),
            Kubernetes => store.kubernetes_role(&mount.id, &name).await?.is_some(),
        })
    }
}
