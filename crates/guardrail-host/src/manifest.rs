//! What a plugin says of itself, and whether that can be believed: names and rule ids of the contract's form.
//! Says nothing about what it can do: that is its import list. Made once, by [`crate::load`].

use std::collections::BTreeSet;

use serde::Serialize;

use crate::bindings::types;
use crate::grant::{Property, Trigger};
use crate::report::Severity;

/// More rules than any guardrail has; keeps the check of each finding cheap.
const MAX_RULES: usize = 500;
/// Authors of a plugin and tags of a rule; more are left out.
const MAX_LISTED: usize = 64;
/// Bytes of one text for people; longer ones are cut.
const MAX_TEXT_BYTES: usize = 2 << 10;
/// `[a-z0-9][a-z0-9-]{0,63}` (contract, `rule.id`).
const MAX_ID_BYTES: usize = 64;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Its name, of the same form as a rule id.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// What it is for, in a sentence.
    pub summary: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Under which licence.
    pub license: Option<String>,
    /// Where to read more.
    pub docs_url: Option<String>,
    /// Where the source is.
    pub source_url: Option<String>,
    /// What it can find. Each id is unique.
    pub rules: Vec<Rule>,
    /// When it wants to be asked; empty = always.
    pub triggers: Vec<Trigger>,
    /// What later versions of the contract add.
    pub extras: Vec<Property>,
}

/// One rule of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Stable over versions.
    pub id: String,
    /// For people.
    pub title: String,
    /// What it is unless a binding says otherwise.
    pub severity: Severity,
    /// Where to read more.
    pub docs_url: Option<String>,
    /// For sorting.
    pub tags: Vec<String>,
}

impl Manifest {
    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Takes what `describe` returned, or says what is wrong with it.
    pub(crate) fn accept(described: types::Manifest) -> Result<Self, String> {
        if !is_id(&described.name) {
            return Err(format!(
                "its name `{}` {ID_FORM}",
                crate::report::one_line(&described.name, MAX_ID_BYTES)
            ));
        }
        if !is_version(&described.version) {
            let shown = crate::report::one_line(&described.version, MAX_ID_BYTES);
            return Err(format!(
                "its version `{shown}` is not of the form `[0-9A-Za-z][0-9A-Za-z.+-]{{0,63}}`"
            ));
        }
        if described.rules.is_empty() {
            return Err("it declares no rules".into());
        }
        if described.rules.len() > MAX_RULES {
            return Err(format!(
                "it declares {} rules, more than {MAX_RULES}",
                described.rules.len()
            ));
        }
        let mut seen = BTreeSet::new();
        for rule in &described.rules {
            if !is_id(&rule.id) {
                return Err(format!(
                    "the rule id `{}` {ID_FORM}",
                    crate::report::one_line(&rule.id, MAX_ID_BYTES)
                ));
            }
            if !seen.insert(rule.id.as_str()) {
                return Err(format!("the rule `{}` is declared twice", rule.id));
            }
        }
        Ok(Self::from(described))
    }
}

/// A text for people: they read it in a terminal, beside others.
fn line(text: &str) -> String {
    crate::report::one_line(text, MAX_TEXT_BYTES)
}

const ID_FORM: &str = "is not of the form `[a-z0-9][a-z0-9-]{0,63}`";

fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= MAX_ID_BYTES
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || byte == b'-')
}

/// A semantic version, or near enough: it goes into names of packages and into addresses.
fn is_version(text: &str) -> bool {
    text.len() <= MAX_ID_BYTES
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
}

impl From<types::Manifest> for Manifest {
    fn from(described: types::Manifest) -> Self {
        Self {
            name: described.name,
            version: described.version,
            summary: line(&described.summary),
            authors: described.authors.iter().take(MAX_LISTED).map(|one| line(one)).collect(),
            license: described.license.as_deref().map(line),
            docs_url: described.docs_url.as_deref().map(line),
            source_url: described.source_url.as_deref().map(line),
            rules: described.rules.into_iter().map(Rule::from).collect(),
            triggers: described.triggers.into_iter().map(Trigger::from).collect(),
            extras: described.extras.into_iter().map(Property::from).collect(),
        }
    }
}

impl From<types::Rule> for Rule {
    fn from(rule: types::Rule) -> Self {
        Self {
            id: rule.id,
            title: line(&rule.title),
            severity: rule.severity.into(),
            docs_url: rule.docs_url.as_deref().map(line),
            tags: rule.tags.iter().take(MAX_LISTED).map(|tag| line(tag)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_word() {
        for good in ["1.0.0", "2.1.0-rc.1+linux"] {
            assert!(is_version(good), "{good}");
        }
        for wrong in ["", "../..", "1.0 beta", "1/2", ".1", "1.0.0\n"] {
            assert!(!is_version(wrong), "{wrong}");
        }
    }

    fn described(name: &str, rules: &[&str]) -> types::Manifest {
        types::Manifest {
            name: name.into(),
            version: "1.0.0".into(),
            summary: "a test".into(),
            authors: vec![],
            license: None,
            docs_url: None,
            source_url: None,
            rules: rules
                .iter()
                .map(|id| types::Rule {
                    id: (*id).into(),
                    title: String::new(),
                    severity: types::Severity::Low,
                    docs_url: None,
                    tags: vec![],
                })
                .collect(),
            triggers: vec![],
            extras: vec![],
        }
    }

    #[test]
    fn a_plain_manifest_is_accepted() {
        let manifest = Manifest::accept(described("least-privilege", &["full-admin"])).unwrap();
        assert_eq!(manifest.rule("full-admin").unwrap().severity, Severity::Low);
        assert_eq!(manifest.rule("other"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = "a".repeat(65);
        for (name, rules, part) in [
            ("Least", &["a"][..], "its name `Least` is not"),
            ("", &["a"], "its name `` is not"),
            ("a", &[], "no rules"),
            ("a", &["-a"], "the rule id `-a` is not"),
            ("a", &[long.as_str()], "is not of the form"),
            ("a", &["b", "b"], "the rule `b` is declared twice"),
        ] {
            let refused = Manifest::accept(described(name, rules)).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
    }
}
