//! What IAM policy documents say: a strict reader, the typed form, IAM's matching and decision, and the action catalogue.
//! A pure library: no files, no network, no clock, no panics, so that it gives the same answer in the server, the
//! command line and a WASM guest. Start at [`json`] (bytes to tree), then [`document`] (tree to statements).

mod address;
mod bytes;
pub mod catalogue;
mod date;
pub mod decide;
pub mod document;
pub mod escalation;
pub mod json;
mod near;
pub mod quota;
pub mod semantics;
pub mod wildcard;

pub use catalogue::Catalogue;
pub use document::{Document, Problem};
pub use json::{JsonError, JsonErrorKind, Position, StrictJson};
