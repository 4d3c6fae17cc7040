//! `leasehold operator generate-root`: a root token by shares, where no other is at hand. It comes under a one-time
//! password; `--decode` takes that off, here and not at the server.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{OperatorError, Result, key, print};
use crate::cli::output::{self, Format};
use crate::cli::reconcile::text;
use crate::cli::remote::{Remote, RemoteArguments};
use crate::random::Random;

/// Arguments of `leasehold operator generate-root`; the names are Vault's.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(in crate::cli) struct GenerateRootArguments {
    /// A share; - reads it from standard input. Without it the terminal is asked, and does not show it.
    #[arg(value_name = "KEY", conflicts_with_all = ["init", "cancel", "status", "generate_otp", "decode"])]
    key: Option<String>,
    /// Begin; without --otp the one-time password is made up and printed.
    #[arg(long, group = "act")]
    init: bool,
    /// Give it up.
    #[arg(long, group = "act")]
    cancel: bool,
    /// Show how it stands.
    #[arg(long, group = "act")]
    status: bool,
    /// Print a one-time password.
    #[arg(long, group = "act")]
    generate_otp: bool,
    /// Take the one-time password off a token; - reads it from standard input.
    #[arg(long, group = "act", value_name = "TOKEN", requires = "otp")]
    decode: Option<String>,
    /// The one-time password.
    #[arg(long, value_name = "TEXT")]
    otp: Option<String>,
    /// Of the attempt [default: the one that is under way].
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
  leasehold operator generate-root --init                    prints a nonce and a one-time password
  leasehold operator generate-root                           once by each holder of a share
  leasehold operator generate-root --decode TOKEN --otp OTP  prints the token";

const PATH: &str = "sys/generate-root/attempt";

pub(super) fn run(
    arguments: &GenerateRootArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<()> {
    if let Some(encoded) = &arguments.decode {
        let encoded = key::read(Some(encoded), "Encoded Token", err)?;
        let otp = arguments.otp.as_deref().unwrap_or_default();
        writeln!(out, "{}", decoded(&encoded, otp)?.as_str())?;
        return Ok(());
    }
    let remote = Remote::new(&arguments.remote)?;
    if arguments.init {
        let otp = arguments.otp.as_deref().unwrap_or_default();
        return show(arguments, out, &remote.write(PATH, &json!({ "otp": otp }))?.data);
    }
    if arguments.cancel {
        remote.delete(PATH)?;
        writeln!(out, "Success! Root token generation canceled (if it was started)")?;
        return Ok(());
    }
    let status = remote.read(PATH)?.data;
    if arguments.generate_otp {
        let length = status.get("otp_length").and_then(Value::as_u64).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or_default();
        writeln!(out, "{}", Random::from_os().base62(length))?;
        return Ok(());
    }
    if arguments.status {
        return show(arguments, out, &status);
    }
    if !print::is(&status, "started") {
        return Err(OperatorError::NotBegun("a root generation"));
    }
    let nonce = arguments.nonce.clone().unwrap_or_else(|| text(&status, "nonce"));
    let share = key::read(arguments.key.as_deref(), "Unseal Key", err)?;
    let body = json!({ "nonce": nonce, "key": share.as_str() });
    show(arguments, out, &remote.write("sys/generate-root/update", &body)?.data)
}

/// The token under its one-time password.
fn decoded(encoded: &str, otp: &str) -> Result<Zeroizing<String>> {
    let bytes = STANDARD_NO_PAD.decode(encoded.trim_end_matches('='));
    let bytes = bytes.map_err(|_no_base64| OperatorError::Undecodable)?;
    if bytes.len() != otp.len() {
        return Err(OperatorError::Undecodable);
    }
    let token = bytes.iter().zip(otp.bytes()).map(|(one, two)| one ^ two).collect();
    let token = String::from_utf8(token).map_err(|_no_text| OperatorError::Undecodable)?;
    Ok(Zeroizing::new(token))
}

fn show(arguments: &GenerateRootArguments, out: &mut dyn Write, status: &Value) -> Result<()> {
    if arguments.format == Format::Json {
        return Ok(output::json(out, status)?);
    }
    let of = |name| print::shown(status, name);
    let mut rows = vec![
        ("Nonce", of("nonce")),
        ("Started", of("started")),
        ("Progress", format!("{}/{}", of("progress"), of("required"))),
        ("Complete", of("complete")),
    ];
    for (name, member) in [("Encoded Token", "encoded_token"), ("OTP", "otp")] {
        if !text(status, member).is_empty() {
            rows.push((name, of(member)));
        }
    }
    rows.push(("OTP Length", of("otp_length")));
    Ok(print::bare(out, &rows)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_decoded_with_its_password_alone() {
        assert_eq!(decoded("WEdBHVVXVQ", "0123456").unwrap().as_str(), "hvs.abc");
        assert_eq!(decoded("WEdBHVVXVQ==", "0123456").unwrap().as_str(), "hvs.abc");
        for (token, otp) in [("WEdBHVVXVQ", "012345"), ("%", "0"), ("//8", "00")] {
            assert!(decoded(token, otp).is_err(), "{token}");
        }
    }
}
