//! `leasehold who WHAT`: who holds a key, a user, a lease, or held it while its row is kept. Asks a running server
//! (`sys/leases/query`) and changes nothing. What an answer holds is the server's; only its shape on a
//! terminal is here.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::output::{self, Format};
use super::remote::{Remote, RemoteArguments, RemoteError, escaped};
use super::{EXIT_FAILURE, EXIT_USAGE, fail};
use crate::model::LeaseId;

/// Nothing was found.
const EXIT_NOTHING: u8 = 4;

/// Arguments of `leasehold who`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WhoArguments {
    /// An access key (AKIA…, ASIA…), AWS's id of a user (AIDA…), an IAM user's name or ARN, or a lease id.
    #[arg(value_name = "WHAT", required_unless_present = "terms")]
    what: Option<String>,
    /// What the leases must have, too. The names: `caller`, `accessor`, `role`, `role_version`, `policy_digest`,
    /// `verdict`, `source`, `account`, `mount`, `state`, `access_key`, `user`, `user_id`, `lease_id`.
    #[arg(long = "where", value_name = "NAME=VALUE", value_parser = term)]
    terms: Vec<(String, String)>,
    /// The most leases to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    limit: usize,
    /// How to print them.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
Exit codes: 0 found, 1 failed, 2 wrong usage, 4 nothing found.

Ended leases are found as long as their rows are kept, 30 days after the last trace of them was gone.
The token needs `read` and `sudo` on sys/leases/query.

Examples:
  leasehold who AKIAIOSFODNN7EXAMPLE
  leasehold who arn:aws:iam::123456789012:user/vault-token-ci-deploy-1700000000-abc
  leasehold who --where caller=token-ci --where state=active";

/// What leases can be asked for by.
const TERMS: [&str; 14] = [
    "lease_id",
    "access_key",
    "user",
    "user_id",
    "caller",
    "accessor",
    "role",
    "role_version",
    "policy_digest",
    "verdict",
    "source",
    "account",
    "mount",
    "state",
];

fn term(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no `=`")?;
    // A name that the server does not know would ask for every lease.
    if !TERMS.contains(&name) {
        return Err(format!("leases cannot be asked for by `{name}`"));
    }
    if value.is_empty() {
        return Err(format!("`{name}` has no value"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// What kind of thing somebody has in hand.
fn terms_of(what: &str) -> Vec<(String, String)> {
    let term = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    if let Some((account, user)) = user_of_arn(what) {
        return vec![term("account", account), term("user", user)];
    }
    let is_id = |prefixes: &[&str]| prefixes.iter().any(|prefix| what.starts_with(prefix));
    let is_plain = what.len() >= 16 && what.bytes().all(|c| c.is_ascii_alphanumeric());
    let name = if what.parse::<LeaseId>().is_ok() {
        "lease_id"
    } else if is_plain && is_id(&["AKIA", "ASIA"]) {
        "access_key"
    } else if is_plain && is_id(&["AIDA"]) || is_id(&["AROA"]) && what.contains(':') {
        "user_id"
    } else {
        "user"
    };
    vec![term(name, what)]
}

/// Account and name of `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
fn user_of_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let is_iam = parts.next()? == "iam";
    let account = parts.nth(1)?;
    let name = parts.next()?.strip_prefix("user/")?.rsplit('/').next()?;
    is_iam.then_some((account, name))
}

/// Asks and prints.
pub(super) fn run(arguments: &WhoArguments, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let mut terms = arguments.what.as_deref().map(terms_of).unwrap_or_default();
    terms.extend(arguments.terms.iter().cloned());
    if let Some((name, _)) = twice(&terms) {
        return fail(err, &format!("`{name}` is given twice"), EXIT_USAGE);
    }
    let found =
        Remote::new(&arguments.remote).and_then(|remote| ask(&remote, &terms, arguments.limit));
    let Found { leases, is_cut, warnings } = match found {
        Ok(found) => found,
        Err(error) => return fail(err, &error, EXIT_FAILURE),
    };
    for warning in warnings {
        // Nobody is left to tell when standard error is closed.
        drop(writeln!(err, "warning: {}", output::printable(&warning)));
    }
    let printed = match arguments.format {
        Format::Json => output::json(out, &Value::Array(leases.clone())),
        Format::Table => print(out, &leases),
    };
    if let Err(error) = printed {
        return fail(err, &error, EXIT_FAILURE);
    }
    if is_cut {
        drop(writeln!(err, "note: there may be more\nhelp: raise --limit"));
    }
    if leases.is_empty() {
        drop(writeln!(err, "nothing found: no lease that is kept here has it"));
        return ExitCode::from(EXIT_NOTHING);
    }
    ExitCode::SUCCESS
}

fn twice(terms: &[(String, String)]) -> Option<&(String, String)> {
    let mut seen = std::collections::HashSet::new();
    terms.iter().find(|(name, _)| !seen.insert(name))
}

/// What the server knows.
struct Found {
    leases: Vec<Value>,
    is_cut: bool,
    warnings: Vec<String>,
}

/// The leases in one answer (`sys/leases/query` gives no more).
const PAGE: usize = 1_000;

fn ask(remote: &Remote, terms: &[(String, String)], limit: usize) -> Result<Found, RemoteError> {
    let mut found = Found { leases: Vec::new(), is_cut: false, warnings: Vec::new() };
    let of = |(name, value): &(String, String)| format!("&{name}={}", escaped(value));
    let terms: String = terms.iter().map(of).collect();
    let mut after = String::new();
    loop {
        let left = limit.saturating_sub(found.leases.len());
        let limit_now = left.clamp(1, PAGE);
        let answer = remote.read(&format!("sys/leases/query?limit={limit_now}{terms}{after}"))?;
        let page = answer.data.get("leases").and_then(Value::as_array);
        found.leases.extend(page.cloned().unwrap_or_default());
        found.warnings = answer.warnings;
        let Some(next) = answer.data.get("next").and_then(Value::as_str) else {
            return Ok(found);
        };
        if found.leases.len() >= limit {
            found.is_cut = true;
            return Ok(found);
        }
        after = format!("&after={}", escaped(next));
    }
}

/// One lease with all that is known of it, several as a table.
fn print(out: &mut dyn Write, leases: &[Value]) -> io::Result<()> {
    match leases {
        [] => Ok(()),
        [lease] => {
            let pairs: Vec<_> =
                SHOWN.iter().map(|&(label, name)| (label, shown(lease, name))).collect();
            output::pairs(out, &pairs)
        }
        several => {
            let columns =
                ["issue_time", "state", "caller", "role", "access_key", "user", "lease_id"];
            let row = |lease: &Value| columns.iter().map(|name| shown(lease, name)).collect();
            let rows: Vec<Vec<String>> = several.iter().map(row).collect();
            output::table(
                out,
                &["since", "state", "caller", "role", "access key", "user", "lease"],
                &rows,
            )
        }
    }
}

/// What a person asks first comes first.
const SHOWN: [(&str, &str); 28] = [
    ("held by", "caller"),
    ("token accessor", "accessor"),
    ("asked from", "source"),
    ("state", "state"),
    ("since", "issue_time"),
    ("until", "expire_time"),
    ("renewed", "last_renewal"),
    ("ended", "end_time"),
    ("because", "end_reason"),
    ("contained", "contained_time"),
    ("removed", "removed_time"),
    ("gone", "gone_time"),
    ("failed passes", "attempts"),
    ("next pass", "next_attempt_time"),
    ("last failure", "failure"),
    ("out of sight", "forced"),
    ("role", "role"),
    ("role version", "role_version"),
    ("credential type", "credential_type"),
    ("access key", "access_key"),
    ("user", "user"),
    ("user id", "user_id"),
    ("account", "account"),
    ("seen to work", "proven_time"),
    ("mount", "mount"),
    ("lease", "lease_id"),
    ("policy digest", "policy_digest"),
    ("verdict", "verdict"),
];

fn shown(lease: &Value, name: &str) -> String {
    match lease.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(what: &str) -> Vec<(String, String)> {
        terms_of(what)
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn what_somebody_has_in_hand_is_told_by_its_form() {
        for (what, name) in [
            ("AKIAIOSFODNN7EXAMPLE", "access_key"),
            ("ASIAIOSFODNN7EXAMPLE", "access_key"),
            ("AIDAQWERTYUIOPASDFGHJ", "user_id"),
            ("AROAQWERTYUIOPASDFGHJ:session", "user_id"),
            ("aws/creds/r/abcdefghijklmnopqrstuvwx", "lease_id"),
            ("vault-token-ci-r-1700000000-abc", "user"),
            ("AKIA", "user"),
        ] {
            assert_eq!(read(what), [pair(name, what)], "{what}");
        }
        let arn = "arn:aws:iam::123456789012:user/team/a/u-1";
        assert_eq!(read(arn), [pair("account", "123456789012"), pair("user", "u-1")]);
        let other = "arn:aws:sts::123456789012:assumed-role/r/s";
        assert_eq!(read(other), [pair("user", other)]);
    }

    #[test]
    fn a_name_that_the_server_would_ignore_is_refused_here() {
        assert_eq!(term("caller=token-ci"), Ok(pair("caller", "token-ci")));
        assert_eq!(term("user=a=b"), Ok(pair("user", "a=b")));
        for bad in ["caller", "calller=x", "caller=", "limit=1"] {
            assert!(term(bad).is_err(), "{bad}");
        }
        assert!(twice(&[pair("user", "a"), pair("user", "b")]).is_some());
    }

    #[test]
    fn one_lease_is_told_whole_and_several_as_a_table() {
        let lease = json!({
            "caller": "token-ci", "role": "r", "role_version": 3, "lease_id": "l", "expire_time": null,
            "state": "active",
        });
        let text = |leases: &[Value]| {
            let mut out = Vec::new();
            print(&mut out, leases).unwrap();
            String::from_utf8(out).unwrap()
        };
        let one = text(std::slice::from_ref(&lease));
        assert!(one.starts_with("held by       token-ci\n"), "{one}");
        assert!(one.contains("role version  3\n") && !one.contains("until"), "{one}");
        let two = text(&[lease.clone(), lease]);
        assert_eq!(two.lines().count(), 3, "{two}");
        assert!(two.starts_with("since  state   caller    role"), "{two}");
    }
}
