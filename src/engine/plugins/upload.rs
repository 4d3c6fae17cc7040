//! The use cases that store a plugin and remove one. What is stored was examined whole; what is removed is in nobody's
//! hands. Each change is one line in the log, with who made it.

use std::sync::Arc;

use tracing::{error, info};

use super::examine::{self, Examined, Sent, Upload};
use super::known::{Origin, as_signature, statement};
use super::{KnownPlugin, PluginError, PluginKey};
use crate::auth::Caller;
use crate::engine::Engine;
use crate::gate::Untrusted;
use crate::model::{PluginDigest, PluginRecord, PluginRef, PluginSignature, Uploader};
use crate::store::{PutPlugin, StoreError};

/// What an upload came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The plugin.
    pub plugin: KnownPlugin,
    /// Whether something was stored now: the bytes, or a signature.
    pub is_new: bool,
}

impl Engine {
    /// Stores a plugin, once it is found to be one that can be taken.
    pub async fn upload_plugin(
        &self,
        caller: &Caller,
        upload: Upload,
    ) -> Result<Uploaded, PluginError> {
        let _turn = self.plugins.turn.lock().await;
        let Examined { record, component, signers: _ } = self.examine(caller, upload).await?;
        if let Some(plugin) = self.shipped_already(&record).await? {
            return Ok(Uploaded { plugin, is_new: false });
        }
        let (digest, signatures) = (record.digest.clone(), record.signatures.clone());
        let is_new = match self.parts.store.put_plugin(record.clone(), component).await? {
            PutPlugin::Stored => {
                info!(
                    plugin.name = %record.name, plugin.version = %record.version,
                    plugin.digest = %digest, caller = caller.accessor().0,
                    "plugin {} {} stored as {digest}", record.name, record.version
                );
                true
            }
            PutPlugin::Known => self.add_signatures(caller, &record, &signatures).await?,
            PutPlugin::Taken(stored) => return Err(taken(&record, stored)),
        };
        if is_new && let Err(error) = self.retry_broken_guardrails().await {
            error!(error = %error, "guardrails that wait for a plugin were not loaded again");
        }
        let plugin = self.known_plugin(&PluginKey::Digest(digest)).await?;
        Ok(Uploaded { plugin, is_new })
    }

    /// Everything that an upload does, but for storing.
    pub async fn check_plugin(
        &self,
        caller: &Caller,
        upload: Upload,
    ) -> Result<KnownPlugin, PluginError> {
        let _turn = self.plugins.turn.lock().await;
        let Examined { record, component: _, signers } = self.examine(caller, upload).await?;
        if let Some(plugin) = self.shipped_already(&record).await? {
            return Ok(plugin);
        }
        let store = &self.parts.store;
        if let Some(stored) = store.plugin_version(&record.name, &record.version).await?
            && stored != record.digest
        {
            return Err(taken(&record, stored));
        }
        let used_by = self.bound_to(&PluginRef::Digest(record.digest.clone())).await?;
        Ok(KnownPlugin { record: Arc::new(record), origin: Origin::Uploaded, signers, used_by })
    }

    /// Removes a version and its bytes; nothing where it is not there.
    pub async fn delete_plugin(&self, caller: &Caller, key: &PluginKey) -> Result<(), PluginError> {
        if let PluginKey::Newest(name) = key {
            return Err(PluginError::NoVersion(name.to_string()));
        }
        let KnownPlugin { record, origin, used_by, .. } = match self.known_plugin(key).await {
            Err(PluginError::NotFound) => return Ok(()),
            known => known?,
        };
        let (name, version) = (&record.name, &record.version);
        let (name_text, version_text) = (name.to_string(), version.to_string());
        if origin == Origin::Shipped {
            return Err(PluginError::Shipped { name: name_text, version: version_text });
        }
        let in_use = |guardrails| {
            let (name, version) = (name_text.clone(), version_text.clone());
            PluginError::InUse { name, version, guardrails }
        };
        if !used_by.is_empty() {
            return Err(in_use(used_by));
        }
        match self.parts.store.delete_plugin_version(name, version).await {
            // A guardrail was bound to it since it was looked at.
            Err(StoreError::Conflict) => {
                let bound = self.parts.store.guardrails_of(&record.digest).await?;
                return Err(in_use(bound.into_iter().map(String::from).collect()));
            }
            deleted => deleted?,
        };
        info!(
            plugin.name = %name, plugin.version = %version, plugin.digest = %record.digest,
            caller = caller.accessor().0, "plugin {name} {version} deleted"
        );
        Ok(())
    }

    /// Whether a stored plugin may be loaded: by the signatures that it was stored with and the keys trusted now.
    pub(in crate::engine) fn admit_plugin(&self, record: &PluginRecord) -> Result<(), Untrusted> {
        let signatures: Vec<_> = record.signatures.iter().map(as_signature).collect();
        self.parts.settings.trust.judge(&statement(record), &signatures).map(drop)
    }

    async fn examine(&self, caller: &Caller, upload: Upload) -> Result<Examined, PluginError> {
        let token = caller.token();
        let by = Uploader {
            accessor: caller.accessor().clone(),
            display_name: token.display_name.clone(),
        };
        let sent = Sent { at: self.parts.clock.now(), by };
        let gate = Arc::clone(&self.parts.gate);
        let trust = Arc::clone(&self.parts.settings.trust);
        let examined =
            tokio::task::spawn_blocking(move || examine::examine(&gate, &trust, upload, sent));
        examined.await.map_err(|error| PluginError::Lost(error.to_string()))?
    }

    /// The shipped plugin that this is; refused where it has the name and version of one and other bytes.
    async fn shipped_already(
        &self,
        record: &PluginRecord,
    ) -> Result<Option<KnownPlugin>, PluginError> {
        let shipped = self.shipped_plugin(record.name.as_str()).await?;
        match shipped.filter(|shipped| shipped.record.version == record.version) {
            Some(shipped) if shipped.record.digest != record.digest => {
                Err(taken(record, shipped.record.digest.clone()))
            }
            same => Ok(same),
        }
    }

    /// Adds what is new among the signatures on bytes that are stored; tells whether anything was.
    async fn add_signatures(
        &self,
        caller: &Caller,
        record: &PluginRecord,
        signatures: &[PluginSignature],
    ) -> Result<bool, PluginError> {
        let (name, version, digest) = (&record.name, &record.version, &record.digest);
        let stored = self.parts.store.plugin(digest).await?;
        let stored = stored.map(|stored| stored.signatures.len()).unwrap_or_default();
        if stored.saturating_add(signatures.len()) > super::error::MAX_SIGNATURES {
            return Err(PluginError::Signatures(format!("{name} {version}")));
        }
        let is_signed = self.parts.store.sign_plugin(digest, signatures).await?;
        if is_signed {
            info!(
                plugin.name = %name, plugin.version = %version, plugin.digest = %digest,
                caller = caller.accessor().0, "plugin {name} {version} has new signatures"
            );
        }
        Ok(is_signed)
    }
}

fn taken(record: &PluginRecord, stored: PluginDigest) -> PluginError {
    PluginError::Taken {
        name: record.name.to_string(),
        version: record.version.to_string(),
        stored,
        own: record.digest.clone(),
    }
}
