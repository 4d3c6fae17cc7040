//! Keys and values as the Vault command line prints them: a heading, a line of dashes, a column each.

use std::io::{self, Write};

use serde_json::Value;

use crate::cli::output::printable;

/// Under `Key` and `Value`.
pub(super) fn table(out: &mut dyn Write, rows: &[(&str, String)]) -> io::Result<()> {
    let heading = [("Key", "Value".to_owned()), ("---", "-----".to_owned())];
    let lines: Vec<_> = heading.iter().chain(rows).collect();
    pairs(out, &lines)
}

/// Without a heading.
pub(super) fn bare(out: &mut dyn Write, rows: &[(&str, String)]) -> io::Result<()> {
    pairs(out, &rows.iter().collect::<Vec<_>>())
}

fn pairs(out: &mut dyn Write, rows: &[&(&str, String)]) -> io::Result<()> {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in rows {
        writeln!(out, "{name:width$}    {}", printable(value))?;
    }
    Ok(())
}

/// A member as it is printed: `n/a` where there is none.
pub(super) fn shown(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => "n/a".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Whether a member is true.
pub(super) fn is(value: &Value, name: &str) -> bool {
    value.get(name) == Some(&Value::Bool(true))
}

/// How the seal stands.
pub(super) fn seal(out: &mut dyn Write, status: &Value) -> io::Result<()> {
    let recovery = is(status, "recovery_seal");
    let of = |name| shown(status, name);
    let mut rows = vec![
        (if recovery { "Recovery Seal Type" } else { "Seal Type" }, of("type")),
        ("Initialized", of("initialized")),
        ("Sealed", of("sealed")),
        (if recovery { "Total Recovery Shares" } else { "Total Shares" }, of("n")),
        ("Threshold", of("t")),
    ];
    if is(status, "sealed") {
        rows.push(("Unseal Progress", format!("{}/{}", of("progress"), of("t"))));
        rows.push(("Unseal Nonce", of("nonce")));
    }
    rows.push(("Version", of("version")));
    rows.push(("Storage Type", of("storage_type")));
    if !is(status, "sealed") {
        rows.push(("Cluster Name", of("cluster_name")));
        rows.push(("Cluster ID", of("cluster_id")));
    }
    rows.push(("HA Enabled", "false".to_owned()));
    table(out, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sealed_server_shows_how_far_its_unsealing_is() {
        let status = json!({
            "type": "shamir", "initialized": true, "sealed": true, "t": 3, "n": 5, "progress": 1,
            "nonce": "abc", "version": "1.21.0", "storage_type": "sqlite", "recovery_seal": false,
        });
        let mut out = Vec::new();
        seal(&mut out, &status).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with(
                "Key                Value\n---                -----\nSeal Type          shamir\n"
            ),
            "{text}"
        );
        assert!(text.contains("Unseal Progress    1/3\nUnseal Nonce       abc\n"), "{text}");
    }
}
