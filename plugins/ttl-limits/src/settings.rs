//! The limits: for any grant, for one that writes, for one that manages permissions, each by credential type if need
//! be; and for listed actions. 0 stands for no limit. The schema is for forms and for the host's check.

use std::collections::BTreeMap;

use leasehold_guardrail_sdk::SettingsIssue;
use leasehold_guardrail_sdk::grade::Grade;
use serde::Deserialize;

/// A day.
const ANY_SECONDS: u64 = 86_400;
/// 12 hours: the longest session of a role that AWS gives (STS API, `AssumeRole`, `DurationSeconds`).
const WRITE_SECONDS: u64 = 43_200;
/// An hour: what AWS gives a session of a role unless asked for more (as above).
const PERMISSIONS_SECONDS: u64 = 3_600;

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    max_ttl_seconds: Limits,
    by_credential_type: BTreeMap<String, Limits>,
    /// Limits for listed actions, whatever their grade.
    pub(crate) actions: Vec<ActionLimit>,
    /// What counts where a role has no longest life.
    pub(crate) when_not_set_seconds: Option<u64>,
}

/// Limits in seconds; one that is left out is that of all types, or the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    any: Option<u64>,
    write: Option<u64>,
    permissions_management: Option<u64>,
}

/// A limit for some actions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionLimit {
    /// Actions or patterns of them.
    pub(crate) actions: Vec<String>,
    pub(crate) max_ttl_seconds: u64,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

impl Limits {
    fn of(self, grade: Grade) -> Option<u64> {
        match grade {
            Grade::Reads => self.any,
            Grade::Writes => self.write,
            Grade::Permissions => self.permissions_management,
        }
    }
}

impl Settings {
    /// The limit for grants of this grade, if there is one.
    pub(crate) fn limit(&self, credential_type: &str, grade: Grade) -> Option<u64> {
        let default = match grade {
            Grade::Reads => ANY_SECONDS,
            Grade::Writes => WRITE_SECONDS,
            Grade::Permissions => PERMISSIONS_SECONDS,
        };
        let own = self.by_credential_type.get(credential_type).and_then(|limits| limits.of(grade));
        let limit = own.or_else(|| self.max_ttl_seconds.of(grade)).unwrap_or(default);
        (limit > 0).then_some(limit)
    }

    /// What the schema cannot say: a stricter grade with a longer limit never counts.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let typed = self.by_credential_type.iter();
        let all = typed.map(|(name, limits)| (format!("/by_credential_type/{name}"), *limits));
        all.chain([("/max_ttl_seconds".to_owned(), self.max_ttl_seconds)])
            .filter_map(|(pointer, limits)| {
                let longer = |one: Option<u64>, other: Option<u64>| {
                    one.zip(other).is_some_and(|(one, other)| other > 0 && one > other)
                };
                let (field, than) = if longer(limits.write, limits.any) {
                    ("write", "any")
                } else if longer(limits.permissions_management, limits.write) {
                    ("permissions_management", "write")
                } else {
                    return None;
                };
                let message = format!("is longer than `{than}`, which also counts");
                Some(SettingsIssue { pointer: format!("{pointer}/{field}"), message })
            })
            .collect()
    }
}
