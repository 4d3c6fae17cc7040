//! Which actions are reached where they lead upward: for each, resources to ask about are taken from what the documents
//! and the boundary name, and the evaluator decides. Asked once for each action, and for `iam:PassRole` once for each
//! service; what the settings allow is not asked about.

use std::cell::RefCell;
use std::collections::BTreeMap;

use escalation_ways::reach::resource_leads;
use leasehold_guardrail_sdk::{Document, Grant, Location, Statement, pattern, scope};

use crate::probe::{NAME, Probe};
use crate::settings::Settings;

/// Resources asked about for one action: each question costs the fuel of a walk over all documents.
const MAX_PROBES: usize = 6;
/// Whom a role is passed to.
const PASSED_TO: &str = "iam:PassedToService";

/// What the evaluator says of one action on one resource, with the statements that decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decided {
    /// Whatever else the request holds.
    Allowed(Vec<Location>),
    /// Depending on what is not known.
    UnderConditions(Vec<Location>),
    /// By nothing.
    Refused,
}

/// Decides on an action, a resource and what is known of the request.
pub(crate) type Decide = dyn Fn(&str, &str, &[(&str, &str)]) -> Decided;

/// Where an action is allowed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Every entry that allows it.
    pub(crate) at: Vec<Location>,
    pub(crate) under_conditions: bool,
}

/// Answers by action and by whom a role is passed to.
type Asked = BTreeMap<(String, Vec<String>), Option<Place>>;

/// The grant and the evaluator.
pub(crate) struct Reached<'a> {
    pub(crate) grant: &'a Grant,
    pub(crate) settings: &'a Settings,
    pub(crate) probe: Probe<'a>,
    decide: &'a Decide,
    asked: RefCell<Asked>,
}

impl<'a> Reached<'a> {
    pub(crate) fn new(grant: &'a Grant, settings: &'a Settings, decide: &'a Decide) -> Self {
        let asked = RefCell::new(Asked::new());
        Self { grant, settings, probe: Probe::new(grant), decide, asked }
    }

    /// Where `action` is allowed on something through which it leads upward. `services` are whom a role is passed to;
    /// none for other actions.
    pub(crate) fn upward(&self, action: &str, services: &[String]) -> Option<Place> {
        let leads = |resource: &str| {
            if action.starts_with("sts:") {
                scope::is_any_role(resource)
            } else {
                resource_leads(self.grant, resource, action)
            }
        };
        let key = (action.to_owned(), services.to_vec());
        if let Some(known) = self.asked.borrow().get(&key) {
            return known.clone();
        }
        let probes = self.probes(action, leads);
        let found = self.ask(action, &probes, services);
        self.asked.borrow_mut().insert(key, found.clone());
        found
    }

    /// Where `action` is allowed on this resource.
    pub(crate) fn on(&self, action: &str, resource: &str) -> Option<Place> {
        let named = self.grant.documents.iter().flat_map(|document| &document.statements);
        let mut named = named.filter(|statement| allows(statement, action));
        named.next()?;
        self.ask(action, &[resource.to_owned()], &[])
    }

    /// Resources that the documents, or the boundary, name for an action, and that lead upward.
    fn probes(&self, action: &str, leads: impl Fn(&str) -> bool) -> Vec<String> {
        let named = |documents: &[Document]| -> Vec<String> {
            let statements = documents.iter().flat_map(|document| &document.statements);
            statements
                .filter(|statement| allows(statement, action) && !scope::is_narrowed(statement))
                .flat_map(|statement| {
                    let excluded = (!statement.not_resources.is_empty()).then(|| "*".to_owned());
                    statement.resources.iter().cloned().chain(excluded).collect::<Vec<_>>()
                })
                .filter(|resource| leads(resource) && !self.settings.allows_resource(resource))
                .map(|resource| self.probe.matching(&resource, action))
                .collect()
        };
        let mut probes = named(&self.grant.documents);
        if probes.is_empty() {
            return probes;
        }
        probes.extend(named(self.grant.boundary.as_slice()));
        let mut seen = Vec::new();
        probes.retain(|probe| {
            let new = !seen.contains(probe);
            if new {
                seen.push(probe.clone());
            }
            new
        });
        probes.truncate(MAX_PROBES);
        probes
    }

    fn ask(&self, action: &str, probes: &[String], services: &[String]) -> Option<Place> {
        let mut under_conditions = None;
        let contexts: Vec<Vec<(&str, &str)>> = if services.is_empty() {
            vec![vec![("aws:username", NAME)]]
        } else {
            let passed = services.iter().map(|service| (PASSED_TO, service.as_str()));
            passed.map(|service| vec![("aws:username", NAME), service]).collect()
        };
        for probe in probes {
            for context in &contexts {
                match (self.decide)(action, probe, context) {
                    Decided::Allowed(statements) => {
                        let at = self.entries(action, &statements);
                        return Some(Place { at, under_conditions: false });
                    }
                    Decided::UnderConditions(statements) => {
                        under_conditions.get_or_insert_with(|| {
                            let at = self.entries(action, &statements);
                            Place { at, under_conditions: true }
                        });
                    }
                    Decided::Refused => {}
                }
            }
        }
        under_conditions
    }

    /// The entries of the deciding statements that allow the action.
    fn entries(&self, action: &str, statements: &[Location]) -> Vec<Location> {
        let entry = |(document, statement): (u32, &Statement)| {
            let decided = statements
                .iter()
                .any(|at| at.document == document && at.pointer == statement.pointer);
            if !decided || !allows(statement, action) {
                return None;
            }
            let matching = |one: &leasehold_guardrail_sdk::ActionRef| {
                pattern::matches_action(&one.text, action)
            };
            let pointer = match statement.actions.iter().position(matching) {
                Some(index) => statement.action_pointer(index),
                None => statement.element_pointer("NotAction"),
            };
            Some(Location { document, pointer })
        };
        self.grant.statements().filter_map(entry).collect()
    }
}

/// Whether an Allow names the action, in any spelling.
fn allows(statement: &Statement, action: &str) -> bool {
    let names = |list: &[leasehold_guardrail_sdk::ActionRef]| {
        list.iter().any(|one| pattern::matches_action(&one.text, action))
    };
    statement.allows()
        && if statement.not_actions.is_empty() {
            names(&statement.actions)
        } else {
            !names(&statement.not_actions)
        }
}
