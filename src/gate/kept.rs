//! A grant as JSON and back, so that a verdict can be reached again from what was kept of it. Everything that a guardrail
//! or a rule of ours could see is in it, the time too; nothing else is. It is the gate's own form, read by the gate alone.

use serde::{Deserialize, Serialize};

use super::document::{Documents, Purpose};
use super::grant::{Actor, DocumentSource, Grant, RoleContext, Trigger};
use super::{InlineDocument, Unreadable};
use crate::model::{GroupName, PolicyArn, Timestamp};

/// A grant in words.
#[derive(Debug, Serialize, Deserialize)]
struct KeptGrant {
    trigger: Trigger,
    inline: Option<KeptInline>,
    policy_arns: Vec<PolicyArn>,
    groups: Vec<GroupName>,
    boundary: Option<PolicyArn>,
    fetched: Vec<(DocumentSource, Result<String, String>)>,
    boundary_text: Option<Result<String, String>>,
    previous: Vec<(DocumentSource, String)>,
    role: RoleContext,
    actor: Option<Actor>,
    now: Timestamp,
}

/// The inline document: its canonical text, and whose quota counted.
#[derive(Debug, Serialize, Deserialize)]
struct KeptInline {
    text: String,
    read_for: Purpose,
}

/// In words; `with_actor` where a guardrail may have seen who asked.
pub(super) fn write(grant: &Grant, with_actor: bool) -> String {
    let kept = KeptGrant {
        trigger: grant.trigger,
        inline: grant.inline.as_ref().map(|inline| KeptInline {
            text: inline.canonical().to_owned(),
            read_for: inline.0.purpose,
        }),
        policy_arns: grant.policy_arns.clone(),
        groups: grant.groups.clone(),
        boundary: grant.boundary.clone(),
        fetched: grant.fetched.clone(),
        boundary_text: grant.boundary_text.clone(),
        previous: grant.previous.clone(),
        role: grant.role.clone(),
        actor: grant.actor.clone().filter(|_| with_actor),
        now: grant.now,
    };
    // Plain data: it can always be written.
    serde_json::to_string(&kept).unwrap_or_default()
}

/// Back from words.
pub(super) fn read(text: &str, documents: &Documents) -> Result<Grant, Unreadable> {
    let kept: KeptGrant =
        serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
    let inline = match kept.inline {
        None => None,
        Some(KeptInline { text, read_for }) => {
            let held = documents.read(&text, read_for).map_err(|_refused| {
                Unreadable("its document is refused by this release".to_owned())
            })?;
            Some(InlineDocument(held))
        }
    };
    Ok(Grant {
        trigger: kept.trigger,
        inline,
        policy_arns: kept.policy_arns,
        groups: kept.groups,
        boundary: kept.boundary,
        fetched: kept.fetched,
        boundary_text: kept.boundary_text,
        previous: kept.previous,
        role: kept.role,
        actor: kept.actor,
        now: kept.now,
    })
}
