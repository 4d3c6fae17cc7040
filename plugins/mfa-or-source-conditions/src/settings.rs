//! What is asked, of which actions, and which sources are known. The schema is for forms and for the host's check;
//! networks are read in [`Settings::issues`].

use std::collections::BTreeMap;

use leasehold_guardrail_sdk::{ActionRef, ActionTraits, SettingsIssue, grade, pattern};
use serde::Deserialize;

use crate::cidr::Network;

/// The settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub(crate) require: Require,
    /// Kinds of actions that are sensitive.
    sensitive: Vec<Kind>,
    /// Further actions that are sensitive.
    sensitive_actions: Vec<String>,
    /// Actions that are not, whatever their kind.
    exempt_actions: Vec<String>,
    /// Networks that `aws:SourceIp` may name; empty: any, but not all.
    pub(crate) networks: Vec<String>,
    /// Further condition keys that say where the caller is, with patterns of their values.
    pub(crate) sources: BTreeMap<String, Vec<String>>,
}

/// What a sensitive action needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Require {
    Either,
    Mfa,
    Source,
    Both,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    PermissionsManagement,
    Write,
    IssuesCredentials,
    ReadsData,
    Exposes,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = include_str!("settings.schema.json");

impl Default for Settings {
    fn default() -> Self {
        let source = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        Self {
            require: Require::Either,
            sensitive: vec![Kind::PermissionsManagement],
            sensitive_actions: Vec::new(),
            exempt_actions: Vec::new(),
            networks: Vec::new(),
            // A value must be of the right form, so that `*` is none.
            sources: BTreeMap::from([
                source("aws:SourceVpc", "vpc-?*"),
                source("aws:SourceVpce", "vpce-?*"),
            ]),
        }
    }
}

impl Settings {
    /// Whether an entry is sensitive.
    pub(crate) fn is_sensitive(&self, action: &ActionRef) -> bool {
        let text = action.text.as_str();
        if self.exempt_actions.iter().any(|exempt| pattern::covers_action(exempt, text)) {
            return false;
        }
        let traits = |traits| action.traits.contains(traits);
        let listed = |one: &String| leasehold_guardrail_sdk::overlap::overlaps_action(one, text);
        self.sensitive.iter().any(|kind| match kind {
            Kind::PermissionsManagement => grade::of(action) == grade::Grade::Permissions,
            Kind::Write => grade::of(action) >= grade::Grade::Writes,
            Kind::IssuesCredentials => traits(ActionTraits::ISSUES_CREDENTIALS),
            Kind::ReadsData => traits(ActionTraits::READS_DATA),
            Kind::Exposes => traits(ActionTraits::EXPOSES),
        }) || self.sensitive_actions.iter().any(listed)
    }

    /// Whether `aws:SourceIp` may name this network.
    pub(crate) fn allows_network(&self, text: &str) -> bool {
        let Some(network) = Network::parse(text) else {
            return false;
        };
        let mut known = self.networks.iter().filter_map(|one| Network::parse(one));
        if self.networks.is_empty() {
            !network.is_everything()
        } else {
            known.any(|one| one.holds(&network))
        }
    }

    /// What the schema cannot say.
    pub(crate) fn issues(&self) -> Vec<SettingsIssue> {
        let networks = self.networks.iter().enumerate().filter_map(|(index, text)| {
            let message = match Network::parse(text) {
                None => "is no address or network, such as `203.0.113.0/24`",
                Some(network) if network.is_everything() => "is every address: leave the list out",
                Some(network) if network.is_private() => {
                    "is private: `aws:SourceIp` holds the address that AWS sees; use `sources`"
                }
                Some(_) => return None,
            };
            Some(SettingsIssue {
                pointer: format!("/networks/{index}"),
                message: message.to_owned(),
            })
        });
        let exempt = self.exempt_actions.iter().enumerate();
        let everything = exempt.filter(|(_, one)| pattern::is_everything(one)).map(|(index, _)| {
            let message = "exempts every action: use `require`: `nothing`".to_owned();
            SettingsIssue { pointer: format!("/exempt_actions/{index}"), message }
        });
        networks.chain(everything).collect()
    }
}
