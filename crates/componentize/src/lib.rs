//! Makes core modules into components: the one place that does, for `leasehold plugin build` and for
//! `scripts/plugins/build`, which builds this crate alone (seconds) and not the server with it (minutes).
//! It knows bytes: it compiles nothing, reads no file and judges no component; that is for `guardrail-host`.

use std::fmt::Display;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// `wit-component` refused the module.
    #[error("the module cannot be made into a component: {0}")]
    Refused(String),
    /// The contract's text, or the world that was asked for, cannot be used.
    #[error("the contract cannot be used: {0}")]
    Contract(String),
}

/// A module that stands in for imports of the main one, such as those of WASI.
#[derive(Debug, Clone, Copy)]
pub struct Adapter<'a> {
    /// The import module that it stands in for, e.g. `wasi_snapshot_preview1`.
    pub name: &'a str,
    /// A core module that exports what is imported from it. It has no data and no tables of its own.
    pub module: &'a [u8],
}

/// Makes a core module into a component. The module must carry the contract's types: `wit-bindgen` for Rust embeds
/// them, for other compilers [`embed_world`] does. What an adapter does not give stays an import.
pub fn encode(core: &[u8], adapter: Option<Adapter<'_>>) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(core).map_err(refused)?;
    if let Some(Adapter { name, module }) = adapter {
        encoder.adapter(name, module).map_err(refused)?;
    }
    encoder.encode().map_err(refused)
}

/// Gives a core module the types of a world of the contract, for compilers that do not embed them. `contract` is the
/// text of `plugins/wit/guardrail.wit`, `world` a name in it, `plugin` or `plugin-pure`. Texts are UTF-8.
pub fn embed_world(core: &[u8], contract: &str, world: &str) -> Result<Vec<u8>, EncodeError> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("guardrail.wit", contract).map_err(unusable)?;
    let world = resolve.select_world(&[package], Some(world)).map_err(unusable)?;
    let mut module = core.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .map_err(unusable)?;
    Ok(module)
}

/// The errors are chains; the alternate form prints them whole.
fn refused(error: impl Display) -> EncodeError {
    EncodeError::Refused(format!("{error:#}"))
}

fn unusable(error: impl Display) -> EncodeError {
    EncodeError::Contract(format!("{error:#}"))
}

/// Appends a custom section; a component stays valid with any number of them.
pub fn append_custom_section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    // Section 0: its size, the name's length, the name, the content.
    let mut body = Vec::new();
    leb128(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    wasm.push(0);
    leb128(wasm, body.len());
    wasm.extend(body);
}

/// Appends an unsigned number as WebAssembly has it.
pub fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = include_str!("../../../plugins/wit/guardrail.wit");
    /// An empty core module.
    const MODULE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

    #[test]
    fn what_is_no_module_is_refused() {
        let refused = encode(b"{}", None).unwrap_err();
        assert!(refused.to_string().starts_with("the module cannot be made"), "{refused}");
    }

    #[test]
    fn a_module_that_exports_nothing_does_not_fit_the_world_it_claims() {
        let module = embed_world(&MODULE, CONTRACT, "plugin-pure").unwrap();
        let refused = encode(&module, None).unwrap_err();
        assert!(refused.to_string().contains("guardrail"), "{refused}");
    }

    #[test]
    fn a_world_that_is_not_there_is_named() {
        let refused = embed_world(&MODULE, CONTRACT, "plug-in").unwrap_err();
        assert!(refused.to_string().contains("plug-in"), "{refused}");
    }

    #[test]
    fn a_custom_section_has_its_sizes_in_leb128() {
        let mut wasm = MODULE.to_vec();
        append_custom_section(&mut wasm, "name", &[7; 200]);
        assert_eq!(&wasm[8..16], [0, 0xcd, 1, 4, b'n', b'a', b'm', b'e']);
        assert_eq!(wasm.len(), 8 + 3 + 5 + 200);
    }
}
