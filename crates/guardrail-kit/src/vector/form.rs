//! The JSON form of a vector, and from it to the grant that the host judges. Every default of the form is here. Keeps
//! where documents stand in the text, so that a finding can be shown in the file that the author has open.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use guardrail_host::{
    Actor, Grant, PreparedGrant, Property, RoleContext, Source, SourcedDocument, Trigger,
};
use iam_policy::Document;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Vector, VectorError};

/// 14 November 2023: the time that a grant is judged at unless it says otherwise. Any fixed time would do.
pub(crate) const NOW_UNIX_MS: u64 = 1_700_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorForm<'a> {
    #[serde(default)]
    about: String,
    #[serde(default)]
    settings: Value,
    #[serde(borrow)]
    grant: GrantForm<'a>,
    #[serde(borrow)]
    expect: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantForm<'a> {
    #[serde(default)]
    trigger: TriggerForm,
    #[serde(borrow)]
    documents: Vec<DocumentForm<'a>>,
    #[serde(default, borrow)]
    boundary: Option<DocumentForm<'a>>,
    #[serde(default, borrow)]
    previous: Vec<DocumentForm<'a>>,
    #[serde(default)]
    role: Option<RoleForm>,
    #[serde(default)]
    actor: Option<ActorForm>,
    /// Milliseconds since 1970.
    #[serde(default = "now")]
    now: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentForm<'a> {
    #[serde(default)]
    source: SourceForm,
    #[serde(borrow)]
    document: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum SourceForm {
    #[default]
    Inline,
    Managed(String),
    Group {
        group: String,
        policy: String,
    },
    Session,
    Bare,
}

/// What made the host ask.
#[derive(Debug, Clone, Copy, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TriggerForm {
    /// A role is written for the first time.
    #[default]
    Create,
    /// A role is written again.
    Update,
    /// A credential is about to be issued.
    Issue,
    /// Stored roles are swept.
    Scan,
    /// Somebody asks what would happen.
    Simulate,
}

/// The role around the documents.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RoleForm {
    name: Option<String>,
    path: Option<String>,
    account: Option<String>,
    partition: Option<String>,
    credential_type: Option<String>,
    mount: Option<String>,
    tags: BTreeMap<String, String>,
    max_ttl_seconds: Option<u64>,
    assumes: Vec<String>,
    groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorForm {
    id: String,
    #[serde(default)]
    groups: Vec<String>,
}

fn now() -> u64 {
    NOW_UNIX_MS
}

/// Reads the text of a vector.
pub(super) fn read(text: &str) -> Result<Vector, VectorError> {
    let form: VectorForm<'_> = serde_json::from_str(text)?;
    let documents = form.grant.documents.iter().map(|one| span(text, one.document)).collect();
    Ok(Vector {
        about: form.about,
        settings: if form.settings.is_null() { String::new() } else { form.settings.to_string() },
        grant: PreparedGrant::new(form.grant.grant()?),
        expect: serde_json::from_str(form.expect.get())
            .map_err(|error| expect_error(text, form.expect, &error))?,
        documents,
        expect_at: span(text, form.expect),
    })
}

/// The error with its line counted from the top of the file, as an editor does.
fn expect_error(text: &str, expect: &RawValue, error: &serde_json::Error) -> VectorError {
    let before = text.get(..span(text, expect).start).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(error.line());
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or(&told).to_owned();
    VectorError::Form(serde::de::Error::custom(format!("`expect`: {told} at line {line}")))
}

/// Where a part that was borrowed from a text stands in it.
fn span(text: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
    start..start.saturating_add(part.get().len())
}

impl GrantForm<'_> {
    fn grant(self) -> Result<Grant, VectorError> {
        Ok(Grant {
            trigger: self.trigger.into(),
            documents: sourced(self.documents, "grant.documents")?,
            boundary: self.boundary.map(|one| one.sourced("grant.boundary".into())).transpose()?,
            previous: sourced(self.previous, "grant.previous")?,
            role: self.role.map(RoleForm::context),
            actor: self.actor.map(|actor| Actor { id: actor.id, groups: actor.groups }),
            now_unix_ms: self.now,
            extras: Vec::new(),
        })
    }
}

fn sourced(list: Vec<DocumentForm<'_>>, member: &str) -> Result<Vec<SourcedDocument>, VectorError> {
    let one = |(index, form): (usize, DocumentForm<'_>)| form.sourced(format!("{member}[{index}]"));
    list.into_iter().enumerate().map(one).collect()
}

impl DocumentForm<'_> {
    fn sourced(self, member: String) -> Result<SourcedDocument, VectorError> {
        let document = Document::parse(self.document.get()).map_err(|problems| {
            let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            VectorError::Document { member, problems }
        })?;
        Ok(SourcedDocument { source: self.source.into(), document: Arc::new(document) })
    }
}

impl From<SourceForm> for Source {
    fn from(form: SourceForm) -> Self {
        match form {
            SourceForm::Inline => Self::Inline,
            SourceForm::Managed(arn) => Self::Managed(arn),
            SourceForm::Group { group, policy } => Self::Group { group, policy },
            SourceForm::Session => Self::Session,
            SourceForm::Bare => Self::Bare,
        }
    }
}

impl From<TriggerForm> for Trigger {
    fn from(form: TriggerForm) -> Self {
        match form {
            TriggerForm::Create => Self::Create,
            TriggerForm::Update => Self::Update,
            TriggerForm::Issue => Self::Issue,
            TriggerForm::Scan => Self::Scan,
            TriggerForm::Simulate => Self::Simulate,
        }
    }
}

impl RoleForm {
    /// The role as the host has it.
    pub(crate) fn context(self) -> RoleContext {
        RoleContext {
            name: self.name.unwrap_or_else(|| "tested".into()),
            path: self.path,
            account: self.account,
            partition: self.partition,
            credential_type: self.credential_type.unwrap_or_else(|| "iam_user".into()),
            mount: self.mount.unwrap_or_else(|| "aws/".into()),
            tags: self.tags.into_iter().map(|(name, value)| Property { name, value }).collect(),
            max_ttl_seconds: self.max_ttl_seconds,
            assumes: self.assumes,
            groups: self.groups,
        }
    }
}
