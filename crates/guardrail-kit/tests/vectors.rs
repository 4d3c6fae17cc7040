//! The vectors of every guardrail under `plugins` on the component that is committed beside them, and on rebuilt ones
//! where `LEASEHOLD_REBUILT_PLUGINS` names the folder that holds them: both must say exactly what the vectors say.

#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use guardrail_host::{Plugin, Report};
use guardrail_kit::package::{TestFile, trial};
use guardrail_kit::vector::Vector;

/// Folders that hold guardrails, from the repository's root.
const PARENTS: [&str; 2] = ["plugins", "plugins/examples"];

/// A guardrail with vectors.
struct Tested {
    name: String,
    component: PathBuf,
    vectors: Vec<PathBuf>,
}

fn tested() -> Vec<Tested> {
    let mut found: Vec<Tested> = PARENTS
        .iter()
        .flat_map(|parent| entries(&support::repository().join(parent)))
        .filter_map(|folder| {
            let name = folder.file_name()?.to_string_lossy().into_owned();
            let component = folder.join(format!("{name}.wasm"));
            let vectors: Vec<PathBuf> = ["vectors", "tests"]
                .iter()
                .flat_map(|inside| entries(&folder.join(inside)))
                .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
                .collect();
            (component.is_file() && !vectors.is_empty()).then_some(Tested {
                name,
                component,
                vectors,
            })
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// What is in a folder, sorted; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(read) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = read.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

fn check_all(plugin: &Plugin, vectors: &[PathBuf]) {
    let mut wrong = Vec::new();
    for path in vectors {
        let name = path.display();
        let text = fs::read(path).expect("a vector is readable");
        let vector = Vector::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!vector.about().is_empty(), "{name} does not say what it shows");
        let outcome = vector.run(plugin);
        if !outcome.passed {
            wrong.push(format!("{name}:\n  {}", outcome.differences.join("\n  ")));
        }
        if let Ok(report) = &outcome.evaluation.result {
            check_texts(&name.to_string(), report);
        }
    }
    assert!(wrong.is_empty(), "{} vectors differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What holds for every finding: a sentence for people, and what to do.
fn check_texts(name: &str, report: &Report) {
    for finding in &report.findings {
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{name}");
        assert!(finding.message.len() < 300, "{name}: {}", finding.message);
        assert!(finding.remediation.is_some(), "{name}: {}", finding.rule);
    }
}

#[test]
fn the_committed_components_say_what_their_vectors_say() {
    let tested = tested();
    assert!(tested.iter().any(|one| one.name == "least-privilege" && one.vectors.len() >= 40));
    for Tested { name, component, vectors } in tested {
        let plugin = support::load(&component);
        assert_eq!(plugin.manifest().name, name);
        check_all(&plugin, &vectors);
    }
}

#[test]
fn rebuilt_components_say_the_same() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the build hands the rebuilt components over"
    )]
    let Some(rebuilt) = std::env::var_os("LEASEHOLD_REBUILT_PLUGINS") else {
        return;
    };
    let rebuilt = support::repository().join(rebuilt);
    let mut ran = 0;
    for Tested { name, component: _, vectors } in tested() {
        let component = rebuilt.join(format!("{name}.wasm"));
        if component.is_file() {
            check_all(&support::load(&component), &vectors);
            ran += 1;
        }
    }
    assert!(ran > 0, "no rebuilt component in {} has vectors", rebuilt.display());
}

#[test]
fn a_test_of_a_package_is_stopped_between_its_patches() {
    let rego = support::repository().join("plugins/rego");
    let plugin = support::load(&rego.join("rego.wasm"));
    let text = fs::read_to_string(rego.join("vectors/deny-with-a-cure.json")).expect("readable");
    let mut vector: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let statement = vector["grant"]["documents"][0]["document"]["Statement"][0].clone();
    // Twenty findings, each with a patch.
    vector["grant"]["documents"][0]["document"]["Statement"] = vec![statement; 20].into();
    vector["expect"] = serde_json::json!({"verdict": "any"});
    let tests = [TestFile { name: "many.json".into(), bytes: vector.to_string().into_bytes() }];
    let mut asked = 0;
    let mut run = |most: u32| {
        asked = 0;
        trial::run(&plugin, &tests, || {
            asked += 1;
            asked <= most
        })
    };
    let whole = run(21);
    assert_eq!((whole.cases, whole.is_good()), (1, true), "{whole:?}");
    let cut = run(5);
    assert_eq!((cut.cases, cut.is_cut, cut.failed.len()), (0, true, 0), "{cut:?}");
    assert_eq!(asked, 6, "before the test, before each of four patches, and no more");
}
