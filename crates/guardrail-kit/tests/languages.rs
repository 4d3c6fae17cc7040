//! Building in languages whose compilers need not be here: what is run is seen by programs that stand in for them, and a
//! compiler that is missing is named with what installs it. The real ones run in `scripts/plugins/examples`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![expect(clippy::print_stdout, reason = "says what is skipped")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use guardrail_kit::cli::{Exit, PluginCommand};
use tempfile::TempDir;

/// What stands in for a compiler leaves this, which is a guardrail of another name.
const COMPONENT: &str = "../../plugins/least-privilege/least-privilege.wasm";

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

struct Project {
    _parent: TempDir,
    dir: PathBuf,
}

impl Project {
    fn new(language: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().to_str().unwrap();
        let (exit, _, err) = plugin(&["new", "few-buckets", "--lang", language, "--parent", path]);
        assert_eq!((exit, err.as_str()), (Exit::Good, ""));
        let dir = parent.path().join("few-buckets");
        Self { _parent: parent, dir }
    }

    /// A program of the project's own that keeps its arguments and leaves a component where it is told to.
    fn stand_in(&self, program: &str) {
        let program = self.dir.join(program);
        let component = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMPONENT);
        let script = format!(
            "#!/bin/sh\necho \"$@\" > arguments\nwhile [ $# -gt 1 ]; do shift\n\
             case $1 in build/*) cp {} $1 ;; esac\ndone\necho made\n",
            component.display()
        );
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn build(&self) -> (Exit, String, String) {
        plugin(&["build", self.dir.to_str().unwrap()])
    }

    fn arguments(&self) -> String {
        fs::read_to_string(self.dir.join("arguments")).unwrap().trim_end().to_owned()
    }

    fn has_component(&self) -> bool {
        self.dir.join("few-buckets.wasm").exists()
    }
}

/// Whether the machine has the program itself; then nothing can be said of its absence.
#[expect(clippy::disallowed_methods, reason = "where programs are is known to the environment")]
fn machine_has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if has {
        println!("skipped: this machine has {program}");
    }
    has
}

#[test]
fn a_compiler_that_is_missing_is_named_with_what_installs_it() {
    let pip = "`python3 -m venv .venv && .venv/bin/pip install -r requirements.txt`";
    for (language, program, install) in [
        ("js", "componentize-qjs", "`npm install`"),
        ("python", "componentize-py", pip),
        ("c", "zig", pip),
    ] {
        if machine_has(program) {
            continue;
        }
        let project = Project::new(language);
        let (exit, out, err) = project.build();
        assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
        let expected =
            format!("error: `{program}` is not there\nhelp: {install} in the project's folder");
        assert!(err.starts_with(&expected), "{err}");
        assert!(!project.has_component());
    }
}

#[test]
fn javascript_is_built_by_the_projects_own_tool() {
    let project = Project::new("js");
    project.stand_in("node_modules/.bin/componentize-qjs");
    let (exit, out, err) = project.build();
    // It is another guardrail, which is said; all else went well.
    assert_eq!((exit, err.as_str()), (Exit::Bad, ""), "{out}");
    assert!(out.contains("made\n") && out.contains("calls itself `least-privilege`"), "{out}");
    assert_eq!(
        project.arguments(),
        "--wit wit --world plugin --js guardrail.js --sync --stub-wasi --output build/component.wasm"
    );
    assert!(project.has_component());
}

#[test]
fn python_is_built_by_the_projects_own_tool() {
    let project = Project::new("python");
    project.stand_in(".venv/bin/componentize-py");
    let (exit, out, err) = project.build();
    assert_eq!((exit, err.as_str()), (Exit::Bad, ""), "{out}");
    assert_eq!(
        project.arguments(),
        "--wit-path wit --world plugin componentize --stub-wasi guardrail --output build/component.wasm"
    );
    assert!(project.has_component());
}

#[test]
fn c_is_compiled_with_every_file_of_its_folders() {
    let project = Project::new("c");
    fs::write(project.dir.join("src/more.c"), "").unwrap();
    project.stand_in(".venv/bin/python-zig");
    let (exit, _, err) = project.build();
    // What was left is no core module, and the adapter is not put on anything else.
    assert_eq!(exit, Exit::Failed);
    assert!(err.starts_with("error: the "), "{err}");
    let arguments = project.arguments();
    assert!(arguments.starts_with("cc -target wasm32-wasi -mexec-model=reactor"), "{arguments}");
    assert!(
        arguments.ends_with(
            "bindings/plugin.c bindings/world.c src/guardrail.c src/more.c src/settings.c"
        ),
        "{arguments}"
    );
    assert!(!project.has_component());
}
