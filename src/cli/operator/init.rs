//! `leasehold operator init`: prints the shares and the root token, this once.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::Result;
use crate::cli::output::{self, Format};
use crate::cli::reconcile::{list, text};
use crate::cli::remote::{Remote, RemoteArguments};

/// Arguments of `leasehold operator init`; the names are Vault's.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct InitArguments {
    /// Only say whether the server is initialised.
    #[arg(long)]
    status: bool,
    /// How many shares the unseal key is split into [default: 5].
    #[arg(long, value_name = "NUMBER")]
    key_shares: Option<u16>,
    /// How many of them unseal [default: 3].
    #[arg(long, value_name = "NUMBER")]
    key_threshold: Option<u16>,
    /// How many shares the recovery key is split into, where the server unseals itself [default: 5].
    #[arg(long, value_name = "NUMBER")]
    recovery_shares: Option<u16>,
    /// How many of them are needed [default: 3].
    #[arg(long, value_name = "NUMBER")]
    recovery_threshold: Option<u16>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
Give each share to another person. Nobody can make them again, and without enough of them what is stored stays closed.

Exit codes: 0 done, 1 failed; with --status 0 initialised, 2 not.";

/// What --status says of a server that is not initialised.
const NOT_INITIALISED: u8 = 2;

pub(super) fn run(arguments: &InitArguments, out: &mut dyn Write) -> Result<u8> {
    let remote = Remote::new(&arguments.remote)?;
    if arguments.status {
        let initialised =
            remote.read("sys/init")?.data.get("initialized") == Some(&Value::Bool(true));
        writeln!(out, "Leasehold is {}initialized", if initialised { "" } else { "not " })?;
        return Ok(if initialised { 0 } else { NOT_INITIALISED });
    }
    let recovery =
        remote.read("sys/seal-status")?.data.get("recovery_seal") == Some(&Value::Bool(true));
    // What was asked for is sent even where the server will refuse it: it says why.
    let number = |given: Option<u16>, wanted: bool, default: u16| {
        given.unwrap_or(if wanted { default } else { 0 })
    };
    let body = json!({
        "secret_shares": number(arguments.key_shares, !recovery, 5),
        "secret_threshold": number(arguments.key_threshold, !recovery, 3),
        "recovery_shares": number(arguments.recovery_shares, recovery, 5),
        "recovery_threshold": number(arguments.recovery_threshold, recovery, 3),
    });
    let made = remote.write("sys/init", &body)?.data;
    if arguments.format == Format::Json {
        output::json(out, &made)?;
        return Ok(0);
    }
    show(out, &made, &body)?;
    Ok(0)
}

fn show(out: &mut dyn Write, made: &Value, asked: &Value) -> Result<()> {
    let (keys, recovery) = ("keys_base64", "recovery_keys_base64");
    for (name, label) in [(keys, "Unseal"), (recovery, "Recovery")] {
        for (at, key) in list(made, name).enumerate() {
            let key = key.as_str().unwrap_or_default();
            writeln!(out, "{label} Key {}: {key}", at.saturating_add(1))?;
        }
    }
    writeln!(out, "\nInitial Root Token: {}\n", text(made, "root_token"))?;
    let of = |name: &str| asked.get(name).map(Value::to_string).unwrap_or_default();
    if list(made, keys).next().is_some() {
        let (shares, threshold) = (of("secret_shares"), of("secret_threshold"));
        writeln!(
            out,
            "Leasehold initialized with {shares} key shares and a key threshold of {threshold}. Please\n\
             securely distribute the key shares printed above. When the server is sealed,\n\
             restarted, or stopped, you must supply at least {threshold} of these keys to unseal it\n\
             before it can start servicing requests.\n\n\
             Leasehold does not store the key that they make. Without at least {threshold} of them\n\
             it will remain permanently sealed!\n\n\
             It is possible to replace the shares, provided you have enough of those printed\n\
             above. See \"leasehold operator rekey\" for more information."
        )?;
    } else {
        writeln!(out, "Success! Leasehold is initialized")?;
    }
    if list(made, recovery).next().is_some() {
        let (shares, threshold) = (of("recovery_shares"), of("recovery_threshold"));
        writeln!(
            out,
            "\nRecovery key initialized with {shares} key shares and a key threshold of {threshold}. Please\n\
             securely distribute the key shares printed above."
        )?;
    }
    Ok(())
}
