//! What a guest sees of a subject: the grant in the contract's types, with who asks and the time only where its guardrail is
//! bound to see them, since what a guest may see is part of the digest under which its answer is known. Decides nothing.

use std::sync::Arc;

use guardrail_host::{PreparedGrant, Property, SourcedDocument};

use super::grant::{Actor, RoleContext, Trigger};
use super::subject::{Judged, Subject};

/// How exactly guests see the time, in milliseconds. A minute: hours and dates can be told from it, and a role under load is
/// judged once a minute, not at every request.
const SEEN_TIME_STEP: u64 = 60_000;

/// What a guest sees beside the grant itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sees {
    /// Who asks.
    pub(super) actor: bool,
    /// The time.
    pub(super) time: bool,
}

impl Subject {
    /// The grant as guests see it, with what they are bound to see; annotated at the first call of each kind.
    pub(super) fn prepared(&self, sees: Sees) -> &PreparedGrant {
        let actor = self.actor.as_ref().filter(|_| sees.actor);
        let [neither, who, when, both] = &self.prepared;
        let prepared = match (actor.is_some(), sees.time) {
            (false, false) => neither,
            (true, false) => who,
            (false, true) => when,
            (true, true) => both,
        };
        let now = if sees.time { self.seen_time() } else { 0 };
        prepared.get_or_init(|| PreparedGrant::new(self.host_grant(actor, now)))
    }

    /// The time as guests see it that are bound to: to the minute, so that one verdict serves a minute. Milliseconds.
    pub(super) fn seen_time(&self) -> u64 {
        let millis = u64::try_from(self.now.as_millis()).unwrap_or(0);
        millis.saturating_sub(millis.checked_rem(SEEN_TIME_STEP).unwrap_or(0))
    }

    fn host_grant(&self, actor: Option<&Actor>, now_unix_ms: u64) -> guardrail_host::Grant {
        guardrail_host::Grant {
            trigger: self.trigger.into(),
            documents: self.documents.iter().map(Judged::sourced).collect(),
            boundary: self.boundary.as_ref().map(Judged::sourced),
            previous: self.previous.iter().map(Judged::sourced).collect(),
            role: self.role.as_ref().map(host_role),
            actor: actor.map(|actor| guardrail_host::Actor {
                id: actor.id.clone(),
                groups: actor.groups.clone(),
            }),
            now_unix_ms,
            extras: Vec::new(),
        }
    }
}

impl Judged {
    fn sourced(&self) -> SourcedDocument {
        SourcedDocument { source: self.source.clone(), document: Arc::clone(&self.held.document) }
    }
}

impl From<Trigger> for guardrail_host::Trigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Create => Self::Create,
            Trigger::Update => Self::Update,
            Trigger::Issue => Self::Issue,
            Trigger::Simulate => Self::Simulate,
        }
    }
}

fn host_role(role: &RoleContext) -> guardrail_host::RoleContext {
    let tag =
        |(name, value): (&String, &String)| Property { name: name.clone(), value: value.clone() };
    guardrail_host::RoleContext {
        name: role.name.to_string(),
        path: (!role.path.is_empty()).then(|| role.path.clone()),
        account: None,
        partition: None,
        credential_type: role.credential_type.as_str().to_owned(),
        mount: role.mount.to_string(),
        tags: role.tags.iter().map(tag).collect(),
        max_ttl_seconds: (role.max_ttl_seconds > 0).then_some(role.max_ttl_seconds),
        assumes: role.assumes.clone(),
        groups: role.groups.iter().map(ToString::to_string).collect(),
    }
}
