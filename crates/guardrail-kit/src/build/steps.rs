//! The commands of a build: each is printed as it could be typed, run in the project's folder, and must succeed.
//! They get no standard input, so that none can wait for an answer. Which commands is for the languages.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Runs commands and says so.
pub(crate) struct Steps<'a> {
    dir: PathBuf,
    out: &'a mut dyn Write,
}

/// A program that a build needs and this machine has not.
#[derive(Debug, thiserror::Error)]
#[error("{what} is not there\nhelp: {help}")]
pub(crate) struct Missing {
    /// What it is, as a beginning of a sentence.
    pub(crate) what: String,
    /// What to install.
    pub(crate) help: String,
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error(transparent)]
    Missing(Missing),
    #[error("`{program}` could not be run: {error}")]
    Start { program: String, error: std::io::Error },
    #[error("`{program}` failed ({status}); what it said is above")]
    Failed { program: String, status: ExitStatus },
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

impl<'a> Steps<'a> {
    /// Commands run in `dir` and are printed to `out`.
    pub(crate) fn new(dir: &Path, out: &'a mut dyn Write) -> Self {
        Self { dir: dir.to_owned(), out }
    }

    /// Prints a line about what is done without a command.
    pub(crate) fn say(&mut self, line: &str) -> Result<(), StepError> {
        Ok(writeln!(self.out, "{line}")?)
    }

    /// Runs a command in the project's folder. `help` says what to install where the program is not there. What it
    /// writes to standard output goes where the build's own lines go, its errors to the standard error of this process.
    pub(crate) fn run(&mut self, command: &mut Command, help: &str) -> Result<(), StepError> {
        let program = command.get_program().to_string_lossy().into_owned();
        writeln!(self.out, "$ {}", printed(command))?;
        self.out.flush()?;
        let ran = command
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .output();
        let output = match ran {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let what = format!("`{program}`");
                return Err(StepError::Missing(Missing { what, help: help.to_owned() }));
            }
            Err(error) => return Err(StepError::Start { program, error }),
        };
        self.out.write_all(&output.stdout)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(StepError::Failed { program, status: output.status })
        }
    }
}

/// A command with its variables, as a shell would take it.
fn printed(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.to_string_lossy(), quoted(value)))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_=+./:,@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &mut Command) -> (Result<(), String>, String) {
        let mut out = Vec::new();
        let folder = tempfile::tempdir().unwrap();
        let ran = Steps::new(folder.path(), &mut out).run(command, "install it");
        (ran.map_err(|error| error.to_string()), String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_command_is_printed_before_what_it_says() {
        let (ran, out) =
            run(Command::new("sh").args(["-c", "echo \"$A\" to you"]).env("A", "it's"));
        assert_eq!(ran, Ok(()));
        assert_eq!(out, "$ A='it'\\''s' sh -c 'echo \"$A\" to you'\nit's to you\n");
    }

    #[test]
    fn a_command_that_fails_stops_the_build() {
        let (ran, _) = run(Command::new("sh").args(["-c", "exit 3"]));
        assert_eq!(ran, Err("`sh` failed (exit status: 3); what it said is above".to_owned()));
    }

    #[test]
    fn a_program_that_is_missing_is_named_with_what_to_install() {
        let (ran, _) = run(&mut Command::new("no-such-compiler"));
        assert_eq!(ran, Err("`no-such-compiler` is not there\nhelp: install it".to_owned()));
    }
}
