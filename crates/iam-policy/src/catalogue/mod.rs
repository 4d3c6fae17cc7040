//! The action catalogue: every known IAM action with its access level, traits, resource types and keys.
//! Pure look-ups: same version, same answer. An action that it lacks may still exist, so nobody may refuse for that alone.
//! The data are made by `scripts/catalogue/build`, unpacked in `load`; words for levels and traits are in `flags`.

mod flags;
mod index;
mod load;
mod search;

use std::sync::LazyLock;

pub use flags::{Levels, Traits};
use load::{Row, Service};
use serde::Serialize;

static BUNDLED: LazyLock<Catalogue> = LazyLock::new(load::bundled);

/// All known actions.
// INVARIANT: services are sorted by prefix, rows by name within their service, both without regard to case;
// the data live as long as the process.
#[derive(Debug)]
pub struct Catalogue {
    version: &'static str,
    services: Vec<Service>,
    rows: Vec<Row>,
    /// From a name to its row.
    index: index::Index,
    /// What `*` comes to.
    all: ActionSummary,
}

/// One known action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action<'a> {
    /// Canonical spelling, such as `s3:GetObject`.
    pub name: String,
    /// Its access levels.
    pub levels: Levels,
    /// What is special about it.
    pub traits: Traits,
    /// The resource types that it works on, by their names in the service.
    pub resource_types: Vec<&'a str>,
    /// The condition keys that it takes, on any of its resource types.
    pub condition_keys: Vec<&'a str>,
    /// Actions that its caller needs as well.
    pub depends_on: Vec<&'a str>,
    /// It was known once and is listed no more.
    pub gone: bool,
}

/// The actions that a pattern covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expansion {
    /// The first of them, in the order of the catalogue.
    pub actions: Vec<String>,
    /// How many there are.
    pub total: u32,
}

/// What kind of word an action entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The name of a known action.
    Exact,
    /// It has wildcards.
    Pattern,
    /// It covers every action.
    All,
    /// A name that the catalogue does not know.
    Unknown,
}

/// What the catalogue knows of one action entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ActionSummary {
    /// What kind of word it is.
    pub form: Form,
    /// How many known actions it covers.
    pub covers: u32,
    /// Union over the covered actions; `UNKNOWN` if there are none.
    pub levels: Levels,
    /// Union over the covered actions, but `ANY_RESOURCE_ONLY` only where it is true of all of them.
    pub traits: Traits,
}

impl Catalogue {
    /// The catalogue that this build carries; unpacked at the first call.
    pub fn bundled() -> &'static Self {
        &BUNDLED
    }

    /// Names the data: the version of the package that they were made from.
    pub fn version(&self) -> &str {
        self.version
    }

    /// The service prefixes, in order.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.services.iter().map(|service| service.prefix)
    }

    /// Whether such a service prefix is known; case does not matter.
    pub fn has_service(&self, prefix: &str) -> bool {
        self.service(prefix).is_some()
    }

    /// The action of that name; case does not matter.
    pub fn lookup(&self, action: &str) -> Option<Action<'static>> {
        let (service, row) = self.find(action)?;
        Some(Self::action(service, row))
    }

    /// The known actions that a pattern such as `s3:Get*` covers, at most `limit` of them by name.
    pub fn expand(&self, pattern: &str, limit: u32) -> Expansion {
        let mut expansion = Expansion { actions: Vec::new(), total: 0 };
        self.visit(pattern, |service, row| {
            if expansion.total < limit {
                expansion.actions.push(Self::full_name(service, row));
            }
            expansion.total = expansion.total.saturating_add(1);
        });
        expansion
    }

    /// What the actions covered by an entry have in common.
    pub fn annotate(&self, entry: &str) -> ActionSummary {
        if !crate::wildcard::has_wildcard(entry) {
            return self.find(entry).map_or(ActionSummary::UNKNOWN, |(_, row)| ActionSummary {
                form: Form::Exact,
                covers: 1,
                levels: row.levels,
                traits: row.traits,
            });
        }
        if crate::wildcard::is_everything(entry) {
            return self.all;
        }
        if let Some(service) = entry.strip_suffix(":*").and_then(|prefix| self.service(prefix)) {
            return service.summary;
        }
        let mut summary = Collected::default();
        self.visit(entry, |_, row| summary.add(row));
        summary.finish(Form::Pattern)
    }

    /// The known action that a misspelt one probably was meant to be.
    pub fn nearest(&self, action: &str) -> Option<String> {
        let (prefix, name) = action.split_once(':')?;
        let service = self.service(prefix).or_else(|| {
            let prefixes = self.services.iter().map(|service| service.prefix);
            self.service(crate::near::nearest(prefix, prefixes)?)
        })?;
        let names = self.rows_of(service).iter().map(|row| row.name);
        let name = crate::near::nearest(name, names)?;
        Some(format!("{}:{name}", service.prefix))
    }
}

impl ActionSummary {
    /// What is said of a name that is not known.
    pub const UNKNOWN: Self =
        Self { form: Form::Unknown, covers: 0, levels: Levels::UNKNOWN, traits: Traits::NONE };
}

/// Adds up what rows have in common.
#[derive(Debug)]
struct Collected {
    covers: u32,
    levels: Levels,
    some: Traits,
    every: Traits,
}

impl Default for Collected {
    fn default() -> Self {
        Self { covers: 0, levels: Levels::NONE, some: Traits::NONE, every: Traits::ALL }
    }
}

impl Collected {
    fn add(&mut self, row: &Row) {
        self.covers = self.covers.saturating_add(1);
        self.levels = self.levels.union(row.levels);
        self.some = self.some.union(row.traits);
        self.every = self.every.intersection(row.traits);
    }

    fn finish(&self, form: Form) -> ActionSummary {
        if self.covers == 0 {
            return ActionSummary { form, ..ActionSummary::UNKNOWN };
        }
        let some = self.some.without(Traits::ANY_RESOURCE_ONLY);
        let everywhere = self.every.intersection(Traits::ANY_RESOURCE_ONLY);
        ActionSummary {
            form,
            covers: self.covers,
            levels: self.levels,
            traits: some.union(everywhere),
        }
    }
}

#[cfg(test)]
mod tests;
