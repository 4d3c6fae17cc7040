//! Guardrails, tries and replays on a terminal. Prints what the server said and nothing of its own.

use std::io::{self, Write};

use serde_json::Value;

use crate::cli::output;
use crate::cli::reconcile::{list as members, text};

/// All guardrails, one a line.
pub(super) fn list(out: &mut dyn Write, all: &Value) -> io::Result<()> {
    let rows: Vec<Vec<String>> = members(all, "guardrails")
        .map(|one| {
            vec![
                text(one, "name"),
                text(one, "mode"),
                state(one),
                text(one, "plugin"),
                scope(one),
                text(one, "origin"),
            ]
        })
        .collect();
    output::table(out, &["name", "mode", "state", "plugin", "scope", "origin"], &rows)
}

fn state(one: &Value) -> String {
    let suspended = one.get("suspended").filter(|value| !value.is_null());
    let broken = one.get("problem").is_some_and(|value| !value.is_null());
    match suspended {
        Some(suspended) => format!("suspended until {}", text(suspended, "until")),
        None if broken => "broken".to_owned(),
        None => "ready".to_owned(),
    }
}

fn scope(one: &Value) -> String {
    let mut parts = Vec::new();
    for name in ["mounts", "roles", "credential_types"] {
        let list = words(one, name);
        if !list.is_empty() {
            parts.push(format!("{name} {list}"));
        }
    }
    let tags = pairs(one, "tags");
    if !tags.is_empty() {
        parts.push(format!("tags {tags}"));
    }
    if parts.is_empty() { "everything".to_owned() } else { parts.join("; ") }
}

fn words(one: &Value, name: &str) -> String {
    members(one, name).filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn pairs(one: &Value, name: &str) -> String {
    let entries = one.get(name).and_then(Value::as_object).into_iter().flatten();
    let shown =
        entries.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    shown.collect::<Vec<_>>().join(",")
}

/// One guardrail, all of it.
pub(super) fn one(out: &mut dyn Write, one: &Value) -> io::Result<()> {
    let number = |name: &str| {
        one.get(name).filter(|value| !value.is_null()).map(Value::to_string).unwrap_or_default()
    };
    let suspended = one.get("suspended").filter(|value| !value.is_null());
    let reason = suspended
        .map(|suspended| format!("{} (by {})", text(suspended, "reason"), text(suspended, "by")));
    output::pairs(
        out,
        &[
            ("name", text(one, "name")),
            ("origin", text(one, "origin")),
            ("version", number("version")),
            ("plugin", text(one, "plugin")),
            ("digest", text(one, "plugin_digest")),
            ("mode", text(one, "mode")),
            ("mode of the configuration", text(one, "configured_mode")),
            ("state", state(one)),
            ("reason", reason.unwrap_or_default()),
            ("problem", text(one, "problem")),
            ("scope", scope(one)),
            ("order", number("order")),
            ("severities", pairs(one, "severities")),
            ("rules off", words(one, "rules_off")),
            ("denies at", text(one, "deny_at")),
            ("on failure", pairs(one, "on_failure")),
            ("fuel", number("fuel")),
            ("wall time (ms)", number("wall_time_ms")),
            ("memory (bytes)", number("memory_bytes")),
            ("sees who asks", number("sees_actor")),
            ("sees the time", number("sees_time")),
            ("settings", number("settings")),
            ("written", text(one, "written_at")),
            ("by", text(one, "written_by")),
        ],
    )
}

/// What would flip.
pub(super) fn what_if(out: &mut dyn Write, report: &Value) -> io::Result<()> {
    let count = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    writeln!(
        out,
        "{} with {} in mode {}: {} roles, {} verdicts compared",
        output::printable(&text(report, "guardrail")),
        output::printable(&text(report, "plugin")),
        output::printable(&text(report, "mode")),
        count("roles"),
        count("judged")
    )?;
    output::pairs(
        out,
        &[
            ("would be denied", count("allow_to_deny").to_string()),
            ("would be allowed", count("deny_to_allow").to_string()),
            ("as they are", count("unchanged").to_string()),
            ("new findings", count("new_findings").to_string()),
            ("findings gone", count("gone_findings").to_string()),
            ("failures", count("failures").to_string()),
            ("not judged", count("refused").to_string()),
        ],
    )?;
    for change in members(report, "changes") {
        difference(out, change)?;
    }
    match count("left_out") {
        0 => Ok(()),
        more => writeln!(out, "\nand {more} more"),
    }
}

/// What would be different for one role.
fn difference(out: &mut dyn Write, change: &Value) -> io::Result<()> {
    writeln!(
        out,
        "\n{}roles/{} ({}): {} -> {}",
        output::printable(&text(change, "mount")),
        output::printable(&text(change, "role")),
        output::printable(&text(change, "credential_type")),
        text(change, "before"),
        text(change, "after")
    )?;
    for (mark, name) in [('+', "new"), ('-', "gone")] {
        for finding in members(change, name) {
            let shown = |name: &str| output::printable(&text(finding, name));
            let (rule, message) = (shown("rule"), shown("message"));
            writeln!(out, "  {mark} {rule}: {message} ({} {})", shown("source"), shown("pointer"))?;
        }
    }
    for failure in members(change, "failures") {
        let words: Vec<&str> =
            failure.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        writeln!(out, "  ! failed: {}", output::printable(&words.join(" ")))?;
    }
    Ok(())
}

/// A verdict that was reached again.
pub(super) fn replay(out: &mut dyn Write, replayed: &Value) -> io::Result<()> {
    let same = replayed.get("same") == Some(&Value::Bool(true));
    let verdict = replayed.get("verdict").unwrap_or(&Value::Null);
    let differs = |now: &str, then: &str| if now == then { String::new() } else { now.to_owned() };
    let (then, now) = (text(replayed, "engine_then"), text(replayed, "engine_now"));
    output::pairs(
        out,
        &[
            ("digest", text(replayed, "digest")),
            ("reached", text(replayed, "reached_at")),
            ("verdict", text(verdict, "decision")),
            ("again", if same { "the same bytes" } else { "other bytes" }.to_owned()),
            ("judged by", then.clone()),
            ("now", differs(&now, &then)),
        ],
    )?;
    for finding in members(verdict, "findings") {
        let shown = |name: &str| output::printable(&text(finding, name));
        writeln!(
            out,
            "  {}: {} ({} {})",
            shown("rule"),
            shown("message"),
            shown("source"),
            shown("pointer")
        )?;
    }
    if !same && let Some(again) = replayed.get("again") {
        writeln!(out, "\nthis time:")?;
        output::json(out, again)?;
    }
    Ok(())
}
