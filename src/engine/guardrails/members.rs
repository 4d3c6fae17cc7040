//! From what is stored and what the configuration says to the set that judges. A row goes before the configuration's
//! guardrail of the same name; suspensions are laid over both. Whatever changes one of them calls [`Engine::reload`].

use tracing::{error, warn};

use super::{Engine, GuardrailError};
use crate::gate::Member;
use crate::model::{Suspension, Timestamp};

impl Engine {
    /// Every guardrail as a member, with the suspensions that still hold.
    pub(super) async fn members(&self) -> Result<Vec<Member>, GuardrailError> {
        let now = self.parts.clock.now();
        let rows = self.parts.store.guardrails().await?;
        let mut members = self.parts.gate.configured();
        members.retain(|member| !rows.iter().any(|row| row.name == member.name));
        members.extend(rows.into_iter().map(|row| Member {
            name: row.name,
            binding: row.binding,
            suspension: None,
        }));
        for suspension in holding(self.parts.store.suspensions().await?, now) {
            let own = members.iter_mut().find(|member| member.name == suspension.name);
            if let Some(member) = own {
                member.suspension = Some(suspension);
            }
        }
        Ok(members)
    }

    /// Lets what is stored judge from now on. Called by whoever has the turn.
    pub(super) async fn reload(&self) -> Result<(), GuardrailError> {
        let members = self.members().await?;
        let suspended = members.iter().filter(|member| member.suspension.is_some()).count();
        let set = self.prepared(members, self.parts.gate.default_mode()).await?;
        for (name, problem) in set.broken() {
            error!(
                guardrail.name = name,
                detail = problem,
                "guardrail {name} cannot be used, and fails until it can"
            );
        }
        self.parts.gate.swap(set);
        self.guardrails.in_force();
        self.parts.gate.counted().suspended(suspended);
        Ok(())
    }

    /// At the start: what was written before judges from the first request on.
    pub(in crate::engine) async fn load_guardrails(&self) -> Result<(), GuardrailError> {
        let store = &self.parts.store;
        if store.guardrails().await?.is_empty() && store.suspensions().await?.is_empty() {
            return Ok(());
        }
        let _turn = self.guardrails.changes.lock().await;
        self.reload().await
    }

    /// Loads all that is bound once more: after a plugin was uploaded that a guardrail waits for.
    pub async fn retry_broken_guardrails(&self) -> Result<(), GuardrailError> {
        if self.parts.gate.set().broken().is_empty() {
            return Ok(());
        }
        let _turn = self.guardrails.changes.lock().await;
        self.reload().await
    }

    /// Loads all that is bound once more where a write may have become durable and did not come into force.
    pub(super) async fn retry_stale_guardrails(&self) -> Result<(), GuardrailError> {
        if !self.guardrails.is_stale() {
            return Ok(());
        }
        let _turn = self.guardrails.changes.lock().await;
        // Whoever had the turn may have brought it into force.
        if !self.guardrails.is_stale() {
            return Ok(());
        }
        self.reload().await?;
        warn!("guardrails were loaded again as they are stored: a change of them had failed");
        Ok(())
    }
}

fn holding(suspensions: Vec<Suspension>, now: Timestamp) -> impl Iterator<Item = Suspension> {
    suspensions.into_iter().filter(move |suspension| suspension.holds(now))
}
