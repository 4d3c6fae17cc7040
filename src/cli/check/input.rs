//! What a file is: a policy document, or a role with the fields of a role write. Places in a document inside a role are
//! turned into places in the file. It judges nothing: a file that is neither goes to the gate as a document, which says so.

use std::sync::Arc;

use iam_policy::StrictJson;

use super::fields::Fields;
use super::place::Embedded;
use super::policies::Policies;
use crate::gate::{
    DocumentRefused, DocumentSource, Gate, Grant, InlineDocument, RoleContext, Trigger,
};
use crate::model::{Finding, GroupName, Placement, PolicyArn, Timestamp, Verdict};

/// Fields of a role write (contract 1.4) that no policy document has.
const ROLE_FIELDS: [&str; 8] = [
    "credential_type",
    "policy_document",
    "policy_arns",
    "iam_groups",
    "permissions_boundary_arn",
    "role_arns",
    "iam_tags",
    "user_path",
];

/// What is in a file.
pub(super) enum Input {
    /// A document, or anything that is not a role.
    Bare,
    /// A role.
    Role(Box<RoleInput>),
    /// A role with a field that cannot be.
    Malformed(Vec<Finding>),
}

/// A role as a file has it.
pub(super) struct RoleInput {
    pub(super) document: Option<Embedded>,
    pub(super) policy_arns: Vec<PolicyArn>,
    pub(super) groups: Vec<GroupName>,
    pub(super) boundary: Option<PolicyArn>,
    /// By whose quota the document is counted.
    pub(super) placement: Placement,
    pub(super) role: RoleContext,
}

impl Input {
    pub(super) fn of(text: &str) -> Self {
        let Ok(json) = StrictJson::parse(text) else {
            return Self::Bare;
        };
        let root = json.root();
        let has = |name: &&str| root.member(name).is_some();
        if root.member("Statement").is_some() || !ROLE_FIELDS.iter().any(has) {
            return Self::Bare;
        }
        let mut fields = Fields { root, findings: Vec::new() };
        let role = fields.role();
        match role {
            Some(role) if fields.findings.is_empty() => Self::Role(Box::new(role)),
            Some(_) | None => Self::Malformed(fields.findings),
        }
    }
}

impl RoleInput {
    /// What the gate says, and whether a text was missing.
    pub(super) async fn judge(
        &self,
        gate: &Gate,
        policies: &Policies<'_>,
        now: Timestamp,
    ) -> (Arc<Verdict>, bool) {
        let read = self.document.as_ref().map(|document| self.read(gate, &document.text));
        let Ok(inline) = read.transpose() else {
            let text = self.document.as_ref().map_or("", |document| &document.text);
            return (Arc::new(gate.judge_refused(text, self.placement)), false);
        };
        let managed = self
            .policy_arns
            .iter()
            .map(|arn| (DocumentSource::Managed(arn.clone()), policies.managed(arn)));
        let groups = self.groups.iter().flat_map(|group| policies.group(group));
        let fetched: Vec<_> = managed.chain(groups).collect();
        let boundary_text = self.boundary.as_ref().map(|arn| policies.managed(arn));
        let unread = fetched.iter().any(|(_, text)| text.is_err())
            || boundary_text.as_ref().is_some_and(Result::is_err);
        let grant = Grant {
            trigger: Trigger::Simulate,
            inline,
            policy_arns: self.policy_arns.clone(),
            groups: self.groups.clone(),
            boundary: self.boundary.clone(),
            fetched,
            boundary_text,
            previous: Vec::new(),
            role: self.role.clone(),
            actor: None,
            now,
        };
        (gate.judge(grant).await.verdict, unread)
    }

    /// As a role write reads it.
    fn read(&self, gate: &Gate, text: &str) -> Result<InlineDocument, DocumentRefused> {
        match self.placement {
            Placement::Inline => gate.read(text),
            Placement::Managed | Placement::Auto => gate.read_managed(text),
        }
    }

    /// The verdict with places in the inline document turned into places in the file.
    pub(super) fn placed(&self, verdict: &Verdict, file: &str) -> Verdict {
        let mut verdict = verdict.clone();
        let Some(document) = &self.document else {
            return verdict;
        };
        let inline = |finding: &&mut Finding| finding.source == "inline";
        for finding in verdict.findings.iter_mut().filter(inline) {
            let place = finding.line.zip(finding.column);
            let moved = place.and_then(|(line, column)| document.in_file(line, column, file));
            finding.line = moved.and_then(|position| u32::try_from(position.line).ok());
            finding.column = moved.and_then(|position| u32::try_from(position.column).ok());
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_field_of_a_role_is_a_document() {
        for text in [
            "{}",
            "[]",
            "5",
            "not json",
            r#"{"Statement": [], "policy_arns": []}"#,
            r#"{"name": "x"}"#,
        ] {
            assert!(matches!(Input::of(text), Input::Bare), "{text}");
        }
        assert!(matches!(Input::of(r#"{"policy_arns": null}"#), Input::Role(_)));
    }

    #[test]
    fn a_field_that_cannot_be_is_named_with_its_place() {
        let Input::Malformed(findings) =
            Input::of("{\n \"policy_arns\": 5,\n \"iam_groups\": [\"a b\"]}")
        else {
            panic!("not malformed")
        };
        let told: Vec<_> =
            findings.iter().map(|f| (f.pointer.as_str(), f.line, f.denies)).collect();
        assert_eq!(told, [("/iam_groups", Some(3), true), ("/policy_arns", Some(2), true)]);
    }
}
