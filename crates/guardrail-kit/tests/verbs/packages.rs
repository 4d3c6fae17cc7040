//! Packages and their signatures: what stands wherever a component does, and who is missing among its signers.

use std::fs;

use guardrail_kit::cli::Exit;
use serde_json::json;

use super::{DOCUMENT, Folder, RIGHT_OF_HOSTILE, bare, hostile, plugin, text, vector};

#[test]
fn a_package_stands_wherever_a_component_does() {
    let folder = Folder::with(&hostile())
        .write("policy.json", DOCUMENT)
        .write("README.md", "The rule `declared` finds nothing.\n")
        .write("hostile.guardrail", "component.wasm, but no package");
    let package = folder.at("hostile.guardrail");
    plugin(&["check", text(&package)])
        .ended(Exit::Bad)
        .tells(&["hostile.guardrail is refused\nerror: "]);
    let component = fs::read(folder.at("hostile.wasm")).expect("readable");
    let host = guardrail_host::Host::new(guardrail_host::HostConfig::default()).expect("a host");
    let loaded = host.load(&component).expect("loads");
    let readme = Some(folder.read("README.md"));
    let made = guardrail_kit::package::Package::of(&loaded, component, readme, Vec::new());
    fs::write(&package, made.write().expect("a package")).expect("written");
    let ran = plugin(&["check", text(&package)]).ended(Exit::Good).tells(&["2 problems"]);
    assert!(!ran.out.contains("is documented nowhere"), "{}", ran.out);
    plugin(&["run", text(&folder.at("policy.json")), "--component", text(&package)])
        .ended(Exit::Good)
        .tells(&["pass\n"]);
}

#[test]
fn a_key_that_did_not_sign_is_missing_whatever_else_did() {
    let folder =
        Folder::with(&hostile()).write("tests/a.json", &vector(&json!({}), RIGHT_OF_HOSTILE));
    let at = |name: &str| text(&folder.at(name)).to_owned();
    let package = at("out.guardrail");
    bare(&["package", &at("hostile.wasm"), "--out", &package]).ended(Exit::Good);
    for key in ["one", "two"] {
        bare(&["keygen", &at(key)]).ended(Exit::Good);
    }
    let (one, two) = (at("one.pub"), at("two.pub"));
    let missing = "missing  a good signature by ed25519:";
    bare(&["inspect", &at("hostile.wasm")]).ended(Exit::Good);
    bare(&["inspect", &at("hostile.wasm"), "--key", &one]).ended(Exit::Bad).tells(&[missing]);
    bare(&["inspect", &package, "--key", &one])
        .ended(Exit::Bad)
        .tells(&["signed   by nobody", missing]);
    bare(&["sign", &package, "--key", &at("one")]).ended(Exit::Good);
    bare(&["inspect", &package, "--key", &one]).ended(Exit::Good).tells(&["(good)"]);
    bare(&["inspect", &package, "--key", &two]).ended(Exit::Bad).tells(&["(not checked)", missing]);
    bare(&["inspect", &package, "--key", &one, "--key", &two])
        .ended(Exit::Bad)
        .tells(&["(good)", missing]);
    bare(&["sign", &package, "--key", &at("two")]).ended(Exit::Good);
    bare(&["inspect", &package, "--key", &one, "--key", &two]).ended(Exit::Good);
}

#[test]
fn a_package_is_made_of_whatever_can_be_tested() {
    let folder = Folder::with(&hostile())
        .write("README.md", "The rule `declared` finds nothing.\n")
        .write("vectors/b.json", &vector(&json!({}), RIGHT_OF_HOSTILE))
        .write("vectors/a.json", &vector(&json!({}), RIGHT_OF_HOSTILE))
        .write("vectors/notes.txt", "");
    let package = folder.at("out.guardrail");
    plugin(&["test", folder.path()]).ended(Exit::Good).tells(&["2 cases: 2 passed"]);
    let packed = || {
        let bytes = fs::read(&package).expect("written");
        let packed = guardrail_kit::package::Package::read(&bytes).expect("a package");
        let names: Vec<String> = packed.tests.into_iter().map(|test| test.name).collect();
        (names, packed.readme.is_some())
    };
    // A folder that is no project, its component, and a project whose vectors are in `vectors`.
    for target in [folder.0.path().to_owned(), folder.at("hostile.wasm"), folder.at("vectors")] {
        if target.ends_with("vectors") {
            let manifest = "[plugin]\nname = \"hostile\"\nlanguage = \"rust\"\n";
            fs::write(folder.at("guardrail.toml"), manifest).expect("written");
        }
        bare(&["package", text(&target), "--out", text(&package)])
            .ended(Exit::Good)
            .tells(&["2 tests"]);
        assert_eq!(packed(), (vec!["a.json".to_owned(), "b.json".to_owned()], true), "{target:?}");
    }
    fs::remove_file(folder.at("hostile.wasm")).expect("removed");
    bare(&["package", folder.path()])
        .ended(Exit::Failed)
        .tells(&["hostile.wasm` is not there\nhelp: `leasehold plugin build` makes it"]);
}

#[test]
fn a_folder_is_inspected_as_its_component_is() {
    let folder = Folder::with(&hostile());
    let of_file = bare(&["inspect", text(&folder.at("hostile.wasm"))])
        .ended(Exit::Good)
        .tells(&["rule     declared                         low       A rule that is declared\n"]);
    let of_folder = bare(&["inspect", folder.path()]).ended(Exit::Good);
    assert_eq!(of_file.out, of_folder.out);
    fs::remove_file(folder.at("hostile.wasm")).expect("removed");
    let project =
        folder.write("guardrail.toml", "[plugin]\nname = \"hostile\"\nlanguage = \"rust\"\n");
    bare(&["inspect", project.path()])
        .ended(Exit::Failed)
        .tells(&["hostile.wasm` is not there\nhelp: `leasehold plugin build` makes it"]);
}

#[test]
fn verbs_of_packages_keep_compiled_code_where_they_are_told() {
    let folder =
        Folder::with(&hostile()).write("tests/a.json", &vector(&json!({}), RIGHT_OF_HOSTILE));
    let at = |name: &str| text(&folder.at(name)).to_owned();
    let package = at("out.guardrail");
    bare(&["keygen", &at("key")]).ended(Exit::Good);
    for (nth, verb) in [
        &["package", &at("hostile.wasm"), "--out", &package][..],
        &["inspect", &package],
        &["sign", &package, "--key", &at("key")],
    ]
    .into_iter()
    .enumerate()
    {
        let cache = at(&format!("code-{nth}"));
        bare(&[verb, &["--code-cache", &cache]].concat()).ended(Exit::Good);
        // The key, and what was compiled.
        let kept = fs::read_dir(&cache).expect("the folder").count();
        assert_eq!(kept, 2, "{verb:?}");
    }
}
