//! The program. Everything is in the library; start at `src/lib.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    leasehold::cli::run()
}
