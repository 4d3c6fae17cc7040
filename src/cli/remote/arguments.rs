//! Where the server is and who asks: arguments and the variables of Vault's own command line. The token comes from the
//! environment or from a file, never from an argument. What is done with them is [`super::Remote`]'s.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::model::duration;

/// Longest wait for an answer when nobody says so, in seconds (Vault's command line).
const DEFAULT_TIMEOUT_SECONDS: i64 = 60;
/// Where the server is and how to trust it. `VAULT_TOKEN`, else `~/.vault-token`, says who asks: a token on a
/// command line could be read by everybody on the machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct RemoteArguments {
    /// The server [default: `https://127.0.0.1:8200`].
    #[arg(long, value_name = "URL", env = "VAULT_ADDR")]
    pub(super) address: Option<String>,
    /// Trust the certificates in this file (PEM) and no others [default: those of the system].
    #[arg(long, value_name = "FILE", env = "VAULT_CACERT")]
    pub(super) ca_cert: Option<PathBuf>,
    /// Do not check the server's certificate: whoever is in between can read the token.
    #[arg(long, value_name = "BOOL", env = "VAULT_SKIP_VERIFY", value_parser = switch,
          num_args = 0..=1, default_value = "", default_missing_value = "true", hide_default_value = true)]
    pub(super) tls_skip_verify: bool,
    /// Longest wait for an answer, in seconds or as `1m30s` [default: 60s].
    #[arg(long, value_name = "DURATION", env = "VAULT_CLIENT_TIMEOUT", value_parser = timeout,
          default_value = "", hide_default_value = true)]
    pub(super) client_timeout: Duration,
}

/// Go's words for true and false, which Vault's command line takes; set to nothing is not set.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        other => Err(format!("`{other}` is neither true nor false")),
    }
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = match text {
        "" => DEFAULT_TIMEOUT_SECONDS,
        text => duration::parse_seconds(text)?,
    };
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err(format!("`{text}` is no time to wait")),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line reads VAULT_TOKEN, as Vault's does"
)]
pub(super) fn token_of_environment() -> Option<String> {
    let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    std::env::var("VAULT_TOKEN").ok().and_then(filled).or_else(|| {
        let file = std::env::home_dir()?.join(".vault-token");
        std::fs::read_to_string(file).ok().and_then(filled)
    })
}
