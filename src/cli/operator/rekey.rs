//! `leasehold operator rekey`: new shares in the place of the old. Begun once, then one old share at a time; then the new
//! ones are given back with `--verify`, and count. Only who begins it with `--verify=false` has them count at once.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{OperatorError, Result, key, print};
use crate::cli::output::{self, Format};
use crate::cli::reconcile::{list, text};
use crate::cli::remote::{Remote, RemoteArguments};

/// Arguments of `leasehold operator rekey`; the names are Vault's.
#[derive(Debug, Args)]
pub(in crate::cli) struct RekeyArguments {
    /// A share; - reads it from standard input. Without it the terminal is asked, and does not show it.
    #[arg(value_name = "KEY", conflicts_with_all = ["init", "cancel", "status"])]
    key: Option<String>,
    /// Begin.
    #[arg(long, group = "act")]
    init: bool,
    /// Give it up: the old shares stay.
    #[arg(long, group = "act")]
    cancel: bool,
    /// Show how it stands.
    #[arg(long, group = "act")]
    status: bool,
    /// How many new shares.
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    key_shares: u16,
    /// How many of them will be needed.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    key_threshold: u16,
    /// With --init: whether the new shares must be given back before they count [default: true]. Else: it is a new share
    /// that is given, or what became of those that is shown or begun anew.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    verify: Option<bool>,
    /// Of the attempt [default: the one that is under way].
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,
    /// Shares of which key: of the one that unseals, or of the recovery key of a server that unseals itself.
    #[arg(long, value_enum, default_value = "barrier")]
    target: Target,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    Barrier,
    Recovery,
}

impl RekeyArguments {
    fn path(&self, what: &str) -> String {
        match self.target {
            Target::Barrier => format!("sys/rekey/{what}"),
            Target::Recovery => format!("sys/rekey-recovery-key/{what}"),
        }
    }
}

/// To whoever asked for shares that are not given back.
const AT_ONCE: &str = "warning: the new shares count as soon as they are printed, and the old ones open nothing from then on: \
    whoever loses that one answer has lost the key";

pub(super) fn run(
    arguments: &RekeyArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<()> {
    let remote = Remote::new(&arguments.remote)?;
    let of_new = arguments.verify.unwrap_or_default() && !arguments.init;
    let stand = arguments.path(if of_new { "verify" } else { "init" });
    if arguments.init {
        // Not as Vault's command line: an answer that is lost must not be the end of all shares.
        let verify = arguments.verify.unwrap_or(true);
        if !verify {
            writeln!(err, "{AT_ONCE}")?;
        }
        let body = json!({
            "secret_shares": arguments.key_shares,
            "secret_threshold": arguments.key_threshold,
            "require_verification": verify,
        });
        return show(arguments, out, &remote.write(&stand, &body)?.data);
    }
    if arguments.cancel {
        remote.delete(&stand)?;
        writeln!(out, "Success! Canceled rekeying (if it was started)")?;
        return Ok(());
    }
    let status = remote.read(&stand)?.data;
    if arguments.status {
        return show(arguments, out, &status);
    }
    if !print::is(&status, "started") {
        return Err(OperatorError::NotBegun("a rekey"));
    }
    let nonce = arguments.nonce.clone().unwrap_or_else(|| text(&status, "nonce"));
    let share = key::read(arguments.key.as_deref(), "Rekey Key", err)?;
    let body = json!({ "nonce": nonce, "key": share.as_str() });
    let path = arguments.path(if of_new { "verify" } else { "update" });
    let answer = remote.write(&path, &body)?.data;
    if !print::is(&answer, "complete") || arguments.format == Format::Json {
        return show(arguments, out, &answer);
    }
    if of_new {
        writeln!(
            out,
            "Success! Rekey verification complete. The new shares are the ones that count."
        )?;
        return Ok(());
    }
    handed_out(out, &answer)
}

fn handed_out(out: &mut dyn Write, answer: &Value) -> Result<()> {
    for (at, share) in list(answer, "keys_base64").enumerate() {
        let share = share.as_str().unwrap_or_default();
        writeln!(out, "Key {}: {share}", at.saturating_add(1))?;
    }
    writeln!(out, "\nOperation nonce: {}\n", text(answer, "nonce"))?;
    if print::is(answer, "verification_required") {
        writeln!(
            out,
            "The new shares do not count yet: give enough of them back with\n\
             \"leasehold operator rekey --verify\". Until then the old shares are good.\n\n\
             Verification nonce: {}",
            text(answer, "verification_nonce")
        )?;
    } else {
        writeln!(out, "The shares were replaced: the old ones open nothing any more.")?;
    }
    Ok(())
}

fn show(arguments: &RekeyArguments, out: &mut dyn Write, status: &Value) -> Result<()> {
    if arguments.format == Format::Json {
        return Ok(output::json(out, status)?);
    }
    let of = |name| print::shown(status, name);
    let mut rows = vec![("Nonce", of("nonce")), ("Started", of("started"))];
    if print::is(status, "started") {
        let needed = if status.get("required").is_some() { of("required") } else { of("t") };
        rows.push(("Rekey Progress", format!("{}/{needed}", of("progress"))));
        rows.push(("New Shares", of("n")));
        rows.push(("New Threshold", of("t")));
        rows.push(("Verification Required", of("verification_required")));
        if status.get("verification_nonce").is_some() {
            rows.push(("Verification Nonce", of("verification_nonce")));
        }
    }
    Ok(print::table(out, &rows)?)
}
