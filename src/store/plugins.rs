//! Plugins in the words of the domain: bytes by digest, written once and never changed; a name and a version point at
//! one digest for good. Must never give back other bytes than were put in. SQL: `sqlite/plugins.rs`.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    PluginDigest, PluginName, PluginRecord, PluginSignature, PluginVersion, SemanticVersion,
};

type Result<T> = std::result::Result<T, StoreError>;

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutPlugin {
    /// It is stored now.
    Stored,
    /// These bytes were there already; nothing was changed.
    Known,
    /// The name and version point at other bytes; nothing was changed.
    Taken(PluginDigest),
}

/// The part of the store that is about plugins.
#[async_trait]
pub trait PluginStore {
    /// Stores a component and what is known of it, unless its digest is there or its name and version are taken.
    async fn put_plugin(&self, plugin: PluginRecord, component: Vec<u8>) -> Result<PutPlugin>;
    /// Adds signatures to a stored plugin, those left out that it has; tells whether there was any to add.
    async fn sign_plugin(
        &self,
        digest: &PluginDigest,
        signatures: &[PluginSignature],
    ) -> Result<bool>;
    /// What is known of a plugin.
    async fn plugin(&self, digest: &PluginDigest) -> Result<Option<PluginRecord>>;
    /// The bytes of a plugin.
    async fn plugin_component(&self, digest: &PluginDigest) -> Result<Option<Vec<u8>>>;
    /// Which bytes a name and version point at.
    async fn plugin_version(
        &self,
        name: &PluginName,
        version: &SemanticVersion,
    ) -> Result<Option<PluginDigest>>;
    /// Every stored plugin: by name, the oldest version first.
    async fn plugins(&self) -> Result<Vec<PluginVersion>>;
    /// Removes a version with its bytes; tells whether there was one. [`StoreError::Conflict`] when a guardrail is
    /// bound to it.
    async fn delete_plugin_version(
        &self,
        name: &PluginName,
        version: &SemanticVersion,
    ) -> Result<bool>;
}
