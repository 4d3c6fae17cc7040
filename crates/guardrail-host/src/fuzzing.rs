//! The way in for the fuzz targets to what only a guest reaches otherwise: the check of manifests. Behind a feature that
//! nothing but `fuzz/` turns on; adds no behaviour. Answers to calls with arguments are fuzzed through a guest.

use crate::bindings::types;
use crate::manifest::Manifest;

/// Checks a manifest whose texts are the lines of `text`: name, version, summary, author, licence, then the id and the
/// title of each rule.
pub fn manifest(text: &str) -> Result<Manifest, String> {
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let (name, version, summary) = (line(), line(), line());
    let (author, license) = (line(), line());
    let mut rules = Vec::new();
    while let Some(id) = lines.next() {
        rules.push(types::Rule {
            id,
            title: lines.next().unwrap_or_default(),
            severity: types::Severity::Low,
            docs_url: None,
            tags: vec![author.clone()],
        });
    }
    Manifest::accept(types::Manifest {
        name,
        version,
        summary,
        authors: vec![author],
        license: Some(license),
        docs_url: None,
        source_url: None,
        rules,
        triggers: Vec::new(),
        extras: Vec::new(),
    })
}
