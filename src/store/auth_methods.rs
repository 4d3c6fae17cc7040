//! Auth mounts and who may log in at them. A mount takes its roles, users and secret ids with it, and ends
//! the tokens that were made there, in one transaction. Of secret ids and passwords only digests and sealed
//! bytes come here ([`crate::auth::methods`]).

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Accessor, AppRole, AuthMount, AuthMountId, LoginUser, SecretIdDigest, StoredSecretId, Timestamp,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Where auth methods are kept.
#[async_trait]
pub trait AuthMethodStore {
    /// All auth mounts, by path.
    async fn auth_mounts(&self) -> Result<Vec<AuthMount>>;
    /// Writes one; [`StoreError::Conflict`] when another has its path.
    async fn put_auth_mount(&self, mount: &AuthMount) -> Result<()>;
    /// Removes one with everything in it, ends the tokens that were made there and their descendants, and
    /// makes their leases due. Returns how many tokens ended.
    async fn remove_auth_mount(&self, mount: &AuthMountId, now: Timestamp) -> Result<u64>;

    /// Names of the roles or users of a mount, sorted.
    async fn login_names(&self, mount: &AuthMountId) -> Result<Vec<String>>;
    /// Removes a role with its secret ids, or a user.
    async fn remove_login(&self, mount: &AuthMountId, name: &str) -> Result<()>;

    /// A role.
    async fn app_role(&self, mount: &AuthMountId, name: &str) -> Result<Option<AppRole>>;
    /// A role by its role id.
    async fn app_role_by_id(&self, mount: &AuthMountId, role_id: &str) -> Result<Option<AppRole>>;
    /// Writes a role; [`StoreError::Conflict`] when another has its role id.
    async fn put_app_role(&self, mount: &AuthMountId, role: &AppRole) -> Result<()>;

    /// Writes a new secret id; [`StoreError::Conflict`] when its role has it already. Forgets some that
    /// have expired.
    async fn put_secret_id(
        &self,
        mount: &AuthMountId,
        secret_id: &StoredSecretId,
        now: Timestamp,
    ) -> Result<()>;
    /// A secret id, expired or not.
    async fn secret_id(
        &self,
        mount: &AuthMountId,
        role: &str,
        digest: &SecretIdDigest,
    ) -> Result<Option<StoredSecretId>>;
    /// A secret id by its public handle.
    async fn secret_id_by_accessor(
        &self,
        mount: &AuthMountId,
        role: &str,
        accessor: &Accessor,
    ) -> Result<Option<StoredSecretId>>;
    /// The handles of a role's secret ids that have not expired, sorted.
    async fn secret_id_accessors(
        &self,
        mount: &AuthMountId,
        role: &str,
        now: Timestamp,
    ) -> Result<Vec<Accessor>>;
    /// Takes one use of a secret id, durably; with the last it is gone. `false` when there was none to take.
    async fn use_secret_id(
        &self,
        mount: &AuthMountId,
        role: &str,
        digest: &SecretIdDigest,
        now: Timestamp,
    ) -> Result<bool>;
    /// Removes a secret id if it is there.
    async fn remove_secret_id(
        &self,
        mount: &AuthMountId,
        role: &str,
        digest: &SecretIdDigest,
    ) -> Result<()>;
    /// Forgets secret ids that have expired; how many.
    async fn tidy_secret_ids(&self, mount: &AuthMountId, now: Timestamp) -> Result<u64>;

    /// A user.
    async fn login_user(&self, mount: &AuthMountId, name: &str) -> Result<Option<LoginUser>>;
    /// Writes a user.
    async fn put_login_user(&self, mount: &AuthMountId, user: &LoginUser) -> Result<()>;
}
