//! What plugins there are: those that ship with the broker and those that were uploaded, as one list. Reads alone. A
//! shipped one is described when it is first asked for.

use std::cmp::Ordering;
use std::sync::{Arc, PoisonError};

use guardrail_kit::package::{Signature, Statement};

use super::PluginError;
use super::examine::{self, Sent};
use crate::engine::Engine;
use crate::engine::guardrails::GuardrailError;
use crate::gate::{self, Signer};
use crate::model::{
    Accessor, PluginDigest, PluginName, PluginRecord, PluginRef, PluginSignature, SemanticVersion,
    Timestamp, Uploader,
};
use crate::store::StoreError;

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It ships with the broker.
    Shipped,
    /// Somebody uploaded it.
    Uploaded,
}

/// A plugin with all that is known of it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPlugin {
    /// What is known for good. Of a shipped one, when and by whom it was uploaded means nothing.
    pub record: Arc<PluginRecord>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its signatures, as the keys that are trusted now see them.
    pub signers: Vec<Signer>,
    /// Names of the guardrails that work with it, sorted.
    pub used_by: Vec<String>,
}

/// How a plugin is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginKey {
    /// By its bytes.
    Digest(PluginDigest),
    /// The newest of a name.
    Newest(PluginName),
    /// By name and version.
    Version(PluginName, SemanticVersion),
}

impl PluginKey {
    /// The same, or nothing at all.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, PluginError> {
        if text.is_empty() { Ok(None) } else { Self::parse(text).map(Some) }
    }

    /// Reads `NAME`, `NAME/VERSION` or a digest.
    pub fn parse(text: &str) -> Result<Self, PluginError> {
        if text.starts_with("sha256:") {
            return text.parse().map(Self::Digest).map_err(PluginError::Path);
        }
        match text.split_once('/') {
            None => text.parse().map(Self::Newest).map_err(PluginError::Path),
            Some((name, version)) => {
                let name = name.parse().map_err(PluginError::Path)?;
                Ok(Self::Version(name, version.parse().map_err(PluginError::Path)?))
            }
        }
    }
}

impl Engine {
    /// Names of all plugins, sorted.
    pub async fn plugin_names(&self) -> Result<Vec<String>, StoreError> {
        let stored = self.parts.store.plugins().await?;
        let mut names: Vec<String> = stored.iter().map(|plugin| plugin.name.to_string()).collect();
        names.extend(gate::SHIPPED.iter().map(|(name, _)| (*name).to_owned()));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Versions of a plugin, the oldest first; none of one that is not there.
    pub async fn plugin_versions(&self, name: &PluginName) -> Result<Vec<String>, PluginError> {
        let mut versions: Vec<SemanticVersion> =
            self.versions_of(name).await?.into_iter().map(|(version, _)| version).collect();
        versions.sort_by(SemanticVersion::precedence);
        Ok(versions.into_iter().map(String::from).collect())
    }

    /// Everything of every plugin: by name, the oldest version first.
    pub async fn known_plugins(&self) -> Result<Vec<KnownPlugin>, PluginError> {
        let mut known = Vec::new();
        for (name, _) in gate::SHIPPED {
            known.extend(self.shipped_plugin(name).await?);
        }
        let stored = self.parts.store.plugins().await?.into_iter();
        // One that was uploaded before it shipped is there once.
        for plugin in stored.filter(|plugin| gate::shipped_by_digest(&plugin.digest).is_none()) {
            known.extend(self.stored_plugin(&plugin.digest).await?);
        }
        known.sort_by(|one, other| order(&one.record, &other.record));
        Ok(known)
    }

    /// A plugin.
    pub async fn known_plugin(&self, key: &PluginKey) -> Result<KnownPlugin, PluginError> {
        let digest = match key {
            PluginKey::Digest(digest) => Some(digest.clone()),
            PluginKey::Newest(name) => {
                let newest = self.versions_of(name).await?.into_iter();
                newest.max_by(|one, other| one.0.precedence(&other.0)).map(|(_, digest)| digest)
            }
            PluginKey::Version(name, version) => {
                let mut versions = self.versions_of(name).await?.into_iter();
                versions.find(|(own, _)| own == version).map(|(_, digest)| digest)
            }
        };
        let digest = digest.ok_or(PluginError::NotFound)?;
        let known = match gate::shipped_by_digest(&digest) {
            Some((name, _)) => self.shipped_plugin(name).await?,
            None => self.stored_plugin(&digest).await?,
        };
        known.ok_or(PluginError::NotFound)
    }

    async fn versions_of(
        &self,
        name: &PluginName,
    ) -> Result<Vec<(SemanticVersion, PluginDigest)>, PluginError> {
        let stored = self.parts.store.plugins().await?.into_iter();
        let mut versions: Vec<_> = stored
            .filter(|plugin| plugin.name == *name)
            .filter(|plugin| gate::shipped_by_digest(&plugin.digest).is_none())
            .map(|plugin| (plugin.version, plugin.digest))
            .collect();
        if let Some(shipped) = self.shipped_plugin(name.as_str()).await? {
            let PluginRecord { version, digest, .. } = &*shipped.record;
            versions.push((version.clone(), digest.clone()));
        }
        Ok(versions)
    }

    async fn stored_plugin(
        &self,
        digest: &PluginDigest,
    ) -> Result<Option<KnownPlugin>, PluginError> {
        let Some(record) = self.parts.store.plugin(digest).await? else {
            return Ok(None);
        };
        let used_by = self.bound_to(&PluginRef::Digest(digest.clone())).await?;
        let signatures: Vec<_> = record.signatures.iter().map(as_signature).collect();
        let signers = self.parts.settings.trust.signers(&statement(&record), &signatures);
        let origin = Origin::Uploaded;
        Ok(Some(KnownPlugin { record: Arc::new(record), origin, signers, used_by }))
    }

    /// Names of the guardrails that work with a plugin, those of the configuration too.
    pub(super) async fn bound_to(&self, plugin: &PluginRef) -> Result<Vec<String>, PluginError> {
        let guardrails = self.guardrails().await.map_err(|error| match error {
            GuardrailError::Store(error) => PluginError::Store(error),
            other => PluginError::Lost(other.to_string()),
        })?;
        let bound = guardrails.into_iter().filter(|facts| facts.binding.plugin == *plugin);
        Ok(bound.map(|facts| String::from(facts.name)).collect())
    }

    /// A plugin that ships with the broker, by the name that it has there.
    pub(super) async fn shipped_plugin(
        &self,
        name: &str,
    ) -> Result<Option<KnownPlugin>, PluginError> {
        let Some((name, component)) = gate::SHIPPED.iter().find(|(own, _)| *own == name) else {
            return Ok(None);
        };
        let known = || {
            let shipped = self.plugins.shipped.lock().unwrap_or_else(PoisonError::into_inner);
            shipped.get(name).cloned()
        };
        let record = match known() {
            Some(record) => record,
            None => {
                let gate = Arc::clone(&self.parts.gate);
                let described = tokio::task::spawn_blocking(move || describe(&gate, component));
                let described = described.await.map_err(|e| PluginError::Lost(e.to_string()))?;
                let record = Arc::new(described?);
                let mut shipped =
                    self.plugins.shipped.lock().unwrap_or_else(PoisonError::into_inner);
                shipped.insert(name, Arc::clone(&record));
                record
            }
        };
        let used_by = self.bound_to(&PluginRef::Shipped((*name).to_owned())).await?;
        Ok(Some(KnownPlugin { record, origin: Origin::Shipped, signers: Vec::new(), used_by }))
    }
}

/// What is known of a shipped component. Blocks the thread.
fn describe(gate: &gate::Gate, component: &[u8]) -> Result<PluginRecord, PluginError> {
    let plugin = examine::load(gate, component)?;
    let digest = PluginDigest::of_hex(plugin.digest()).map_err(PluginError::Manifest)?;
    let nobody = Uploader { accessor: Accessor(String::new()), display_name: String::new() };
    let sent = Sent { at: Timestamp::default(), by: nobody };
    examine::record(&plugin, digest, component.len(), sent)
}

/// What the signatures of a stored plugin are over.
pub(super) fn statement(record: &PluginRecord) -> Statement<'_> {
    let PluginRecord { name, version, digest, .. } = record;
    Statement { name: name.as_str(), version: version.as_str(), digest: digest.as_str() }
}

/// A stored signature as the kit knows it.
pub(super) fn as_signature(stored: &PluginSignature) -> Signature {
    let PluginSignature { key_id, signature } = stored.clone();
    Signature {
        key_id,
        signature,
        algorithm: guardrail_kit::package::signature::ALGORITHM.to_owned(),
    }
}

fn order(one: &PluginRecord, other: &PluginRecord) -> Ordering {
    one.name.cmp(&other.name).then_with(|| one.version.precedence(&other.version))
}
