//! The bindings that travel with guardrails in C and Go are what the generators make of the contract; nobody edits them.
//! `UPDATE_BINDINGS=1 cargo test -p guardrail-kit --test bindings` writes them anew.

#![expect(clippy::expect_used, clippy::panic, reason = "a failed expectation fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

/// The world that examples implement.
const WORLD: &str = "plugin";

#[test]
fn the_bindings_for_c_are_those_of_the_contract() {
    // The world is written into the module when it is built: no object file is needed for it.
    let options = wit_bindgen_c::Opts { no_object_file: true, ..Default::default() };
    compare("c/bindings", &generated(options.build()));
}

#[test]
fn the_bindings_for_go_are_those_of_the_contract() {
    let options = wit_bindgen_go::Opts {
        format: wit_bindgen_go::Format::False,
        quiet: true,
        ..Default::default()
    };
    let files = generated(options.build());
    let files: Vec<_> = files
        .into_iter()
        // The project has its own.
        .filter(|(name, _)| name != "go.mod")
        .map(|(name, text)| (name, of_the_project(&text)))
        .collect();
    compare("go/bindings", &files);
}

/// The generator takes the bindings for a whole module and its runtime for one of the network. Here they are a folder of
/// the project's module, and what they need is beside them.
fn of_the_project(generated: &str) -> String {
    generated
        .replace(
            "\"wit_component/export_leasehold_guardrail_guardrail\"",
            "export_leasehold_guardrail_guardrail \"no_users\"",
        )
        .replace("\"wit_component/", "\"no_users/bindings/")
        .replace("\"go.bytecodealliance.org/pkg/wit/", "\"no_users/bindings/wit/")
}

fn generated(mut generator: Box<dyn WorldGenerator>) -> Vec<(String, String)> {
    let contract = repository().join("plugins/wit/guardrail.wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(contract).expect("the contract is good");
    let world = resolve.select_world(&[package], Some(WORLD)).expect("the world is there");
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).expect("bindings");
    files
        .iter()
        .map(|(name, bytes)| (name.to_owned(), String::from_utf8(bytes.to_vec()).expect("text")))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "how a person asks for the files to be made anew")]
fn compare(folder: &str, files: &[(String, String)]) {
    let folder = repository().join("plugins/examples").join(folder);
    let update = std::env::var_os("UPDATE_BINDINGS").is_some();
    for (name, text) in files {
        let path = folder.join(name);
        if update {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, text).expect("writable");
        }
        let committed =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            committed == *text,
            "`{}` is not what the contract gives\nhelp: UPDATE_BINDINGS=1 cargo test -p guardrail-kit --test bindings",
            path.display()
        );
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
