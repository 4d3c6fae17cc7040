//! What somebody wishes of a guardrail, read into a binding over what there was. Everything that is wrong comes back at
//! once, each with a pointer to its field. Whether a plugin takes the settings is asked afterwards, by the gate.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::gate::BindingIssue;
use crate::model::{
    Binding, CredentialType, DEFAULT_SETTINGS, FailureAction, FailureKind, Mode, PluginRef,
    Severity,
};

/// Bytes of settings: the text of a policy language may be long, a data set has no place here.
const MOST_SETTINGS: usize = 256 << 10;
/// Entries of one list or map.
const MOST_ENTRIES: usize = 1_000;

/// A write of a guardrail; `None` = not sent, empty = cleared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BindingChange {
    /// Which plugin, by digest, by name and version, or by name.
    pub plugin: Option<String>,
    /// A JSON object, or the text of one.
    pub settings: Option<Value>,
    /// `off`, `audit`, `warn` or `enforce`.
    pub mode: Option<String>,
    /// Paths of mounts, with `*` and `?`.
    pub mounts: Option<Vec<String>>,
    /// Names of roles, with `*` and `?`.
    pub roles: Option<Vec<String>>,
    /// Tags of roles, with `*` and `?` in their values.
    pub tags: Option<BTreeMap<String, String>>,
    /// What roles hand out.
    pub credential_types: Option<Vec<String>>,
    /// Its place among the others.
    pub order: Option<i64>,
    /// Severities by rule.
    pub severities: Option<BTreeMap<String, String>>,
    /// Rules that do not count.
    pub rules_off: Option<Vec<String>>,
    /// A severity; empty leaves it to the plugin.
    pub deny_at: Option<String>,
    /// `deny`, `note` or `allow` by kind of failure.
    pub on_failure: Option<BTreeMap<String, String>>,
    /// Units of fuel; 0 = the server's limit.
    pub fuel: Option<i64>,
    /// Milliseconds; 0 = the server's limit.
    pub wall_time_ms: Option<i64>,
    /// Bytes; 0 = the server's limit.
    pub memory_bytes: Option<i64>,
    /// Whether the plugin is told who asks.
    pub sees_actor: Option<bool>,
    /// Whether the plugin is told the time.
    pub sees_time: Option<bool>,
}

/// Collects what is wrong.
#[derive(Default)]
struct Issues(Vec<BindingIssue>);

impl Issues {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(BindingIssue { pointer: pointer.to_owned(), message: message.into() });
    }

    /// Puts what was read into its place, or says why it cannot be.
    fn put<T>(&mut self, pointer: &str, read: Result<T, String>, place: &mut T) {
        match read {
            Ok(value) => *place = value,
            Err(message) => self.add(pointer, message),
        }
    }

    /// Reads each entry of a map; issues are at the entry.
    fn map<K, V>(
        &mut self,
        field: &str,
        sent: &BTreeMap<String, String>,
        read: impl Fn(&str, &str) -> Result<(K, V), String>,
    ) -> Vec<(K, V)> {
        let mut entries = Vec::new();
        for (name, value) in sent {
            match read(name, value) {
                Ok(entry) => entries.push(entry),
                Err(message) => {
                    let mut pointer = format!("/{field}");
                    iam_policy::json::push_pointer(&mut pointer, name);
                    self.add(&pointer, message);
                }
            }
        }
        entries
    }
}

impl BindingChange {
    /// The binding that comes out, over `before` or over nothing.
    pub(super) fn over(
        self,
        before: Option<&Binding>,
        plugin: PluginRef,
        default_mode: Mode,
    ) -> Result<Binding, Vec<BindingIssue>> {
        let mut issues = Issues::default();
        self.check_sizes(&mut issues);
        let mut binding = match before {
            Some(before) => Binding { plugin, ..before.clone() },
            None => Binding { plugin, ..Binding::shipped("", default_mode) },
        };
        self.put_basics(&mut binding, &mut issues);
        self.put_scope(&mut binding, &mut issues);
        self.put_findings(&mut binding, &mut issues);
        self.put_failures_and_limits(&mut binding, &mut issues);
        if issues.0.is_empty() { Ok(binding) } else { Err(issues.0) }
    }

    fn put_basics(&self, binding: &mut Binding, issues: &mut Issues) {
        if let Some(sent) = &self.settings {
            issues.put("/settings", settings(sent), &mut binding.settings);
        }
        if let Some(sent) = &self.mode {
            let read = Mode::from_wire(sent)
                .ok_or_else(|| format!("`{sent}` is none of `off`, `audit`, `warn`, `enforce`"));
            issues.put("/mode", read, &mut binding.mode);
        }
        if let Some(sent) = self.order {
            let read = i32::try_from(sent).map_err(|_far| "is too far from 0".to_owned());
            issues.put("/order", read, &mut binding.order);
        }
        binding.sees_actor = self.sees_actor.unwrap_or(binding.sees_actor);
        binding.sees_time = self.sees_time.unwrap_or(binding.sees_time);
    }

    fn put_scope(&self, binding: &mut Binding, issues: &mut Issues) {
        let scope = &mut binding.scope;
        if let Some(sent) = &self.mounts {
            scope.mounts = sent.iter().map(|mount| with_slash(mount)).collect();
        }
        if let Some(sent) = &self.roles {
            scope.roles.clone_from(sent);
        }
        if let Some(sent) = &self.tags {
            scope.tags.clone_from(sent);
        }
        if let Some(sent) = &self.credential_types {
            let read = sent.iter().map(|name| credential_type(name)).collect();
            issues.put("/credential_types", read, &mut scope.credential_types);
        }
    }

    fn put_findings(&self, binding: &mut Binding, issues: &mut Issues) {
        if let Some(sent) = &self.severities {
            let read = |rule: &str, name: &str| Ok((rule.to_owned(), severity(name)?));
            binding.severities = issues.map("severities", sent, read).into_iter().collect();
        }
        if let Some(sent) = &self.rules_off {
            binding.rules_off = sent.iter().cloned().collect();
        }
        if let Some(sent) = &self.deny_at {
            let read = (!sent.is_empty()).then(|| severity(sent)).transpose();
            issues.put("/deny_at", read, &mut binding.deny_at);
        }
    }

    fn put_failures_and_limits(&self, binding: &mut Binding, issues: &mut Issues) {
        if let Some(sent) = &self.on_failure {
            let rules = issues.map("on_failure", sent, rule_of_failure);
            binding.on_failure.0 = rules.into_iter().collect();
        }
        let limits = &mut binding.limits;
        for (pointer, sent, limit) in [
            ("/fuel", self.fuel, &mut limits.fuel),
            ("/wall_time_ms", self.wall_time_ms, &mut limits.wall_time_ms),
            ("/memory_bytes", self.memory_bytes, &mut limits.memory_bytes),
        ] {
            if let Some(sent) = sent {
                let read = u64::try_from(sent).map_err(|_negative| "is below 0".to_owned());
                // 0 is the server's limit.
                issues.put(pointer, read.map(|units| (units > 0).then_some(units)), limit);
            }
        }
    }

    fn check_sizes(&self, issues: &mut Issues) {
        let length = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
        let entries =
            |map: &Option<BTreeMap<String, String>>| map.as_ref().map_or(0, BTreeMap::len);
        for (pointer, number) in [
            ("/mounts", length(&self.mounts)),
            ("/roles", length(&self.roles)),
            ("/tags", entries(&self.tags)),
            ("/severities", entries(&self.severities)),
            ("/rules_off", length(&self.rules_off)),
        ] {
            if number > MOST_ENTRIES {
                issues.add(pointer, format!("has {number} entries, more than {MOST_ENTRIES}"));
            }
        }
    }
}

/// A JSON object, or the text of one; nothing means the defaults.
fn settings(sent: &Value) -> Result<String, String> {
    let value = match sent {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => {
            serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            sent.clone()
        }
    };
    let text = match &value {
        Value::Null => DEFAULT_SETTINGS.to_owned(),
        Value::Object(_) => value.to_string(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err("is not a JSON object".to_owned());
        }
    };
    let length = text.len();
    if length > MOST_SETTINGS {
        return Err(format!("has {length} bytes, more than {MOST_SETTINGS}"));
    }
    Ok(text)
}

/// As mounts are named: with a slash at the end.
fn with_slash(mount: &str) -> String {
    if mount.ends_with(['/', '*']) { mount.to_owned() } else { format!("{mount}/") }
}

fn credential_type(name: &str) -> Result<CredentialType, String> {
    CredentialType::from_wire(name).ok_or_else(|| {
        format!(
            "`{name}` is none of `iam_user`, `assumed_role`, `federation_token`, `session_token`"
        )
    })
}

fn severity(name: &str) -> Result<Severity, String> {
    [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == name)
        .ok_or_else(|| format!("`{name}` is none of `info`, `low`, `medium`, `high`, `critical`"))
}

fn rule_of_failure(kind: &str, action: &str) -> Result<(FailureKind, FailureAction), String> {
    let kind = kind.parse::<FailureKind>().map_err(|_unknown| {
        format!("is no kind of failure: one of {}", FailureKind::KNOWN.join(", "))
    })?;
    let action = FailureAction::from_wire(action)
        .ok_or_else(|| format!("`{action}` is none of `deny`, `note`, `allow`"))?;
    Ok((kind, action))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plugin() -> PluginRef {
        PluginRef::Shipped("least-privilege".to_owned())
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_its_place() {
        let pairs =
            |name: &str, value: &str| Some(BTreeMap::from([(name.to_owned(), value.to_owned())]));
        let change = BindingChange {
            settings: Some(json!([1])),
            mode: Some("loud".to_owned()),
            credential_types: Some(vec!["iam_group".to_owned()]),
            order: Some(i64::MAX),
            severities: pairs("a/b", "huge"),
            deny_at: Some("sometimes".to_owned()),
            on_failure: pairs("crash", "deny"),
            fuel: Some(-1),
            ..BindingChange::default()
        };
        let issues = change.over(None, plugin(), Mode::Warn).unwrap_err();
        let pointers: Vec<&str> = issues.iter().map(|issue| issue.pointer.as_str()).collect();
        let expected = [
            "/settings",
            "/mode",
            "/order",
            "/credential_types",
            "/severities/a~1b",
            "/deny_at",
            "/on_failure/crash",
            "/fuel",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn what_is_not_sent_stays_and_what_is_empty_is_cleared() {
        let first = BindingChange {
            settings: Some(json!("{\"allowed\": [\"s3:*\"]}")),
            mode: Some("enforce".to_owned()),
            mounts: Some(vec!["team".to_owned(), "dev*".to_owned()]),
            deny_at: Some("high".to_owned()),
            rules_off: Some(vec!["x".to_owned()]),
            fuel: Some(5),
            ..BindingChange::default()
        };
        let binding = first.over(None, plugin(), Mode::Warn).unwrap();
        assert_eq!(binding.settings, r#"{"allowed":["s3:*"]}"#);
        assert_eq!(binding.scope.mounts, ["team/", "dev*"]);
        assert_eq!((binding.mode, binding.deny_at), (Mode::Enforce, Some(Severity::High)));
        let same = BindingChange::default().over(Some(&binding), plugin(), Mode::Warn).unwrap();
        assert_eq!(same, binding);
        let cleared = BindingChange {
            mounts: Some(Vec::new()),
            deny_at: Some(String::new()),
            rules_off: Some(Vec::new()),
            fuel: Some(0),
            settings: Some(json!("")),
            ..BindingChange::default()
        };
        let cleared = cleared.over(Some(&binding), plugin(), Mode::Warn).unwrap();
        let bare =
            Binding { mode: Mode::Enforce, ..Binding::shipped("least-privilege", Mode::Off) };
        assert_eq!(cleared, bare);
    }

    #[test]
    fn a_new_guardrail_warns_until_somebody_says_otherwise() {
        let binding = BindingChange::default().over(None, plugin(), Mode::Warn).unwrap();
        assert_eq!((binding.mode, binding.settings.as_str()), (Mode::Warn, "{}"));
    }
}
