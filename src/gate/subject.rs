//! A grant as the guardrails get it: every document read, every one that could not be read named, and annotated for
//! the guests once, when the first of them asks. Nothing may be dropped here: what is not judged must be unread.
//! What goes in is [`Grant`], what guests see of it is in `seen`, what is made of it in `verdict`.

use std::sync::{Arc, OnceLock};

use guardrail_host::{PreparedGrant, Source};

use super::digest::{Digest, Fields};
use super::document::{Documents, Held, Purpose};
use super::grant::{Actor, DocumentSource, Grant, RoleContext, Trigger};
use super::guardrail::role_finding;
use crate::model::{Finding, PolicyArn, Severity, Timestamp};

/// The source that findings on a boundary name.
const BOUNDARY: &str = "boundary";

/// One document under judgement.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// As findings name it.
    pub(super) label: String,
    pub(super) source: Source,
    pub(super) held: Arc<Held>,
}

/// A document that would count and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) label: String,
    pub(super) reason: String,
}

/// What the guardrails judge.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) trigger: Trigger,
    /// Every document that adds up, the inline one first.
    pub(super) documents: Vec<Judged>,
    pub(super) boundary: Option<Judged>,
    pub(super) unread: Vec<Unread>,
    pub(super) previous: Vec<Judged>,
    pub(super) role: Option<RoleContext>,
    pub(super) actor: Option<Actor>,
    /// How many managed policies and groups the user would have.
    pub(super) attached: usize,
    pub(super) joined: usize,
    pub(super) now: Timestamp,
    /// One for each that guests may see of who asks and of the time.
    pub(super) prepared: [OnceLock<PreparedGrant>; 4],
}

impl Subject {
    /// Reads all of a grant.
    pub(super) fn of_grant(grant: &Grant, documents: &Documents) -> Self {
        let mut subject = Self::empty(grant.trigger, grant.now);
        subject.role = Some(grant.role.clone());
        subject.actor.clone_from(&grant.actor);
        subject.attached = grant.policy_arns.len();
        subject.joined = grant.groups.len();
        if let Some(inline) = &grant.inline {
            let held = Arc::clone(&inline.0);
            subject.documents.push(Judged::new(&DocumentSource::Inline, held));
        }
        for (source, text) in &grant.fetched {
            match read(source.to_string(), text.as_ref(), documents) {
                Ok(held) => subject.documents.push(Judged::new(source, held)),
                Err(unread) => subject.unread.push(unread),
            }
        }
        for arn in grant.policy_arns.iter().filter(|arn| !is_fetched(grant, arn)) {
            subject.unread.push(Unread::untold(arn.to_string()));
        }
        subject.read_boundary(grant, documents);
        // What went before is for comparison only: a guest that lacks a part of it sees a larger change.
        subject.previous = grant
            .previous
            .iter()
            .filter_map(|(source, text)| {
                let held = documents.read(text, Purpose::Fetched).ok()?;
                Some(Judged::new(source, held))
            })
            .collect();
        subject
    }

    /// A document that nobody wrote on a role.
    pub(super) fn bare(held: Arc<Held>, now: Timestamp) -> Self {
        let mut subject = Self::empty(Trigger::Simulate, now);
        let label = Purpose::Bare.source().to_owned();
        subject.documents.push(Judged { label, source: Source::Bare, held });
        subject
    }

    fn empty(trigger: Trigger, now: Timestamp) -> Self {
        Self {
            trigger,
            documents: Vec::new(),
            boundary: None,
            unread: Vec::new(),
            previous: Vec::new(),
            role: None,
            actor: None,
            attached: 0,
            joined: 0,
            now,
            prepared: Default::default(),
        }
    }

    fn read_boundary(&mut self, grant: &Grant, documents: &Documents) {
        let Some(arn) = &grant.boundary else { return };
        let Some(text) = &grant.boundary_text else {
            self.unread.push(Unread::untold(BOUNDARY.to_owned()));
            return;
        };
        match read(BOUNDARY.to_owned(), text.as_ref(), documents) {
            Ok(held) => {
                let source = Source::Managed(arn.to_string());
                self.boundary = Some(Judged { label: BOUNDARY.to_owned(), source, held });
            }
            Err(unread) => self.unread.push(unread),
        }
    }

    /// Remarks that the documents carry whatever guardrails there are.
    pub(super) fn remarks(&self) -> impl Iterator<Item = &Finding> {
        self.documents.iter().flat_map(|judged| &judged.held.remarks)
    }

    /// Who asks, for digests of what may depend on it.
    pub(super) fn actor_fields(&self, fields: Fields) -> Fields {
        match &self.actor {
            None => fields.text("nobody"),
            Some(Actor { id, groups }) => fields.text(id).texts(groups.iter().map(String::as_str)),
        }
    }

    /// Everything that every guardrail can see; `of` picks which digest stands for a document. Who asks and the time are
    /// beside it, for those that are bound to see them.
    pub(super) fn fields(&self, fields: Fields, of: fn(&Held) -> &Digest) -> Fields {
        let lists = [&self.documents, &self.previous].map(Vec::as_slice);
        let boundary = self.boundary.as_slice();
        let mut fields = fields.text(self.trigger.as_str());
        for list in lists.into_iter().chain([boundary]) {
            let sources = list.iter().map(|judged| judged.label.as_str());
            fields = fields.texts(sources);
            for judged in list {
                fields = fields.field(of(&judged.held).as_bytes());
            }
        }
        // Its label is the same for all, and guests see whose text it is.
        let bound = match self.boundary.as_ref().map(|judged| &judged.source) {
            Some(Source::Managed(arn)) => arn.as_str(),
            Some(Source::Inline | Source::Bare | Source::Session | Source::Group { .. }) | None => {
                ""
            }
        };
        fields = fields
            .text(bound)
            .texts(self.unread.iter().map(|unread| unread.label.as_str()))
            .texts(self.unread.iter().map(|unread| unread.reason.as_str()));
        let Some(role) = &self.role else {
            return fields.text("no role");
        };
        fields
            .text(role.name.as_str())
            .text(role.mount.as_str())
            .text(&role.path)
            .text(role.credential_type.as_str())
            .texts(role.tags.keys().map(String::as_str))
            .texts(role.tags.values().map(String::as_str))
            .texts(role.groups.iter().map(crate::model::GroupName::as_str))
            .texts(role.assumes.iter().map(String::as_str))
            .text(&format!("{} {} {}", role.max_ttl_seconds, self.attached, self.joined))
    }
}

impl Subject {
    /// Over what it permits and nothing else: every document by its source, what could not be read by its name, the
    /// boundary, and the roles that may be assumed.
    pub(super) fn permissions(&self) -> Digest {
        let label = |judged: &Judged| match &judged.source {
            // All boundaries have one label.
            Source::Managed(arn) => arn.clone(),
            Source::Inline | Source::Bare | Source::Session | Source::Group { .. } => {
                judged.label.clone()
            }
        };
        let mut fields = Fields::new("permissions");
        for list in [self.documents.as_slice(), self.boundary.as_slice()] {
            let mut parts: Vec<_> = list.iter().map(|one| (label(one), one.held.digest)).collect();
            // The order in which policies are attached permits nothing.
            parts.sort_by(|(one, _), (other, _)| one.cmp(other));
            fields = fields.texts(parts.iter().map(|(label, _)| label.as_str()));
            fields =
                parts.iter().fold(fields, |fields, (_, digest)| fields.field(digest.as_bytes()));
        }
        let assumes = self.role.as_ref().map(|role| role.assumes.as_slice()).unwrap_or_default();
        fields
            .texts(self.unread.iter().map(|unread| unread.label.as_str()))
            .texts(assumes.iter().map(String::as_str))
            .finish()
    }
}

impl Judged {
    fn new(source: &DocumentSource, held: Arc<Held>) -> Self {
        let label = source.to_string();
        let source = match source {
            DocumentSource::Inline => Source::Inline,
            DocumentSource::Managed(arn) => Source::Managed(arn.to_string()),
            DocumentSource::Group { group, policy } => {
                Source::Group { group: group.to_string(), policy: policy.clone() }
            }
        };
        Self { label, source, held }
    }

    /// A finding at a place in this document, which denies where its guardrail enforces.
    pub(super) fn finding(
        &self,
        rule: String,
        severity: Severity,
        message: String,
        pointer: &str,
    ) -> Finding {
        let place = self.held.place(pointer);
        Finding {
            source: self.label.clone(),
            pointer: pointer.to_owned(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            ..role_finding(rule, severity, message)
        }
    }
}

impl Unread {
    fn untold(label: String) -> Self {
        Self { label, reason: "its text was not read".to_owned() }
    }
}

fn read(
    label: String,
    text: Result<&String, &String>,
    documents: &Documents,
) -> Result<Arc<Held>, Unread> {
    let text = match text {
        Ok(text) => text,
        Err(reason) => {
            return Err(Unread { label, reason: reason.clone() });
        }
    };
    documents.read(text, Purpose::Fetched).map_err(|findings| {
        let first = findings.into_iter().next().map(|finding| finding.message);
        Unread { label, reason: first.unwrap_or_else(|| "it is not a policy".to_owned()) }
    })
}

fn is_fetched(grant: &Grant, arn: &PolicyArn) -> bool {
    grant.fetched.iter().any(|(source, _)| match source {
        DocumentSource::Managed(fetched) => fetched == arn,
        DocumentSource::Inline | DocumentSource::Group { .. } => false,
    })
}
