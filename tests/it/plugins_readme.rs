//! The newcomer's transcript in `plugins/README.md`, word for word: a new guardrail is made, built, tested, installed, and
//! refuses a role. Says that it is skipped where there is no Rust toolchain for WebAssembly.

use std::path::Path;
use std::process::Command;

use crate::support::process::Process;
use crate::support::transcript;

/// Whether this machine can build Rust for WebAssembly. It must where `.ci/run` has installed what that takes.
fn has_rust_for_wasm() -> bool {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/plugins/build");
    let asked = Command::new(build).arg("--find-toolchain").output();
    let there = asked.is_ok_and(|asked| asked.status.success());
    if !there {
        assert!(std::env::var_os("LEASEHOLD_WASM").is_none(), ".ci/run did not install it");
        println!("skipped: there is no Rust toolchain for wasm32-unknown-unknown");
    }
    there
}

/// What is made up anew each time, or depends on the toolchain: commands of the build, digests and ids, sizes, times, fuel.
fn shape(text: &str) -> String {
    let lines = text.trim().lines().map(|line| {
        if line.starts_with("+ ") {
            return "+ …".to_owned();
        }
        // A case of `test`: its name, and what it took.
        if let Some(case) = line.strip_prefix("  ok ") {
            return format!("ok {}", case.split_whitespace().next().unwrap());
        }
        line.split_inclusive(|character: char| !is_of_number(character))
            .map(word)
            .collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_of_number(character: char) -> bool {
    character.is_ascii_hexdigit() || matches!(character, '-' | ',' | '.')
}

/// A number or an id with what follows it. Short ones count: of what is long or has a unit only that it is there.
fn word(text: &str) -> String {
    let number = text.trim_end_matches(|character| !is_of_number(character));
    let rest = text.strip_prefix(number).unwrap_or_default();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if number.len() >= 20 || digits >= 3 { format!("…{rest}") } else { text.to_owned() }
}

#[test]
fn a_first_guardrail_is_made_built_tested_installed_and_refuses_a_role() {
    if !has_rust_for_wasm() {
        return;
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/README.md");
    let steps = transcript::steps(&std::fs::read_to_string(readme).unwrap());
    assert!(steps.len() >= 8, "the transcript was not found");
    let broker = Process::dev(&["--dev-root-token-id", "newcomer"]);
    let dir = tempfile::tempdir().unwrap();
    // One standard library for all tests, which takes minutes to build where it does not come with the toolchain.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    std::fs::create_dir(dir.path().join(".cargo")).unwrap();
    let configuration = format!("[build]\ntarget-dir = {target:?}\n");
    std::fs::write(dir.path().join(".cargo/config.toml"), configuration).unwrap();

    let printed = transcript::run(&steps, dir.path(), &broker.url, "newcomer");

    for (step, printed) in steps.iter().zip(printed) {
        assert_eq!(shape(&printed), shape(&step.printed), "{}\n{printed}", step.command);
    }
}
