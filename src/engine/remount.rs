//! Moving a mount to another path (contract 2.1). Everything of a mount hangs under its identity, so a move is
//! one row: roles, configuration and leases follow, and leases keep their ids. Must never leave a mount at two
//! paths, or at none. Only AWS engines move; the server's own paths stay.

use std::sync::Arc;

use tracing::info;

use super::Engine;
use super::mounts::{is_protected, mount_path};
use crate::model::go_text::quote;
use crate::model::{Mount, MountMove, MountPath, MountState};
use crate::store::StoreError;

/// Why a mount was not moved. The texts are the contract's (2.1).
#[derive(Debug, thiserror::Error)]
pub enum RemountError {
    /// One of the paths was not sent.
    #[error("both 'from' and 'to' path must be specified as a string")]
    PathMissing,
    /// Nothing is there.
    #[error("no matching mount at {}", quote(.0))]
    NoMount(String),
    /// It is being disabled.
    #[error("the mount at {} is being disabled and cannot be moved", quote(.0.as_str()))]
    Tainted(MountPath),
    /// Something is mounted there, above or below.
    #[error("path already in use at {}", quote(.0.as_str()))]
    PathInUse(MountPath),
    /// The path is the server's own, or an auth method's.
    #[error("cannot remount {}", quote(.0))]
    Protected(String),
    /// The text is no path.
    #[error("`{0}` is not a path that something can be mounted at")]
    BadPath(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Moves a mount. It is done when this returns, whatever word Vault has for that.
    pub async fn remount(&self, from: &str, to: &str) -> Result<MountMove, RemountError> {
        if from.is_empty() || to.is_empty() {
            return Err(RemountError::PathMissing);
        }
        let path = |text: &str| {
            mount_path(text).map_err(|_invalid| RemountError::BadPath(text.to_owned()))
        };
        let (source, target) = (path(from)?, path(to)?);
        for own in [&source, &target] {
            if is_protected(own) {
                return Err(RemountError::Protected(own.to_string()));
            }
        }
        let _alone = self.mount_changes.lock().await;
        let mount = self.movable(&source)?;
        if let Some(there) = self.table.conflict(&target) {
            return Err(RemountError::PathInUse(there));
        }
        let made = MountMove {
            id: self.parts.random.uuid(),
            source,
            target: target.clone(),
            moved_at: self.parts.clock.now(),
        };
        let moved = Mount { path: target, ..Mount::clone(&mount) };
        self.parts.store.move_mount(&moved, &made).await?;
        self.table.move_to(&mount, moved);
        info!(
            mount.id = %mount.id.0, mount.path = %made.target, move.id = %made.id,
            "aws engine at {} moved to {}", made.source, made.target
        );
        Ok(made)
    }

    /// A move that was made.
    pub async fn remount_status(&self, id: &str) -> Result<Option<MountMove>, StoreError> {
        self.parts.store.mount_move(id).await
    }

    fn movable(&self, path: &MountPath) -> Result<Arc<Mount>, RemountError> {
        let mount = self.table.get(path.as_str());
        let mount = mount.ok_or_else(|| RemountError::NoMount(path.to_string()))?;
        match mount.state {
            MountState::Active => Ok(mount),
            MountState::Tainted => Err(RemountError::Tainted(path.clone())),
            MountState::Removed => Err(RemountError::NoMount(path.to_string())),
        }
    }
}
