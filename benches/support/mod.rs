//! What the benchmarks over the built binary share.

pub mod http;
pub mod server;
