//! What a guardrail is bound to, as flags, and the body of a write that comes out. Only shapes: the server checks.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

/// Bytes read of a file of settings; the server takes 256 KiB.
const MOST_SETTINGS: u64 = 1 << 20;

/// What a guardrail is bound to; what is not said stays as it is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Guardrail")]
pub(super) struct BindingArguments {
    /// The plugin: NAME@VERSION, sha256:…, or the name of one that ships with the broker.
    #[arg(long, value_name = "PLUGIN")]
    plugin: Option<String>,
    /// Its settings, a JSON object in this file; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What its answer leads to: off, audit, warn or enforce.
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Only roles of engines at these paths, with `*` and `?`; an empty one takes all again.
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    mounts: Option<Vec<String>>,
    /// Only roles of these names, with `*` and `?`.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// Only roles with this tag; several times for several.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    tag: Option<Vec<(String, String)>>,
    /// Only roles that hand out these: `iam_user`, `assumed_role`, `federation_token`, `session_token`.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    credential_types: Option<Vec<String>>,
    /// Its place among the others; lower is shown first.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    order: Option<i64>,
    /// The severity of a rule in the place of the plugin's; several times for several.
    #[arg(long, value_name = "RULE=SEVERITY", value_parser = pair)]
    severity: Option<Vec<(String, String)>>,
    /// Rules whose findings do not count.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    rules_off: Option<Vec<String>>,
    /// Findings of this severity and above deny; an empty one leaves it to the plugin.
    #[arg(long, value_name = "SEVERITY")]
    deny_at: Option<String>,
    /// What a kind of failure leads to: deny, note or allow; several times for several.
    #[arg(long, value_name = "KIND=ACTION", value_parser = pair)]
    on_failure: Option<Vec<(String, String)>>,
    /// Units of fuel for one call, below the server's limit; 0 for that limit.
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
    /// Milliseconds for one call, below the server's limit; 0 for that limit.
    #[arg(long, value_name = "MS")]
    wall_time_ms: Option<u64>,
    /// Bytes of memory for one call, below the server's limit; 0 for that limit.
    #[arg(long, value_name = "BYTES")]
    memory_bytes: Option<u64>,
    /// Whether the plugin is told who asks.
    #[arg(long, value_name = "BOOL")]
    sees_actor: Option<bool>,
    /// Whether the plugin is told the time, to the minute.
    #[arg(long, value_name = "BOOL")]
    sees_time: Option<bool>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err(format!("`{text}` is not NAME=VALUE")),
    }
}

impl BindingArguments {
    /// The body of a write.
    pub(super) fn body(&self) -> io::Result<Value> {
        let settings = self.settings.as_deref().map(read).transpose()?;
        let body = [
            ("plugin", self.plugin.as_ref().map(|plugin| json!(plugin))),
            ("settings", settings.map(Value::from)),
            ("mode", self.mode.as_ref().map(|mode| json!(mode))),
            ("mounts", list(self.mounts.as_ref())),
            ("roles", list(self.roles.as_ref())),
            ("tags", pairs(self.tag.as_ref())),
            ("credential_types", list(self.credential_types.as_ref())),
            ("order", self.order.map(Value::from)),
            ("severities", pairs(self.severity.as_ref())),
            ("rules_off", list(self.rules_off.as_ref())),
            ("deny_at", self.deny_at.as_ref().map(|severity| json!(severity))),
            ("on_failure", pairs(self.on_failure.as_ref())),
            ("fuel", self.fuel.map(Value::from)),
            ("wall_time_ms", self.wall_time_ms.map(Value::from)),
            ("memory_bytes", self.memory_bytes.map(Value::from)),
            ("sees_actor", self.sees_actor.map(Value::from)),
            ("sees_time", self.sees_time.map(Value::from)),
        ];
        let said = body.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(said.collect()))
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        io::stdin().take(MOST_SETTINGS).read_to_string(&mut text)?;
    } else {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot read `{}`: {error}", file.display()))
        };
        let opened = std::fs::File::open(file).map_err(named)?;
        opened.take(MOST_SETTINGS).read_to_string(&mut text).map_err(named)?;
    }
    Ok(text)
}

/// One empty entry is the empty list.
fn list(values: Option<&Vec<String>>) -> Option<Value> {
    values.map(|values| values.iter().filter(|value| !value.is_empty()).cloned().collect())
}

fn pairs(pairs: Option<&Vec<(String, String)>>) -> Option<Value> {
    let object = |pairs: &Vec<(String, String)>| {
        let entries = pairs.iter().map(|(name, value)| (name.clone(), json!(value)));
        Value::Object(entries.collect::<Map<_, _>>())
    };
    pairs.map(object)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        binding: BindingArguments,
    }

    fn body(line: &[&str]) -> Value {
        let line = [&["x"], line].concat();
        Line::try_parse_from(line).unwrap().binding.body().unwrap()
    }

    #[test]
    fn only_what_is_said_is_sent() {
        assert_eq!(body(&[]), json!({}));
        let sent = body(&[
            "--mode",
            "warn",
            "--roles",
            "ci-*,ops",
            "--mounts",
            "",
            "--tag",
            "team=a",
            "--tag",
            "env=p*",
            "--order",
            "-1",
            "--severity",
            "full-admin=low",
            "--deny-at",
            "",
        ]);
        let expected = json!({
            "mode": "warn", "roles": ["ci-*", "ops"], "mounts": [],
            "tags": { "team": "a", "env": "p*" }, "order": -1,
            "severities": { "full-admin": "low" }, "deny_at": ""
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn settings_come_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"a\": 1}").unwrap();
        let sent = body(&["--settings", file.path().to_str().unwrap()]);
        assert_eq!(sent, json!({ "settings": "{\"a\": 1}" }));
        let absent = Line::try_parse_from(["x", "--settings", "/absent"]).unwrap();
        assert!(absent.binding.body().unwrap_err().to_string().contains("`/absent`"));
    }
}
