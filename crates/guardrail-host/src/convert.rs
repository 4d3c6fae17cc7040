//! Between the plain types and the contract's: a grant as the guest sees it, with every action annotated from the
//! catalogue. No judgement, no loss: what the guest sees is what the document says.
//! The plain side is [`crate::grant`] and [`crate::report`], the other is generated in `bindings`.

use iam_policy::Catalogue;
use iam_policy::catalogue::{ActionSummary, Form, Levels, Traits};
use iam_policy::document::{Condition, Effect, Entry, Principal, Statement, Version};

use crate::bindings::types;
use crate::grant::{Actor, Grant, Property, RoleContext, Source, SourcedDocument, Trigger};

/// A grant as a guest sees it.
pub(crate) fn grant(grant: &Grant, catalogue: &Catalogue) -> types::Grant {
    let documents = |list: &[SourcedDocument]| {
        list.iter().map(|one| document(one, catalogue)).collect::<Vec<_>>()
    };
    types::Grant {
        trigger: grant.trigger.into(),
        documents: documents(&grant.documents),
        boundary: grant.boundary.as_ref().map(|boundary| document(boundary, catalogue)),
        previous: documents(&grant.previous),
        role: grant.role.as_ref().map(types::RoleContext::from),
        actor: grant.actor.as_ref().map(types::Actor::from),
        now_unix_ms: grant.now_unix_ms,
        extras: properties(&grant.extras),
    }
}

fn document(sourced: &SourcedDocument, catalogue: &Catalogue) -> types::Document {
    let document = &sourced.document;
    types::Document {
        source: types::Source::from(&sourced.source),
        version: document.version().map(|version: Version| version.as_str().to_owned()),
        json: document.canonical().to_owned(),
        statements: document.statements().iter().map(|one| statement(one, catalogue)).collect(),
    }
}

fn statement(statement: &Statement, catalogue: &Catalogue) -> types::Statement {
    types::Statement {
        pointer: statement.pointer.clone(),
        sid: statement.sid.clone(),
        effect: match statement.effect {
            Effect::Allow => types::Effect::Allow,
            Effect::Deny => types::Effect::Deny,
        },
        actions: actions(&statement.actions, catalogue),
        not_actions: actions(&statement.not_actions, catalogue),
        resources: texts(&statement.resources),
        not_resources: texts(&statement.not_resources),
        principals: principals(&statement.principals),
        not_principals: principals(&statement.not_principals),
        conditions: statement.conditions.iter().map(condition).collect(),
    }
}

fn actions(entries: &[Entry], catalogue: &Catalogue) -> Vec<types::ActionRef> {
    entries.iter().map(|entry| action(&entry.text, catalogue.annotate(&entry.text))).collect()
}

fn action(text: &str, summary: ActionSummary) -> types::ActionRef {
    types::ActionRef {
        text: text.to_owned(),
        form: match summary.form {
            Form::Exact => types::ActionForm::Exact,
            Form::Pattern => types::ActionForm::Pattern,
            Form::All => types::ActionForm::All,
            Form::Unknown => types::ActionForm::Unknown,
        },
        covers: summary.covers,
        levels: levels(summary.levels),
        traits: traits(summary.traits),
    }
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.text.clone()).collect()
}

fn principals(principals: &[Principal]) -> Vec<types::Principal> {
    principals
        .iter()
        .map(|one| types::Principal { kind: one.kind.clone(), values: one.values.clone() })
        .collect()
}

fn condition(condition: &Condition) -> types::Condition {
    types::Condition {
        operator: condition.operator.clone(),
        key: condition.key.clone(),
        values: condition.values.clone(),
    }
}

fn properties(properties: &[Property]) -> Vec<types::Property> {
    properties
        .iter()
        .map(|one| types::Property { name: one.name.clone(), value: one.value.clone() })
        .collect()
}

/// Access levels as the contract's flags.
pub(crate) fn levels(levels: Levels) -> types::AccessLevels {
    [
        (Levels::LIST, types::AccessLevels::LIST),
        (Levels::READ, types::AccessLevels::READ),
        (Levels::WRITE, types::AccessLevels::WRITE),
        (Levels::TAGGING, types::AccessLevels::TAGGING),
        (Levels::PERMISSIONS_MANAGEMENT, types::AccessLevels::PERMISSIONS_MANAGEMENT),
        (Levels::UNKNOWN, types::AccessLevels::UNKNOWN),
    ]
    .into_iter()
    .filter(|(ours, _)| levels.contains(*ours))
    .fold(types::AccessLevels::empty(), |all, (_, theirs)| all | theirs)
}

/// Traits as the contract's flags.
pub(crate) fn traits(traits: Traits) -> types::ActionTraits {
    [
        (Traits::ESCALATES, types::ActionTraits::ESCALATES),
        (Traits::EXPOSES, types::ActionTraits::EXPOSES),
        (Traits::READS_DATA, types::ActionTraits::READS_DATA),
        (Traits::ISSUES_CREDENTIALS, types::ActionTraits::ISSUES_CREDENTIALS),
        (Traits::ANY_RESOURCE_ONLY, types::ActionTraits::ANY_RESOURCE_ONLY),
    ]
    .into_iter()
    .filter(|(ours, _)| traits.contains(*ours))
    .fold(types::ActionTraits::empty(), |all, (_, theirs)| all | theirs)
}

impl From<&Source> for types::Source {
    fn from(source: &Source) -> Self {
        match source {
            Source::Inline => Self::Inline,
            Source::Managed(arn) => Self::Managed(arn.clone()),
            Source::Group { group, policy } => {
                Self::Group(types::GroupPolicy { group: group.clone(), policy: policy.clone() })
            }
            Source::Session => Self::Session,
            Source::Bare => Self::Bare,
        }
    }
}

impl From<&RoleContext> for types::RoleContext {
    fn from(role: &RoleContext) -> Self {
        Self {
            name: role.name.clone(),
            path: role.path.clone(),
            account: role.account.clone(),
            partition: role.partition.clone(),
            credential_type: role.credential_type.clone(),
            mount: role.mount.clone(),
            tags: properties(&role.tags),
            max_ttl_seconds: role.max_ttl_seconds,
            assumes: role.assumes.clone(),
            groups: role.groups.clone(),
        }
    }
}

impl From<&Actor> for types::Actor {
    fn from(actor: &Actor) -> Self {
        Self { id: actor.id.clone(), groups: actor.groups.clone() }
    }
}

impl From<types::Property> for Property {
    fn from(property: types::Property) -> Self {
        Self { name: property.name, value: property.value }
    }
}

impl From<Trigger> for types::Trigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Create => Self::Create,
            Trigger::Update => Self::Update,
            Trigger::Issue => Self::Issue,
            Trigger::Scan => Self::Scan,
            Trigger::Simulate => Self::Simulate,
        }
    }
}

impl From<types::Trigger> for Trigger {
    fn from(trigger: types::Trigger) -> Self {
        match trigger {
            types::Trigger::Create => Self::Create,
            types::Trigger::Update => Self::Update,
            types::Trigger::Issue => Self::Issue,
            types::Trigger::Scan => Self::Scan,
            types::Trigger::Simulate => Self::Simulate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_its_counterpart() {
        assert_eq!(levels(Levels::ALL), types::AccessLevels::all());
        assert_eq!(levels(Levels::TAGGING), types::AccessLevels::TAGGING);
        assert_eq!(traits(Traits::ALL), types::ActionTraits::all());
        assert_eq!(traits(Traits::NONE), types::ActionTraits::empty());
    }

    #[test]
    fn a_guest_sees_what_the_document_says() {
        let text = r#"{ "Version": "2012-10-17", "Statement": { "Effect": "Allow",
            "Action": ["s3:GetObject", "*"], "Resource": "arn:aws:s3:::b/*",
            "Condition": {"Bool": {"aws:SecureTransport": true}} } }"#;
        let document = iam_policy::Document::parse(text).unwrap();
        let plain = Grant::bare(vec![std::sync::Arc::new(document)], 42);
        let seen = grant(&plain, Catalogue::bundled());

        assert_eq!(seen.now_unix_ms, 42);
        let document = &seen.documents[0];
        assert!(document.json.starts_with(r#"{"Version":"2012-10-17","Statement":{"#));
        let statement = &document.statements[0];
        assert_eq!(statement.pointer, "/Statement");
        assert_eq!(statement.actions[0].covers, 1);
        assert_eq!(statement.actions[0].levels, types::AccessLevels::READ);
        assert!(matches!(statement.actions[1].form, types::ActionForm::All));
        assert_eq!(statement.resources, ["arn:aws:s3:::b/*"]);
        assert_eq!(statement.conditions[0].values, ["true"]);
    }
}
