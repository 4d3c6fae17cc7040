//! The gate: everything a role would grant is judged here before anything is created. It knows
//! neither AWS nor the store: the engine brings it a whole [`Grant`], and only the gate can turn one
//! into a [`VettedGrant`], the proof that [`crate::aws`] asks for.
//!
//! | file | holds |
//! |---|---|
//! | `document`, `schema` | text → strict JSON → JSON Schema → statements and quota |
//! | `grant`, `subject`, `seen`, `kept` | what is to be judged: as the engine brings it, as guardrails get it, as guests see it, as it is kept |
//! | `guardrail`, `component`, `rules` | what judges: components and rules built in, each bound to a mode and a scope |
//! | `shipped`, `plugins` | the components that ship with the broker, and those that are loaded |
//! | `trust` | whose signature on a plugin is believed |
//! | `bounds` | what guardrails may use, of one call and of one request |
//! | `binding`, `schema_settings` | whether a plugin can be bound as somebody wishes |
//! | `set`, `sets` | all guardrails that judge together, and how one set takes another's place |
//! | `verdict`, `digest`, `cache` | what they add up to, under which digest, and what was worked out before |
//! | `judgement`, `sentence` | what comes out: the proof, and findings in words |

mod binding;
mod bounds;
mod cache;
mod component;
mod digest;
mod document;
mod grant;
mod guardrail;
mod judgement;
mod kept;
mod plugins;
mod rules;
mod schema;
mod schema_document;
mod schema_settings;
mod seen;
mod sentence;
mod set;
mod sets;
mod shipped;
mod subject;
mod trust;
mod verdict;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

pub use guardrail_host::{Compiler, Limits};
use guardrail_host::{Host, HostConfig, HostError, LoadError};
use tokio::time::Instant;

pub use binding::Unanswered;
pub use bounds::Bounds;
pub use document::{DocumentRefused, InlineDocument};
pub use grant::{Actor, DocumentSource, Grant, RoleContext, Trigger};
pub use judgement::{FreshInput, Judgement, VettedGrant};
pub use plugins::Supplied;
pub use rules::UNREADABLE;
pub use schema::SchemaError;
pub use schema_settings::{BindingIssue, SettingsSchema};
pub use sentence::sentences;
pub use set::{Member, Set, SetSpec};
pub use sets::{Probe, Unreadable};
pub use shipped::{SHIPPED, component_digest, shipped, shipped_by_digest, shipped_digest};
pub use trust::{Signer, Trust, TrustedKey, Untrusted};

pub use crate::model::Mode;

use cache::Cache;
use document::{Documents, Purpose};
use plugins::Plugins;
use subject::Subject;
use verdict::{Digests, Judged};

use crate::metrics::Verdicts;
use crate::model::{Decision, Finding, Placement, PluginDigest, Timestamp, Verdict};

/// Verdicts kept, with their findings: a verdict weighs one and its findings. Some 300 bytes each, so 3 MiB at most.
const KEPT_VERDICTS: usize = 10_000;

/// How the gate is set up.
#[derive(Clone)]
pub struct GateConfig {
    /// For guardrails without a mode of their own.
    pub default_mode: Mode,
    /// By name.
    pub modes: BTreeMap<String, Mode>,
    /// Settings of guardrails that ship with the broker, JSON objects as text, by name.
    pub settings: BTreeMap<String, String>,
    /// What guardrails may use.
    pub bounds: Bounds,
    /// Where compiled guardrails are kept between starts; `None` compiles at each start.
    pub cache_dir: Option<PathBuf>,
    /// Key of the MAC on what is kept there: whoever has it can run code as the broker.
    pub cache_key: [u8; 32],
    /// What compiles guardrails that are not in the cache.
    pub compiler: Compiler,
}

impl fmt::Debug for GateConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateConfig")
            .field("default_mode", &self.default_mode)
            .field("modes", &self.modes)
            .field("settings", &self.settings)
            .field("bounds", &self.bounds)
            .field("cache_dir", &self.cache_dir)
            .field("compiler", &self.compiler)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl GateConfig {
    /// Keeps compiled guardrails between the processes of a test run: each compiling takes seconds in a debug build.
    pub(crate) fn for_tests(default_mode: Mode) -> Self {
        let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tmp/guardrails");
        Self {
            default_mode,
            modes: BTreeMap::new(),
            settings: BTreeMap::new(),
            bounds: Bounds::default(),
            cache_dir: Some(kept),
            cache_key: [7; 32],
            compiler: Compiler::InProcess,
        }
    }
}

/// Why there is no gate.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The schema of policy documents.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The engine that runs guardrails.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A component.
    #[error("a guardrail cannot be loaded: {0}")]
    Load(#[from] LoadError),
    /// A guardrail that the configuration binds cannot judge.
    #[error("the guardrail `{name}` of the configuration cannot be used: {detail}")]
    Unusable {
        /// Its name.
        name: String,
        /// What is wrong.
        detail: String,
    },
}

/// Judges grants.
#[derive(Debug)]
pub struct Gate {
    documents: Arc<Documents>,
    plugins: Arc<Plugins>,
    /// What the configuration binds.
    configured: RwLock<Arc<Set>>,
    /// Where compiled guardrails are kept once there is a key for that.
    cache_dir: Option<PathBuf>,
    /// What judges now. A call takes the whole set once and works with it to its end.
    set: RwLock<Arc<Set>>,
    default_mode: Mode,
    bounds: Bounds,
    verdicts: Cache<Arc<Verdict>>,
    counted: Verdicts,
}

impl Gate {
    /// Loads the guardrails that the configuration binds.
    pub fn new(config: GateConfig) -> Result<Self, GateError> {
        let cache_key = config.cache_key;
        let gate = Self::closed(config)?;
        gate.open(cache_key)?;
        Ok(gate)
    }

    /// A gate that has not loaded what the configuration binds, since the key for what is kept compiled is not there
    /// yet: every guardrail fails until [`Gate::open`]. What `config` says of that key does not count.
    pub fn closed(config: GateConfig) -> Result<Self, GateError> {
        let members = sets::configured(&config);
        let GateConfig { default_mode, bounds, cache_dir, cache_key: _, compiler, .. } = config;
        let limits = bounds.limits;
        let host = Host::new(HostConfig { compiler, limits, ..HostConfig::default() })?;
        let shut = |_: &PluginDigest| Err("the broker is sealed".to_owned());
        let set = Set::new(members, default_mode, &bounds, shut);
        let gate = Self::judging_by(set, Plugins::new(host), default_mode)?;
        Ok(Self { cache_dir, bounds, ..gate })
    }

    fn judging_by(set: Set, plugins: Plugins, default_mode: Mode) -> Result<Self, GateError> {
        let configured = Arc::new(set);
        Ok(Self {
            documents: Arc::new(Documents::new()?),
            plugins: Arc::new(plugins),
            set: RwLock::new(Arc::clone(&configured)),
            configured: RwLock::new(configured),
            cache_dir: None,
            default_mode,
            bounds: Bounds::default(),
            verdicts: Cache::new(KEPT_VERDICTS),
            counted: Verdicts::default(),
        })
    }

    /// What its verdicts are counted with.
    pub fn counted(&self) -> &Verdicts {
        &self.counted
    }

    /// Reads an inline document. What is refused here is refused in every mode.
    pub fn read(&self, text: &str) -> Result<InlineDocument, DocumentRefused> {
        self.documents.read(text, Purpose::Inline).map(InlineDocument).map_err(document::refused)
    }

    /// Reads the document of a user that may go into a managed policy, under the quota of those. What is refused
    /// here is refused in every mode.
    pub fn read_managed(&self, text: &str) -> Result<InlineDocument, DocumentRefused> {
        self.documents.read(text, Purpose::Managed).map(InlineDocument).map_err(document::refused)
    }

    /// Reads the policy of a session, under the quota of those. What is refused here is refused in every mode.
    pub fn read_session(&self, text: &str) -> Result<InlineDocument, DocumentRefused> {
        self.documents.read(text, Purpose::Session).map(InlineDocument).map_err(document::refused)
    }

    /// Judges everything that a role would grant.
    pub async fn judge(&self, grant: Grant) -> Judgement {
        let set = self.set();
        let subject = Subject::of_grant(&grant, &self.documents);
        let (verdict, is_fresh) = self.verdict(&set, &subject).await;
        let fresh = is_fresh.then(|| FreshInput {
            input: kept::write(&grant, set.sees_actor()),
            set: set.id(),
            spec: Arc::clone(set.spec()),
        });
        Judgement { fresh, ..Judgement::new(grant, subject.permissions(), verdict) }
    }

    /// Judges a document that nobody wrote on a role. Being over a quota is a warning then, and what is no policy
    /// at all is denied with the findings that say so.
    pub async fn judge_bare(&self, text: &str, now: Timestamp) -> Arc<Verdict> {
        match self.documents.read(text, Purpose::Bare) {
            Ok(held) => self.verdict(&self.set(), &Subject::bare(held, now)).await.0,
            Err(findings) => Arc::new(self.refusal(text, findings)),
        }
    }

    /// The verdict on an inline document that was refused, for those who ask what would happen.
    pub fn judge_refused(&self, text: &str, placement: Placement) -> Verdict {
        let purpose = match placement {
            Placement::Inline => Purpose::Inline,
            Placement::Managed | Placement::Auto => Purpose::Managed,
        };
        let findings = self.documents.read(text, purpose).err().unwrap_or_default();
        self.refusal(text, findings)
    }

    fn refusal(&self, text: &str, mut findings: Vec<Finding>) -> Verdict {
        findings.sort_by(verdict::worst_first);
        let fields = digest::Fields::new("refused").text(&self.set().id());
        Verdict { decision: Decision::Deny, findings, digest: fields.text(text).finish().hex() }
    }

    /// The verdict, and whether it was reached now.
    async fn verdict(&self, set: &Set, subject: &Subject) -> (Arc<Verdict>, bool) {
        let digests = Digests::of(subject, set);
        if let Some(known) = self.verdicts.get(&digests.key) {
            self.counted.known(known.decision == Decision::Allow);
            self.count_findings(&known);
            return (known, false);
        }
        let started = Instant::now();
        let Judged { verdict, hidden, failures } =
            verdict::reach(subject, set, digests.verdict).await;
        self.counted.judged(verdict.decision == Decision::Allow, started.elapsed());
        self.count_findings(&verdict);
        sets::report(&hidden, &failures, &self.counted);
        let weight = verdict.findings.len().saturating_add(1);
        let verdict = Arc::new(verdict);
        if failures.is_empty() {
            self.verdicts.put(digests.key, Arc::clone(&verdict), weight);
        }
        (verdict, true)
    }

    fn count_findings(&self, verdict: &Verdict) {
        for finding in &verdict.findings {
            self.counted.found(verdict::guardrail_of(finding), finding.denies);
        }
    }
}

#[cfg(test)]
mod tests;
