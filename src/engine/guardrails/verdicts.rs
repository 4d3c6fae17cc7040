//! Verdicts that are kept with all that went in, so that one can be reached again: when a role was written or a credential
//! issued, and the verdict was not known from before. Kept are the documents as they were judged, the role, the time and
//! the guardrails; for 30 days, and no more than a bound of bytes. Keeping one never stops a request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::warn;

use super::{Engine, GuardrailError, plugin_ref};
use crate::auth::Caller;
use crate::gate::{Actor, FreshInput, Grant, Judgement, Member, SetSpec, Supplied};
use crate::model::{KeptVerdict, PluginDigest};
use crate::store::VerdictBounds;

/// For how long. 30 days, as rows of ended leases are kept.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
/// Bytes of all together. 64 MiB: some twenty thousand verdicts on documents of 2 KiB.
const MOST_BYTES: u64 = 64 << 20;
/// After so many that were kept it is looked whether some must go.
const PRUNE_EVERY: u64 = 64;

/// How many were kept since the start.
#[derive(Debug, Default)]
pub(super) struct Kept(AtomicU64);

/// What came of reaching a verdict again.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// What was kept.
    pub kept: KeptVerdict,
    /// The verdict as it comes out now, as JSON.
    pub again: String,
    /// Guardrails that failed this time, each with its code.
    pub failures: Vec<(String, String)>,
    /// What judged then: engine, runtime, catalogue.
    pub engine_then: String,
    /// What judges now.
    pub engine_now: String,
}

impl Replayed {
    /// Whether the same bytes came out.
    pub fn is_same(&self) -> bool {
        self.kept.verdict == self.again
    }
}

impl Engine {
    /// Judges what a caller asks for, and keeps a verdict that was not known.
    pub(in crate::engine) async fn judge(&self, caller: &Caller, grant: Grant) -> Judgement {
        let actor =
            Actor { id: caller.display_name().to_owned(), groups: caller.token().policies.clone() };
        let mut judgement = self.parts.gate.judge(Grant { actor: Some(actor), ..grant }).await;
        if let Some(fresh) = judgement.fresh.take() {
            self.keep_verdict(&judgement, fresh).await;
        }
        judgement
    }

    async fn keep_verdict(&self, judgement: &Judgement, fresh: FreshInput) {
        let FreshInput { input, set, spec } = fresh;
        let now = self.parts.clock.now();
        let kept = KeptVerdict {
            digest: judgement.verdict.digest.clone(),
            reached_at: now,
            // Plain data: it can always be written.
            verdict: serde_json::to_string(&*judgement.verdict).unwrap_or_default(),
            input,
            set,
        };
        let store = &self.parts.store;
        let written = async {
            store.keep_verdict(&kept, &spec).await?;
            if self.guardrails.kept.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(PRUNE_EVERY) {
                let bounds = VerdictBounds { oldest: now.before(KEPT_FOR), bytes: MOST_BYTES };
                if store.prune_verdicts(bounds).await? > 0 {
                    // What is asked for again is then judged and kept again.
                    self.parts.gate.forget_verdicts();
                }
            }
            Ok::<(), crate::store::StoreError>(())
        };
        if let Err(error) = written.await {
            warn!(
                verdict.digest = kept.digest, error = %error,
                "verdict {} is not kept, and cannot be reached again", kept.digest
            );
        }
    }

    /// A kept verdict, and the guardrails that judged.
    pub async fn kept_verdict(
        &self,
        digest: &str,
    ) -> Result<(KeptVerdict, SetSpec), GuardrailError> {
        let found = self.parts.store.kept_verdict(digest).await?;
        let (kept, spec) = found.ok_or_else(|| GuardrailError::NoVerdict(digest.to_owned()))?;
        let spec = serde_json::from_str(&spec).map_err(|error| {
            crate::store::StoreError::Failed(format!("the guardrails of a verdict: {error}"))
        })?;
        Ok((kept, spec))
    }

    /// Reaches a kept verdict again, with the guardrails and at the moment of then.
    pub async fn replay_verdict(&self, digest: &str) -> Result<Replayed, GuardrailError> {
        let (kept, spec) = self.kept_verdict(digest).await?;
        let SetSpec { engine, default_mode, members } = spec;
        let mut components = BTreeMap::new();
        for member in &members {
            let (digest, component) = self.component_of(member).await?;
            components.insert(digest, Ok(component));
        }
        let set = self.made_of(members, components, default_mode).await?;
        let reached = self.parts.gate.replay(&set, &kept.input).await;
        self.parts.gate.forget_unused();
        let reached = reached?;
        Ok(Replayed {
            kept,
            again: serde_json::to_string(&reached.verdict).unwrap_or_default(),
            failures: reached.failures,
            engine_then: engine,
            engine_now: self.parts.gate.engine(),
        })
    }

    /// What judged then. Where it is not to be had, the verdict is not reached again by anything else.
    async fn component_of(
        &self,
        member: &Member,
    ) -> Result<(PluginDigest, Supplied), GuardrailError> {
        let gone = || GuardrailError::PluginGone {
            guardrail: member.name.clone(),
            plugin: member.binding.plugin.clone(),
        };
        let digest = plugin_ref::digest(&member.binding.plugin).ok_or_else(gone)?;
        match self.component(&digest).await {
            Ok(component) => Ok((digest, component)),
            Err(GuardrailError::NoPlugin(_)) => Err(gone()),
            Err(other) => Err(other),
        }
    }
}
