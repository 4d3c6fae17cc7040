//! Whether a component is one of our world: it imports what this version of the contract has and nothing else, and
//! exports a whole guardrail. Read from the component, never asked of it; runs nothing. What does not fit is named by
//! function, since "built for something newer" and "built for something else" are cured differently.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::refusal::LoadError;

/// The version of the contract that this host speaks: `plugins/wit/guardrail.wit`.
pub const CONTRACT_VERSION: &str = "1.0.0";
/// What every plugin must give.
pub(crate) const EXPORT: &str = "leasehold:guardrail/guardrail@1.0.0";
/// The contract's package.
const PACKAGE: &str = "leasehold:guardrail/";
/// The interfaces that a plugin may import, with their functions.
const OFFERED: [(&str, &[&str]); 4] = [
    ("types", &[]),
    ("catalogue", &["version", "lookup", "expand", "matches"]),
    ("analysis", &["decide"]),
    ("log", &["log"]),
];
/// The interface that a plugin exports, and its functions.
const GIVEN: (&str, [&str; 4]) =
    ("guardrail", ["describe", "settings-schema", "check-settings", "evaluate"]);

/// An interface of the contract's package, by name.
enum Named<'a> {
    /// Of 1.x.
    Ours(&'a str),
    /// Of another major version.
    OtherMajor,
    /// Of another package, or no interface at all.
    Foreign,
}

impl<'a> Named<'a> {
    fn new(name: &'a str) -> Self {
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        match interface.strip_prefix(PACKAGE) {
            Some(interface) if version.starts_with("1.") => Self::Ours(interface),
            Some(_) => Self::OtherMajor,
            None => Self::Foreign,
        }
    }
}

/// The names of a component's imports, if this host gives them all and it exports a guardrail. Their shapes are for
/// the linker to compare.
pub(crate) fn check(engine: &Engine, component: &Component) -> Result<Vec<String>, LoadError> {
    let world = component.component_type();
    let (mut names, mut foreign, mut other_major, mut newer) = (vec![], vec![], vec![], vec![]);
    for (name, import) in world.imports(engine) {
        names.push(name.to_owned());
        match Named::new(name) {
            Named::Ours(interface) => newer.extend(unknown(engine, interface, name, &import.ty)),
            Named::OtherMajor => other_major.push(name.to_owned()),
            Named::Foreign => foreign.push(name.to_owned()),
        }
    }
    if !foreign.is_empty() {
        return Err(LoadError::Imports(foreign));
    }
    if !other_major.is_empty() {
        return Err(LoadError::OtherMajor(other_major));
    }
    if !newer.is_empty() {
        return Err(LoadError::Newer(newer));
    }
    check_export(engine, &world)?;
    Ok(names)
}

/// What an import has that this version of the contract has not.
fn unknown(engine: &Engine, interface: &str, name: &str, import: &ComponentItem) -> Vec<String> {
    let Some((_, functions)) = OFFERED.iter().find(|(offered, _)| *offered == interface) else {
        return vec![format!("`{name}`")];
    };
    functions_of(engine, import)
        .filter(|function| !functions.contains(&function.as_str()))
        .map(|function| format!("`{function}` of `{name}`"))
        .collect()
}

fn check_export(
    engine: &Engine,
    world: &wasmtime::component::types::Component,
) -> Result<(), LoadError> {
    let (interface, functions) = GIVEN;
    let mut other_major = Vec::new();
    for (name, export) in world.exports(engine) {
        match Named::new(name) {
            Named::Ours(ours) if ours == interface => {
                let has: Vec<String> = functions_of(engine, &export.ty).collect();
                let lacks = functions.iter().filter(|function| !has.iter().any(|f| f == *function));
                let lacks: Vec<String> = lacks.map(|function| (*function).to_owned()).collect();
                return if lacks.is_empty() { Ok(()) } else { Err(LoadError::Incomplete(lacks)) };
            }
            Named::OtherMajor => other_major.push(name.to_owned()),
            // Interpreted languages export things of their own.
            Named::Ours(_) | Named::Foreign => {}
        }
    }
    Err(if other_major.is_empty() {
        LoadError::NoGuardrail
    } else {
        LoadError::OtherMajor(other_major)
    })
}

/// The functions of an instance; an item of another kind has none.
fn functions_of<'a>(
    engine: &'a Engine,
    item: &'a ComponentItem,
) -> impl Iterator<Item = String> + 'a {
    let instance = match item {
        ComponentItem::ComponentInstance(instance) => Some(instance),
        ComponentItem::ComponentFunc(_)
        | ComponentItem::CoreFunc(_)
        | ComponentItem::Module(_)
        | ComponentItem::Component(_)
        | ComponentItem::Type(_)
        | ComponentItem::Resource(_) => None,
    };
    instance.into_iter().flat_map(|instance| instance.exports(engine)).filter_map(
        |(name, export)| {
            matches!(export.ty, ComponentItem::ComponentFunc(_)).then(|| name.to_owned())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = include_str!("../../../plugins/wit/guardrail.wit");

    #[test]
    fn names_of_the_contract_are_told_from_others() {
        assert!(matches!(Named::new("leasehold:guardrail/log@1.0.0"), Named::Ours("log")));
        assert!(matches!(Named::new("leasehold:guardrail/history@1.3.0"), Named::Ours("history")));
        assert!(matches!(Named::new("leasehold:guardrail/log@2.0.0"), Named::OtherMajor));
        assert!(matches!(Named::new("leasehold:guardrail/log"), Named::OtherMajor));
        assert!(matches!(Named::new("wasi:io/error@0.2.6"), Named::Foreign));
        assert!(matches!(Named::new("log"), Named::Foreign));
    }

    #[test]
    fn the_functions_named_here_are_those_of_the_contract() {
        assert!(CONTRACT.starts_with(&format!("package leasehold:guardrail@{CONTRACT_VERSION};")));
        let mut interfaces: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in CONTRACT.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("interface ") {
                interfaces.push((name.trim_end_matches(" {"), Vec::new()));
            } else if let Some((name, _)) = line.split_once(": func(") {
                interfaces.last_mut().unwrap().1.push(name);
            }
        }
        let (given, functions) = GIVEN;
        let mut ours: Vec<(&str, Vec<&str>)> =
            OFFERED.iter().map(|(name, functions)| (*name, functions.to_vec())).collect();
        ours.push((given, functions.to_vec()));
        assert_eq!(interfaces, ours);
    }
}
