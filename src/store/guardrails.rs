//! Guardrails in the words of the domain: what is bound, what is suspended, and the verdicts that can be reached again.
//! What a guardrail means is [`crate::gate`]'s; a guardrail that the configuration alone names has no row here.

use async_trait::async_trait;

use super::Result;
use crate::model::{Guardrail, GuardrailName, KeptVerdict, PluginDigest, Suspension, Timestamp};

/// How much is kept of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictBounds {
    /// Those reached before this go.
    pub oldest: Timestamp,
    /// Bytes of all together; the oldest go first.
    pub bytes: u64,
}

/// The part of the store that is about guardrails.
#[async_trait]
pub trait GuardrailStore {
    /// Every guardrail, by name.
    async fn guardrails(&self) -> Result<Vec<Guardrail>>;
    /// A guardrail.
    async fn guardrail(&self, name: &GuardrailName) -> Result<Option<Guardrail>>;
    /// Names of the guardrails that are bound to an uploaded plugin, sorted.
    async fn guardrails_of(&self, plugin: &PluginDigest) -> Result<Vec<GuardrailName>>;
    /// Writes a guardrail; its version must be one more than the stored one (1 when new), else
    /// [`super::StoreError::Conflict`]; also where it names an uploaded plugin that is not stored.
    async fn put_guardrail(&self, guardrail: &Guardrail) -> Result<()>;
    /// Removes a guardrail with its suspension; tells whether there was one. Without one a suspension stays: it is of
    /// the configuration's guardrail of that name.
    async fn remove_guardrail(&self, name: &GuardrailName) -> Result<bool>;

    /// Every suspension, ended ones that nobody has removed included.
    async fn suspensions(&self) -> Result<Vec<Suspension>>;
    /// Writes a suspension in the place of an earlier one of the same guardrail.
    async fn put_suspension(&self, suspension: &Suspension) -> Result<()>;
    /// Removes a suspension; tells whether there was one.
    async fn remove_suspension(&self, name: &GuardrailName) -> Result<bool>;

    /// Keeps a verdict, in the place of an earlier one of the same digest, with the guardrails that judged (`set`, JSON).
    async fn keep_verdict(&self, verdict: &KeptVerdict, set: &str) -> Result<()>;
    /// Lets go of the verdicts that are over the bounds; how many those were.
    async fn prune_verdicts(&self, bounds: VerdictBounds) -> Result<u64>;
    /// A kept verdict, and the guardrails that judged.
    async fn kept_verdict(&self, digest: &str) -> Result<Option<(KeptVerdict, String)>>;
}
