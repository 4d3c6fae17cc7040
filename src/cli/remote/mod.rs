//! A running server as the command line talks to it: where it is, who asks, and its answers in the words it gave. It
//! reads the variables of Vault's own command line. The token is never printed. What answers look like
//! on a terminal is [`super::output`]; what they mean is each subcommand's. Where it is and who asks: [`arguments`].

mod arguments;
mod error;
mod tls;

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderValue, Request, Uri};

pub use arguments::RemoteArguments;
use arguments::token_of_environment;
pub use error::RemoteError;
use tls::tls_config;

/// Where a server is when nobody says so (Vault's command line).
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";
/// Bytes of an answer that are read: a listing of a million lease ids stays under it.
const MAX_ANSWER_BYTES: u64 = 128 << 20;
/// Characters of an answer that is no JSON which are shown.
const SHOWN: usize = 200;

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

#[cfg(test)]
mod tests;
