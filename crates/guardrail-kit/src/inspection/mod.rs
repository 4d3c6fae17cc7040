//! What is wrong with a component beyond what the host refuses: what would trouble the people who bind it, read its
//! findings or look for its documentation. Looks and never changes; `check` prints what is found.
//!
//! | file | looks at |
//! |---|---|
//! | `manifest` | name, version, summary, rules and their documentation |
//! | `schema` | the settings schema, and whether no settings are fine |
//! | `trial` | a few made-up grants: no failure, the same answer twice, far from the limits |

mod manifest;
mod schema;
mod trial;

use guardrail_host::Plugin;

pub(crate) use trial::Trial;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// It will not work.
    Error,
    /// Somebody will stumble over it.
    Warning,
}

/// Something wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// How bad.
    pub(crate) level: Level,
    /// One sentence.
    pub(crate) what: String,
    /// What to do.
    pub(crate) help: String,
}

impl Problem {
    fn error(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { level: Level::Error, what: what.into(), help: help.into() }
    }

    fn warning(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { level: Level::Warning, what: what.into(), help: help.into() }
    }
}

/// Everything that is wrong with a plugin, by its own word and by trying it. `readme` is the text beside it, if any;
/// `name` what its project calls it.
pub(crate) fn problems(
    plugin: &Plugin,
    name: Option<&str>,
    readme: Option<&str>,
    trials: &[Trial],
) -> Vec<Problem> {
    let mut found = manifest::problems(plugin.manifest(), name, readme);
    found.extend(schema::problems(plugin));
    found.extend(trials.iter().flat_map(Trial::problems));
    found
}
