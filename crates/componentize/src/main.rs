//! `componentize CORE.wasm SOURCE-DIGEST OUT.wasm`: makes a core module into a component, and writes the digest of
//! its source into the custom section `leasehold:source-digest`. Reads and writes these files and nothing else.
//! Called by `scripts/plugins/build`; `scripts/plugins/check` reads the section back.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

const SECTION: &str = "leasehold:source-digest";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [core, digest, out] = arguments.as_slice() else {
        return say("usage: componentize CORE.wasm SOURCE-DIGEST OUT.wasm", ExitCode::from(2));
    };
    match componentize(core, digest, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&format!("error: `{core}`: {error}"), ExitCode::FAILURE),
    }
}

fn componentize(core: &str, digest: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let module = std::fs::read(core)?;
    let mut component = componentize::encode(&module, None)?;
    componentize::append_custom_section(&mut component, SECTION, digest.as_bytes());
    // Under another name first, so that a build that is interrupted leaves the old component.
    let temporary = format!("{out}.tmp");
    std::fs::write(&temporary, component)?;
    std::fs::rename(&temporary, out)?;
    Ok(())
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
    code
}
