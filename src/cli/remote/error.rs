//! Why a server gave no answer, or none that was hoped for, in its own sentences where it has some. Must never show a
//! token. Who meets these: [`super::Remote`].

use std::fmt;

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
