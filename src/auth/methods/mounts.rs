//! Auth mounts: enabled, tuned, disabled (contract 2.5). A mount is durable before it takes a login, and
//! disabling it ends every token that was made there, with their leases, in one transaction. How their TTLs
//! are read is the engine mounts' rule, handed in by the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tracing::info;

use super::MethodError;
use crate::auth::{Auth, AuthError};
use crate::model::{AuthMethod, AuthMount, AuthMountId, MountPath, MountTuning, RoleKind};
use crate::store::StoreError;

/// The path of the tokens' own mount, which is always there.
const TOKEN: &str = "token/";

/// What an auth mount is made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewAuthMount {
    /// `approle`, `jwt`, `kubernetes`, `oidc` or `userpass`; `None` = not sent.
    pub kind: Option<String>,
    /// Free text.
    pub description: String,
    /// Null or an object when sent; not sent reads back as `{}`.
    pub options: Option<Value>,
    /// Kept and shown.
    pub local: bool,
    /// Kept and shown.
    pub seal_wrap: bool,
    /// Kept and shown.
    pub external_entropy_access: bool,
    /// The type of its tokens; `None` = not sent.
    pub token_type: Option<String>,
    /// TTLs and the rest.
    pub tuning: MountTuning,
}

/// A change of its settings beside TTLs and the rest; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthTuneChange {
    /// Free text.
    pub description: Option<String>,
    /// Merged into its options.
    pub options: Option<BTreeMap<String, String>>,
    /// The type of its tokens.
    pub token_type: Option<String>,
}

impl Auth {
    /// Enables a method at a path below `auth/`.
    pub async fn enable_method(&self, path: &str, new: NewAuthMount) -> Result<(), MethodError> {
        let method = method_of(new.kind.as_deref())?;
        let token_type = token_type(new.token_type.as_deref())?;
        let path = mount_path(path)?;
        let _alone = self.methods.changing.lock().await;
        let mut mounts = self.methods.mounts().to_vec();
        if let Some(taken) = in_the_way(&mounts, &path) {
            return Err(MethodError::PathInUse(taken));
        }
        let mount = AuthMount {
            id: AuthMountId(self.parts.random.uuid()),
            accessor: format!("auth_{}_{}", method.as_str(), self.parts.random.hex(4)),
            path,
            method,
            description: new.description,
            options: new.options.unwrap_or_else(|| json!({})),
            local: new.local,
            seal_wrap: new.seal_wrap,
            external_entropy_access: new.external_entropy_access,
            token_type,
            tuning: new.tuning,
        };
        self.parts.store.put_auth_mount(&mount).await.map_err(|error| match error {
            StoreError::Conflict => MethodError::PathInUse(mount.path.clone()),
            failed @ (StoreError::Failed(_) | StoreError::Closed) => failed.into(),
        })?;
        info!(mount.path = %mount.path, "auth method {} enabled at auth/{}", method.as_str(), mount.path);
        mounts.push(Arc::new(mount));
        mounts.sort_by(|one, other| one.path.cmp(&other.path));
        self.methods.set(mounts);
        Ok(())
    }

    /// Changes the settings of the mount at `path`; `tuned` makes the new TTLs of the old ones.
    pub async fn tune_method<E: From<MethodError>>(
        &self,
        path: &str,
        change: AuthTuneChange,
        tuned: impl FnOnce(&MountTuning) -> Result<MountTuning, E>,
    ) -> Result<(), E> {
        let own = format!("{}/", path.trim_end_matches('/'));
        if own == TOKEN {
            return Err(MethodError::TokenNotTuned.into());
        }
        let _alone = self.methods.changing.lock().await;
        let stored = self.auth_mount(&own);
        let stored = stored.ok_or_else(|| MethodError::NothingToTune(format!("auth/{own}")))?;
        let mut mount = AuthMount::clone(&stored);
        mount.tuning = tuned(&stored.tuning)?;
        if let Some(sent) = change.token_type.filter(|sent| !sent.is_empty()) {
            mount.token_type = token_type(Some(&sent))?;
        }
        if let Some(description) = change.description {
            mount.description = description;
        }
        if let Some(sent) = change.options {
            let mut options = mount.options.as_object().cloned().unwrap_or_default();
            options.extend(sent.into_iter().map(|(name, value)| (name, Value::String(value))));
            mount.options = Value::Object(options);
        }
        self.parts.store.put_auth_mount(&mount).await.map_err(MethodError::from)?;
        let others = self.methods.mounts();
        let replaced = |one: &Arc<AuthMount>| {
            if one.id == mount.id { Arc::new(mount.clone()) } else { Arc::clone(one) }
        };
        self.methods.set(others.iter().map(replaced).collect());
        Ok(())
    }

    /// Disables the mount at `path`: its tokens end, and so their leases. One that is not there is
    /// disabled already.
    pub async fn disable_method(&self, path: &str) -> Result<(), MethodError> {
        let own = format!("{}/", path.trim_end_matches('/'));
        if own == TOKEN {
            return Err(MethodError::TokenNotDisabled);
        }
        let _alone = self.methods.changing.lock().await;
        let Some(mount) = self.auth_mount(&own) else {
            return Ok(());
        };
        // Logins see nothing of it from here on; one that is under way fails at its token.
        let others = self.methods.mounts();
        let left = others.iter().filter(|one| one.id != mount.id).cloned().collect();
        let now = self.parts.clock.now();
        let ended = self.parts.store.remove_auth_mount(&mount.id, now).await?;
        self.methods.set(left);
        self.methods.issuers.forget(&mount.id);
        self.parts.leases.token_ended();
        self.parts.store.remove_mount_aliases(&mount.accessor).await?;
        self.known.forget();
        info!(mount.path = %mount.path, tokens = ended, "auth method at auth/{} disabled, {ended} tokens ended", mount.path);
        Ok(())
    }

    /// Whether what a token was made for is still there.
    pub(in crate::auth) async fn login_stands(
        &self,
        token: &crate::model::Token,
    ) -> Result<(), AuthError> {
        let Some(login) = &token.login else {
            return Ok(());
        };
        let mounts = self.methods.mounts();
        if let Some(mount) = mounts.iter().find(|mount| mount.id == login.mount)
            && self.login_exists(mount, &login.name).await?
        {
            return Ok(());
        }
        Err(AuthError::LoginGone(login.name.clone()))
    }
}

fn method_of(kind: Option<&str>) -> Result<AuthMethod, MethodError> {
    match kind {
        None | Some("") => Err(MethodError::TypeMissing),
        Some("approle") => Ok(AuthMethod::AppRole),
        Some("userpass") => Ok(AuthMethod::Userpass),
        Some("jwt") => Ok(AuthMethod::Jwt),
        Some("oidc") => Ok(AuthMethod::Oidc),
        Some("kubernetes") => Ok(AuthMethod::Kubernetes),
        Some("token") => Err(MethodError::TokenNotInstantiable),
        Some(other) => Err(MethodError::UnknownType(other.to_owned())),
    }
}

fn token_type(sent: Option<&str>) -> Result<String, MethodError> {
    let word = sent.filter(|word| !word.is_empty()).unwrap_or("default-service");
    let kind = RoleKind::from_word(word).ok_or(MethodError::MountTokenType)?;
    Ok(kind.as_str().to_owned())
}

fn mount_path(path: &str) -> Result<MountPath, MethodError> {
    let own = format!("{}/", path.trim_end_matches('/'));
    own.parse().map_err(|_bad| MethodError::BadPath(path.to_owned()))
}

/// The mount that a new one at `path` would be in, or that would be in it.
fn in_the_way(mounts: &[Arc<AuthMount>], path: &MountPath) -> Option<MountPath> {
    let overlaps =
        |taken: &str| path.as_str().starts_with(taken) || taken.starts_with(path.as_str());
    if overlaps(TOKEN) {
        return TOKEN.parse().ok();
    }
    mounts.iter().map(|mount| &mount.path).find(|taken| overlaps(taken.as_str())).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_enabled() {
        let told = |kind| method_of(kind).unwrap_err().to_string();
        assert_eq!(method_of(Some("approle")).unwrap(), AuthMethod::AppRole);
        assert_eq!(method_of(Some("userpass")).unwrap(), AuthMethod::Userpass);
        assert_eq!(told(None), "backend type must be specified as a string");
        assert_eq!(told(Some("token")), "token credential backend cannot be instantiated");
        assert_eq!(told(Some("ldap")), "plugin not found in the catalog: ldap");
        assert_eq!(token_type(None).unwrap(), "default-service");
        assert_eq!(token_type(Some("batch")).unwrap(), "batch");
        let other = token_type(Some("other")).unwrap_err().to_string();
        assert_eq!(other, "invalid value for 'token_type'");
    }

    #[test]
    fn nothing_is_mounted_in_or_around_the_tokens_own_mount() {
        for path in ["token", "token/x"] {
            let taken = in_the_way(&[], &mount_path(path).unwrap());
            assert_eq!(taken.unwrap().as_str(), "token/", "{path}");
        }
        assert_eq!(in_the_way(&[], &mount_path("tokens").unwrap()), None);
        assert!(mount_path("a//b").is_err());
    }
}
