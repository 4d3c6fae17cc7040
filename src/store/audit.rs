//! Audit devices, and how far the chain of each has come: what was written down is never taken back, so that a
//! file that ends before it was cut off. What a device does is [`crate::audit`]'s; SQL is in [`super::sqlite`].

use async_trait::async_trait;

use super::StoreError;
use crate::model::{AuditDevice, ChainHead};

type Result<T> = std::result::Result<T, StoreError>;

/// Where audit devices are kept.
#[async_trait]
pub trait AuditStore {
    /// All devices, by path, each with the last head that was written down.
    async fn audit_devices(&self) -> Result<Vec<(AuditDevice, Option<ChainHead>)>>;
    /// Writes a new device; [`StoreError::Conflict`] where its path is taken.
    async fn put_audit_device(&self, device: &AuditDevice) -> Result<()>;
    /// Forgets a device by its path, if it is there.
    async fn remove_audit_device(&self, path: &str) -> Result<()>;
    /// Writes down how far the chains of some devices, by id, have come; those that are gone are passed over.
    async fn put_chain_heads(&self, heads: Vec<(String, ChainHead)>) -> Result<()>;
}
