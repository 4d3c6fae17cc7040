//! Guardrails: read, written, removed. What is written is checked by the plugin that it names before it is stored, and
//! judges from the moment it is durable. What the configuration binds is shown beside what was written, which goes
//! before it. Must never leave a guardrail out in silence: one that cannot be used stays, and fails.
//!
//! | file | holds |
//! |---|---|
//! | `change` | what somebody wishes, read into a binding, with everything that is wrong with it |
//! | `plugin_ref` | which plugin a text names |
//! | `memory` | what the engine keeps of guardrails beside the set that judges |
//! | `members` | from rows and configuration to the set that judges |
//! | [`suspend`] | breaking the glass, and its end |
//! | [`what_if`] | what would flip, over every stored role |
//! | [`verdicts`] | verdicts that are kept, and reached again |

mod change;
mod error;
mod members;
mod memory;
mod plugin_ref;
pub mod suspend;
pub mod verdicts;
pub mod what_if;

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{info, warn};

use super::Engine;
use crate::auth::Caller;
use crate::gate::{Member, Set, Supplied};
use crate::model::{
    Binding, Guardrail, GuardrailName, Mode, PluginDigest, PluginRef, Suspension, Timestamp,
};
pub use change::BindingChange;
pub use error::GuardrailError;
pub(super) use memory::Guardrails;
use memory::what_judges;

/// Who says that a guardrail is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The configuration; nothing was written of it.
    Configuration,
    /// It was written.
    Written {
        /// Counts the writes, from 1.
        version: u64,
        /// When, last.
        at: Timestamp,
        /// Display name of the token.
        by: String,
        /// The mode that the configuration has for it, if it has one.
        configured: Option<Mode>,
    },
}

/// A guardrail with all that is known of it.
#[derive(Debug, Clone)]
pub struct GuardrailFacts {
    /// Its name.
    pub name: GuardrailName,
    /// What it is.
    pub binding: Binding,
    /// Who says so.
    pub origin: Origin,
    /// The component that it works with.
    pub digest: Option<PluginDigest>,
    /// Set while it is suspended.
    pub suspension: Option<Suspension>,
    /// Why it cannot be used and fails; `None` where it can.
    pub problem: Option<String>,
}

impl Engine {
    /// Every guardrail, by name.
    pub async fn guardrails(&self) -> Result<Vec<GuardrailFacts>, GuardrailError> {
        let rows = self.parts.store.guardrails().await?;
        let now = self.parts.clock.now();
        let suspensions = self.parts.store.suspensions().await?;
        let set = self.parts.gate.set();
        let configured = self.parts.gate.configured();
        let facts = |name: &GuardrailName, binding: &Binding, origin: Origin| {
            let holds = |one: &&Suspension| one.name == *name && one.holds(now);
            let broken = set.broken().iter().find(|(own, _)| own == name.as_str());
            GuardrailFacts {
                name: name.clone(),
                binding: binding.clone(),
                origin,
                digest: plugin_ref::digest(&binding.plugin),
                suspension: suspensions.iter().find(holds).cloned(),
                problem: broken.map(|(_, problem)| problem.clone()),
            }
        };
        let mode_of = |name: &GuardrailName| {
            configured.iter().find(|member| member.name == *name).map(|member| member.binding.mode)
        };
        let written = rows.iter().map(|row| {
            let origin = Origin::Written {
                version: row.version,
                at: row.written_at,
                by: row.written_by.clone(),
                configured: mode_of(&row.name),
            };
            facts(&row.name, &row.binding, origin)
        });
        let unwritten = configured
            .iter()
            .filter(|member| !rows.iter().any(|row| row.name == member.name))
            .map(|member| facts(&member.name, &member.binding, Origin::Configuration));
        let mut all: Vec<GuardrailFacts> = written.chain(unwritten).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// A guardrail.
    pub async fn guardrail(
        &self,
        name: &GuardrailName,
    ) -> Result<Option<GuardrailFacts>, GuardrailError> {
        Ok(self.guardrails().await?.into_iter().find(|facts| facts.name == *name))
    }

    /// Writes a guardrail over what there is of it. Gives what the writer should know.
    pub async fn write_guardrail(
        &self,
        caller: &Caller,
        name: &GuardrailName,
        change: BindingChange,
        cas: Option<u64>,
    ) -> Result<Vec<String>, GuardrailError> {
        let _turn = self.guardrails.changes.lock().await;
        let stored = self.parts.store.guardrail(name).await?;
        let version = stored.as_ref().map_or(0, |stored| stored.version);
        if cas.is_some_and(|cas| cas != version) {
            return Err(GuardrailError::OtherVersion { version });
        }
        let before = stored.map(|stored| stored.binding).or_else(|| self.configured_binding(name));
        let binding = self.wished(before.as_ref(), change, Mode::Warn).await?;
        let was_tried = self.guardrails.was_tried(&binding);
        let guardrail = Guardrail {
            name: name.clone(),
            version: version.saturating_add(1),
            binding,
            written_at: self.parts.clock.now(),
            written_by: caller.display_name().to_owned(),
        };
        self.guardrails.writing();
        self.parts.store.put_guardrail(&guardrail).await?;
        self.reload().await?;
        let binding = &guardrail.binding;
        info!(
            guardrail.name = %name, guardrail.version = guardrail.version,
            guardrail.mode = %binding.mode, plugin.digest = %binding.plugin,
            caller = %caller.accessor().0, caller.name = caller.display_name(),
            "guardrail {name} written: {}", binding.mode
        );
        let before = before.map(|before| (before.mode, what_judges(&before)));
        let judged_so = before == Some((Mode::Enforce, what_judges(binding)));
        let blind = binding.mode == Mode::Enforce && !was_tried && !judged_so;
        Ok(if blind { vec![untried(name)] } else { Vec::new() })
    }

    /// Removes what was written of a guardrail. One that the configuration has goes back to what that says.
    pub async fn delete_guardrail(
        &self,
        caller: &Caller,
        name: &GuardrailName,
    ) -> Result<(), GuardrailError> {
        let _turn = self.guardrails.changes.lock().await;
        let before = self.guardrails.writing();
        let removed = self.parts.store.remove_guardrail(name).await?;
        if !removed {
            self.guardrails.wrote_nothing(before);
        }
        let configured = self.configured_binding(name);
        match (removed, configured) {
            (false, Some(_)) => return Err(GuardrailError::OfConfiguration(name.clone())),
            (false, None) => return Ok(()),
            (true, _) => {}
        }
        self.reload().await?;
        warn!(
            guardrail.name = %name,
            caller = %caller.accessor().0, caller.name = caller.display_name(),
            "guardrail {name} removed"
        );
        Ok(())
    }

    fn configured_binding(&self, name: &GuardrailName) -> Option<Binding> {
        let configured = self.parts.gate.configured();
        configured.into_iter().find(|member| member.name == *name).map(|member| member.binding)
    }

    /// What somebody wishes, checked by the plugin that it names.
    async fn wished(
        &self,
        before: Option<&Binding>,
        change: BindingChange,
        default_mode: Mode,
    ) -> Result<Binding, GuardrailError> {
        let plugin = match (change.plugin.as_deref(), before) {
            (Some(text), _) => self.plugin_named(text).await?,
            (None, Some(before)) => before.plugin.clone(),
            (None, None) => return Err(GuardrailError::PluginMissing),
        };
        let binding = change.over(before, plugin, default_mode).map_err(GuardrailError::Issues)?;
        let digest = plugin_ref::digest(&binding.plugin)
            .ok_or_else(|| GuardrailError::NoPlugin(binding.plugin.to_string()))?;
        let component = self.component(&digest).await?;
        let (gate, wished) = (Arc::clone(&self.parts.gate), binding.clone());
        let checked = self
            .compile(move || gate.check(&digest, &component, &wished))
            .await?
            .map_err(GuardrailError::Unanswered)?;
        let (_, issues) = checked;
        if issues.is_empty() { Ok(binding) } else { Err(GuardrailError::Issues(issues)) }
    }

    /// A component, in the hands of whoever asks. Refused where nobody who is trusted now vouches for it, loaded or not.
    async fn component(&self, digest: &PluginDigest) -> Result<Supplied, GuardrailError> {
        if let Some(record) = self.parts.store.plugin(digest).await? {
            self.admit_plugin(&record)?;
        }
        if let Some(supplied) = self.parts.gate.supplied(digest) {
            return Ok(supplied);
        }
        match self.parts.store.plugin_component(digest).await? {
            Some(component) => Ok(Supplied::Bytes(component.into())),
            None => Err(GuardrailError::NoPlugin(digest.to_string())),
        }
    }

    /// Work that may compile a component, on a thread that may be kept busy.
    async fn compile<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, GuardrailError> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| GuardrailError::Lost(error.to_string()))
    }

    /// A set of these members, every component of which is loaded or counts as one that fails.
    pub(super) async fn prepared(
        &self,
        members: Vec<Member>,
        default_mode: Mode,
    ) -> Result<Set, GuardrailError> {
        let mut components = BTreeMap::new();
        for member in &members {
            let PluginRef::Digest(digest) = &member.binding.plugin else { continue };
            let found = match self.component(digest).await {
                Err(GuardrailError::Store(error)) => return Err(error.into()),
                found => found.map_err(|error| error.to_string()),
            };
            components.insert(digest.clone(), found);
        }
        self.made_of(members, components, default_mode).await
    }

    async fn made_of(
        &self,
        members: Vec<Member>,
        components: BTreeMap<PluginDigest, Result<Supplied, String>>,
        default_mode: Mode,
    ) -> Result<Set, GuardrailError> {
        let gate = Arc::clone(&self.parts.gate);
        self.compile(move || gate.prepare(members, &components, default_mode)).await
    }
}

fn untried(name: &GuardrailName) -> String {
    format!(
        "guardrail `{name}` enforces settings that were not tried on the stored roles: write to sys/guardrails/{name}/what-if to see which of them it stops"
    )
}
