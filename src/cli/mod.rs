//! The command line: one file a subcommand. Each takes its arguments and a place to print, and gives
//! an exit code; nothing here decides anything about credentials. `main.rs` only calls [`run`].

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
mod backup;
pub mod check;
mod check_config;
mod doctor;
mod guardrail;
mod jobs;
mod operator;
mod output;
mod plugin;
mod quarantine;
mod reconcile;
pub mod remote;
mod restore;
mod revoke;
mod server;
mod terms;
mod who;

/// A configuration that cannot be used (`EX_CONFIG` of sysexits.h).
const EXIT_CONFIG: u8 = 78;
/// A command line that cannot be used, as clap has it.
const EXIT_USAGE: u8 = 2;
/// Anything else that stopped it.
const EXIT_FAILURE: u8 = 1;
/// What was asked for is not there.
const EXIT_NOTHING: u8 = 4;

/// Hands out AWS credentials over HashiCorp Vault's HTTP API. Before anything is created it judges
/// what a role would grant, and it keeps every credential as a lease until it is provably gone.
#[derive(Debug, Parser)]
#[command(name = "leasehold", version, about, long_about = None, after_help = AFTER_HELP, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Try it, with no AWS account:
  leasehold server --dev
and in another terminal, with any Vault client:
  export VAULT_ADDR=http://127.0.0.1:8200 VAULT_TOKEN=<the printed root token>
  vault secrets enable aws

Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad configuration; `check`, `who`, `revoke` and `doctor` have their own.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the broker.
    Server(server::ServerArguments),
    /// Judge policy documents and roles offline, by the very same gate as the server.
    Check(check::CheckArguments),
    /// Say who holds an access key, a user or a lease, or held it.
    Who(who::WhoArguments),
    /// End leases: by id, under a path, or by what `who` finds them by.
    Revoke(revoke::RevokeArguments),
    /// Show the jobs that revoke many leases, pause them, let them go on.
    Jobs(jobs::JobsArguments),
    /// Write the database of a server to a file, while it runs or not.
    Backup(backup::BackupArguments),
    /// Put a backup into the data directory of a stopped server.
    Restore(restore::RestoreArguments),
    /// Compare AWS with the leases of a running server.
    Reconcile(reconcile::ReconcileArguments),
    /// Look at whether a running server could do its work.
    Doctor(doctor::DoctorArguments),
    /// Show or end the quarantine of a server on a restored backup.
    Quarantine(quarantine::QuarantineArguments),
    /// Initialise, unseal and seal a server, replace its keys.
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Look at what an audit device wrote.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Bind, try, suspend and replay guardrails of a running server.
    Guardrail(guardrail::GuardrailArguments),
    /// Write, build, test and ship guardrails.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Read a configuration file as the server would, and say what is wrong with it.
    CheckConfig {
        /// The configuration file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// What the server runs to compile a guardrail, limited in time and memory.
    #[command(hide = true)]
    CompileGuardrail {
        /// Seconds, bytes and meters.
        order: String,
    },
}

/// Runs the program.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(problem) => return usage(&problem),
    };
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    match arguments.command {
        Command::Server(arguments) => server::run(&arguments, &mut out, &mut err),
        Command::Check(arguments) => check::run(&arguments, &mut out, &mut err).into(),
        Command::Who(arguments) => who::run(&arguments, &mut out, &mut err),
        Command::Revoke(arguments) => revoke::run(&arguments, &mut out, &mut err),
        Command::Jobs(arguments) => jobs::run(&arguments, &mut out, &mut err),
        Command::Backup(arguments) => backup::run(&arguments, &mut out, &mut err),
        Command::Restore(arguments) => restore::run(&arguments, &mut out, &mut err),
        Command::Reconcile(arguments) => reconcile::run(&arguments, &mut out, &mut err),
        Command::Doctor(arguments) => doctor::run(&arguments, &mut out, &mut err),
        Command::Quarantine(arguments) => quarantine::run(&arguments, &mut out, &mut err),
        Command::Operator(command) => operator::run(&command, &mut out, &mut err),
        Command::Audit(command) => audit::run(&command, &mut out, &mut err),
        Command::Guardrail(arguments) => guardrail::run(&arguments, &mut out, &mut err),
        Command::Plugin(command) => plugin::run(&command, &mut out, &mut err),
        Command::CheckConfig { file } => check_config::run(&file, &mut out, &mut err),
        Command::CompileGuardrail { order } => {
            let mut component = std::io::stdin();
            ExitCode::from(guardrail_host::run_compiler(&order, &mut component, &mut out, &mut err))
        }
    }
}

/// Help, the version, or what is wrong with the command line; for `check` that is "could not check".
fn usage(problem: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the terminal is gone.
    drop(problem.print());
    let checks = std::env::args_os().nth(1).is_some_and(|command| command == "check");
    match (problem.use_stderr(), checks) {
        (false, _) => ExitCode::SUCCESS,
        (true, true) => check::Exit::Unchecked.into(),
        (true, false) => ExitCode::from(EXIT_USAGE),
    }
}

/// Prints `error: …` the way every subcommand does; `help:` lines stand below it.
fn fail(err: &mut dyn std::io::Write, error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    drop(writeln!(err, "error: {error}"));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
