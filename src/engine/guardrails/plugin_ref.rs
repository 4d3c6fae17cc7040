//! Which plugin a text names: a digest, a name with a version, or the name of one that ships with the broker. Names are
//! looked up when a guardrail is written and never again: what is stored is the digest, or the name of a shipped one,
//! which follows the release.

use super::{Engine, GuardrailError};
use crate::gate::{shipped, shipped_by_digest, shipped_digest};
use crate::model::{PluginDigest, PluginName, PluginRef, SemanticVersion};

/// What names of shipped components may begin with.
const BUILTIN: &str = "builtin:";

/// The component that is meant; `None` where it does not ship with this release.
pub(super) fn digest(plugin: &PluginRef) -> Option<PluginDigest> {
    match plugin {
        PluginRef::Digest(digest) => Some(digest.clone()),
        PluginRef::Shipped(name) => shipped_digest(name).cloned(),
    }
}

impl Engine {
    /// The plugin that a text names.
    pub(super) async fn plugin_named(&self, text: &str) -> Result<PluginRef, GuardrailError> {
        let unknown = || GuardrailError::NoPlugin(text.to_owned());
        if let Some(name) = text.strip_prefix(BUILTIN) {
            return shipped(name).map(|_| PluginRef::Shipped(name.to_owned())).ok_or_else(unknown);
        }
        if let Ok(digest) = text.parse::<PluginDigest>() {
            return match shipped_by_digest(&digest) {
                // Its bytes go with the release: named by name it is there after the next one too.
                Some((name, _)) => Ok(PluginRef::Shipped(name.to_owned())),
                None => match self.parts.store.plugin(&digest).await? {
                    Some(_) => Ok(PluginRef::Digest(digest)),
                    None => Err(unknown()),
                },
            };
        }
        match text.split_once(['@', ':']) {
            Some((name, version)) => self.plugin_version(name, version).await?.ok_or_else(unknown),
            None if shipped(text).is_some() => Ok(PluginRef::Shipped(text.to_owned())),
            None => self.newest(text).await?.ok_or_else(unknown),
        }
    }

    async fn plugin_version(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Option<PluginRef>, GuardrailError> {
        let (Ok(name), Ok(version)) =
            (name.parse::<PluginName>(), version.parse::<SemanticVersion>())
        else {
            return Ok(None);
        };
        if let Some(digest) = self.parts.store.plugin_version(&name, &version).await? {
            return Ok(Some(PluginRef::Digest(digest)));
        }
        let own = self.shipped_version(name.as_str()).await?;
        let is_own = own.as_deref() == Some(version.as_str());
        Ok(is_own.then(|| PluginRef::Shipped(name.to_string())))
    }

    /// The version that a shipped component says it has.
    async fn shipped_version(&self, name: &str) -> Result<Option<String>, GuardrailError> {
        let Some(digest) = shipped_digest(name) else {
            return Ok(None);
        };
        let gate = std::sync::Arc::clone(&self.parts.gate);
        let version = self.compile(move || gate.version_of(digest)).await?;
        Ok(version?)
    }

    /// The newest uploaded version.
    async fn newest(&self, name: &str) -> Result<Option<PluginRef>, GuardrailError> {
        let plugins = self.parts.store.plugins().await?;
        let own = plugins.into_iter().filter(|plugin| plugin.name.as_str() == name);
        let newest = own.max_by(|one, other| one.version.precedence(&other.version));
        Ok(newest.map(|plugin| PluginRef::Digest(plugin.digest)))
    }
}
