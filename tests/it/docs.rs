//! The documents are true: each path they name exists, the error table is the one in the code, the
//! commands of the README are the ones that exist. `UPDATE_DOCS=1` writes what can be written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::broker::TestBroker;
use crate::support::{NARROW, log};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "plugins/README.md"]
        .iter()
        .map(|name| root().join(name))
        .collect();
    for folder in ["docs", "docs/adr"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// Words in backticks that look like a path of this repository.
fn named_paths(text: &str) -> Vec<String> {
    let ours = [
        "src/", "crates/", "plugins/", "schemas/", "tests/", "benches/", "docs/", "scripts/",
        ".ci/",
    ];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| ours.iter().any(|start| word.starts_with(start)))
        // What the tutorial of plugins/README.md has its reader make.
        .filter(|word| !word.contains("no-users"))
        .filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for path in named_paths(&text) {
            if !root().join(&path).exists() {
                missing.push(format!(
                    "{}: `{path}`",
                    document.strip_prefix(root()).unwrap().display()
                ));
            }
        }
    }
    assert!(missing.is_empty(), "these do not exist:\n{}", missing.join("\n"));
}

/// Words in backticks of the form `file::test`.
fn named_tests(text: &str) -> Vec<(String, String)> {
    let split = |word: &str| {
        let (file, test) = word.split_once(".rs::")?;
        let plain = test.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        plain.then(|| (format!("{file}.rs"), test.to_owned()))
    };
    text.split('`').skip(1).step_by(2).filter_map(split).collect()
}

#[test]
fn every_test_that_a_document_names_exists() {
    let mut missing = Vec::new();
    let mut named = 0;
    for document in documents() {
        for (file, test) in named_tests(&fs::read_to_string(&document).unwrap()) {
            named += 1;
            let source = fs::read_to_string(root().join(&file)).unwrap_or_default();
            if !source.contains(&format!("fn {test}(")) {
                missing.push(format!("{}: `{file}::{test}`", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "no such tests:\n{}", missing.join("\n"));
    assert!(named > 50, "the threat model names its tests, {named} were found");
}

#[test]
fn every_row_of_the_threat_model_names_what_shows_it() {
    let text = fs::read_to_string(root().join("docs/THREAT-MODEL.md")).unwrap();
    let actors = text.split("## Actors and boundaries").nth(1).unwrap();
    let rows = actors.split("## Not defended").next().unwrap().lines();
    for row in rows.filter(|line| line.starts_with("| ")).skip(2) {
        assert!(row.contains(".rs::"), "{row}");
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty()
                && !link.contains("://")
                && !document.parent().unwrap().join(file).exists()
            {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

const ERRORS_HEAD: &str = "# Errors

Every failure, with the status and the texts that its caller gets. This page is printed from the one mapping,
`src/http/error/mod.rs`, by `tests/it/docs.rs`: `UPDATE_DOCS=1 tests/run docs` writes it.

";

#[test]
fn the_error_table_is_the_one_in_the_code() {
    let path = root().join("docs/ERRORS.md");
    let table = format!("{ERRORS_HEAD}{}", leasehold::http::error::table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, table, "docs/ERRORS.md is old: UPDATE_DOCS=1 tests/run docs writes it");
}

/// The names of the fields of a line, in their order.
fn fields(line: &str) -> Vec<&str> {
    line.split_whitespace().filter_map(|word| Some(word.split_once('=')?.0)).collect()
}

#[test]
fn the_request_line_of_the_documentation_is_one_that_is_logged() {
    let text = fs::read_to_string(root().join("docs/LOGGING.md")).unwrap();
    let shown = text.lines().find(|line| line.starts_with("    ") && line.contains("request_id="));
    let broker = TestBroker::new().with_role();
    broker.write_role("of-the-documentation", NARROW).expect(204);
    let lines = log::with("POST /v1/aws/roles/of-the-documentation 204 in ");
    assert_eq!(fields(shown.unwrap()), fields(&lines[0]), "{}", lines[0]);
    assert!(shown.unwrap().contains(" INFO POST /v1/aws/roles/my-role 204 in 2.638 ms "));
}

/// The fields of the log macros in a source: `name = `, at the start of a line or behind the parenthesis.
fn logged_fields(source: &str) -> Vec<String> {
    let calls = ["error!(", "warn!(", "info!(", "debug!("];
    let mut found = Vec::new();
    for call in calls.iter().flat_map(|call| source.split(call).skip(1)) {
        let before_text = call.split('"').next().unwrap_or_default();
        for field in before_text.split([',', '\n']) {
            let name = field.trim_start().trim_start_matches(['%', '?']);
            let name: String =
                name.chars().take_while(|c| c.is_ascii_lowercase() || "._".contains(*c)).collect();
            found.push(name);
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn every_field_of_the_log_is_in_the_dictionary() {
    let text = fs::read_to_string(root().join("docs/LOGGING.md")).unwrap();
    let mut folders = vec![root().join("src"), root().join("crates/guardrail-host/src")];
    let mut unknown = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let fields = logged_fields(&fs::read_to_string(&path).unwrap());
                let missing =
                    fields.into_iter().filter(|name| !text.contains(&format!("`{name}`")));
                unknown.extend(missing.map(|name| format!("{}: {name}", path.display())));
            }
        }
    }
    assert!(unknown.is_empty(), "not in docs/LOGGING.md:\n{}", unknown.join("\n"));
}
