//! What comes out of the gate: the verdict, and where it allows, the proof of it. The proof cannot be made anywhere else:
//! [`VettedGrant`] has no public constructor, and [`crate::aws`] takes nothing less. The verdict is reached in `verdict`.

use std::sync::Arc;

use super::digest::Digest;
use super::grant::Grant;
use super::sentence::sentences;
use crate::model::{Decision, GroupName, PolicyArn, Verdict};

/// A grant that the gate allowed, as the exact bytes AWS will get.
///
/// Nobody else can make one:
///
/// ```compile_fail,E0451
/// use leasehold::gate::VettedGrant;
///
/// fn forged(verdict: std::sync::Arc<leasehold::model::Verdict>) -> VettedGrant {
///     VettedGrant { document: None, policy_arns: vec![], groups: vec![], boundary: None, permissions: "".into(), verdict }
/// }
/// ```
// INVARIANT: made by the gate only; `document` is the canonical text that the guardrails saw.
#[derive(Debug, Clone)]
pub struct VettedGrant {
    document: Option<Arc<str>>,
    policy_arns: Vec<PolicyArn>,
    groups: Vec<GroupName>,
    boundary: Option<PolicyArn>,
    permissions: Arc<str>,
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

    /// Digest over everything that it permits, hex: the same for the same canonical documents, whatever role and
    /// guardrails they come with.
    pub fn permissions(&self) -> &str {
        &self.permissions
    }

    /// The verdict that let it through.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// What the gate says of a grant. `vetted` is there exactly when the verdict allows.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The decision, with everything found.
    pub verdict: Arc<Verdict>,
    /// The proof, for AWS.
    pub vetted: Option<VettedGrant>,
    /// What went in, where the verdict was reached now and not known from before.
    pub fresh: Option<FreshInput>,
}

/// What is needed to reach a verdict again, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshInput {
    /// What was judged, as JSON of the gate's own.
    pub input: String,
    /// Digest of the guardrails that judged, hex.
    pub set: String,
    /// These guardrails in words.
    pub spec: Arc<str>,
}

impl Judgement {
    pub(super) fn new(grant: Grant, permissions: Digest, verdict: Arc<Verdict>) -> Self {
        let vetted = match verdict.decision {
            Decision::Deny => None,
            Decision::Allow => Some(VettedGrant {
                document: grant.inline.map(|inline| Arc::from(inline.canonical())),
                policy_arns: grant.policy_arns,
                groups: grant.groups,
                boundary: grant.boundary,
                permissions: permissions.hex().into(),
                verdict: Arc::clone(&verdict),
            }),
        };
        Self { verdict, vetted, fresh: None }
    }

    /// One sentence per finding of a grant that is allowed.
    pub fn warnings(&self) -> Vec<String> {
        match self.verdict.decision {
            Decision::Allow => sentences(&self.verdict.findings),
            Decision::Deny => Vec::new(),
        }
    }

    /// One sentence per finding of a grant that is denied, what denies it first.
    pub fn errors(&self) -> Vec<String> {
        match self.verdict.decision {
            Decision::Allow => Vec::new(),
            Decision::Deny => sentences(&self.verdict.findings),
        }
    }
}

#[cfg(test)]
impl VettedGrant {
    /// As if the gate had allowed this; for the tests of what stands behind it.
    pub(crate) fn for_tests(
        document: Option<&str>,
        policy_arns: &[&str],
        groups: &[&str],
        boundary: Option<&str>,
    ) -> Self {
        let arn = |text: &&str| text.parse::<PolicyArn>().unwrap();
        let verdict =
            Verdict { decision: Decision::Allow, findings: Vec::new(), digest: String::new() };
        Self {
            document: document.map(Arc::from),
            policy_arns: policy_arns.iter().map(arn).collect(),
            groups: groups.iter().map(|name| name.parse::<GroupName>().unwrap()).collect(),
            boundary: boundary.as_ref().map(arn),
            permissions: "".into(),
            verdict: Arc::new(verdict),
        }
    }
}
