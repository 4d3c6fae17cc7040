//! ACL policies, by name. The text is kept as it was written; what it means is [`crate::auth::acl`]'s. Which
//! names must stay, and which may never be, is decided by [`crate::auth`].

use async_trait::async_trait;

use super::StoreError;

/// Where ACL policies are kept.
#[async_trait]
pub trait PolicyStore {
    /// The text of a policy.
    async fn acl_policy(&self, name: &str) -> Result<Option<String>, StoreError>;
    /// All names, by byte value.
    async fn acl_policy_names(&self) -> Result<Vec<String>, StoreError>;
    /// Writes a policy, whether or not there is one.
    async fn put_acl_policy(&self, name: &str, text: &str) -> Result<(), StoreError>;
    /// Removes a policy if it is there.
    async fn remove_acl_policy(&self, name: &str) -> Result<(), StoreError>;
}
