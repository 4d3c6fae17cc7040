//! Mounts: enable and tune (contract 2.1). Must never mount anything at a path of the server's own, nor inside
//! another mount. Disabling is in [`super::disable`], moving in [`super::remount`]; who works under a mount is
//! counted in [`super::mount_table`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tracing::info;

use super::Engine;
use super::tuning;
pub use super::tuning::{EffectiveTuning, TuneChange, TuneFields};
use crate::leases::RevokeError;
use crate::model::go_text::quote;
use crate::model::{Mount, MountId, MountPath, MountState};
use crate::store::StoreError;

/// First parts of paths that are the server's own (contract 2.1).
const PROTECTED: [&str; 5] = ["audit/", "auth/", "sys/", "cubbyhole/", "identity/"];

/// Types that exist but cannot be mounted (contract 2.1).
const NOT_MOUNTABLE: [&str; 4] = ["system", "cubbyhole", "identity", "token"];

/// What a mount is made from; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewMount {
    /// Must be `aws`.
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
    /// The settings under `config`.
    pub config: TuneFields,
}

/// Why a mount was not changed. The texts are the contract's (2.1).
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// Something is mounted there, above or below.
    #[error("path is already in use at {0}")]
    PathInUse(MountPath),
    /// The path is the server's own.
    #[error("cannot mount {}", quote(.0))]
    Protected(String),
    /// The path is the server's own and stays.
    #[error("cannot unmount {}", quote(.0))]
    CannotUnmount(String),
    /// The path is the server's own, and has no settings.
    #[error("cannot tune {}", quote(.0))]
    CannotTune(String),
    /// The text is no path.
    #[error("`{0}` is not a path that something can be mounted at")]
    BadPath(String),
    /// No type was sent.
    #[error("backend type must be specified as a string")]
    TypeMissing,
    /// The type is the server's own.
    #[error("mount type of {} is not mountable", quote(.0))]
    NotMountable(String),
    /// There is no such type here.
    #[error("plugin not found in the catalog: {0}")]
    UnknownType(String),
    /// `options.version` was sent.
    #[error("secrets engine \"aws\" does not allow setting a version")]
    VersionNotAllowed,
    /// `options` is neither null nor an object.
    #[error("`options` must be an object")]
    BadOptions,
    /// `config.default_lease_ttl` cannot be read.
    #[error("unable to parse default TTL of {text}: {cause}")]
    BadDefaultTtl {
        /// What was sent.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// `config.max_lease_ttl` cannot be read.
    #[error("unable to parse max TTL of {text}: {cause}")]
    BadMaxTtl {
        /// What was sent.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// At enabling.
    #[error("given default lease TTL greater than given max lease TTL")]
    DefaultAboveMax,
    /// At enabling; the server's maximum in seconds.
    #[error("given default lease TTL greater than system max lease TTL of {0}")]
    DefaultAboveServerMax(u64),
    /// A TTL sent to tune cannot be read.
    #[error("{0}")]
    BadTtl(String),
    /// At tuning, in seconds.
    #[error(
        "backend max lease TTL of {max} would be less than backend default lease TTL of {default}"
    )]
    MaxBelowDefault {
        /// The maximum after the change.
        max: u64,
        /// The default after the change.
        default: u64,
    },
    /// Not one of the three.
    #[error("invalid listing_visibility {0}")]
    BadVisibility(String),
    /// Nothing to tune there.
    #[error("tune of path {} failed: no mount entry found", quote(.0))]
    NothingToTune(String),
    /// A lease could not be revoked; the mount stays tainted.
    #[error(transparent)]
    NotRevoked(#[from] RevokeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// The listed mounts, active and tainted, sorted by path.
    pub fn mounts(&self) -> Vec<Arc<Mount>> {
        self.table.list()
    }

    /// The mount at exactly this path, which may lack its last slash.
    pub fn mount(&self, path: &str) -> Option<Arc<Mount>> {
        self.table.get(&with_slash(path))
    }

    /// The mount that `path` lies under, tainted ones too, and the rest of the path.
    pub fn route(&self, path: &str) -> Option<(Arc<Mount>, String)> {
        self.table.route(path)
    }

    /// What a mount's TTLs are in effect.
    pub fn effective_tuning(&self, mount: &Mount) -> EffectiveTuning {
        tuning::effective(&mount.tuning, &self.parts.settings)
    }

    /// Mounts an AWS engine.
    pub async fn enable_mount(&self, path: &str, new: NewMount) -> Result<(), MountError> {
        let path = mount_path(path)?;
        let tuning = tuning::of_new_mount(new.config, &self.parts.settings)?;
        check_kind(new.kind.as_deref().unwrap_or_default())?;
        let options = new.options.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        check_options(&options)?;
        if is_protected(&path) {
            return Err(MountError::Protected(path.to_string()));
        }
        let _alone = self.mount_changes.lock().await;
        if let Some(there) = self.table.conflict(&path) {
            return Err(MountError::PathInUse(there));
        }
        let mount = Mount {
            id: MountId(self.parts.random.uuid()),
            path,
            accessor: format!("aws_{}", self.parts.random.hex(4)),
            description: new.description,
            options,
            local: new.local,
            seal_wrap: new.seal_wrap,
            external_entropy_access: new.external_entropy_access,
            tuning,
            state: MountState::Active,
        };
        self.parts.store.put_mount(&mount).await?;
        info!(mount.path = %mount.path, mount.id = %mount.id.0, "aws engine enabled at {}", mount.path);
        self.table.put(mount);
        Ok(())
    }

    /// Changes a mount's settings.
    pub async fn tune_mount(&self, path: &str, change: TuneChange) -> Result<(), MountError> {
        let own = with_slash(path);
        if PROTECTED.contains(&own.as_str()) {
            return Err(MountError::CannotTune(own));
        }
        let _alone = self.mount_changes.lock().await;
        let Some(mount) = self.mount(path) else {
            return Err(MountError::NothingToTune(own));
        };
        let mut mount = Mount::clone(&mount);
        mount.tuning = tuning::changed(&mount.tuning, change.fields)?;
        if let Some(description) = change.description {
            mount.description = description;
        }
        if let Some(options) = change.options {
            merge_options(&mut mount.options, options)?;
        }
        self.parts.store.put_mount(&mount).await?;
        self.table.put(mount);
        Ok(())
    }
}

fn with_slash(path: &str) -> String {
    format!("{}/", path.trim_end_matches('/'))
}

pub(super) fn mount_path(path: &str) -> Result<MountPath, MountError> {
    with_slash(path).parse().map_err(|_invalid| MountError::BadPath(path.to_owned()))
}

pub(super) fn is_protected(path: &MountPath) -> bool {
    PROTECTED.iter().any(|own| path.as_str().starts_with(own))
}

fn check_kind(kind: &str) -> Result<(), MountError> {
    match kind {
        "aws" => Ok(()),
        "" => Err(MountError::TypeMissing),
        own if NOT_MOUNTABLE.contains(&own) => Err(MountError::NotMountable(own.to_owned())),
        unknown => Err(MountError::UnknownType(unknown.to_owned())),
    }
}

fn check_options(options: &Value) -> Result<(), MountError> {
    match options {
        Value::Object(fields) if fields.contains_key("version") => {
            Err(MountError::VersionNotAllowed)
        }
        Value::Null | Value::Object(_) => Ok(()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(MountError::BadOptions)
        }
    }
}

fn merge_options(options: &mut Value, sent: BTreeMap<String, String>) -> Result<(), MountError> {
    if sent.contains_key("version") {
        return Err(MountError::VersionNotAllowed);
    }
    let mut merged = options.as_object().cloned().unwrap_or_default();
    merged.extend(sent.into_iter().map(|(name, value)| (name, Value::String(value))));
    *options = Value::Object(merged);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_aws_can_be_mounted() {
        let told = |kind: &str| check_kind(kind).unwrap_err().to_string();
        assert!(check_kind("aws").is_ok());
        assert_eq!(told(""), "backend type must be specified as a string");
        assert_eq!(told("system"), "mount type of \"system\" is not mountable");
        assert_eq!(told("nonsense"), "plugin not found in the catalog: nonsense");
    }

    #[test]
    fn the_servers_own_paths_are_protected_and_all_below() {
        for own in ["sys", "sys/x", "auth/token/", "identity", "cubbyhole", "audit/"] {
            assert!(is_protected(&mount_path(own).unwrap()), "{own}");
        }
        for free in ["aws", "system", "sysx/y"] {
            assert!(!is_protected(&mount_path(free).unwrap()), "{free}");
        }
        for bad in ["", "/", "a//b", "../x"] {
            assert!(mount_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn options_may_not_carry_a_version() {
        assert!(check_options(&Value::Null).is_ok());
        assert!(check_options(&json!({"a": "b"})).is_ok());
        assert_eq!(
            check_options(&json!({"version": "2"})).unwrap_err().to_string(),
            "secrets engine \"aws\" does not allow setting a version"
        );
        assert!(check_options(&json!([1])).is_err());
    }

    #[test]
    fn sent_options_are_merged() {
        let mut options = json!({"a": "1", "b": "2"});
        merge_options(&mut options, BTreeMap::from([("b".into(), "3".into())])).unwrap();
        assert_eq!(options, json!({"a": "1", "b": "3"}));
    }
}
