//! Where the policy comes from, and what is wrong with it: the settings, or the component itself. Which findings it
//! has is for `engine` and `output`.

use leasehold_guardrail_sdk::serde_json::{self, Value, json};
use leasehold_guardrail_sdk::{Failure, Grant, Report, SettingsIssue};
use serde::Deserialize;

use crate::embedded::Embedded;
use crate::engine::{Broken, Loaded};
use crate::output::Rules;
use crate::{input, output};

/// One file of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Module {
    /// What errors call it.
    pub(crate) path: String,
    /// Rego.
    pub(crate) text: String,
}

/// A policy, ready to be loaded.
#[derive(Debug)]
pub(crate) struct Policy {
    modules: Vec<Module>,
    data: Value,
    settings: Value,
    rules: Rules,
    /// Where the modules are in the settings; `None` where they are not.
    at: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Policy,
    Modules,
}

/// The settings of the built-in guardrail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    policy: Option<String>,
    modules: Option<Vec<Module>>,
    #[serde(default = "nothing")]
    data: Value,
    #[serde(default = "nothing")]
    settings: Value,
}

fn nothing() -> Value {
    json!({})
}

impl Policy {
    /// The policy of the component, which has all of the settings for itself, or the one in the settings.
    pub(crate) fn of(settings: &Value) -> Result<Self, SettingsIssue> {
        if let Some(own) = Embedded::read() {
            let rules = own.rules.into_iter().map(|rule| (rule.id, rule.severity)).collect();
            return Ok(Self {
                modules: own.modules,
                data: own.data,
                settings: settings.clone(),
                rules: Rules::Declared(rules),
                at: None,
            });
        }
        let read: Given = serde_json::from_value(settings.clone())
            .map_err(|error| issue("", error.to_string()))?;
        let (modules, at) = match (read.policy, read.modules) {
            (Some(text), None) => {
                (vec![Module { path: "policy.rego".to_owned(), text }], Place::Policy)
            }
            (None, Some(modules)) => (modules, Place::Modules),
            (Some(_), Some(_)) => return Err(issue("", "both `policy` and `modules` are given")),
            (None, None) => return Err(issue("", "neither `policy` nor `modules` is given")),
        };
        let Given { data, settings, .. } = read;
        Ok(Self { modules, data, settings, rules: Rules::BuiltIn, at: Some(at) })
    }

    /// What is wrong with it, as far as can be known without a grant.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let rehearsed = self.load().and_then(|mut loaded| loaded.rehearse(&self.settings));
        let own = match rehearsed {
            Ok(said) => output::settings_issues(&said.settings_issues),
            Err(broken) => return vec![self.issue_of(&broken)],
        };
        let below = match self.at {
            Some(_) => "/settings",
            None => "",
        };
        match own {
            Ok(own) => own
                .into_iter()
                .map(|(pointer, message)| issue(&format!("{below}{pointer}"), message))
                .collect(),
            Err(why) => vec![issue("", why)],
        }
    }

    /// Judges a grant.
    pub(crate) fn judge(&self, grant: &Grant) -> Result<Report, Failure> {
        let mut loaded =
            self.load().map_err(|broken| Failure::Settings(vec![self.issue_of(&broken)]))?;
        let found = loaded.run(input::of(grant, &self.settings));
        for line in loaded.prints() {
            leasehold_guardrail_sdk::log::info(&line);
        }
        let found = found.map_err(|broken| Failure::Internal(broken.to_string()))?;
        output::report(&found, &self.rules).map_err(Failure::Internal)
    }

    fn load(&self) -> Result<Loaded, Broken> {
        Loaded::new(&self.modules, &self.data)
    }

    fn issue_of(&self, broken: &Broken) -> SettingsIssue {
        let index = self.modules.iter().position(|one| broken.path.as_ref() == Some(&one.path));
        let pointer = match (self.at, index) {
            (Some(Place::Policy), _) => "/policy".to_owned(),
            (Some(Place::Modules), Some(index)) => format!("/modules/{index}/text"),
            (Some(Place::Modules), None) => "/modules".to_owned(),
            (None, _) => String::new(),
        };
        SettingsIssue { pointer, message: broken.to_string() }
    }
}

fn issue(pointer: &str, message: impl Into<String>) -> SettingsIssue {
    SettingsIssue { pointer: pointer.to_owned(), message: message.into() }
}
