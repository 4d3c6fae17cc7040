//! Runs guardrails: WebAssembly components of the world in `plugins/wit/guardrail.wit`, without WASI, each
//! call on a fresh instance under [`Limits`]. The only code that knows wasmtime; it judges nothing itself, does
//! no I/O but the code cache, and never lets a guest's fault become anything but a named [`Failure`].
//!
//! The way of a call: [`Host::new`] → [`Host::load`] (or refuse) → [`PreparedGrant::new`] once per grant →
//! [`Plugin::evaluate`] for every plugin bound to it → [`Evaluation`].
//!
//! | file | holds |
//! |---|---|
//! | [`limits`] | every bound, in one value without optional members |
//! | [`engine`] | the engine, its allocator and its tick; [`Host`] |
//! | [`load`] | from bytes to a [`Plugin`]: size, kind, and all the others check |
//! | `world`, [`manifest`], `schema` | what a plugin imports, exports and says of itself |
//! | [`refusal`] | why a component is not a plugin, in sentences |
//! | [`compile`] | from a component to native code, in a limited process of its own |
//! | `cache` | compiled code on disk, under a MAC |
//! | [`grant`] | what is judged, as plain Rust |
//! | `convert` | the same as the guest sees it, annotated from the catalogue |
//! | `imports` | what a guest may call, bounded and charged |
//! | [`evaluate`] | what is asked of a guest |
//! | `call`, `turns` | one call: store, meters, what ended it; and whose turn it is |
//! | [`report`] | what a guest answered, once it was found to make sense |
//! | [`failure`] | why there is no answer, with stable codes |

mod bindings;
mod block_on;
mod cache;
mod call;
pub mod compile;
mod convert;
pub mod engine;
pub mod evaluate;
pub mod failure;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod grant;
mod imports;
pub mod limits;
pub mod load;
pub mod manifest;
pub mod refusal;
pub mod report;
mod schema;
mod state;
mod tick;
mod turns;
mod world;

pub use compile::{COMPILE_SUBCOMMAND, CompileError, Compiler, run_compiler};
pub use engine::{CodeCache, Host, HostConfig, HostError, Meters};
pub use evaluate::Evaluation;
pub use failure::{Failure, LimitKind, SettingsIssue};
pub use grant::{
    Actor, Grant, PreparedGrant, Property, RoleContext, Source, SourcedDocument, Trigger,
};
pub use limits::{LimitTooHigh, Limits};
pub use load::Plugin;
pub use manifest::{Manifest, Rule};
pub use refusal::LoadError;
pub use report::{Finding, Location, Patch, Report, Severity, Verdict};
pub use state::{LogLevel, LogLine};
pub use world::CONTRACT_VERSION;
