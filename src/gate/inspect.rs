//! A component that nobody works with yet, loaded on the gate's own engine to see what it is. Binds nothing and keeps
//! nothing but compiled code.

use guardrail_host::{LoadError, Plugin};

use super::Gate;

impl Gate {
    /// Loads a component beside those that judge. Takes seconds where it must be compiled: not for a worker of a
    /// runtime.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        self.plugins.host().load(component)
    }
}
