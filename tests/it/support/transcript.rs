//! Transcripts in Markdown: the commands of `console` blocks with what they print, run by one shell. What may differ from
//! run to run is for the test that compares.

use std::path::Path;
use std::process::Command;

/// One command of a transcript with the lines that it printed.
#[derive(Debug)]
pub struct Step {
    pub command: String,
    pub printed: String,
}

/// The steps of all `console` blocks of a text.
pub fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let mut here_document = false;
        for line in block.split("```").next().unwrap().lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                here_document = command.contains("<<'END'");
                steps.push(Step { command: command.to_owned(), printed: String::new() });
                continue;
            }
            let step = steps.last_mut().unwrap();
            let continues = here_document || step.command.matches('\'').count() % 2 == 1;
            here_document &= line != "END";
            let part = if continues { &mut step.command } else { &mut step.printed };
            part.push('\n');
            part.push_str(line);
        }
    }
    steps
}

/// Runs the commands in one shell in `dir`, where `leasehold` is the binary under test, and gives what each printed. A
/// command that begins with `export VAULT_ADDR=` names the server at `url` and its root token instead.
pub fn run(steps: &[Step], dir: &Path, url: &str, token: &str) -> Vec<String> {
    let outputs = tempfile::tempdir().unwrap();
    let file = |number: usize| outputs.path().join(format!("out.{number}"));
    let mut script = String::from("leasehold() { \"$LEASEHOLD_BINARY\" \"$@\"; }\n");
    for (number, step) in steps.iter().enumerate() {
        let command = if step.command.starts_with("export VAULT_ADDR=") {
            format!("export VAULT_ADDR={url} VAULT_TOKEN={token}")
        } else {
            step.command.clone()
        };
        let begin = format!("exec 3>{} 4>&1 >&3\n", file(number).display());
        script.extend([begin.as_str(), &command, "\nexec >&4 3>&- 4>&-\n"]);
    }
    let status = Command::new("bash")
        .args(["-c", &script])
        .env("LEASEHOLD_BINARY", env!("CARGO_BIN_EXE_leasehold"))
        .current_dir(dir)
        .status();
    assert!(status.is_ok(), "bash is needed");
    (0..steps.len()).map(|number| std::fs::read_to_string(file(number)).unwrap()).collect()
}
