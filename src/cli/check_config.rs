//! `leasehold check-config FILE`: reads a configuration as the server would, and the files that it
//! names, without starting anything. What is checked is [`crate::config`]'s.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::{EXIT_CONFIG, fail};
use crate::config::{Config, Overrides};
use crate::gate::{Bounds, Gate};
use crate::http::server::tls_config;
use crate::seal::key_file;

/// Prints one line when all is well, and what is wrong otherwise.
pub(super) fn run(file: &Path, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let config = match Config::load(Some(file), Overrides::default()) {
        Ok(config) => config,
        Err(error) => return fail(err, &error, EXIT_CONFIG),
    };
    if let Some(tls) = &config.listener.tls
        && let Err(error) = tls_config(tls)
    {
        return fail(err, &error, EXIT_CONFIG);
    }
    if let Some(key_file) = config.seal.key_file()
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
    let address = config.listener.address;
    let mode = config.guardrails.mode;
    match writeln!(out, "{} is valid: listens on {address}, guardrails {mode}", file.display()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, super::EXIT_FAILURE),
    }
}
