//! The same guardrail in every language says the same: `scripts/plugins/examples` builds the examples and names the folder
//! of their components in `LEASEHOLD_EXAMPLES`; without it there is nothing to compare, and this says so.
//! Every vector and every other question is asked of each, and the answers must be equal to the last word.

#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use guardrail_host::{Evaluation, Plugin, Report};
use guardrail_kit::vector::Vector;
use serde_json::Value;

/// Vectors that are judged again and again for the time of a call.
const TIMED_CALLS: u32 = 30;

struct Example {
    language: String,
    bytes: u64,
    plugin: Plugin,
}

#[test]
fn the_same_guardrail_in_every_language_says_the_same() {
    let Some(folder) = folder() else {
        println!(
            "skipped: LEASEHOLD_EXAMPLES names no folder (scripts/plugins/examples makes one)"
        );
        return;
    };
    let examples = examples(&folder);
    let vectors = vectors();
    let mut table =
        String::from("language      bytes  imports   fuel max   median µs   memory KiB\n");
    let mut first: Option<(String, Vec<Report>)> = None;
    for example in &examples {
        manifest_is_the_same(example);
        settings_are_the_same(example);
        let (reports, row) = judged(example, &vectors);
        table.push_str(&row);
        let (language, expected) =
            first.get_or_insert_with(|| (example.language.clone(), reports.clone()));
        for ((name, _), (seen, wanted)) in vectors.iter().zip(reports.iter().zip(&*expected)) {
            assert_eq!(seen, wanted, "{name}: {} and {language} differ", example.language);
        }
    }
    println!("{} vectors, {} languages\n{table}", vectors.len(), examples.len());
}

#[expect(clippy::disallowed_methods, reason = "how the script hands the components over")]
fn folder() -> Option<PathBuf> {
    std::env::var_os("LEASEHOLD_EXAMPLES").map(PathBuf::from)
}

fn examples(folder: &Path) -> Vec<Example> {
    let mut files = files_of(folder, "wasm");
    files.sort();
    assert!(!files.is_empty(), "there are no components in {}", folder.display());
    files
        .iter()
        .map(|file| Example {
            language: file.file_stem().expect("a name").to_string_lossy().into_owned(),
            bytes: std::fs::metadata(file).expect("a file").len(),
            plugin: support::load(file),
        })
        .collect()
}

fn vectors() -> Vec<(String, Vector)> {
    let mut files = files_of(&support::repository().join("plugins/examples/tests"), "json");
    files.sort();
    assert!(files.len() >= 14, "only {} vectors", files.len());
    files
        .into_iter()
        .map(|file| {
            let bytes = std::fs::read(&file).expect("readable");
            let vector =
                Vector::read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            (file.file_stem().expect("a name").to_string_lossy().into_owned(), vector)
        })
        .collect()
}

fn files_of(folder: &Path, extension: &str) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| file.extension().is_some_and(|one| one == extension))
        .collect()
}

fn manifest_is_the_same(Example { language, plugin, .. }: &Example) {
    let manifest = plugin.manifest();
    let rule = manifest.rule("forbidden-action").expect("the rule is declared");
    assert_eq!((&*manifest.name, &*manifest.version), ("no-users", "0.1.0"), "{language}");
    assert_eq!(manifest.summary, "refuses roles that may do what is forbidden", "{language}");
    assert_eq!((&*rule.title, manifest.rules.len()), ("May do what is forbidden", 1), "{language}");
    let schema: Value = serde_json::from_str(plugin.settings_schema()).expect("JSON");
    let expected = include_str!("../../../plugins/examples/rust/src/settings.schema.json");
    assert_eq!(schema, serde_json::from_str::<Value>(expected).expect("JSON"), "{language}");
}

fn settings_are_the_same(Example { language, plugin, .. }: &Example) {
    let issues = |settings: &str| -> Vec<(String, String)> {
        let issues =
            plugin.check_settings(settings).unwrap_or_else(|error| panic!("{language}: {error}"));
        issues.into_iter().map(|issue| (issue.pointer, issue.message)).collect()
    };
    assert_eq!(issues(""), [], "{language}");
    assert_eq!(issues(r#"{"forbidden":["iam:CreateUser"]}"#), [], "{language}");
    let pattern = |index: usize, text: &str| {
        (format!("/forbidden/{index}"), format!("`{text}` is a pattern; name the actions"))
    };
    assert_eq!(
        issues(r#" { "forbidden" : [ "iam:Create\u002A" , "s3:PutObject", "s3:?etObject" ] } "#),
        [pattern(0, "iam:Create*"), pattern(2, "s3:?etObject")],
        "{language}"
    );
}

/// The reports of all vectors, and the language's row of the table.
fn judged(example: &Example, vectors: &[(String, Vector)]) -> (Vec<Report>, String) {
    let Example { language, bytes, plugin } = example;
    let mut figures = Figures::default();
    let mut reports = Vec::new();
    for (name, vector) in vectors {
        let outcome = vector.run(plugin);
        assert!(outcome.passed, "{language}: {name}: {:#?}", outcome.differences);
        figures.take(&outcome.evaluation);
        reports.push(outcome.evaluation.result.expect("a report"));
    }
    let imports = plugin.imports().iter().filter(|name| !name.contains("/types@")).count();
    let median = median_call(plugin, vectors);
    let mut row = String::new();
    writeln!(
        row,
        "{language:<9} {bytes:>9} {imports:>8} {:>10} {:>11} {:>12}",
        figures.fuel,
        median.as_micros(),
        figures.memory_bytes / 1024
    )
    .expect("a string takes all");
    (reports, row)
}

#[derive(Default)]
struct Figures {
    fuel: u64,
    memory_bytes: usize,
}

impl Figures {
    fn take(&mut self, evaluation: &Evaluation) {
        self.fuel = self.fuel.max(evaluation.fuel_used);
        self.memory_bytes = self.memory_bytes.max(evaluation.memory_bytes);
    }
}

/// One call on a fresh instance, without the reading of the grant.
#[expect(clippy::disallowed_methods, reason = "a figure for people; nothing depends on it")]
fn median_call(plugin: &Plugin, vectors: &[(String, Vector)]) -> Duration {
    let mut times = Vec::new();
    for _ in 0..TIMED_CALLS {
        for (_, vector) in vectors {
            let start = Instant::now();
            let evaluation = plugin.evaluate_blocking(vector.grant(), vector.settings());
            times.push(start.elapsed());
            assert!(evaluation.result.is_ok());
        }
    }
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
