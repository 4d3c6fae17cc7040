//! `leasehold revoke`: ends leases by their ids, under a path, or by what `leasehold who` finds them by. It asks first
//! where somebody sits at the terminal, waits for the first pass over each, and says how many are gone. What a
//! revocation is the server decides; one that fails there goes on by itself, and this says so ([`follow`]).

mod follow;

use std::io::{self, BufRead, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::output::{self, Format};
use super::reconcile::{ShowError, list, text};
use super::remote::{Remote, RemoteArguments, escaped};
use super::terms::{Term, Terms};
use super::{EXIT_FAILURE, EXIT_NOTHING, EXIT_USAGE, fail, who};
use crate::model::LeaseId;

/// Leases that are counted before somebody is asked; with more it is "so many or more".
const MOST_COUNTED: usize = 10_000;

/// Arguments of `leasehold revoke`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RevokeArguments {
    /// Lease ids; or one access key, user, user's id or ARN, as `leasehold who` takes it.
    #[arg(value_name = "WHAT", required_unless_present_any = ["prefix", "terms"])]
    what: Vec<String>,
    /// Every lease under this path, e.g. `aws/creds/deploy`.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["what", "terms"])]
    prefix: Option<String>,
    #[command(flatten)]
    terms: Terms,
    /// Do not wait: they are marked as ending, and the server goes on.
    #[arg(long = "async")]
    in_background: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
Exit codes: 0 all are gone (or marked, with --async), 1 failed or said no, 2 wrong usage, 4 nothing found.

A lease whose removal fails is tried again by the server until it is gone. Several leases are a job: `leasehold jobs`
shows how far it is, pauses and resumes it.

Examples:
  leasehold revoke aws/creds/deploy/abcdefghijklmnopqrstuvwx
  leasehold revoke AKIAIOSFODNN7EXAMPLE --yes
  leasehold revoke --where caller=token-ci --where role=deploy
  leasehold revoke --prefix aws/creds/deploy --async";

/// Which leases are meant.
#[derive(Debug, PartialEq, Eq)]
enum Meant {
    /// These.
    Leases(Vec<String>),
    /// All under a path.
    Under(String),
    /// All that have this.
    With(Vec<Term>),
}

/// How it ended.
enum End {
    /// All are gone, or marked.
    Done,
    /// Some fail, or somebody said no.
    Left,
    /// There is none.
    Nothing,
}

/// Asks, revokes, waits, and says what came of it.
pub(super) fn run(
    arguments: &RevokeArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let meant = match meant(arguments) {
        Ok(meant) => meant,
        Err(why) => return fail(err, &why, EXIT_USAGE),
    };
    let ended = Remote::new(&arguments.remote).map_err(ShowError::from).and_then(|remote| {
        let it = Revoking { remote, arguments };
        match &meant {
            Meant::Leases(ids) => it.leases(ids, out, err),
            Meant::Under(path) => it.under(path, out, err),
            Meant::With(terms) => it.with(terms, out, err),
        }
    });
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Left) => ExitCode::from(EXIT_FAILURE),
        Ok(End::Nothing) => fail(err, &"nothing found: there is no such lease", EXIT_NOTHING),
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

fn meant(arguments: &RevokeArguments) -> Result<Meant, String> {
    let is_id = |text: &String| text.parse::<LeaseId>().is_ok();
    if let Some(path) = &arguments.prefix {
        return match path.trim_matches('/') {
            "" => Err("an empty path would be every lease\nhelp: name a mount".to_owned()),
            path if is_id(&path.to_owned()) => Ok(Meant::Leases(vec![path.to_owned()])),
            path => Ok(Meant::Under(path.to_owned())),
        };
    }
    if arguments.terms.is_empty() && arguments.what.iter().all(is_id) {
        return Ok(Meant::Leases(arguments.what.clone()));
    }
    match arguments.what.as_slice() {
        [] => arguments.terms.with(None).map(Meant::With),
        [what] => arguments.terms.with(Some(what)).map(Meant::With),
        _ => Err("only lease ids can be several\nhelp: name one thing at a time".to_owned()),
    }
}

/// A revocation under way.
struct Revoking<'a> {
    remote: Remote,
    arguments: &'a RevokeArguments,
}

impl Revoking<'_> {
    /// Named leases, one by one: whoever names them waits for each.
    fn leases(
        &self,
        ids: &[String],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<End, ShowError> {
        if !self.may(&format!("revoke {}?", some(ids.len())), err)? {
            return Ok(End::Left);
        }
        let (mut revoked, mut failed) = (Vec::new(), Vec::new());
        for id in ids {
            let lease = json!({ "lease_id": id, "sync": !self.arguments.in_background });
            // The server takes an unknown lease for one that is gone; a slip of the pen is not that.
            let known = self.remote.write("sys/leases/lookup", &json!({ "lease_id": id }));
            match known.and_then(|_lease| self.remote.write("sys/leases/revoke", &lease)) {
                Ok(_) => revoked.push(id.as_str()),
                Err(error) => failed.push(json!({ "lease_id": id, "error": error.to_string() })),
            }
        }
        if self.arguments.format == Format::Json {
            output::json(out, &json!({ "revoked": revoked, "failed": failed }))?;
        } else {
            let how = if self.arguments.in_background { "being revoked" } else { "revoked" };
            writeln!(out, "{how}: {} of {}", revoked.len(), some(ids.len()))?;
            for lease in &failed {
                let (id, error) = (text(lease, "lease_id"), text(lease, "error"));
                writeln!(out, "failed: {}: {error}", output::printable(&id))?;
            }
        }
        Ok(if failed.is_empty() { End::Done } else { End::Left })
    }

    /// All under a path: the server begins a job, which is the one that was not there before.
    fn under(
        &self,
        path: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<End, ShowError> {
        if !self.may(&format!("revoke every lease under `{}`?", output::printable(path)), err)? {
            return Ok(End::Left);
        }
        let before = self.jobs_of(path)?;
        let escaped: Vec<String> = path.split('/').map(escaped).collect();
        let path_of_it = format!("sys/leases/revoke-prefix/{}", escaped.join("/"));
        self.remote.write(&path_of_it, &json!({ "sync": false }))?;
        let begun = self.jobs_of(path)?.into_iter().find(|job| !before.contains(job));
        match begun {
            Some(job) => self.follow(&job, out, err),
            None => Ok(End::Nothing),
        }
    }

    /// The jobs over that path, the newest first.
    fn jobs_of(&self, path: &str) -> Result<Vec<String>, ShowError> {
        let jobs = self.remote.read("sys/leases/jobs")?.data;
        let folder = format!("{path}/");
        let of_path = list(&jobs, "jobs").filter(|job| {
            job.pointer("/scope/prefix").and_then(Value::as_str) == Some(folder.as_str())
        });
        Ok(of_path.map(|job| text(job, "id")).collect())
    }

    /// All that a query finds.
    fn with(
        &self,
        terms: &[Term],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<End, ShowError> {
        let mut unfinished = terms.to_vec();
        if !terms.iter().any(|(name, _)| name == "state") {
            unfinished.push(("state".to_owned(), "unfinished".to_owned()));
        }
        let mut found = who::ask(&self.remote, &unfinished, MOST_COUNTED)?;
        // Those that are gone, and only looked at again.
        found.leases.retain(|lease| text(lease, "removed_time").is_empty());
        if found.leases.is_empty() {
            return Ok(End::Nothing);
        }
        let or_more = if found.is_cut { " or more" } else { "" };
        let count = found.leases.len();
        let question = match found.leases.as_slice() {
            [one] => format!("revoke `{}`?", output::printable(&text(one, "lease_id"))),
            _ => format!("revoke {count}{or_more} leases?"),
        };
        if !self.may(&question, err)? {
            return Ok(End::Left);
        }
        let body: Map<String, Value> =
            terms.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let begun = self.remote.write("sys/leases/revoke-query", &Value::Object(body))?.data;
        self.follow(&text(&begun, "job_id"), out, err)
    }

    fn may(&self, question: &str, err: &mut dyn Write) -> io::Result<bool> {
        let input = io::stdin();
        if self.arguments.yes || !input.is_terminal() {
            return Ok(true);
        }
        let may = says_yes(question, &mut input.lock(), err)?;
        if !may {
            writeln!(err, "nothing is revoked")?;
        }
        Ok(may)
    }
}

/// Anything but a yes is a no.
fn says_yes(question: &str, input: &mut dyn BufRead, err: &mut dyn Write) -> io::Result<bool> {
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn some(count: usize) -> String {
    if count == 1 { "1 lease".to_owned() } else { format!("{count} leases") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        revoke: RevokeArguments,
    }

    const ID: &str = "aws/creds/r/abcdefghijklmnopqrstuvwx";

    fn read(line: &[&str]) -> Result<Meant, String> {
        let line = Line::try_parse_from([&["leasehold"], line].concat());
        meant(&line.map_err(|error| error.to_string())?.revoke)
    }

    fn pair(name: &str, value: &str) -> Term {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn what_is_meant_is_told_by_its_form() {
        assert_eq!(read(&[ID, ID]), Ok(Meant::Leases(vec![ID.to_owned(), ID.to_owned()])));
        let key = "AKIAIOSFODNN7EXAMPLE";
        let both = vec![pair("access_key", key), pair("role", "r")];
        assert_eq!(read(&[key, "--where", "role=r"]), Ok(Meant::With(both)));
        assert_eq!(
            read(&[ID, "--where", "lease_id=x"]),
            Err("`lease_id` is given twice".to_owned())
        );
        assert_eq!(read(&["--prefix", "aws/creds/r/"]), Ok(Meant::Under("aws/creds/r".to_owned())));
        assert_eq!(read(&["--prefix", ID]), Ok(Meant::Leases(vec![ID.to_owned()])));
        for bad in [&["--prefix", "/"][..], &[key, ID], &[], &[ID, "--prefix", "aws"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn anything_but_a_yes_is_a_no() {
        for (answer, may) in
            [("y\n", true), ("YES\n", true), ("\n", false), ("", false), ("no\n", false)]
        {
            let mut asked = Vec::new();
            assert_eq!(
                says_yes("revoke 2 leases?", &mut answer.as_bytes(), &mut asked).unwrap(),
                may
            );
            assert_eq!(String::from_utf8(asked).unwrap(), "revoke 2 leases? [y/N] ");
        }
    }
}
