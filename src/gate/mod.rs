//! The gate: everything a role would grant is judged here before anything is created. It knows
//! neither AWS nor the store: the engine brings it a whole [`Grant`], and only the gate can turn one
//! into a [`VettedGrant`], the proof that [`crate::aws`] asks for.
//!
//! | file | holds |
//! |---|---|
//! | `document`, `schema` | text → strict JSON → JSON Schema → statements and quota |
//! | `grant`, `subject` | what is to be judged, as the engine brings it and as guardrails get it |
//! | `guardrail`, `rules` | what judges: components and rules built in, each with its mode |
//! | `verdict`, `digest`, `cache` | what they add up to, under which digest, and what was worked out before |
//! | `judgement`, `sentence` | what comes out: the proof, and findings in words |

mod cache;
mod digest;
mod document;
mod grant;
mod guardrail;
mod judgement;
mod rules;
mod schema;
mod sentence;
mod subject;
mod verdict;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub use guardrail_host::Compiler;
use guardrail_host::{CodeCache, Host, HostConfig, HostError, LoadError};
use tokio::time::Instant;

pub use document::{DocumentRefused, InlineDocument};
pub use grant::{DocumentSource, Grant, RoleContext, Trigger};
pub use guardrail::Mode;
pub use judgement::{Judgement, VettedGrant};
pub use rules::UNREADABLE;
pub use schema::SchemaError;
pub use sentence::sentences;

use cache::Cache;
use digest::Digest;
use document::{Documents, Purpose};
use guardrail::{Bound, Component};
use rules::BuiltIn;
use subject::Subject;
use verdict::Digests;

use crate::metrics::Verdicts;
use crate::model::{Decision, Finding, Placement, Timestamp, Verdict};

/// The guardrails that ship with the broker: name and component.
const SHIPPED: [(&str, &[u8]); 1] =
    [("least-privilege", include_bytes!("../../plugins/least-privilege/least-privilege.wasm"))];
/// Settings of the shipped guardrails: their defaults.
const DEFAULT_SETTINGS: &str = "{}";
/// Verdicts kept, with their findings: a verdict weighs one and its findings. Some 300 bytes each, so 3 MiB at most.
const KEPT_VERDICTS: usize = 10_000;

/// How the gate is set up.
#[derive(Clone)]
pub struct GateConfig {
    /// For guardrails without a mode of their own.
    pub default_mode: Mode,
    /// By name.
    pub modes: BTreeMap<String, Mode>,
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
    /// A component and its settings.
    #[error("the settings of the guardrail `{name}` cannot be used: {detail}")]
    Settings {
        /// Its name.
        name: String,
        /// What is wrong with them.
        detail: String,
    },
}

/// Judges grants.
#[derive(Debug)]
pub struct Gate {
    documents: Documents,
    guardrails: Vec<Bound>,
    guardrails_digest: Digest,
    verdicts: Cache<Arc<Verdict>>,
    counted: Verdicts,
}

impl Gate {
    /// Loads the shipped guardrails.
    pub fn new(config: GateConfig) -> Result<Self, GateError> {
        let GateConfig { default_mode, modes, cache_dir, cache_key, compiler } = config;
        let code_cache = cache_dir.map(|directory| CodeCache { directory, mac_key: cache_key });
        let host = Host::new(HostConfig { code_cache, compiler, ..HostConfig::default() })?;
        let mut guardrails = Vec::new();
        for (name, component) in SHIPPED {
            let guardrail = Component::new(host.load(component)?, DEFAULT_SETTINGS)?;
            let mode = modes.get(name).copied().unwrap_or(default_mode);
            guardrails.push(Bound { guardrail: Box::new(guardrail), mode });
        }
        Self::with_guardrails(guardrails, default_mode)
    }

    /// The rules built in stand beside any guardrails, as strict as the strictest: a document that cannot be read was
    /// not judged by that one either.
    fn with_guardrails(mut guardrails: Vec<Bound>, default_mode: Mode) -> Result<Self, GateError> {
        let strictest = guardrails.iter().map(|bound| bound.mode).fold(default_mode, Mode::max);
        guardrails.push(Bound { guardrail: Box::new(BuiltIn), mode: strictest });
        Ok(Self {
            documents: Documents::new()?,
            guardrails_digest: verdict::digest_of_guardrails(&guardrails),
            guardrails,
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
        let subject = Subject::of_grant(&grant, &self.documents);
        Judgement::new(grant, subject.permissions(), self.verdict(&subject).await)
    }

    /// Judges a document that nobody wrote on a role. Being over a quota is a warning then, and what is no policy
    /// at all is denied with the findings that say so.
    pub async fn judge_bare(&self, text: &str, now: Timestamp) -> Arc<Verdict> {
        match self.documents.read(text, Purpose::Bare) {
            Ok(held) => self.verdict(&Subject::bare(held, now)).await,
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
        let fields = digest::Fields::new("refused").field(self.guardrails_digest.as_bytes());
        Verdict { decision: Decision::Deny, findings, digest: fields.text(text).finish().hex() }
    }

    async fn verdict(&self, subject: &Subject) -> Arc<Verdict> {
        let digests = Digests::of(subject, self.guardrails_digest);
        if let Some(known) = self.verdicts.get(&digests.key) {
            self.counted.known(known.decision == Decision::Allow);
            return known;
        }
        let started = Instant::now();
        let judged = verdict::reach(subject, &self.guardrails, digests.verdict).await;
        self.counted.judged(judged.verdict.decision == Decision::Allow, started.elapsed());
        let weight = judged.verdict.findings.len().saturating_add(1);
        let verdict = Arc::new(judged.verdict);
        if judged.repeatable {
            self.verdicts.put(digests.key, Arc::clone(&verdict), weight);
        }
        verdict
    }
}

#[cfg(test)]
mod tests;
