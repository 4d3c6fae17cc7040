//! Builds by the command that `guardrail.toml` names under `[build]`: for languages and recipes that are not built in.
//! What it leaves is a component, or a core module that carries its world and is made into one here.

use std::fs;

use super::Steps;
use crate::cli::Stopped;
use crate::project::{self, Language, Project};

/// Every core module begins with it, and so does every component but for the version.
const MODULE_HEADER: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

/// Runs the command and takes what it left.
pub(crate) fn component(
    project: &Project,
    own: &project::Command,
    steps: &mut Steps<'_>,
) -> Result<Vec<u8>, Stopped> {
    let [program, arguments @ ..] = own.command.as_slice() else {
        return Err(format!("`{}` names an empty command under `[build]`", project::FILE).into());
    };
    let help = format!("it is the command that `{}` names under `[build]`", project::FILE);
    steps.run(std::process::Command::new(program).args(arguments), &help)?;
    let left = project.dir.join(&own.output);
    let bytes = fs::read(&left).map_err(|error| format!("`{}`: {error}", left.display()))?;
    if bytes.starts_with(&MODULE_HEADER) {
        return Ok(componentize::encode(&bytes, None)?);
    }
    Ok(bytes)
}

/// What a project is told whose language has no recipe here.
pub(crate) fn not_named(language: Language) -> String {
    let file = project::FILE;
    format!(
        "`{file}` does not say how to build {language}\nhelp: name the command and what it leaves, as in\n\
         [build]\ncommand = [\"make\"]\noutput = \"core.wasm\""
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Options, build};
    use super::*;

    const COMPONENT: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/least-privilege/least-privilege.wasm");

    fn built(folder: &Path, command: &str) -> Result<Vec<u8>, String> {
        let text = format!(
            "[plugin]\nname = \"a\"\nlanguage = \"c\"\n[build]\ncommand = [\"sh\", \"-c\", '{command}']\noutput = \"out\"\n"
        );
        fs::write(folder.join(project::FILE), text).unwrap();
        let project = Project::find(folder).unwrap();
        let path = build(&project, &Options::default(), &mut Vec::new())
            .map_err(|error| error.to_string())?;
        Ok(fs::read(path).unwrap())
    }

    #[test]
    fn a_component_that_the_command_leaves_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let taken = built(folder.path(), &format!("cp {COMPONENT} out")).unwrap();
        assert_eq!(taken, fs::read(COMPONENT).unwrap());
    }

    #[test]
    fn a_core_module_without_the_contract_is_refused_and_the_old_component_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.wasm"), "old").unwrap();
        let refused =
            built(folder.path(), r#"printf "\\0asm\\1\\0\\0\\0\\377" > out"#).unwrap_err();
        assert!(refused.starts_with("the module cannot be made into a component"), "{refused}");
        assert_eq!(fs::read(folder.path().join("a.wasm")).unwrap(), b"old");
    }
}
