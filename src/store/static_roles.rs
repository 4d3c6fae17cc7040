//! What must survive of keys that are rotated: how the root key of each mount fares, and the static
//! roles with their sealed secrets. A save is durable when its future is ready; it is the write-ahead
//! entry of the calls that follow. SQL is in [`super::sqlite`].

use async_trait::async_trait;

use super::StoreError;
use crate::model::{AccountBinding, MountId, RoleName, RootRotation, StaticRole, Timestamp};

type Result<T> = std::result::Result<T, StoreError>;

/// Rotated keys. One writer at a time per root key and static role: the engine sees to that.
#[async_trait]
pub trait RotationStore {
    /// How the root key of a mount fares; `None` = it was never rotated.
    async fn root_rotation(&self, mount: &MountId) -> Result<Option<RootRotation>>;
    /// Writes that.
    async fn save_root_rotation(&self, rotation: &RootRotation) -> Result<()>;
    /// Writes `config/root` with its new key and how the rotation stands, in one transaction.
    async fn switch_root_key(
        &self,
        binding: &AccountBinding,
        rotation: &RootRotation,
    ) -> Result<()>;
    /// Mounts whose root key is being replaced, in any state of the mount.
    async fn unfinished_root_rotations(&self) -> Result<Vec<MountId>>;

    /// A static role, deleted ones included while their keys are there.
    async fn static_role(&self, mount: &MountId, name: &RoleName) -> Result<Option<StaticRole>>;
    /// The static roles of a mount, deleted ones included while their keys are there.
    async fn static_roles(&self, mount: &MountId) -> Result<Vec<StaticRole>>;
    /// Writes a static role. One that was marked as deleted stays so;
    /// [`StoreError::Conflict`] for a new one whose mount was removed.
    async fn save_static_role(&self, role: &StaticRole) -> Result<()>;
    /// Forgets a static role if it is there.
    async fn remove_static_role(&self, mount: &MountId, name: &RoleName) -> Result<()>;
    /// Static roles that are due, the longest due first, at most `limit`.
    async fn due_static_roles(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MountId, RoleName)>>;
    /// When the next static role is due.
    async fn next_static_role(&self) -> Result<Option<Timestamp>>;
}
