//! What `jwt` and `kubernetes` mounts believe, and their roles. A configuration goes with its mount; roles are listed and
//! removed like those of the other methods ([`super::AuthMethodStore`]). The reviewer's token comes here sealed.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{AuthMountId, JwtConfig, JwtRole, KubernetesConfig, KubernetesRole};

type Result<T> = std::result::Result<T, StoreError>;

/// Where they are kept. A write for a mount that is gone fails.
#[async_trait]
pub trait SignedLoginStore {
    /// What a `jwt` mount believes.
    async fn jwt_config(&self, mount: &AuthMountId) -> Result<Option<JwtConfig>>;
    /// Writes it.
    async fn put_jwt_config(&self, mount: &AuthMountId, config: &JwtConfig) -> Result<()>;
    /// A role of a `jwt` mount.
    async fn jwt_role(&self, mount: &AuthMountId, name: &str) -> Result<Option<JwtRole>>;
    /// Writes it.
    async fn put_jwt_role(&self, mount: &AuthMountId, role: &JwtRole) -> Result<()>;

    /// The cluster of a `kubernetes` mount.
    async fn kubernetes_config(&self, mount: &AuthMountId) -> Result<Option<KubernetesConfig>>;
    /// Writes it.
    async fn put_kubernetes_config(
        &self,
        mount: &AuthMountId,
        config: &KubernetesConfig,
    ) -> Result<()>;
    /// A role of a `kubernetes` mount.
    async fn kubernetes_role(
        &self,
        mount: &AuthMountId,
        name: &str,
    ) -> Result<Option<KubernetesRole>>;
    /// Writes it.
    async fn put_kubernetes_role(&self, mount: &AuthMountId, role: &KubernetesRole) -> Result<()>;
}
