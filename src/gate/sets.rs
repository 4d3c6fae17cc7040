//! How the gate gets the guardrails that judge: what the configuration binds, what takes its place, and a set beside it
//! that is only asked what it would say. A set takes another's place in one step: no call ever sees half of two.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use guardrail_host::{CodeCache, LoadError, Manifest, Plugin};

use super::guardrail::Failed;
use super::plugins::{Plugins, Supplied, Unfit};
use super::shipped::{BOUND_BY_DEFAULT, SHIPPED, component_digest, shipped, shipped_digest};
use super::subject::Subject;
use super::verdict::{self, Digests};
use super::{
    BindingIssue, Bounds, Cache, Gate, GateConfig, GateError, Grant, KEPT_VERDICTS, Member, Set,
    Trigger, Unanswered, binding, kept,
};
use crate::metrics::Verdicts;
use crate::model::{
    Binding, FailureAction, Finding, GuardrailName, Mode, PluginDigest, PluginRef, Verdict,
};

/// A verdict that was asked for and led to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What would be said.
    pub verdict: Verdict,
    /// Guardrails that failed, each with its code.
    pub failures: Vec<(String, String)>,
}

/// What was kept of a verdict cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what was kept of the verdict cannot be read: {0}")]
pub struct Unreadable(pub(super) String);

impl Gate {
    /// Another gate on the same engine, with counts, verdicts and guardrails of its own: those of the configuration,
    /// which are not loaded again. What else one of them has loaded is not there for the other.
    #[must_use]
    pub fn beside(&self) -> Self {
        let configured = self.configured_set();
        Self {
            documents: Arc::clone(&self.documents),
            plugins: Arc::new(self.plugins.beside(configured.plugins())),
            configured: std::sync::RwLock::new(Arc::clone(&configured)),
            set: std::sync::RwLock::new(configured),
            cache_dir: self.cache_dir.clone(),
            default_mode: self.default_mode,
            bounds: self.bounds,
            verdicts: Cache::new(KEPT_VERDICTS),
            counted: Verdicts::default(),
        }
    }

    /// Loads what the configuration binds, and lets it judge. What is compiled is kept under this key from now on, if
    /// it is kept. Where it is open nothing is done. Takes seconds where something must be compiled: not for a worker of
    /// a runtime.
    pub fn open(&self, cache_key: [u8; 32]) -> Result<(), GateError> {
        if self.configured_set().broken().is_empty() {
            return Ok(());
        }
        if let Some(directory) = self.cache_dir.clone() {
            self.plugins.host().keep_code(CodeCache { directory, mac_key: cache_key });
        }
        let set = load_shipped(&self.plugins, self.configured(), self.default_mode, &self.bounds)?;
        let set = Arc::new(set);
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&set);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
        Ok(())
    }

    fn configured_set(&self) -> Arc<Set> {
        Arc::clone(&self.configured.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The guardrails that judge now.
    pub fn set(&self) -> Arc<Set> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets `set` judge from now on. Calls in flight finish on what they began with.
    pub fn swap(&self, set: Set) {
        let set = Arc::new(set);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&set);
        self.forget_unused();
    }

    /// Lets go of components that no guardrail works with now.
    pub fn forget_unused(&self) {
        let (set, configured) = (self.set(), self.configured_set());
        let shipped = |digest: &PluginDigest| configured.plugins().contains(digest);
        self.plugins.keep_only(|digest| set.plugins().contains(digest) || shipped(digest));
    }

    /// What verdicts depend on beside the guardrails, in words.
    pub fn engine(&self) -> String {
        super::set::engine(&self.bounds)
    }

    /// Forgets what was judged before, so that it is judged, and kept, once more.
    pub fn forget_verdicts(&self) {
        self.verdicts.clear();
    }

    /// What the configuration binds.
    pub fn configured(&self) -> Vec<Member> {
        let spec: Option<super::SetSpec> = serde_json::from_str(self.configured_set().spec()).ok();
        let mut members = spec.map(|spec| spec.members).unwrap_or_default();
        // As it was bound: by name, so that it follows the release.
        for member in &mut members {
            let name = member.name.as_str();
            let digest = shipped_digest(name).cloned().map(PluginRef::Digest);
            if digest.as_ref() == Some(&member.binding.plugin) {
                member.binding.plugin = PluginRef::Shipped(name.to_owned());
            }
        }
        members
    }

    /// The mode of guardrails without one of their own.
    pub const fn default_mode(&self) -> Mode {
        self.default_mode
    }

    /// Loads a component to look at it; no guardrail works with it. Takes seconds where it must be compiled: not for a
    /// worker of a runtime.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        self.plugins.host().load(component)
    }

    /// A component that is loaded, or ships with the broker.
    pub fn supplied(&self, digest: &PluginDigest) -> Option<Supplied> {
        self.plugins.supplied(digest)
    }

    /// A set of these members. `components` has what they work with, or why it cannot be had; those that ship with the
    /// broker need not be in it. What must be compiled takes seconds: not for a worker of a runtime.
    pub fn prepare(
        &self,
        members: Vec<Member>,
        components: &BTreeMap<PluginDigest, Result<Supplied, String>>,
        default_mode: Mode,
    ) -> Set {
        Set::new(members, default_mode, &self.bounds, |digest| {
            let component = match components.get(digest) {
                Some(found) => found.clone()?,
                None => self.supplied(digest).ok_or_else(|| not_stored(digest))?,
            };
            self.plugins.loaded(digest, &component).map_err(|error| error.to_string())
        })
    }

    /// The version that a component says it has, which is loaded or ships with the broker. Takes seconds where it must
    /// be compiled: not for a worker of a runtime.
    pub fn version_of(&self, digest: &PluginDigest) -> Result<Option<String>, Unanswered> {
        let Some(component) = self.supplied(digest) else {
            return Ok(None);
        };
        let plugin = self.plugins.loaded(digest, &component)?;
        Ok(Some(plugin.manifest().version.clone()))
    }

    /// What a component says of itself, and everything that is wrong with binding it so. Takes seconds where it must be
    /// compiled: not for a worker of a runtime.
    pub fn check(
        &self,
        digest: &PluginDigest,
        component: &Supplied,
        wished: &Binding,
    ) -> Result<(Manifest, Vec<BindingIssue>), Unanswered> {
        let plugin = self.plugins.loaded(digest, component)?;
        let issues = binding::issues(&plugin, wished)?;
        Ok((plugin.manifest().clone(), issues))
    }

    /// What `set` would say of a grant. Nothing comes of it: it is neither counted nor kept.
    pub async fn probe(&self, set: &Set, grant: &Grant) -> Probe {
        let subject = Subject::of_grant(grant, &self.documents);
        match self.verdicts.get(&Digests::of(&subject, set).key) {
            Some(known) => Probe { verdict: (*known).clone(), failures: Vec::new() },
            None => self.reached(set, &subject).await,
        }
    }

    async fn reached(&self, set: &Set, subject: &Subject) -> Probe {
        let digest = Digests::of(subject, set).verdict;
        let judged = verdict::reach(subject, set, digest).await;
        let failures = judged.failures.into_iter();
        let failures = failures.map(|failed| (failed.guardrail, failed.trouble.code)).collect();
        Probe { verdict: judged.verdict, failures }
    }

    /// Reaches a verdict again from what was kept of it.
    pub async fn replay(&self, set: &Set, input: &str) -> Result<Probe, Unreadable> {
        let grant = kept::read(input, &self.documents)?;
        Ok(self.reached(set, &Subject::of_grant(&grant, &self.documents)).await)
    }

    /// Whether a guardrail of `set` has something to say when a credential is issued; where not, it has at a write.
    pub fn is_asked_at_issue(set: &Set, name: &GuardrailName) -> bool {
        set.wants(name, Trigger::Issue)
    }
}

fn not_stored(digest: &PluginDigest) -> String {
    format!("the plugin `{digest}` is not stored")
}

impl From<Unfit> for Unanswered {
    fn from(unfit: Unfit) -> Self {
        Self { detail: unfit.to_string() }
    }
}

/// What a configuration binds: the shipped guardrails that are bound by default, and those that it names.
pub(super) fn configured(config: &GateConfig) -> Vec<Member> {
    let has_section =
        |name: &str| config.modes.contains_key(name) || config.settings.contains_key(name);
    let bound = |name: &&str| BOUND_BY_DEFAULT.contains(name) || has_section(name);
    let names = SHIPPED.iter().map(|(name, _)| *name).filter(bound);
    names
        .filter_map(|name| {
            let mode = config.modes.get(name).copied().unwrap_or(config.default_mode);
            let mut binding = Binding::shipped(name, mode);
            if let Some(settings) = config.settings.get(name) {
                binding.settings.clone_from(settings);
            }
            Some(Member { name: name.parse().ok()?, binding, suspension: None })
        })
        .collect()
}

/// The guardrails of the configuration, every one of which must be usable: a server that cannot judge does not start.
pub(super) fn load_shipped(
    plugins: &Plugins,
    members: Vec<Member>,
    default_mode: Mode,
    bounds: &Bounds,
) -> Result<Set, GateError> {
    for member in &members {
        let name = member.name.as_str();
        let unusable = |detail: String| GateError::Unusable { name: name.to_owned(), detail };
        let component = shipped(name).ok_or_else(|| unusable("it is not there".to_owned()))?;
        let digest = component_digest(component).ok_or_else(|| unusable("no digest".to_owned()))?;
        match plugins.load(&digest, component) {
            Ok(_) => {}
            Err(Unfit::Load(error)) => return Err(error.into()),
            Err(other) => return Err(unusable(other.to_string())),
        }
    }
    let loaded = |digest: &PluginDigest| plugins.get(digest).ok_or_else(|| digest.to_string());
    let set = Set::new(members, default_mode, bounds, loaded);
    match set.broken().first() {
        None => Ok(set),
        Some((name, detail)) => {
            Err(GateError::Unusable { name: name.clone(), detail: detail.clone() })
        }
    }
}

/// Says what a verdict does not show: findings in audit, and failures in full.
pub(super) fn report(hidden: &[Finding], failures: &[Failed], counted: &Verdicts) {
    for finding in hidden {
        let name = verdict::guardrail_of(finding);
        tracing::info!(
            guardrail.name = name,
            finding.rule = finding.rule,
            finding.source = finding.source,
            finding.pointer = finding.pointer,
            finding.denies = finding.denies,
            "guardrail `{name}` in audit: {}",
            finding.message
        );
    }
    for Failed { guardrail: name, trouble, led_to } in failures {
        counted.failed(name, &trouble.code, led_to.as_str());
        let (code, detail) = (&trouble.code, &trouble.detail);
        match led_to {
            FailureAction::Deny | FailureAction::Note => tracing::error!(
                guardrail.name = name,
                guardrail.failure = code,
                guardrail.failure_led_to = led_to.as_str(),
                detail,
                "guardrail `{name}` failed with {code}"
            ),
            FailureAction::Allow => tracing::error!(
                guardrail.name = name,
                guardrail.failure = code,
                guardrail.failure_led_to = led_to.as_str(),
                detail,
                "guardrail `{name}` failed with {code}, and nothing was refused for it"
            ),
        }
    }
}
