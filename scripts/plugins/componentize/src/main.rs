//! `componentize CORE.wasm SOURCE-DIGEST OUT.wasm`: makes a core module into a component, and writes the digest of
//! its source into the custom section `leasehold:source-digest`. Reads and writes these files and nothing else.
//! Called by `scripts/plugins/build`; `scripts/plugins/check` reads the section back.

use std::error::Error;
use std::process::ExitCode;

use wit_component::ComponentEncoder;

const SECTION: &str = "leasehold:source-digest";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [core, digest, out] = arguments.as_slice() else {
        eprintln!("usage: componentize CORE.wasm SOURCE-DIGEST OUT.wasm");
        return ExitCode::from(2);
    };
    match componentize(core, digest, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: `{core}` cannot be made into a component: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn componentize(core: &str, digest: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let module = std::fs::read(core)?;
    let mut component = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| format!("{error:#}"))?;
    append_custom_section(&mut component, SECTION, digest.as_bytes());
    // Under another name first, so that a build that is interrupted leaves the old component.
    let temporary = format!("{out}.tmp");
    std::fs::write(&temporary, component)?;
    std::fs::rename(&temporary, out)?;
    Ok(())
}

/// Section 0: its size, the name's length, the name, the content; all lengths in LEB128.
fn append_custom_section(component: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = Vec::new();
    leb128(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    component.push(0);
    leb128(component, body.len());
    component.extend(body);
}

fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}
