//! Lines for the author and the operator; callers never see them. The host keeps the first hundred.
//! Outside a component (in tests) they go to standard error.

#[cfg(target_arch = "wasm32")]
use crate::bindings::leasehold::guardrail::log::{Level, log};

/// For the author.
pub fn debug(message: &str) {
    #[cfg(target_arch = "wasm32")]
    log(Level::Debug, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("debug: {message}");
}

/// Worth knowing.
pub fn info(message: &str) {
    #[cfg(target_arch = "wasm32")]
    log(Level::Info, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("info: {message}");
}

/// Worth a look.
pub fn warn(message: &str) {
    #[cfg(target_arch = "wasm32")]
    log(Level::Warn, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("warn: {message}");
}

/// Something is wrong.
pub fn error(message: &str) {
    #[cfg(target_arch = "wasm32")]
    log(Level::Error, message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("error: {message}");
}
