//! `leasehold check-config FILE`: reads a configuration as the server would, and the files that it
//! names, without starting anything. What is checked is [`crate::config`]'s.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::{EXIT_CONFIG, fail};
use crate::config::{Config, Overrides};
use crate::gate::{Bounds, Gate};
use crate::http::server::check_tls;
use crate::seal::key_file;
use crate::system::files;

/// Prints one line when all is well, and what is wrong otherwise.
pub(super) fn run(file: &Path, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let config = match Config::load(Some(file), Overrides::default()) {
        Ok(config) => config,
        Err(error) => return fail(err, &error, EXIT_CONFIG),
    };
    for tls in config.listeners.iter().filter_map(|listener| listener.tls.as_ref()) {
        if let Err(error) = check_tls(tls) {
            return fail(err, &error, EXIT_CONFIG);
        }
    }
    match files::check(&config) {
        Ok(findings) => {
            for finding in findings {
                let path = finding.path.display();
                // Nobody is left to tell when standard error is closed.
                drop(writeln!(err, "note: {} `{path}`: {}", finding.what, finding.problem));
            }
        }
        Err(error) => return fail(err, &error, EXIT_CONFIG),
    }
    if let Some(key_file) = &config.key_file
        && let Err(error) = key_file::read(key_file)
    {
        return fail(err, &error, EXIT_CONFIG);
    }
    // What a guardrail takes only the guardrail knows; it is compiled for that, where there is something to ask.
    let guardrails = &config.guardrails;
    if !guardrails.settings.is_empty() || guardrails.bounds != Bounds::default() {
        let asked = Gate::new(super::check::uncached(guardrails.clone()));
        if let Err(error) = asked {
            return fail(err, &error, EXIT_CONFIG);
        }
    }
    let addresses: Vec<_> = config.listeners.iter().map(|one| one.address.to_string()).collect();
    let address = addresses.join(", ");
    let mode = config.guardrails.mode;
    match writeln!(out, "{} is valid: listens on {address}, guardrails {mode}", file.display()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, super::EXIT_FAILURE),
    }
}
