//! `leasehold plugin`: the author's verbs, which know no server, and beside them those that ask one: `upload`, `list`,
//! `read`, `delete`. What a server takes and says is its own; nothing is decided here.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use guardrail_kit::cli::PluginCommand as KitCommand;
use serde_json::Value;

use super::output::{self, Format};
use super::reconcile::{list as items, text};
use super::remote::{Remote, RemoteArguments, RemoteError, escaped};
use super::{EXIT_FAILURE, fail};

/// Where plugins are in the API.
const PATH: &str = "sys/plugins/guardrails";

/// The verbs of `leasehold plugin`.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Those that need no server.
    #[command(flatten)]
    Kit(KitCommand),
    /// Store a component or package in a running server, once it passes every check there.
    Upload(UploadArguments),
    /// List the plugins of a running server.
    List(ListArguments),
    /// Show a plugin of a running server.
    Read(ReadArguments),
    /// Delete a version of a plugin from a running server.
    Delete(DeleteArguments),
}

/// What is uploaded.
#[derive(Debug, Args)]
pub(super) struct UploadArguments {
    /// The component or package.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check only: store nothing.
    #[arg(long)]
    check: bool,
    /// Do not run the tests of the package.
    #[arg(long)]
    skip_tests: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// How the list looks.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// Which plugin.
#[derive(Debug, Args)]
pub(super) struct ReadArguments {
    /// NAME (the newest version), NAME@VERSION, or a digest.
    #[arg(value_name = "PLUGIN", value_parser = path_of)]
    plugin: String,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// Which version.
#[derive(Debug, Args)]
pub(super) struct DeleteArguments {
    /// NAME@VERSION, or a digest.
    #[arg(value_name = "PLUGIN", value_parser = path_of)]
    plugin: String,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// `NAME@VERSION` as the API has it: `NAME/VERSION`.
#[expect(clippy::unnecessary_wraps, reason = "what clap asks of a parser")]
fn path_of(text: &str) -> Result<String, String> {
    Ok(match text.split_once('@') {
        Some((name, version)) => format!("{}/{}", escaped(name), escaped(version)),
        None => escaped(text),
    })
}

/// Why it came to nothing.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("`{file}`: {source}")]
    File { file: String, source: io::Error },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs a verb.
pub(super) fn run(command: &PluginCommand, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let done = match command {
        PluginCommand::Kit(command) => return command.run(out, err).into(),
        PluginCommand::Upload(arguments) => upload(arguments, out),
        PluginCommand::List(arguments) => list(arguments, out),
        PluginCommand::Read(arguments) => read(arguments, out),
        PluginCommand::Delete(arguments) => delete(arguments, out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

fn upload(arguments: &UploadArguments, out: &mut dyn Write) -> Result<(), Stopped> {
    let file = arguments.file.display().to_string();
    let bytes = std::fs::read(&arguments.file).map_err(|source| Stopped::File { file, source })?;
    let path = if arguments.check { "sys/plugins/guardrails-check" } else { PATH };
    let path = format!("{path}?skip_tests={}", arguments.skip_tests);
    let answer = Remote::new(&arguments.remote)?.upload(&path, bytes)?;
    match arguments.format {
        Format::Json => output::json(out, &answer.data)?,
        Format::Table => {
            let stored = answer.data.get("stored").and_then(Value::as_bool).unwrap_or(false);
            let what = match (arguments.check, stored) {
                (true, _) => "good",
                (false, true) => "stored",
                (false, false) => "there already",
            };
            writeln!(out, "{what}: {}", named(&answer.data))?;
            show(out, &answer.data)?;
        }
    }
    Ok(())
}

fn list(arguments: &ListArguments, out: &mut dyn Write) -> Result<(), Stopped> {
    let data = Remote::new(&arguments.remote)?.read(PATH)?.data;
    match arguments.format {
        Format::Json => output::json(out, &data)?,
        Format::Table => {
            let row = |plugin: &Value| {
                let used_by = texts(plugin, "used_by").join(" ");
                let columns = ["name", "version", "origin", "digest"];
                let mut row: Vec<_> = columns.map(|column| text(plugin, column)).into();
                row.push(used_by);
                row
            };
            let rows: Vec<_> = items(&data, "plugins").map(row).collect();
            output::table(out, &["name", "version", "origin", "digest", "used by"], &rows)?;
        }
    }
    Ok(())
}

fn read(arguments: &ReadArguments, out: &mut dyn Write) -> Result<(), Stopped> {
    let path = format!("{PATH}/{}", arguments.plugin);
    let data = Remote::new(&arguments.remote)?.read(&path)?.data;
    match arguments.format {
        Format::Json => output::json(out, &data)?,
        Format::Table => {
            writeln!(out, "{}", named(&data))?;
            show(out, &data)?;
        }
    }
    Ok(())
}

fn delete(arguments: &DeleteArguments, out: &mut dyn Write) -> Result<(), Stopped> {
    Remote::new(&arguments.remote)?.delete(&format!("{PATH}/{}", arguments.plugin))?;
    writeln!(out, "deleted")?;
    Ok(())
}

fn named(plugin: &Value) -> String {
    let name = format!("{} {}", text(plugin, "name"), text(plugin, "version"));
    output::printable(&name)
}

/// A plugin for people.
fn show(out: &mut dyn Write, plugin: &Value) -> io::Result<()> {
    let manifest = plugin.get("manifest").unwrap_or(&Value::Null);
    let size = plugin.get("size").and_then(Value::as_u64).unwrap_or(0);
    let mut pairs = vec![
        ("summary", text(manifest, "summary")),
        ("digest", text(plugin, "digest")),
        ("origin", text(plugin, "origin")),
        ("size", format!("{size} bytes")),
    ];
    pairs.extend(texts(plugin, "imports").into_iter().map(|import| ("import", import)));
    pairs.extend(items(manifest, "rules").map(|rule| {
        let (id, severity, title) = (text(rule, "id"), text(rule, "severity"), text(rule, "title"));
        ("rule", format!("{id:<32} {severity:<8} {title}"))
    }));
    pairs.extend(plugin.get("tests").map(|tests| {
        let cases = tests.get("cases").and_then(Value::as_u64).unwrap_or(0);
        let fuel = tests.get("most_fuel").and_then(Value::as_u64);
        let fuel = fuel.map_or_else(String::new, |fuel| format!(", {fuel} fuel at most"));
        ("tests", format!("{} ({cases}{fuel})", text(tests, "outcome")))
    }));
    pairs.extend(items(plugin, "signatures").map(|signature| {
        let trusted = text(signature, "trusted_as");
        let trusted = if trusted.is_empty() { "not trusted" } else { trusted.as_str() };
        ("signed by", format!("{} ({trusted})", text(signature, "key_id")))
    }));
    pairs.push(("used by", texts(plugin, "used_by").join(" ")));
    output::pairs(out, &pairs)
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    items(value, name).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_as_people_do() {
        assert_eq!(path_of("deny-list").unwrap(), "deny-list");
        assert_eq!(path_of("deny-list@1.0.0-rc.1").unwrap(), "deny-list/1.0.0-rc.1");
        assert_eq!(path_of("sha256:0a").unwrap(), "sha256%3A0a");
    }

    #[test]
    fn a_plugin_is_shown_line_by_line_and_nothing_in_it_can_move_the_cursor() {
        let plugin = serde_json::json!({
            "name": "deny-list", "version": "1.0.0", "digest": "sha256:0a", "origin": "uploaded",
            "size": 7, "imports": ["leasehold:guardrail/log@1.0.0"], "used_by": ["prod"],
            "manifest": {
                "summary": "no\u{1b}[2Jthing",
                "rules": [{"id": "action", "severity": "high", "title": "An action"}],
            },
            "tests": {"outcome": "passed", "cases": 3, "most_fuel": 12},
            "signatures": [{"key_id": "ed25519:0a", "trusted_as": null}],
        });
        let mut out = Vec::new();
        show(&mut out, &plugin).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains('\u{1b}'), "{out}");
        for part in ["passed (3, 12 fuel at most)", "ed25519:0a (not trusted)", "7 bytes", "prod"] {
            assert!(out.contains(part), "{part} in {out}");
        }
    }
}
