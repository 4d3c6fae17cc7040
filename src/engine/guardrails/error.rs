//! Why a guardrail was not read, written, suspended or tried; and why a verdict was not reached again.

use crate::gate::{BindingIssue, Unanswered, Unreadable, Untrusted};
use crate::model::{GuardrailName, PluginRef};
use crate::store::StoreError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum GuardrailError {
    /// No guardrail can have this name.
    #[error(
        "`{0}` is not a name that a guardrail can have\nhelp: 1 to 64 of a-z, 0-9 and `-`, and none of the broker's own words, such as `document`"
    )]
    BadName(String),
    /// There is no such guardrail.
    #[error("there is no guardrail `{0}`")]
    NoGuardrail(GuardrailName),
    /// A new guardrail needs one.
    #[error(
        "`plugin` is missing\nhelp: name an uploaded plugin as NAME@VERSION or by its digest, sha256:…, or one that ships with the broker by its name"
    )]
    PluginMissing,
    /// Nothing has this name or digest.
    #[error(
        "there is no plugin `{0}`\nhelp: `vault list sys/plugins/guardrails` shows those that are there"
    )]
    NoPlugin(String),
    /// Nobody who is trusted vouches for the plugin.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// What was written is wrong, everywhere at once.
    #[error("the guardrail is refused: {}", listed(.0))]
    Issues(Vec<BindingIssue>),
    /// The plugin has no answer.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// Somebody else wrote it since.
    #[error(
        "check-and-set parameter did not match the current version\nhelp: the current version is {version}; 0 where nothing was written"
    )]
    OtherVersion {
        /// The stored one.
        version: u64,
    },
    /// It cannot be removed: nothing was written of it.
    #[error(
        "guardrail `{0}` is bound by the configuration\nhelp: write mode=off to turn it off, or change [guardrails] in the configuration"
    )]
    OfConfiguration(GuardrailName),
    /// A glass is not broken without one.
    #[error("`reason` is missing\nhelp: say why, for those who read the log afterwards")]
    ReasonMissing,
    /// Neither, or both, or not to be read.
    #[error("say either `for`, a duration such as 30m, or `until`, a moment such as {example}")]
    BadTime {
        /// A moment.
        example: &'static str,
    },
    /// A suspension is for an emergency.
    #[error(
        "a guardrail can be suspended for {most} at most, and from now on\nhelp: to turn it off for good, write its mode"
    )]
    BadEnd {
        /// How long.
        most: &'static str,
    },
    /// There is nothing to end.
    #[error("guardrail `{0}` is not suspended")]
    NotSuspended(GuardrailName),
    /// One at a time: each asks every guardrail about every role.
    #[error("another what-if is under way\nhelp: try again when it is done")]
    UnderWay,
    /// There is no such mount.
    #[error("there is no mount at `{0}`")]
    NoMount(String),
    /// It was never reached, or is not kept any more.
    #[error(
        "no verdict `{0}` is kept\nhelp: verdicts are kept for 30 days, and the oldest go first where they take too much room"
    )]
    NoVerdict(String),
    /// It cannot be reached again.
    #[error(
        "the verdict cannot be reached again: the plugin `{plugin}` of guardrail `{guardrail}` is not stored any more\nhelp: upload that plugin again"
    )]
    PluginGone {
        /// Which guardrail.
        guardrail: GuardrailName,
        /// What judged.
        plugin: PluginRef,
    },
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A thread ended early.
    #[error("a guardrail's component could not be made ready: {0}")]
    Lost(String),
    /// The store failed, or somebody else was faster.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn listed(issues: &[BindingIssue]) -> String {
    sentences(issues).join("; ")
}

/// One sentence for each place.
pub(super) fn sentences(issues: &[BindingIssue]) -> Vec<String> {
    issues.iter().map(|issue| format!("`{}`: {}", issue.pointer, issue.message)).collect()
}

impl GuardrailError {
    /// What is told to callers: one sentence for each thing that is wrong.
    pub fn sentences(&self) -> Vec<String> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are one sentence")]
        match self {
            Self::Issues(issues) => sentences(issues),
            other => vec![other.to_string()],
        }
    }
}
