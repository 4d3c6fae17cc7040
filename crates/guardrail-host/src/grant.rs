//! What is judged, as plain Rust: every document that a role would grant, with where each comes from.
//! Mirrors the contract's `grant` record; holds no text that was not parsed by `iam-policy` first.
//! `convert` turns it into what a guest sees.

use std::sync::Arc;

use iam_policy::Document;
use serde::Serialize;

use crate::bindings::types;

/// What made the host ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A role is written for the first time.
    Create,
    /// A role is written again.
    Update,
    /// A credential is about to be issued.
    Issue,
    /// Stored roles are swept.
    Scan,
    /// A person or a pipeline asks what would happen.
    Simulate,
}

/// Where a document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Written on the role itself.
    Inline,
    /// A managed policy, by ARN.
    Managed(String),
    /// A policy of an IAM group that the user would join.
    Group {
        /// The group's name.
        group: String,
        /// The policy's name or ARN.
        policy: String,
    },
    /// A session policy of a call.
    Session,
    /// A bare document with no role around it.
    Bare,
}

/// A document and where it comes from.
#[derive(Debug, Clone)]
pub struct SourcedDocument {
    /// Where it comes from.
    pub source: Source,
    /// What it says.
    pub document: Arc<Document>,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Property {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The role that the documents are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleContext {
    /// Its name.
    pub name: String,
    /// IAM path of the users it makes.
    pub path: Option<String>,
    /// AWS account id.
    pub account: Option<String>,
    /// AWS partition.
    pub partition: Option<String>,
    /// `iam_user`, `assumed_role`, `federation_token`, `session_token`.
    pub credential_type: String,
    /// The mount, with its closing slash.
    pub mount: String,
    /// Tags that its users carry.
    pub tags: Vec<Property>,
    /// Longest life of its credentials.
    pub max_ttl_seconds: Option<u64>,
    /// ARNs of the roles that it may assume.
    pub assumes: Vec<String>,
    /// IAM groups that its users join.
    pub groups: Vec<String>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// An accessor or an entity; never a token.
    pub id: String,
    /// Groups that the host knows of.
    pub groups: Vec<String>,
}

/// One request to judge: all that a role would grant, together.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What made the host ask.
    pub trigger: Trigger,
    /// Every document that adds up, the inline one first. Findings point into this list.
    pub documents: Vec<SourcedDocument>,
    /// What caps them.
    pub boundary: Option<SourcedDocument>,
    /// What the role granted before, for [`Trigger::Update`]; otherwise empty.
    pub previous: Vec<SourcedDocument>,
    /// The role, where there is one.
    pub role: Option<RoleContext>,
    /// Who asks, where it is known.
    pub actor: Option<Actor>,
    /// The only clock that a guest sees: milliseconds since 1970.
    pub now_unix_ms: u64,
    /// What later versions of the contract add.
    pub extras: Vec<Property>,
}

impl Grant {
    /// A grant of bare documents that nobody wrote on a role.
    pub fn bare(documents: Vec<Arc<Document>>, now_unix_ms: u64) -> Self {
        Self {
            trigger: Trigger::Simulate,
            documents: documents
                .into_iter()
                .map(|document| SourcedDocument { source: Source::Bare, document })
                .collect(),
            boundary: None,
            previous: Vec::new(),
            role: None,
            actor: None,
            now_unix_ms,
            extras: Vec::new(),
        }
    }
}

/// A grant, read and annotated once, ready for any number of plugins. Cheap to clone.
#[derive(Clone)]
pub struct PreparedGrant(Arc<Prepared>);

struct Prepared {
    grant: Grant,
    guest_view: types::Grant,
}

impl PreparedGrant {
    /// Annotates every statement of `grant` from the bundled catalogue.
    pub fn new(grant: Grant) -> Self {
        let guest_view = crate::convert::grant(&grant, iam_policy::Catalogue::bundled());
        Self(Arc::new(Prepared { grant, guest_view }))
    }

    /// What was prepared.
    pub fn grant(&self) -> &Grant {
        &self.0.grant
    }

    /// What a guest is handed.
    pub(crate) fn guest_view(&self) -> &types::Grant {
        &self.0.guest_view
    }
}

impl std::fmt::Debug for PreparedGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PreparedGrant").field(&self.0.grant).finish()
    }
}
