//! What would flip if a guardrail were bound so: every stored role of every mount is judged by the guardrails of now and
//! by those with the wished one in its place. Nothing is changed, counted or kept, and nobody waits for it: one runs at a
//! time, role after role, and gives way to every other request in between.

use std::sync::Arc;

use serde::Serialize;
use tracing::info;

use super::{BindingChange, Engine, GuardrailError};
use crate::auth::Caller;
use crate::engine::grant::Before;
use crate::engine::roles::RoleError;
use crate::gate::{Gate, Grant, Member, Probe, Set};
use crate::model::{Binding, Decision, Finding, GuardrailName, Mode, Mount, MountState, Role};

/// Roles that are listed one by one; the counts are over all.
const MOST_LISTED: usize = 500;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct WhatIfReport {
    /// The guardrail that was tried.
    pub guardrail: String,
    /// Its plugin.
    pub plugin: String,
    /// The mode that it was tried in.
    pub mode: Mode,
    /// Stored roles that were looked at.
    pub roles: u64,
    /// Verdicts that were compared: one for each type of credential that a role hands out.
    pub judged: u64,
    /// Of these, all is as it was.
    pub unchanged: u64,
    /// Allowed now, denied then.
    pub allow_to_deny: u64,
    /// Denied now, allowed then.
    pub deny_to_allow: u64,
    /// Findings that are not there now.
    pub new_findings: u64,
    /// Findings that are there no more.
    pub gone_findings: u64,
    /// Evaluations in which a guardrail failed.
    pub failures: u64,
    /// Roles whose documents AWS or the schema refuse now as then: no guardrail is asked about them.
    pub refused: u64,
    /// Every role where something is different or failed, up to a number.
    pub changes: Vec<RoleDifference>,
    /// Of these, how many are not listed.
    pub left_out: u64,
}

/// What would be different for one role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleDifference {
    /// Path of its mount.
    pub mount: String,
    /// Its name.
    pub role: String,
    /// As what it was judged.
    pub credential_type: String,
    /// What is said now.
    pub before: Decision,
    /// What would be said.
    pub after: Decision,
    /// Findings that are not there now.
    pub new: Vec<Finding>,
    /// Findings that would be there no more.
    pub gone: Vec<Finding>,
    /// Guardrails that failed, each with its code.
    pub failures: Vec<(String, String)>,
}

impl Engine {
    /// Tries a guardrail on every stored role, or on those of one mount.
    pub async fn what_if(
        &self,
        caller: &Caller,
        name: Option<&GuardrailName>,
        mut change: BindingChange,
        mount: Option<&str>,
    ) -> Result<WhatIfReport, GuardrailError> {
        let Ok(_turn) = self.guardrails.what_if.try_lock() else {
            return Err(GuardrailError::UnderWay);
        };
        // What is asked is what enforcing would do, unless somebody says otherwise.
        change.mode.get_or_insert_with(|| Mode::Enforce.as_str().to_owned());
        let before = match name {
            Some(name) => self.guardrail(name).await?.map(|facts| facts.binding),
            None => None,
        };
        let binding = self.wished(before.as_ref(), change, Mode::Enforce).await?;
        let (now, then) = self.both_sets(name, &binding).await?;
        let compared = Compared { engine: self, now: &now, then: &then.0, name: &then.1 };
        let mut report = WhatIfReport::of(&then.1, &binding);
        for mount in self.mounts_to_try(mount)? {
            for role in self.parts.store.role_names(&mount.id).await? {
                let Some(role) = self.parts.store.role(&mount.id, &role).await? else {
                    continue;
                };
                report.roles = report.roles.saturating_add(1);
                for kind in role.credential_types() {
                    compared.role(&mount, &role.handing_out(*kind), &mut report).await;
                    tokio::task::yield_now().await;
                }
            }
        }
        drop(then);
        self.parts.gate.forget_unused();
        // A part of the roles, or another mode, says little of what enforcing it everywhere will stop.
        if mount.is_none() && binding.mode == Mode::Enforce {
            self.guardrails.tried(&binding);
        }
        info!(
            guardrail.name = report.guardrail, roles = report.roles,
            allow_to_deny = report.allow_to_deny, deny_to_allow = report.deny_to_allow,
            caller = %caller.accessor().0, caller.name = caller.display_name(),
            "guardrail {} was tried on {} roles: {} would be denied", report.guardrail,
            report.roles, report.allow_to_deny
        );
        Ok(report)
    }

    /// The guardrails of now, and those with `binding` in its place, not suspended.
    async fn both_sets(
        &self,
        name: Option<&GuardrailName>,
        binding: &Binding,
    ) -> Result<(Arc<Set>, (Set, GuardrailName)), GuardrailError> {
        let name = name.cloned().unwrap_or_else(GuardrailName::tried);
        let mut members = self.members().await?;
        members.retain(|member| member.name != name);
        let member = Member { name: name.clone(), binding: binding.clone(), suspension: None };
        members.push(member);
        let set = self.prepared(members, self.parts.gate.default_mode()).await?;
        Ok((self.parts.gate.set(), (set, name)))
    }

    fn mounts_to_try(&self, path: Option<&str>) -> Result<Vec<Arc<Mount>>, GuardrailError> {
        let serving = |mount: &Arc<Mount>| mount.state == MountState::Active;
        let mounts: Vec<_> = self.table.list().into_iter().filter(serving).collect();
        let Some(path) = path else {
            return Ok(mounts);
        };
        let wanted = path.trim_end_matches('/');
        let own = |mount: &Arc<Mount>| mount.path.as_str().trim_end_matches('/') == wanted;
        match mounts.into_iter().find(own) {
            Some(mount) => Ok(vec![mount]),
            None => Err(GuardrailError::NoMount(path.to_owned())),
        }
    }
}

/// The two sets and who gathers grants.
struct Compared<'a> {
    engine: &'a Engine,
    now: &'a Set,
    then: &'a Set,
    name: &'a GuardrailName,
}

impl Compared<'_> {
    /// Judges one role by both.
    async fn role(&self, mount: &Mount, role: &Role, report: &mut WhatIfReport) {
        let Some(grant) = self.grant(mount, role).await else {
            report.refused = report.refused.saturating_add(1);
            return;
        };
        let gate = &self.engine.parts.gate;
        let before = gate.probe(self.now, &grant).await;
        let after = gate.probe(self.then, &grant).await;
        report.add(mount, role, &before, &after);
    }

    /// What the role grants when a credential is issued; where the guardrail looks at writes alone, when it is written
    /// again as it is.
    async fn grant(&self, mount: &Mount, role: &Role) -> Option<Grant> {
        let engine = self.engine;
        let document = match engine.read_role_document(role) {
            Ok(document) => document,
            Err(RoleError::DocumentRefused(_)) => return None,
            Err(_) => None,
        };
        let before = if Gate::is_asked_at_issue(self.then, self.name) {
            Before::Issued
        } else {
            Before::Updated(role)
        };
        let config = engine.parts.store.lease_config(&mount.id).await.ok().flatten();
        let grant = engine.grant_of(mount, role, document, before, config).await;
        engine.as_session(grant).ok()
    }
}

impl WhatIfReport {
    fn of(name: &GuardrailName, binding: &Binding) -> Self {
        Self {
            guardrail: name.to_string(),
            plugin: binding.plugin.to_string(),
            mode: binding.mode,
            roles: 0,
            judged: 0,
            unchanged: 0,
            allow_to_deny: 0,
            deny_to_allow: 0,
            new_findings: 0,
            gone_findings: 0,
            failures: 0,
            refused: 0,
            changes: Vec::new(),
            left_out: 0,
        }
    }

    fn add(&mut self, mount: &Mount, role: &Role, before: &Probe, after: &Probe) {
        let count = |counter: &mut u64, by: usize| {
            *counter = counter.saturating_add(u64::try_from(by).unwrap_or(u64::MAX));
        };
        count(&mut self.judged, 1);
        let new = only_in(&after.verdict.findings, &before.verdict.findings);
        let gone = only_in(&before.verdict.findings, &after.verdict.findings);
        let decisions = (before.verdict.decision, after.verdict.decision);
        count(&mut self.new_findings, new.len());
        count(&mut self.gone_findings, gone.len());
        count(&mut self.failures, after.failures.len());
        match decisions {
            (Decision::Allow, Decision::Deny) => count(&mut self.allow_to_deny, 1),
            (Decision::Deny, Decision::Allow) => count(&mut self.deny_to_allow, 1),
            (Decision::Allow, Decision::Allow) | (Decision::Deny, Decision::Deny) => {}
        }
        let same = decisions.0 == decisions.1 && new.is_empty() && gone.is_empty();
        if same && after.failures.is_empty() {
            count(&mut self.unchanged, 1);
            return;
        }
        if self.changes.len() >= MOST_LISTED {
            count(&mut self.left_out, 1);
            return;
        }
        self.changes.push(RoleDifference {
            mount: mount.path.to_string(),
            role: role.name.to_string(),
            credential_type: role.credential_type.as_str().to_owned(),
            before: decisions.0,
            after: decisions.1,
            new,
            gone,
            failures: after.failures.clone(),
        });
    }
}

/// Findings that are not elsewhere too: by rule, place and words; a finding that denies now and did not is the same.
fn only_in(findings: &[Finding], elsewhere: &[Finding]) -> Vec<Finding> {
    let alike = |one: &Finding, other: &Finding| {
        one.rule == other.rule
            && one.source == other.source
            && one.pointer == other.pointer
            && one.message == other.message
    };
    let fresh = |finding: &&Finding| !elsewhere.iter().any(|other| alike(finding, other));
    findings.iter().filter(fresh).cloned().collect()
}
