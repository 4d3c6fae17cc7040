//! `leasehold operator`: init, unseal, seal, rekey, rotate, generate-root and key-status, as the Vault command line's
//! `operator` does and prints them. Keys come from the terminal, where they are not shown, from standard input or from
//! an argument; none is written anywhere but in the answer. The rules are the server's.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

mod generate_root;
mod init;
mod key;
mod print;
mod rekey;
mod rotate;
mod unseal;

use super::output::Format;
use super::remote::{RemoteArguments, RemoteError};
use super::{EXIT_FAILURE, EXIT_USAGE, fail};

/// What to do with the seal of a server.
#[derive(Debug, Subcommand)]
pub(super) enum OperatorCommand {
    /// Make an installation out of an empty server: prints the shares and the root token, once.
    Init(init::InitArguments),
    /// Give a share of the unseal key.
    Unseal(unseal::UnsealArguments),
    /// Seal the server: nothing is served until it is unsealed.
    Seal(Plain),
    /// Replace the shares.
    Rekey(rekey::RekeyArguments),
    /// Seal what is stored from now on with a new key.
    Rotate(Printed),
    /// Make a root token with the shares.
    GenerateRoot(generate_root::GenerateRootArguments),
    /// Show which key is in use.
    KeyStatus(Printed),
}

/// Arguments of what prints nothing but a word.
#[derive(Debug, Args)]
pub(super) struct Plain {
    #[command(flatten)]
    remote: RemoteArguments,
}

/// Arguments of what only prints.
#[derive(Debug, Args)]
pub(super) struct Printed {
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

/// Why it came to nothing.
#[derive(Debug, thiserror::Error)]
enum OperatorError {
    /// The server.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The terminal.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No key was given.
    #[error(
        "no key was given\nhelp: type it when asked, name it as an argument, or give - to read standard input"
    )]
    NoKey,
    /// Nothing is under way.
    #[error("{0} is not under way\nhelp: begin with --init")]
    NotBegun(&'static str),
    /// What cannot be decoded.
    #[error(
        "the token or the one-time password is not what a generation gave\nhelp: both must be whole, and of one attempt"
    )]
    Undecodable,
}

type Result<T> = std::result::Result<T, OperatorError>;

/// Runs the command.
pub(super) fn run(command: &OperatorCommand, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let done = match command {
        OperatorCommand::Init(arguments) => return exit(init::run(arguments, out), err),
        OperatorCommand::Unseal(arguments) => unseal::run(arguments, out, err),
        OperatorCommand::Seal(arguments) => unseal::seal(&arguments.remote, out),
        OperatorCommand::Rekey(arguments) => rekey::run(arguments, out, err),
        OperatorCommand::Rotate(arguments) => rotate::rotate(arguments, out),
        OperatorCommand::GenerateRoot(arguments) => generate_root::run(arguments, out, err),
        OperatorCommand::KeyStatus(arguments) => rotate::status(arguments, out),
    };
    exit(done.map(|()| 0), err)
}

fn exit(done: Result<u8>, err: &mut dyn Write) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error @ (OperatorError::NoKey | OperatorError::NotBegun(_))) => {
            fail(err, &error, EXIT_USAGE)
        }
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}
