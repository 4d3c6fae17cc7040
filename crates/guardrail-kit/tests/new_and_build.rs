//! `new` and `build` as an author runs them: a new folder builds as it is, and the same source gives the same bytes
//! wherever it lies. Says that it is skipped where there is no toolchain for WebAssembly.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a failed unwrap fails the test, which says what it skips and reads what .ci/run sets"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use guardrail_kit::cli::{Exit, PluginCommand};

#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: PluginCommand,
}

/// Runs a verb: how it ended, what it printed and what it complained of.
fn plugin(arguments: &[&str]) -> (Exit, String, String) {
    let line = CommandLine::try_parse_from([&["plugin"], arguments].concat()).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = line.command.run(&mut out, &mut err);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn digest(printed: &str) -> &str {
    printed.lines().find_map(|line| line.strip_prefix("digest    ")).unwrap()
}

/// Whether this machine can build Rust for WebAssembly. It must where `.ci/run` has installed what that takes.
fn has_rust_for_wasm() -> bool {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/plugins/build");
    let asked = Command::new(build).arg("--find-toolchain").output();
    let there = asked.is_ok_and(|asked| asked.status.success());
    if !there {
        assert!(std::env::var_os("LEASEHOLD_WASM").is_none(), ".ci/run did not install it");
        eprintln!("skipped: there is no Rust toolchain for wasm32-unknown-unknown");
    }
    there
}

/// One standard library for all, which takes minutes to build where it does not come with the toolchain.
fn share_target(parent: &Path) {
    fs::create_dir_all(parent.join(".cargo")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let text = format!("[build]\ntarget-dir = \"{}\"\n", target.display());
    fs::write(parent.join(".cargo/config.toml"), text).unwrap();
}

#[test]
fn a_new_rust_guardrail_builds_and_its_bytes_do_not_depend_on_where_it_lies() {
    if !has_rust_for_wasm() {
        return;
    }
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut digests = Vec::new();
    for parent in [first.path(), &second.path().join("deeper")] {
        share_target(parent);
        let parent = parent.to_str().unwrap();
        let (exit, out, err) = plugin(&["new", "no-users", "--lang", "rust", "--parent", parent]);
        assert_eq!(exit, Exit::Good, "{out}{err}");
        let dir = Path::new(parent).join("no-users");
        let (exit, out, err) = plugin(&["build", dir.to_str().unwrap()]);
        assert_eq!(exit, Exit::Good, "{out}{err}");
        assert!(out.starts_with("+ ") && out.contains("cargo build"), "{out}");
        let imports: Vec<&str> =
            out.lines().filter_map(|line| line.strip_prefix("imports   ")).collect();
        assert_eq!(imports, ["leasehold:guardrail/types@1.0.0", "leasehold:guardrail/log@1.0.0"]);
        assert!(dir.join("no-users.wasm").is_file());
        let untracked =
            |file: &str| fs::read_to_string(dir.join(".gitignore")).unwrap().contains(file);
        assert!(untracked("/target"));
        digests.push(digest(&out).to_owned());
    }
    assert_eq!(digests[0], digests[1]);
}
