//! What `jwt` and `kubernetes` mounts believe, as one row a mount; their roles are rows of `auth_login` like all others.
//! The trait is [`SignedLoginStore`].

use async_trait::async_trait;
use serde::Serialize;

use super::Sqlite;
use super::auth_methods::{body, login, put_login};
use super::values::to_json;
use crate::model::{AuthMountId, JwtConfig, JwtRole, KubernetesConfig, KubernetesRole};
use crate::store::{SignedLoginStore, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

const CONFIG: &str = "SELECT body FROM auth_config WHERE mount = ?1";

#[async_trait]
impl SignedLoginStore for Sqlite {
    async fn jwt_config(&self, mount: &AuthMountId) -> Result<Option<JwtConfig>> {
        self.readers.point(|db| body(db, CONFIG, [&mount.0]))
    }

    async fn put_jwt_config(&self, mount: &AuthMountId, config: &JwtConfig) -> Result<()> {
        self.put_auth_config(mount, config).await
    }

    async fn jwt_role(&self, mount: &AuthMountId, name: &str) -> Result<Option<JwtRole>> {
        self.readers.point(|db| login(db, mount, name))
    }

    async fn put_jwt_role(&self, mount: &AuthMountId, role: &JwtRole) -> Result<()> {
        let (mount, role) = (mount.clone(), role.clone());
        self.write(move |w| put_login(w.db, &mount, &role.name, None, &role)).await
    }

    async fn kubernetes_config(&self, mount: &AuthMountId) -> Result<Option<KubernetesConfig>> {
        self.readers.point(|db| body(db, CONFIG, [&mount.0]))
    }

    async fn put_kubernetes_config(
        &self,
        mount: &AuthMountId,
        config: &KubernetesConfig,
    ) -> Result<()> {
        self.put_auth_config(mount, config).await
    }

    async fn kubernetes_role(
        &self,
        mount: &AuthMountId,
        name: &str,
    ) -> Result<Option<KubernetesRole>> {
        self.readers.point(|db| login(db, mount, name))
    }

    async fn put_kubernetes_role(&self, mount: &AuthMountId, role: &KubernetesRole) -> Result<()> {
        let (mount, role) = (mount.clone(), role.clone());
        self.write(move |w| put_login(w.db, &mount, &role.name, None, &role)).await
    }
}

impl Sqlite {
    async fn put_auth_config(
        &self,
        mount: &AuthMountId,
        config: &(impl Serialize + Sync),
    ) -> Result<()> {
        let (mount, body) = (mount.0.clone(), to_json(config)?);
        self.write(move |w| {
            w.db.prepare_cached(
                "INSERT INTO auth_config (mount, body) VALUES (?1, ?2)
                 ON CONFLICT (mount) DO UPDATE SET body = excluded.body",
            )?
            .execute((mount, body))?;
            Ok(())
        })
        .await
    }
}
