//! The gate: everything a role would grant is judged here before anything is created. It knows
//! neither AWS nor the store: the engine brings it a whole [`Grant`], and only the gate can turn one
//! into a [`VettedGrant`], the proof that [`crate::aws`] asks for.

use std::sync::Arc;

use crate::model::{GroupName, PolicyArn, Verdict};

/// A grant that the gate allowed, as the exact bytes AWS will get.
// INVARIANT: made by the gate only; `document` is the canonical text that the guardrails saw.
#[derive(Debug, Clone)]
pub struct VettedGrant {
    document: Option<Arc<str>>,
    policy_arns: Vec<PolicyArn>,
    groups: Vec<GroupName>,
    boundary: Option<PolicyArn>,
    verdict: Arc<Verdict>,
}

impl VettedGrant {
    /// Canonical inline document, if the role has one.
    pub fn document(&self) -> Option<&str> {
        self.document.as_deref()
    }

    /// Managed policies to attach.
    pub fn policy_arns(&self) -> &[PolicyArn] {
        &self.policy_arns
    }

    /// Groups to join.
    pub fn groups(&self) -> &[GroupName] {
        &self.groups
    }

    /// Permissions boundary.
    pub fn boundary(&self) -> Option<&PolicyArn> {
        self.boundary.as_ref()
    }

    /// The verdict that let it through.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}
