//! One rule of a policy: a pattern of paths and what it grants there (contract 4). Rules for the same
//! pattern are united here; which pattern counts for a path is [`super::compiled`]'s to say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::template::{self, Filled, Teller};

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    pub(super) grants: Grants,
}

/// What may be done with a path. In the order of their names, as answers list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Capability {
    /// Make what is not there.
    Create,
    /// Remove.
    Delete,
    /// Nothing at all, whatever else is said.
    Deny,
    /// List.
    List,
    /// Change in part.
    Patch,
    /// Read.
    Read,
    /// Reach what is protected.
    Sudo,
    /// Write.
    Update,
}

const ALL: [Capability; 8] = [
    Capability::Create,
    Capability::Delete,
    Capability::Deny,
    Capability::List,
    Capability::Patch,
    Capability::Read,
    Capability::Sudo,
    Capability::Update,
];

impl Capability {
    /// Its name in policies and answers.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Deny => "deny",
            Self::List => "list",
            Self::Patch => "patch",
            Self::Read => "read",
            Self::Sudo => "sudo",
            Self::Update => "update",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        ALL.into_iter().find(|capability| capability.as_str() == word)
    }

    /// What the old words stand for.
    pub(super) fn of_shorthand(word: &str) -> Option<&'static [Self]> {
        const SUDO: [Capability; 6] = [
            Capability::Create,
            Capability::Read,
            Capability::Update,
            Capability::Delete,
            Capability::List,
            Capability::Sudo,
        ];
        match word {
            "deny" => Some(&[Self::Deny]),
            "read" => Some(&[Self::Read, Self::List]),
            "write" => SUDO.split_last().map(|(_sudo, rest)| rest),
            "sudo" => Some(&SUDO),
            _ => None,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Delete => 1 << 1,
            Self::Deny => 1 << 2,
            Self::List => 1 << 3,
            Self::Patch => 1 << 4,
            Self::Read => 1 << 5,
            Self::Sudo => 1 << 6,
            Self::Update => 1 << 7,
        }
    }
}

/// A set of capabilities. Once `deny` is in it, nothing else is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Capabilities(u8);

impl Capabilities {
    pub(super) fn add(&mut self, capability: Capability) {
        let deny = Capability::Deny.bit();
        if capability == Capability::Deny {
            self.0 = deny;
        } else if self.0 & deny == 0 {
            self.0 |= capability.bit();
        }
    }

    pub(super) const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn words(self) -> Vec<&'static str> {
        ALL.into_iter().filter(|one| self.has(*one)).map(Capability::as_str).collect()
    }
}

/// Parameters by lower-case name, each with the values that count; no values = any value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Parameters(BTreeMap<String, Vec<Value>>);

impl Parameters {
    /// An empty list, any value, takes up all others.
    pub(super) fn add(&mut self, name: &str, values: Vec<Value>) {
        match self.0.get_mut(&name.to_lowercase()) {
            None => {
                self.0.insert(name.to_lowercase(), values);
            }
            Some(known) if known.is_empty() || values.is_empty() => known.clear(),
            Some(known) => known.extend(values),
        }
    }

    fn unite(&mut self, other: Self) {
        for (name, values) in other.0 {
            self.add(&name, values);
        }
    }

    /// Whether this names the parameter, and if so whether its value is in the list.
    fn takes(&self, name: &str, value: &Value) -> Option<bool> {
        let values = self.0.get(name)?;
        Some(values.is_empty() || values.iter().any(|known| same(known, value)))
    }
}

/// Texts may have a `*` at either end of the pattern; all else is equal as a whole or not.
fn same(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::String(pattern), Value::String(text)) => globs(pattern, text),
        (pattern, value) => pattern == value,
    }
}

fn globs(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(tail), Some(_)) => text.contains(tail.strip_suffix('*').unwrap_or(tail)),
        (Some(tail), None) => text.ends_with(tail),
        (None, Some(head)) => text.starts_with(head),
        (None, None) => pattern == text,
    }
}

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Grants {
    pub(super) capabilities: Capabilities,
    pub(super) allowed: Parameters,
    pub(super) denied: Parameters,
    pub(super) required: Vec<String>,
    /// Seconds.
    pub(super) min_wrapping: Option<u64>,
    /// Seconds.
    pub(super) max_wrapping: Option<u64>,
}

impl Grants {
    /// Unites what two policies say of one pattern.
    pub(super) fn unite(&mut self, other: Self) {
        if self.capabilities.has(Capability::Deny) {
            return;
        }
        if other.capabilities.has(Capability::Deny) {
            *self = Self { capabilities: other.capabilities, ..Self::default() };
            return;
        }
        self.capabilities.0 |= other.capabilities.0;
        self.allowed.unite(other.allowed);
        self.denied.unite(other.denied);
        let required: BTreeSet<_> = self.required.drain(..).chain(other.required).collect();
        self.required = required.into_iter().collect();
        let least = |one: Option<u64>, two: Option<u64>| one.into_iter().chain(two).min();
        self.min_wrapping = least(self.min_wrapping, other.min_wrapping);
        self.max_wrapping = least(self.max_wrapping, other.max_wrapping);
    }

    /// Whether a request may be wrapped for so long, or not at all.
    pub(super) fn lets_wrap(&self, wrap_seconds: Option<u64>) -> bool {
        let (min, max) = (self.min_wrapping, self.max_wrapping);
        match wrap_seconds {
            None => min.is_none() && max.is_none(),
            Some(asked) => min.is_none_or(|min| asked >= min) && max.is_none_or(|max| asked <= max),
        }
    }

    /// Whether these parameters may be sent. Names are compared in lower case.
    pub(super) fn lets_send(&self, data: &Map<String, Value>) -> bool {
        let names: BTreeSet<String> = if self.required.is_empty() {
            BTreeSet::new()
        } else {
            data.keys().map(|name| name.to_lowercase()).collect()
        };
        if !self.required.iter().all(|name| names.contains(name)) {
            return false;
        }
        if data.is_empty() {
            return true;
        }
        let names_all = |list: &Parameters| list.0.contains_key("*");
        if names_all(&self.denied) {
            return false;
        }
        let hit = |name: &str, value| self.denied.takes(&name.to_lowercase(), value) == Some(true);
        if data.iter().any(|(name, value)| hit(name, value)) {
            return false;
        }
        let all = names_all(&self.allowed);
        let free = self.allowed.0.is_empty() || (all && self.allowed.0.len() == 1);
        free || data
            .iter()
            .all(|(name, value)| self.allowed.takes(&name.to_lowercase(), value).unwrap_or(all))
    }
}

/// A pattern of paths: literal, with `+` for whole segments, with a `*` at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the `*` at its end, if it has one.
    pub(super) fn glob(&self) -> Option<&str> {
        self.0.strip_suffix('*')
    }

    /// Whether it fits one path only.
    pub(super) fn is_exact(&self) -> bool {
        self.glob().is_none() && self.pluses() == 0
    }

    fn pluses(&self) -> usize {
        self.0.split('/').filter(|segment| *segment == "+").count()
    }

    /// Whether it depends on who asks.
    pub(super) fn is_template(&self) -> bool {
        self.0.contains("{{")
    }

    /// Each template is closed and means something.
    pub(super) fn check_template(&self) -> Result<(), ()> {
        template::check(&self.0)
    }

    /// As it is for somebody.
    pub(super) fn filled(&self, who: &Teller<'_>) -> Filled {
        template::filled(&self.0, who)
    }

    /// What decides between patterns that fit: the greater is the better (contract 4).
    pub(super) fn precedence(&self) -> impl Ord + use<> {
        let segments = self.0.split('/');
        let plus_at = segments
            .scan(0_usize, |at, segment| {
                let here = *at;
                *at = at.saturating_add(segment.len()).saturating_add(1);
                Some((here, segment))
            })
            .find(|(_, segment)| *segment == "+")
            .map(|(at, _)| at);
        let glob_at = self.glob().map(str::len);
        let first = plus_at.into_iter().chain(glob_at).min().unwrap_or(usize::MAX);
        let fewer_pluses = std::cmp::Reverse(self.pluses());
        (first, glob_at.is_none(), fewer_pluses, self.0.len(), self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn data(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn parameters(value: &Value) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, values) in data(value) {
            parameters.add(&name, values.as_array().cloned().unwrap());
        }
        parameters
    }

    #[test]
    fn deny_swallows_every_other_capability_and_all_parameters() {
        let mut one = Grants::default();
        one.capabilities.add(Capability::Read);
        one.allowed = parameters(&json!({"a": []}));
        let mut deny = Grants::default();
        deny.capabilities.add(Capability::Update);
        deny.capabilities.add(Capability::Deny);
        deny.capabilities.add(Capability::Read);
        assert_eq!(deny.capabilities.words(), ["deny"]);
        let mut united = deny.clone();
        united.unite(one.clone());
        one.unite(deny);
        assert_eq!(one, united);
        assert_eq!(one.allowed, Parameters::default());
    }

    #[test]
    fn two_policies_on_one_pattern_are_united() {
        let mut one = Grants {
            allowed: parameters(&json!({"a": ["x"], "b": ["x"]})),
            required: vec!["r".into()],
            min_wrapping: Some(60),
            max_wrapping: Some(100),
            ..Grants::default()
        };
        one.unite(Grants {
            allowed: parameters(&json!({"A": ["y"], "b": []})),
            required: vec!["r".into(), "q".into()],
            min_wrapping: Some(30),
            max_wrapping: None,
            ..Grants::default()
        });
        assert_eq!(one.allowed, parameters(&json!({"a": ["x", "y"], "b": []})));
        assert_eq!(one.required, ["q", "r"]);
        assert_eq!((one.min_wrapping, one.max_wrapping), (Some(30), Some(100)));
    }

    #[test]
    fn parameters_are_required_denied_and_allowed_in_this_order() {
        let send = |grants: &Grants, value: Value| grants.lets_send(&data(&value));
        let required = Grants { required: vec!["ttl".into()], ..Grants::default() };
        assert!(send(&required, json!({"TTL": 5})) && !send(&required, json!({})));
        let denied =
            Grants { denied: parameters(&json!({"ttl": ["1*"], "x": []})), ..Grants::default() };
        assert!(send(&denied, json!({"ttl": "20m", "y": 1})));
        assert!(!send(&denied, json!({"ttl": "10m"})) && !send(&denied, json!({"X": "any"})));
        let none = Grants { denied: parameters(&json!({"*": []})), ..Grants::default() };
        assert!(send(&none, json!({})) && !send(&none, json!({"a": 1})));
        let allowed = Grants {
            allowed: parameters(&json!({"ttl": ["*m", 5], "x": []})),
            ..Grants::default()
        };
        assert!(
            send(&allowed, json!({"ttl": "20m", "x": [1]})) && send(&allowed, json!({"ttl": 5}))
        );
        assert!(!send(&allowed, json!({"ttl": "20s"})) && !send(&allowed, json!({"y": 1})));
        let others =
            Grants { allowed: parameters(&json!({"*": [], "ttl": ["a"]})), ..Grants::default() };
        assert!(send(&others, json!({"y": 1})) && !send(&others, json!({"ttl": "b"})));
    }

    #[test]
    fn a_wrapping_bound_makes_wrapping_compulsory() {
        let bounded =
            Grants { min_wrapping: Some(60), max_wrapping: Some(90), ..Grants::default() };
        assert!(bounded.lets_wrap(Some(60)) && bounded.lets_wrap(Some(90)));
        assert!(!bounded.lets_wrap(None) && !bounded.lets_wrap(Some(59)));
        assert!(!bounded.lets_wrap(Some(91)));
        assert!(Grants::default().lets_wrap(None) && Grants::default().lets_wrap(Some(5)));
    }

    #[test]
    fn values_may_be_globs_at_either_end() {
        for (pattern, text, fits) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*b*", "abc", true),
            ("*", "", true),
            ("**", "x", true),
            ("a*c", "abc", false),
            ("abc", "abc", true),
            ("*d*", "abc", false),
        ] {
            assert_eq!(globs(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_better_pattern_is_the_more_exact_one() {
        // Each is better than the next (contract 4).
        let order = [
            "a/b/c*", "a/b/*", "a/b*", "a/+/c/d", "a/+/c", "a/+/b", "a/+/+", "a/*", "a/+/*", "+/b",
            "*",
        ];
        for pair in order.windows(2) {
            let [better, worse] = pair else { panic!("windows of two") };
            assert!(
                Pattern::new(better).precedence() > Pattern::new(worse).precedence(),
                "{better} {worse}"
            );
        }
    }
}
