//! A running server as the command line talks to it: where it is, who asks, and its answers in the words it gave. It
//! reads the variables of Vault's own command line. The token is never printed. What answers look like
//! on a terminal is [`super::output`]; what they mean is each subcommand's.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderValue, Request, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::model::duration;

/// Where a server is when nobody says so (Vault's command line).
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";
/// Longest wait for an answer when nobody says so, in seconds (Vault's command line).
const DEFAULT_TIMEOUT_SECONDS: i64 = 60;
/// Bytes of an answer that are read: a listing of a million lease ids stays under it.
const MAX_ANSWER_BYTES: u64 = 128 << 20;
/// Characters of an answer that is no JSON which are shown.
const SHOWN: usize = 200;

/// Where the server is and how to trust it. `VAULT_TOKEN`, else `~/.vault-token`, says who asks: a token on a
/// command line could be read by everybody on the machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct RemoteArguments {
    /// The server [default: `https://127.0.0.1:8200`].
    #[arg(long, value_name = "URL", env = "VAULT_ADDR")]
    address: Option<String>,
    /// Trust the certificates in this file (PEM) and no others [default: those of the system].
    #[arg(long, value_name = "FILE", env = "VAULT_CACERT")]
    ca_cert: Option<PathBuf>,
    /// Do not check the server's certificate: whoever is in between can read the token.
    #[arg(long, value_name = "BOOL", env = "VAULT_SKIP_VERIFY", value_parser = switch,
          num_args = 0..=1, default_value = "", default_missing_value = "true", hide_default_value = true)]
    tls_skip_verify: bool,
    /// Longest wait for an answer, in seconds or as `1m30s` [default: 60s].
    #[arg(long, value_name = "DURATION", env = "VAULT_CLIENT_TIMEOUT", value_parser = timeout,
          default_value = "", hide_default_value = true)]
    client_timeout: Duration,
}

/// Go's words for true and false, which Vault's command line takes; set to nothing is not set.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        other => Err(format!("`{other}` is neither true nor false")),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = match text {
        "" => DEFAULT_TIMEOUT_SECONDS,
        text => duration::parse_seconds(text)?,
    };
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err(format!("`{text}` is no time to wait")),
    }
}

/// Why there is no answer, or none that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// What was said about the server cannot be used.
    #[error(
        "the address `{0}` cannot be used\nhelp: VAULT_ADDR or --address names a server as https://HOST:PORT"
    )]
    Address(String),
    /// The path cannot stand in a request.
    #[error("the path `{0}` cannot be asked for")]
    Path(String),
    /// The file of trusted certificates.
    #[error(
        "`{file}` has no certificates that can be used: {why}\nhelp: VAULT_CACERT or --ca-cert names a PEM file"
    )]
    Certificates {
        /// Which.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The token has characters that no token has; it is not shown.
    #[error("the token has characters that no token has\nhelp: see VAULT_TOKEN and ~/.vault-token")]
    Token,
    /// The server did not answer; the request may have been carried out or not.
    #[error(
        "no answer from {address}: {why}\nhelp: VAULT_ADDR or --address names the server, VAULT_CACERT its certificate"
    )]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What was met.
        why: String,
    },
    /// It answered, but not as a server of this kind does.
    #[error(
        "{address} answered {status} with something else than JSON: {text}\nhelp: is it a Leasehold or a proxy?"
    )]
    Foreign {
        /// Who answered.
        address: String,
        /// With what status.
        status: u16,
        /// The beginning of what it said.
        text: String,
    },
    /// There is nothing at the path: a read or list that was carried out.
    #[error("nothing at `{path}`")]
    NothingThere {
        /// Below `/v1/`.
        path: String,
    },
    /// The server refused, in its own sentences.
    #[error("{method} {path}: {status}{}", Sentences(errors, *is_anonymous))]
    Refused {
        /// The request's method.
        method: &'static str,
        /// The request's path, below `/v1/`.
        path: String,
        /// The status.
        status: u16,
        /// The sentences.
        errors: Vec<String>,
        /// Whether no token was sent.
        is_anonymous: bool,
    },
}

/// The server's sentences, each on a line of its own.
struct Sentences<'a>(&'a [String], bool);

impl fmt::Display for Sentences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in self.0 {
            write!(f, "\n  {sentence}")?;
        }
        if self.1 {
            f.write_str(
                "\nhelp: no token was sent: set VAULT_TOKEN, or put one into ~/.vault-token",
            )?;
        }
        Ok(())
    }
}

/// What a server answered to a request that it carried out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// 200, 202 or 204.
    pub status: u16,
    /// `data` of the envelope; the whole body where there is no envelope; null where there is no body.
    pub data: Value,
    /// What it wants to be said beside that.
    pub warnings: Vec<String>,
    /// The lease that the answer is under; empty where there is none.
    pub lease_id: String,
}

impl Answer {
    /// The texts of `data.keys`, of a list.
    pub fn keys(&self) -> Vec<String> {
        texts(self.data.get("keys"))
    }
}

/// A server, and who asks it. Each call waits for its answer.
pub struct Remote {
    agent: Agent,
    /// Without a slash at the end.
    address: String,
    /// Marked as sensitive, so that it does not print.
    token: Option<HeaderValue>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Remote {
    /// The server that the arguments and the environment name. Nothing is sent yet.
    pub fn new(arguments: &RemoteArguments) -> Result<Self, RemoteError> {
        Self::with_token(arguments, token_of_environment())
    }

    fn with_token(arguments: &RemoteArguments, token: Option<String>) -> Result<Self, RemoteError> {
        let address = arguments.address.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let address = address.unwrap_or(DEFAULT_ADDRESS).trim_end_matches('/').to_owned();
        let unusable = || RemoteError::Address(address.clone());
        let uri: Uri = address.parse().map_err(|_no_uri| unusable())?;
        let host = uri.host().ok_or_else(unusable)?.to_owned();
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(unusable()),
        };
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(arguments.client_timeout))
            .user_agent(concat!("leasehold/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&host) {
            // A proxy for the outside cannot reach what listens here (Go's clients do the same).
            config = config.proxy(None);
        }
        if is_https {
            config = config.tls_config(tls_config(arguments)?);
        }
        let token = token.map(header).transpose()?;
        Ok(Self { agent: config.build().new_agent(), address, token })
    }

    /// Reads a path; `NothingThere` where there is nothing.
    pub fn read(&self, path: &str) -> Result<Answer, RemoteError> {
        self.send("GET", path, Vec::new())
    }

    /// Writes a path.
    pub fn write(&self, path: &str, body: &Value) -> Result<Answer, RemoteError> {
        self.send("PUT", path, body.to_string().into_bytes())
    }

    /// Writes bytes that are no JSON to a path.
    pub fn upload(&self, path: &str, body: Vec<u8>) -> Result<Answer, RemoteError> {
        self.send("PUT", path, body)
    }

    /// Lists a path; `NothingThere` where there is nothing.
    pub fn list(&self, path: &str) -> Result<Answer, RemoteError> {
        self.send("LIST", path, Vec::new())
    }

    /// Deletes a path.
    pub fn delete(&self, path: &str) -> Result<Answer, RemoteError> {
        self.send("DELETE", path, Vec::new())
    }

    /// `path` is below `/v1/`; a query may follow it. What people type in it is escaped by [`escaped`].
    fn send(&self, method: &'static str, path: &str, body: Vec<u8>) -> Result<Answer, RemoteError> {
        let path = path.trim_start_matches('/');
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address))
            .header("X-Vault-Request", "true");
        if let Some(token) = &self.token {
            request = request.header("X-Vault-Token", token);
        }
        let request =
            request.body(body).map_err(|_no_request| RemoteError::Path(path.to_owned()))?;
        let silent = |error: ureq::Error| RemoteError::Unreachable {
            address: self.address.clone(),
            why: error.to_string(),
        };
        let mut response = self.agent.run(request).map_err(silent)?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_string()
            .map_err(silent)?;
        self.understand(method, path, status, &text)
    }

    fn understand(
        &self,
        method: &'static str,
        path: &str,
        status: u16,
        text: &str,
    ) -> Result<Answer, RemoteError> {
        let body: Value = match text.trim() {
            "" => Value::Null,
            text => serde_json::from_str(text).map_err(|_no_json| RemoteError::Foreign {
                address: self.address.clone(),
                status,
                text: shown(text),
            })?,
        };
        let errors = texts(body.get("errors"));
        match status {
            200..300 => Ok(answer(status, body)),
            404 if errors.is_empty() => Err(RemoteError::NothingThere { path: path.to_owned() }),
            _ => Err(RemoteError::Refused {
                method,
                path: path.to_owned(),
                status,
                errors,
                is_anonymous: self.token.is_none(),
            }),
        }
    }
}

/// One segment of a path, or one value of a query, with everything escaped that means something there.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let hex = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            let digits = ['%', hex(byte >> 4), hex(byte & 15)];
            escaped.extend(digits.map(|digit| digit.to_ascii_uppercase()));
        }
    }
    escaped
}

fn answer(status: u16, body: Value) -> Answer {
    // Health, init and metrics answer without an envelope.
    let Some(data) = body.get("data").filter(|_| body.get("request_id").is_some()) else {
        return Answer { status, data: body, ..Answer::default() };
    };
    Answer {
        status,
        data: data.clone(),
        warnings: texts(body.get("warnings")),
        lease_id: body.get("lease_id").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn header(token: String) -> Result<HeaderValue, RemoteError> {
    let mut header = HeaderValue::try_from(token).map_err(|_no_header| RemoteError::Token)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Over ring, as everywhere. Trusted is what the system trusts, as with Vault's own command line (a company's own
/// authority is there, and in no list of Mozilla's that a program brings along); `rustls-native-certs` finds it.
fn tls_config(arguments: &RemoteArguments) -> Result<TlsConfig, RemoteError> {
    let config = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if arguments.tls_skip_verify {
        return Ok(config.disable_verification(true).root_certs(roots(&[])).build());
    }
    let file = arguments.ca_cert.as_ref().filter(|file| !file.as_os_str().is_empty());
    let Some(file) = file else {
        // What of it cannot be read is not trusted; a server that needs it is refused by name.
        return Ok(config
            .root_certs(roots(&rustls_native_certs::load_native_certs().certs))
            .build());
    };
    let unusable =
        |why: String| RemoteError::Certificates { file: file.display().to_string(), why };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("there is none in it".to_owned()));
    }
    Ok(config.root_certs(roots(&certificates)).build())
}

fn roots(certificates: &[CertificateDer<'static>]) -> RootCerts {
    certificates.iter().map(|der| Certificate::from_der(der).to_owned()).into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line reads VAULT_TOKEN, as Vault's does"
)]
fn token_of_environment() -> Option<String> {
    let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    std::env::var("VAULT_TOKEN").ok().and_then(filled).or_else(|| {
        let file = std::env::home_dir()?.join(".vault-token");
        std::fs::read_to_string(file).ok().and_then(filled)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        remote: RemoteArguments,
    }

    fn arguments(line: &[&str]) -> RemoteArguments {
        let line = [&["leasehold", "--address", "http://127.0.0.1:1"], line].concat();
        Line::try_parse_from(line).unwrap().remote
    }

    fn remote(token: Option<&str>) -> Remote {
        Remote::with_token(&arguments(&[]), token.map(str::to_owned)).unwrap()
    }

    #[test]
    fn answers_are_told_apart_by_their_envelope() {
        let remote = remote(None);
        let read = |status, text: &str| remote.understand("GET", "aws/roles/r", status, text);
        let body = r#"{"request_id":"i","lease_id":"l","data":{"a":1},"warnings":["w"]}"#;
        let enveloped = read(200, body).unwrap();
        assert_eq!(enveloped.data, serde_json::json!({"a": 1}));
        assert_eq!((enveloped.lease_id.as_str(), enveloped.warnings), ("l", vec!["w".to_owned()]));
        let bare = read(200, r#"{"initialized":true}"#).unwrap();
        assert_eq!(bare.data, serde_json::json!({"initialized": true}));
        assert_eq!(read(204, "").unwrap().data, Value::Null);
        let absent = read(404, r#"{"errors":[]}"#).unwrap_err();
        assert!(matches!(absent, RemoteError::NothingThere { .. }));
    }

    #[test]
    fn a_refusal_has_the_servers_sentences_and_help_where_no_token_was_sent() {
        let body = r#"{"errors":["permission denied","and more"]}"#;
        let told = |token| {
            let refused = remote(token).understand("GET", "sys/x", 403, body);
            refused.unwrap_err().to_string()
        };
        assert_eq!(told(Some("t")), "GET sys/x: 403\n  permission denied\n  and more");
        assert!(told(None).contains("\nhelp: no token was sent"));
        let page = remote(None).understand("GET", "x", 502, "<html>\u{1b}[31m").unwrap_err();
        assert!(page.to_string().contains("502"), "{page}");
        assert!(!page.to_string().contains('\u{1b}'));
    }

    #[test]
    fn a_token_never_prints_and_a_broken_one_is_not_shown() {
        assert!(!format!("{:?}", remote(Some("hvs.secret"))).contains("hvs.secret"));
        let broken = Remote::with_token(&arguments(&[]), Some("hvs.se\ncret".to_owned()));
        assert!(!broken.unwrap_err().to_string().contains("cret"));
    }

    #[test]
    fn what_is_said_of_the_server_is_read_as_vaults_command_line_reads_it() {
        assert_eq!(arguments(&[]).client_timeout, Duration::from_mins(1));
        assert_eq!(arguments(&["--client-timeout", "90s"]).client_timeout, Duration::from_secs(90));
        assert!(!arguments(&[]).tls_skip_verify);
        assert!(arguments(&["--tls-skip-verify"]).tls_skip_verify);
        assert_eq!((switch("0"), switch("t")), (Ok(false), Ok(true)));
        assert!(switch("maybe").is_err() && timeout("0").is_err() && timeout("x").is_err());
        for address in ["ftp://a", "127.0.0.1:8200", "http://", "x y"] {
            let line = Line::try_parse_from(["leasehold", "--address", address]).unwrap();
            let refused = Remote::with_token(&line.remote, None).unwrap_err();
            assert!(matches!(refused, RemoteError::Address(_)), "{address}: {refused}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_used_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, "nothing").unwrap();
        for file in [file, dir.path().join("absent.pem")] {
            let shown = file.to_str().unwrap();
            let line = ["leasehold", "--address", "https://h", "--ca-cert", shown];
            let line = Line::try_parse_from(line).unwrap();
            let refused = Remote::with_token(&line.remote, None).unwrap_err();
            assert!(refused.to_string().starts_with(&format!("`{shown}`")), "{refused}");
        }
    }

    #[test]
    fn what_people_type_is_escaped_in_a_path() {
        assert_eq!(escaped("a/b c?d&é"), "a%2Fb%20c%3Fd%26%C3%A9");
        assert_eq!(escaped("AKIA-._~9"), "AKIA-._~9");
    }

    #[test]
    fn proxies_are_not_asked_for_this_machine() {
        assert!(is_loopback("127.0.0.1") && is_loopback("[::1]") && is_loopback("localhost"));
        assert!(!is_loopback("10.0.0.1") && !is_loopback("localhost.example"));
    }
}
