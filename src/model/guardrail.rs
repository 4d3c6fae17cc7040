//! A guardrail: a plugin bound to settings, a mode and a scope, with everything that decides what its answers lead to.
//! Plain data and the rules that concern one value alone; who may write one is [`crate::engine::guardrails`]'s, what an
//! answer comes to is [`crate::gate`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use iam_policy::wildcard;
use serde::{Deserialize, Serialize};

use super::names::name;
use super::{CredentialType, InvalidName, PluginDigest, Severity, Timestamp};

/// First parts of rule ids, and paths of the API, that are no guardrail's.
const RESERVED: [&str; 10] = [
    "catalogue",
    "check",
    "document",
    "grant",
    "quota",
    "role",
    "schema",
    "tried",
    "verdicts",
    "what-if",
];

name! {
    /// The name of a guardrail, the first part of its rules' ids: 1 to 64 of `[a-z0-9-]`, no dash in front, and none
    /// of the names that the broker's own rules and paths have.
    GuardrailName, "guardrail name", |text| {
        let plain = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        (1..=64).contains(&text.len())
            && text.as_bytes().first().is_some_and(plain)
            && text.bytes().all(|c| plain(&c) || c == b'-')
            && !RESERVED.contains(&text)
    }
}

impl GuardrailName {
    /// The first part of the rule ids of a guardrail that is tried before it has a name: nobody else's, so that what it
    /// says is told from what a guardrail of now says.
    pub fn tried() -> Self {
        Self("tried".to_owned())
    }
}

/// What a guardrail's answer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is not asked.
    Off,
    /// It is asked, and its answer goes to the log alone.
    Audit,
    /// Its findings are shown.
    Warn,
    /// Its denial, or its failure, refuses.
    Enforce,
}

impl Mode {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Off, Self::Audit, Self::Warn, Self::Enforce]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What judges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginRef {
    /// The component of this name that ships with the broker, whichever this release has.
    Shipped(String),
    /// An uploaded component, these bytes and no others.
    Digest(PluginDigest),
}

impl fmt::Display for PluginRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(name) => write!(f, "builtin:{name}"),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

/// Which roles a guardrail is asked about: those that fit every list that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Paths of mounts, with `*` and `?`.
    pub mounts: Vec<String>,
    /// Names of roles, with `*` and `?`.
    pub roles: Vec<String>,
    /// Tags that the role must have, and their values, with `*` and `?`.
    pub tags: BTreeMap<String, String>,
    /// What the role hands out.
    pub credential_types: Vec<CredentialType>,
}

/// A role as far as scopes look at it.
#[derive(Debug, Clone, Copy)]
pub struct ScopeSubject<'a> {
    /// Path of its mount.
    pub mount: &'a str,
    /// Its name.
    pub role: &'a str,
    /// Its tags.
    pub tags: &'a BTreeMap<String, String>,
    /// What it hands out.
    pub credential_type: CredentialType,
}

impl Scope {
    /// Whether it takes every role.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it takes this role.
    pub fn takes(&self, subject: ScopeSubject<'_>) -> bool {
        let any = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| wildcard::matches(pattern, text))
        };
        let tagged = |(name, pattern): (&String, &String)| {
            subject.tags.get(name).is_some_and(|value| wildcard::matches(pattern, value))
        };
        any(&self.mounts, subject.mount)
            && any(&self.roles, subject.role)
            && self.tags.iter().all(tagged)
            && (self.credential_types.is_empty()
                || self.credential_types.contains(&subject.credential_type))
    }
}

/// What a failure leads to where the guardrail enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureAction {
    /// It denies.
    Deny,
    /// It is a warning.
    Note,
    /// It goes to the log and the metrics alone.
    Allow,
}

impl FailureAction {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Note => "note",
            Self::Allow => "allow",
        }
    }

    /// Reads the name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Deny, Self::Note, Self::Allow].into_iter().find(|action| action.as_str() == text)
    }
}

/// A kind of failure, or a group of them: the codes of `guardrail_host::Failure`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FailureKind(String);

impl FailureKind {
    /// Everything that a rule can be about.
    pub const KNOWN: [&str; 16] = [
        "*",
        "trap",
        "limit/*",
        "limit/fuel",
        "limit/time",
        "limit/memory",
        "limit/stack",
        "limit/output",
        "limit/host-calls",
        "failure/*",
        "failure/settings",
        "failure/unsupported",
        "failure/internal",
        "output",
        "load",
        "busy",
    ];

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FailureKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if Self::KNOWN.contains(&text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName { kind: "kind of failure", given: text.to_owned() })
        }
    }
}

impl TryFrom<String> for FailureKind {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<FailureKind> for String {
    fn from(kind: FailureKind) -> Self {
        kind.0
    }
}

/// What failures lead to; what is not named denies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OnFailure(pub BTreeMap<FailureKind, FailureAction>);

impl OnFailure {
    /// The rule for a code: its own, that of its group, that for all, or denial.
    pub fn action(&self, code: &str) -> FailureAction {
        let group = code.split_once('/').map(|(group, _)| format!("{group}/*"));
        let rule = |kind: &str| {
            self.0.iter().find(|(own, _)| own.as_str() == kind).map(|(_, action)| *action)
        };
        rule(code).or_else(|| rule(&group?)).or_else(|| rule("*")).unwrap_or(FailureAction::Deny)
    }
}

/// Limits below those of the server, for one guardrail; `None` = the server's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoweredLimits {
    /// Units of fuel for one call.
    pub fuel: Option<u64>,
    /// Milliseconds that one call may run.
    pub wall_time_ms: Option<u64>,
    /// Bytes of one linear memory.
    pub memory_bytes: Option<u64>,
}

/// All that decides what a guardrail says; two that are equal here judge alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// What judges.
    pub plugin: PluginRef,
    /// Its settings, a JSON object as text; what the plugin gets, byte for byte.
    pub settings: String,
    /// What its answer leads to.
    pub mode: Mode,
    /// Whom it is asked about.
    #[serde(default)]
    pub scope: Scope,
    /// Findings of a lower one are shown first; then the name decides.
    #[serde(default)]
    pub order: i32,
    /// Severities of its rules, by rule, in the place of the plugin's.
    #[serde(default)]
    pub severities: BTreeMap<String, Severity>,
    /// Rules whose findings do not count.
    #[serde(default)]
    pub rules_off: BTreeSet<String>,
    /// Findings from this severity on deny; `None` leaves it to the plugin's verdict.
    #[serde(default)]
    pub deny_at: Option<Severity>,
    /// What its failures lead to.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Limits below the server's.
    #[serde(default)]
    pub limits: LoweredLimits,
    /// Whether the plugin is told who asks: every caller's verdict is then one of its own.
    #[serde(default)]
    pub sees_actor: bool,
    /// Whether the plugin is told the time, to the minute: a verdict then counts for one minute. Without it the time is 0.
    #[serde(default)]
    pub sees_time: bool,
}

impl Binding {
    /// A component that ships with the broker, with its default settings, for every role.
    pub fn shipped(name: &str, mode: Mode) -> Self {
        Self {
            plugin: PluginRef::Shipped(name.to_owned()),
            settings: DEFAULT_SETTINGS.to_owned(),
            mode,
            scope: Scope::default(),
            order: 0,
            severities: BTreeMap::new(),
            rules_off: BTreeSet::new(),
            deny_at: None,
            on_failure: OnFailure::default(),
            limits: LoweredLimits::default(),
            sees_actor: false,
            sees_time: false,
        }
    }
}

/// Settings of who was given none.
pub const DEFAULT_SETTINGS: &str = "{}";

/// A guardrail as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrail {
    /// Its name.
    pub name: GuardrailName,
    /// Counts its writes, from 1.
    pub version: u64,
    /// What it is.
    pub binding: Binding,
    /// When it was written last.
    pub written_at: Timestamp,
    /// Display name of the token that wrote it.
    pub written_by: String,
}

/// A guardrail that is not asked for a while, whatever its mode: the glass was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Which guardrail.
    pub name: GuardrailName,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// When it began.
    pub since: Timestamp,
    /// Display name of the token that asked for it.
    pub by: String,
    /// Accessor of that token.
    pub accessor: String,
}

impl Suspension {
    /// Whether it has not ended.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

/// A verdict with all that went in, so that it can be reached again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVerdict {
    /// The verdict's own digest, hex.
    pub digest: String,
    /// When it was reached.
    pub reached_at: Timestamp,
    /// The verdict as JSON, byte for byte.
    pub verdict: String,
    /// What was judged, as JSON of the gate's own.
    pub input: String,
    /// Digest of the guardrails that judged, hex.
    pub set: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_the_contracts_form_and_not_one_of_ours() {
        for good in ["least-privilege", "a", "9x", "grants"] {
            assert!(good.parse::<GuardrailName>().is_ok(), "{good}");
        }
        for bad in
            ["", "-a", "A", "a_b", "a/b", "what-if", "verdicts", "grant", "document", "tried"]
        {
            assert!(bad.parse::<GuardrailName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_scope_takes_everything_and_each_list_narrows_it() {
        let tags = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
        let subject = ScopeSubject {
            mount: "aws/",
            role: "ci-deploy",
            tags: &tags,
            credential_type: CredentialType::IamUser,
        };
        let takes = |scope: Scope| scope.takes(subject);
        let own = |text: &str| vec![text.to_owned()];
        let pair = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert!(takes(Scope::default()) && Scope::default().is_everything());
        for (scope, expected) in [
            (Scope { mounts: own("aws/"), ..Scope::default() }, true),
            (Scope { mounts: own("other/"), ..Scope::default() }, false),
            (Scope { roles: own("ci-*"), ..Scope::default() }, true),
            (Scope { roles: own("ops-*"), ..Scope::default() }, false),
            (Scope { tags: pair("team", "pay*"), ..Scope::default() }, true),
            (Scope { tags: pair("team", "ops"), ..Scope::default() }, false),
            (Scope { tags: pair("absent", "*"), ..Scope::default() }, false),
            (
                Scope { credential_types: vec![CredentialType::AssumedRole], ..Scope::default() },
                false,
            ),
        ] {
            assert_eq!(takes(scope.clone()), expected, "{scope:?}");
            assert!(!scope.is_everything());
        }
        let both = Scope { mounts: own("aws/"), roles: own("ops-*"), ..Scope::default() };
        assert!(!takes(both), "every list counts");
    }

    #[test]
    fn a_failure_denies_unless_the_nearest_rule_says_otherwise() {
        let rules = |pairs: &[(&str, FailureAction)]| {
            let pairs = pairs.iter().map(|(kind, action)| (kind.parse().unwrap(), *action));
            OnFailure(pairs.collect())
        };
        assert_eq!(OnFailure::default().action("trap"), FailureAction::Deny);
        let some = rules(&[
            ("limit/*", FailureAction::Note),
            ("limit/fuel", FailureAction::Deny),
            ("busy", FailureAction::Allow),
        ]);
        assert_eq!(some.action("limit/time"), FailureAction::Note);
        assert_eq!(some.action("limit/fuel"), FailureAction::Deny);
        assert_eq!(some.action("busy"), FailureAction::Allow);
        assert_eq!(some.action("load"), FailureAction::Deny);
        let all = rules(&[("*", FailureAction::Note), ("load", FailureAction::Deny)]);
        assert_eq!(all.action("failure/internal"), FailureAction::Note);
        assert_eq!(all.action("load"), FailureAction::Deny);
        assert!("limits".parse::<FailureKind>().is_err());
    }
}
