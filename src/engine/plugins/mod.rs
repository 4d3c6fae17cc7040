//! Plugins: uploaded components of guardrails, and those that ship with the broker beside them. Everything that can be
//! found out about a plugin is found out before it is stored; what is stored never changes. Never decides what a plugin
//! is used for: that is a guardrail's.
//!
//! | file | holds |
//! |---|---|
//! | `examine` | whether bytes are a plugin that can be taken, and what it is |
//! | `upload` | the use cases that store and remove |
//! | `known` | what there is, shipped and stored |
//! | `error` | why not |

mod error;
mod examine;
mod known;
mod upload;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex};

use tokio::sync::Mutex;

pub use error::PluginError;
pub use examine::{Upload, Wanted};
pub use known::{KnownPlugin, Origin, PluginKey};
pub use upload::Uploaded;

use crate::model::PluginRecord;

/// What the engine remembers of plugins.
#[derive(Debug, Default)]
pub(super) struct Plugins {
    /// Held while a plugin is examined: one compiles at a time.
    turn: Mutex<()>,
    /// Those that ship with the broker and were asked for, by name.
    shipped: StdMutex<BTreeMap<&'static str, Arc<PluginRecord>>>,
}
